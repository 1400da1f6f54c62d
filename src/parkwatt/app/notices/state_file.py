"""What people were told and what has yet to reach them: a file beside the journal, written as it changes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import structlog

from parkwatt.app.atomic_file import replacing
from parkwatt.io.notify import Outbox
from parkwatt.site.notices import NoticeState

_VERSION: Final = 1
_NAME: Final = "notices.json"


class Kept(msgspec.Struct, omit_defaults=True):
    """``people``: what each was told, by name."""

    version: int = _VERSION
    people: dict[str, NoticeState] = msgspec.field(default_factory=dict)
    outbox: Outbox = msgspec.field(default_factory=Outbox)


def place(directory: Path) -> Path:
    """The file in the folder of a site's data."""
    return directory / _NAME


def load(path: Path) -> Kept:
    """What was kept; nothing where there is none, or where it cannot be read: then what still stands is told again."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Kept)
    except FileNotFoundError:
        return Kept()
    except (OSError, msgspec.MsgspecError) as error:
        structlog.get_logger().warning("what was told is not known", reason=str(error))
        return Kept()
    return kept if kept.version == _VERSION else Kept()


def encode(kept: Kept) -> str:
    """As it is written."""
    return msgspec.json.encode(kept).decode()


def save(path: Path, text: str) -> None:
    """Write it whole or not at all. Raises InputError where that is not possible."""
    with replacing(path) as stream:
        stream.write(text)
