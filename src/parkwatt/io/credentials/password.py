"""Passwords of chargers: made, kept as hashes, compared.

A password that Parkwatt made holds 100 random bits, so one salted SHA-256 keeps it: nobody can search 2¹⁰⁰, and ten thousand
chargers that come back at once cost microseconds each. A password that a person chose is kept by scrypt (RFC 7914), and a
process remembers which one it has verified (docs/decisions/0032-credentials.md).

Lengths: OCPP 1.6 takes 16 to 20 bytes, shown as up to 40 hexadecimal digits (security whitepaper, A00.FR.205 and 7.2); OCPP 2.x
takes 16 to 40 characters (BasicAuthPassword). Twenty characters satisfy all.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict

from parkwatt.domain.record import Faults

_ALPHABET = (
    "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # 32 characters, 5 bits each; none looks like another
)
_LENGTH = 20
_SALT_BYTES = 16
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**14, 8, 1
_SCRYPT_BYTES_MAX = 64 * 2**20
_REMEMBERED_MAX = 20_000

# passwordString of OCPP 2.x: identifierString and these signs (Part 2, BasicAuthPassword).
_CHOSEN = re.compile(r"[A-Za-z0-9*\-_=:+|@.]{16,40}")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){16,20}")


def new_password() -> str:
    """A password of 20 characters that are not mistaken for one another: 100 random bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def check_chosen(password: str, faults: Faults) -> None:
    """Note what keeps a charger from taking a password that a person chose."""
    if not _CHOSEN.fullmatch(password):
        faults.add(
            "password",
            "must be 16 to 40 of the letters, digits and * - _ = : + | @ . that OCPP allows",
        )


def hash_made(password: str) -> str:
    """The stored form of a password that `new_password` made."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"sha256${salt.hex()}${_sha256(password.encode(), salt).hex()}"


def hash_chosen(password: str) -> str:
    """The stored form of a password that a person chose."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"scrypt${salt.hex()}${_scrypt(password.encode(), salt).hex()}"


class PasswordChecker:
    """Compares passwords with stored hashes, and remembers the slow ones that matched."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._verified: OrderedDict[str, bytes] = OrderedDict()

    def quickly(self, stored: str | None, given: bytes) -> bool | None:
        """Whether ``given`` is the password; None where only `slowly` can tell.

        ``stored`` None (no such charger, or one without a password) takes the time of a comparison and is False.
        """
        if stored is None or stored.startswith("sha256$"):
            salt, expected = _parts(stored)
            return any(hmac.compare_digest(_sha256(form, salt), expected) for form in _forms(given))
        remembered = self._verified.get(stored)
        if remembered is not None and hmac.compare_digest(remembered, self._mark(given)):
            return True
        return None

    def slowly(self, stored: str, given: bytes) -> bool:
        """Whether ``given`` is the password behind a scrypt hash. Takes tens of milliseconds: call it in a thread."""
        salt, expected = _parts(stored)
        if not any(hmac.compare_digest(_scrypt(form, salt), expected) for form in _forms(given)):
            return False
        self._verified[stored] = self._mark(given)
        if len(self._verified) > _REMEMBERED_MAX:
            self._verified.popitem(last=False)
        return True

    def _mark(self, given: bytes) -> bytes:
        return hmac.digest(self._key, given, "sha256")


def _parts(stored: str | None) -> tuple[bytes, bytes]:
    if stored is None:
        return bytes(_SALT_BYTES), b""
    _, salt, digest = stored.split("$")
    return bytes.fromhex(salt), bytes.fromhex(digest)


def _forms(given: bytes) -> tuple[bytes, ...]:
    """As it came, and what its hexadecimal digits stand for: chargers of OCPP 1.6 send a key either way."""
    return (given, bytes.fromhex(given.decode())) if _HEX.fullmatch(given) else (given,)


def _sha256(password: bytes, salt: bytes) -> bytes:
    return hashlib.sha256(salt + password).digest()


def _scrypt(password: bytes, salt: bytes) -> bytes:
    return hashlib.scrypt(
        password,
        salt=salt,
        n=_SCRYPT_N,
        r=_SCRYPT_R,
        p=_SCRYPT_P,
        maxmem=_SCRYPT_BYTES_MAX,
        dklen=32,
    )
