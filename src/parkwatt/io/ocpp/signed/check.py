"""From signed data as it came to a verdict and the registers in it."""

from __future__ import annotations

from collections.abc import Collection

from parkwatt.domain.charger.reading import SignedValue, Verdict
from parkwatt.io.ocpp.signed.keys import Algorithm, bytes_of, is_signed_by, public_key
from parkwatt.io.ocpp.signed.ocmf import Ocmf, SignedRegister, read_ocmf

_START = "OCMF|"


def read_signed(
    data: str, encoding: str = "", own_key: str = "", public_keys: Collection[str] = ()
) -> tuple[SignedValue, tuple[SignedRegister, ...]]:
    """A signed value and the energy registers in it, which count only if the verdict is `valid`.

    ``data``: OCMF as text, hex or base64, or another format as it came; ``encoding``: its name as the charger gives it;
    ``own_key``: the key that came with it; ``public_keys``: those configured for the charger. Nothing raises.
    """
    record = _record(data)
    if record is None:
        return SignedValue("unreadable", data, encoding or _known_format(data), own_key), ()
    verdict, key = _check(record, own_key, public_keys)
    return SignedValue(verdict, data, encoding or "OCMF", key), record.registers


def _record(data: str) -> Ocmf | None:
    if data.lstrip().startswith(_START):
        return read_ocmf(data)
    inner = bytes_of(data)
    if inner is None or not inner.lstrip().startswith(_START.encode()):
        return None
    try:
        return read_ocmf(inner.decode())
    except UnicodeDecodeError:
        return None


def _known_format(data: str) -> str:
    """The name of a format that is recognised and not checked."""
    inner = bytes_of(data) or b""
    for text in (data.lstrip(), inner.decode("latin-1").lstrip()):
        if text.startswith("AP;"):
            return "ALFEN"
        if text.startswith(("<?xml", "<signedMeterValue")):
            return "EDL"
        if text.startswith("\x1b\x1b\x1b\x1b\x01\x01\x01\x01"):
            return "SML"
    return ""


def _check(record: Ocmf, own_key: str, public_keys: Collection[str]) -> tuple[Verdict, str]:
    algorithm = Algorithm(record.algorithm)
    if algorithm.curve is None or algorithm.hash is None:
        return "unreadable", own_key
    signature = bytes_of(record.signature)
    if signature is None:
        return "invalid", own_key
    own = public_key(own_key, algorithm.curve) if own_key else None
    trusted = [(text, public_key(text, algorithm.curve)) for text in public_keys]
    if trusted:
        if own is not None and not any(key == own for _, key in trusted):
            return "invalid", own_key
    elif own is not None:
        trusted = [(own_key, own)]
    else:
        return "no_key", own_key
    for text, key in trusted:
        if key is not None and is_signed_by(key, signature, record.signed, algorithm.hash):
            return "valid", text
    return "invalid", own_key
