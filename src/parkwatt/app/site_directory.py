"""The folder of a site's data: who may read it, and the token of its API."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from parkwatt.domain.errors import InputError, InputFault

_TOKEN_BYTES = 32
_TOKEN_CHARACTERS_MIN = 20
_NOT_THE_OWNER = stat.S_IRWXG | stat.S_IRWXO


def make_private(directory: Path) -> None:
    """Make the folder, readable by its owner alone, where there is none.

    Raises InputError where that is not possible, or it cannot be written.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(directory, f"cannot be made: {error.strerror}") from error
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        raise _unusable(directory, "must be writable by the user that Parkwatt runs as")


def _unusable(directory: Path, rule: str) -> InputError:
    return InputError([InputFault("store.directory", rule, str(directory))])


def make_token(path: Path) -> str:
    """The API's token; a new one, readable by its owner alone, where there is none.

    Raises InputError where there is one that must not be used.
    """
    if not path.exists():
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token + "\n")
    if os.name == "posix" and path.stat().st_mode & _NOT_THE_OWNER:
        rule = "holds the API's token and must be readable by its owner alone: chmod 600"
        raise InputError([InputFault(str(path), rule)])
    return read_token(path)


def read_token(path: Path) -> str:
    """The API's token.

    Raises FileNotFoundError where there is none yet, InputError where it cannot be read or is none.
    """
    try:
        token = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not ASCII"
        fault = InputFault(str(path), f"holds the API's token and cannot be read: {reason}")
        raise InputError([fault]) from error
    if len(token) < _TOKEN_CHARACTERS_MIN or not token.isprintable() or " " in token:
        rule = (
            f"must hold the API's token, at least {_TOKEN_CHARACTERS_MIN} characters without spaces; "
            "remove the file, and the next start makes one"
        )
        raise InputError([InputFault(str(path), rule)])
    return token
