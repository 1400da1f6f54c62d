"""What a handshake says about the charger: its identity, its user name and password, its certificate, its versions.

Sources: OCPP 2.1 Part 4 §3.1 (URL, identity, sub-protocol), RFC 7617 (Basic authentication), Part 2 A00 (certificates).
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from parkwatt.io.ocpp.version import Version

# Part 2 defines identifierString as letters, digits and these signs; Part 4 §3.1.1 takes the colon out, and names the length.
_IDENTITY = re.compile(r"[A-Za-z0-9*\-_=+|@.]{1,48}")

# Highest first.
_PREFERRED = (Version.V21, Version.V201, Version.V16)


@dataclass(frozen=True, slots=True)
class BasicLogin:
    """User name and password of an Authorization header; bytes, since a key of OCPP 1.6 may be binary."""

    user: bytes
    password: bytes


def is_identity(text: str) -> bool:
    """Whether the text can be a charger's identity: 1 to 48 characters of identifierString, without a colon."""
    return _IDENTITY.fullmatch(text) is not None


def charger_id_of(target: str) -> str | None:
    """The charger's identity: the last segment of the request target, percent-decoded; None where it cannot be one.

    A slash at the end is overlooked, since some chargers append one.
    """
    segment = target.partition("?")[0].rstrip("/").rpartition("/")[2]
    try:
        identity = unquote(segment, errors="strict")
    except UnicodeDecodeError:
        return None
    return identity if is_identity(identity) else None


def choose_version(offered: Iterable[str]) -> Version | None:
    """The highest version that both speak; None where there is none."""
    known = set(offered)
    return next((version for version in _PREFERRED if version.value in known), None)


def basic_login(header: str | None) -> BasicLogin | None:
    """The login of an Authorization header; None where there is no header or it is no Basic authentication."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return BasicLogin(user, password) if colon else None


def names_in_certificate(certificate: Mapping[str, object] | None) -> frozenset[str] | None:
    """The names that a verified certificate (as `ssl` tells it) was issued for: CN, and DNS and URI alternatives.

    None where the charger showed no certificate.
    """
    if not certificate:
        return None
    names: set[str] = set()
    for relative in _pairs(certificate.get("subject")):
        names.update(value for key, value in _texts(relative) if key == "commonName")
    alternatives = _texts(certificate.get("subjectAltName"))
    names.update(value for key, value in alternatives if key in {"DNS", "URI"})
    return frozenset(names)


def is_loopback(host: str) -> bool:
    """Whether an address or host name stays on this machine."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _pairs(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()


def _texts(value: object) -> list[tuple[str, str]]:
    return [
        (str(item[0]), str(item[1]))
        for item in _pairs(value)
        if isinstance(item, tuple) and len(item) == 2
    ]
