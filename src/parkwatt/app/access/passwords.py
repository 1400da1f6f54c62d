"""Passwords of people: kept by scrypt (RFC 7914), with its cost beside the hash so that it can be raised later.

A guess costs 64 MB and about a tenth of a second. Who asks for a user that does not exist, or has no password, waits as long.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

from parkwatt.app.access.names import key_of
from parkwatt.domain.record import Faults

PASSWORD_CHARACTERS_MIN: Final = 10
PASSWORD_CHARACTERS_MAX: Final = 256
_SALT_BYTES: Final = 16
_N, _R, _P = 2**16, 8, 1
_MEMORY_BYTES_MAX: Final = 256 * 2**20


def check_password(password: str, name: str, faults: Faults) -> None:
    """Note what keeps a password from being used. No rule asks for signs or digits: length is what counts."""
    if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
        faults.add(
            "password",
            f"must have {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters",
        )
    elif not password.isprintable() or len(set(password)) == 1 or key_of(password) == key_of(name):
        faults.add("password", "must not be one character again and again, nor the name")


def hash_password(password: str) -> str:
    """The stored form. Takes a tenth of a second and more: call it in a thread."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"scrypt${_N}${_R}${_P}${salt.hex()}${_digest(password, salt, _N, _R, _P).hex()}"


def is_password(stored: str | None, given: str) -> bool:
    """Whether ``given`` is the password behind ``stored``; None: there is none, which takes as long. Call it in a thread."""
    if stored is None:
        _digest(given, bytes(_SALT_BYTES), _N, _R, _P)
        return False
    _, n, r, p, salt, digest = stored.split("$")
    made = _digest(given, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(made, bytes.fromhex(digest))


def _digest(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    given = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(given, salt=salt, n=n, r=r, p=p, maxmem=_MEMORY_BYTES_MAX, dklen=32)
