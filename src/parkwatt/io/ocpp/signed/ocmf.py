"""The Open Charge Metering Format: `OCMF|{payload}|{signature}`.

Source: SAFE e. V., Open Charge Metering Format 1.2: sections, defaults of the signature section, omission of values that
repeat those of the reading before, OBIS codes of the registers. The payload is signed as the very bytes between the bars.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from parkwatt.domain.charger.reading import Moment
from parkwatt.io.ocpp.device_time import parse_device_time

_DEFAULT_ALGORITHM = "ECDSA-secp256r1-SHA256"
_DIVISORS = {"Wh": 1e3, "kWh": 1.0}
# OBIS, IEC 62056-6-1: medium-channel:quantity.8.tariff is a sum of energy. 1: active import, 2: active export; B0 to B3 and
# C0 to C3 are the same by a maker's codes: totals and sums of a transaction, before or behind the cable.
_OBIS = re.compile(
    r"(?:\w+-\w+:)?(0?1|0?2|[BC][0-3])\.0?8\.\w+(?:\*\w+)?", re.ASCII | re.IGNORECASE
)
_MOMENTS: dict[str, Moment] = {"B": "begin", "C": "interval", "T": "interval", "S": "interval"}
_ENDS = frozenset("ELRAP")
_MS_MAX_AHEAD_US = 4_102_444_800_000_000  # 2100: the message's own time judges how far ahead a meter's clock may be


class SignedRegister(NamedTuple):
    """An energy register in signed data. ``quantity``: the field of a reading; ``unix_us``: None without a usable clock."""

    quantity: str
    energy_kwh: float
    moment: Moment
    unix_us: int | None


class Ocmf(NamedTuple):
    """A record. ``signed``: the bytes that were signed; ``signature``: as text, hex or base64."""

    signed: bytes
    algorithm: str
    signature: str
    registers: tuple[SignedRegister, ...]


class _Signature(msgspec.Struct):
    SD: str
    SA: str = _DEFAULT_ALGORITHM


class _Payload(msgspec.Struct):
    RD: list[dict[str, Any]]


_signatures = msgspec.json.Decoder(_Signature)
_payloads = msgspec.json.Decoder(_Payload)


def read_ocmf(text: str) -> Ocmf | None:
    """The record in ``text``; None where it is none."""
    sections = text.strip().split("|")
    if len(sections) != 3 or sections[0] != "OCMF":
        return None
    try:
        signature = _signatures.decode(sections[2])
        payload = _payloads.decode(sections[1])
    except msgspec.MsgspecError:
        return None
    return Ocmf(
        sections[1].encode(),
        signature.SA,
        signature.SD,
        _registers(payload.RD),
    )


def _registers(readings: list[dict[str, Any]]) -> tuple[SignedRegister, ...]:
    """The registers of active energy that the meter itself calls good: of each direction the one that is named first.

    What a reading leaves out is as in the one before.
    """
    found: list[SignedRegister] = []
    names: dict[str, object] = {}
    full: dict[str, Any] = {}
    for reading in readings:
        full = {**full, **reading}
        register = _register(full)
        if register is not None and names.setdefault(register.quantity, full["RI"]) == full["RI"]:
            found.append(register)
    return tuple(found)


def _register(reading: dict[str, Any]) -> SignedRegister | None:
    obis = _OBIS.fullmatch(str(reading.get("RI", "")))
    divisor = _DIVISORS.get(str(reading.get("RU", "")))
    value = reading.get("RV")
    if (
        obis is None
        or divisor is None
        or isinstance(value, bool)
        or not isinstance(value, int | float)
    ):
        return None
    if value < 0 or reading.get("ST", "G") != "G" or "E" in str(reading.get("EF", "")):
        return None
    quantity = (
        "energy_import_kwh" if obis[1][-1] == "1" or obis[1][0] in "Bb" else "energy_export_kwh"
    )
    reason = str(reading.get("TX", "C"))
    moment: Moment = "end" if reason in _ENDS else _MOMENTS.get(reason, "other")
    return SignedRegister(quantity, value / divisor, moment, _time(str(reading.get("TM", ""))))


def _time(text: str) -> int | None:
    """The meter's time; None where its state says that it is not synchronised (U) or it is none."""
    stamp, _, state = text.partition(" ")
    if state not in {"S", "I", "R"}:
        return None
    return parse_device_time(stamp.replace(",", "."), _MS_MAX_AHEAD_US).unix_us
