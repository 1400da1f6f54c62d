"""What the handlers of 2.0.1 and 2.1 share: times, meter values and messages that are kept as they came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from parkwatt.domain.charger.event import DeviationSeen, NoticeReceived
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.io.ocpp import messages
from parkwatt.io.ocpp.device_time import parse_device_time
from parkwatt.io.ocpp.messages import Deviation
from parkwatt.io.ocpp.meter_values import read_meter_values
from parkwatt.io.ocpp.session.inbound import Handler, Inbound

_VALUE_CHARACTERS_MAX = 60


def told_unix_us(
    inbound: Inbound, action: str, text: str | None, *, field: str = "timestamp", ahead_us: int = 0
) -> int | None:
    """The charger's time in ``field``; None where it gave none that can be used, which is recorded.

    ``ahead_us``: how far ahead of now the time may lie, beyond what a clock may be wrong.
    """
    read = parse_device_time(text, inbound.now_unix_us + ahead_us)
    if read.deviation is not None:
        inbound.emit(
            DeviationSeen(action, field, read.deviation, str(text)[:_VALUE_CHARACTERS_MAX])
        )
    return read.unix_us


def told_readings(inbound: Inbound, action: str, meter_values: Any) -> tuple[MeterReading, ...]:
    """The readings in a message's meter values; what broke the standard is recorded."""
    read = read_meter_values(
        inbound.version,
        meter_values,
        inbound.now_unix_us,
        public_keys=inbound.settings.meter_public_keys,
    )
    if read.deviations:
        _record(inbound, action, read.deviations)
    return read.readings


def keep(inbound: Inbound, action: str, message: Any, *, critical: bool = False) -> None:
    """Keep a message as it came: it is worth remembering and changes no state."""
    inbound.emit(NoticeReceived(action, msgspec.Raw(messages.encode(message)), critical))


def keeper(action: str) -> Handler:
    """The handler of a message that is kept and answered with an empty reply."""

    def handle(inbound: Inbound, message: Any) -> dict[str, Any]:
        keep(inbound, action, message)
        return {}

    return handle


def status_info(reason_code: str, words: str) -> dict[str, str]:
    """Why a reply is in the negative. ``reason_code``: of Part 2, appendix 5, where one fits."""
    return {"reasonCode": reason_code, "additionalInfo": words}


def _record(inbound: Inbound, action: str, deviations: Iterable[Deviation]) -> None:
    for deviation in deviations:
        inbound.emit(DeviationSeen(action, deviation.field, deviation.rule, deviation.value))
