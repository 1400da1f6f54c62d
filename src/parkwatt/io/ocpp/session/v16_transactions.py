"""Transactions and meter values of OCPP 1.6.

Which transaction a message means is told in `v16_matching`; here each becomes events and a reply.
1.6 does not tell what was queued. What was measured before the link began, and more than a minute ago, is taken for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from parkwatt.domain.charger.event import (
    DeviationSeen,
    MeterRead,
    NoticeReceived,
    TokenPresented,
    TransactionReported,
)
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp import messages
from parkwatt.io.ocpp.device_time import DeviceTime, parse_device_time
from parkwatt.io.ocpp.messages import Deviation
from parkwatt.io.ocpp.meter_values import MeterValues, read_meter_values
from parkwatt.io.ocpp.session import v16_matching, v16_tokens
from parkwatt.io.ocpp.session.inbound import Inbound
from parkwatt.io.ocpp.version import Version

_MINUTE_US = 60_000_000


def start_transaction(inbound: Inbound, message: Any) -> dict[str, Any]:
    """Give the transaction a number, the same one if it is repeated; who may not charge is told so."""
    token = message.idTag or ""
    info = v16_tokens.id_tag_info(inbound.settings, token)
    time = parse_device_time(message.timestamp, inbound.now_unix_us)
    measured_unix_us = time.unix_us
    register_kwh = _kwh(message.meterStart)
    known = v16_matching.started_alike(
        inbound.state, message.connectorId, token, measured_unix_us, register_kwh
    )
    if known is not None:
        return {"idTagInfo": info, "transactionId": int(known.transaction_id)}
    number = v16_matching.next_number(inbound.state)
    _deviate_in_time(inbound, "StartTransaction", time, message.timestamp)
    if info["status"] != "Accepted":
        inbound.emit(TokenPresented(token, "", accepted=False))
    inbound.emit(
        TransactionReported(
            str(number),
            "started",
            message.connectorId,
            measured_unix_us=measured_unix_us,
            late=_late(inbound, measured_unix_us),
            token=token,
            readings=_register_reading(register_kwh, measured_unix_us, "begin"),
        )
    )
    return {"idTagInfo": info, "transactionId": number}


def meter_values(inbound: Inbound, message: Any) -> dict[str, Any]:
    """Note meter values for the transaction they belong to, or outside of one."""
    read = _read(inbound, message.meterValue, "meterValue")
    readings = tuple(filter(_says_something, read.readings))
    if not readings:
        return {}
    state = inbound.state
    measured_unix_us = readings[-1].measured_unix_us
    late = _late(inbound, measured_unix_us)
    transaction_id = v16_matching.measured_transaction(state, message, measured_unix_us, late=late)
    if transaction_id is not None:
        known = state.transactions.get(transaction_id)
        if known is None or len(known.keys) <= 1:  # what is wrong is wrong in all that follow
            _deviate(inbound, "MeterValues", read.deviations)
        event = TransactionReported(
            transaction_id,
            "updated",
            message.connectorId if known is None else known.evse_id,
            measured_unix_us=measured_unix_us,
            late=late,
            periodic=all(map(_in_the_middle, readings)),
            readings=readings,
        )
        if not _repeats(state, event):
            inbound.emit(event)
    elif late:
        inbound.emit(_notice("MeterValues", message))
    else:
        inbound.emit(MeterRead(message.connectorId, readings))
    return {}


def stop_transaction(inbound: Inbound, message: Any) -> dict[str, Any]:
    """Note the end of a transaction; whatever it names, the charger is not asked to send it again."""
    reply: dict[str, Any] = {}
    if message.idTag:
        reply["idTagInfo"] = v16_tokens.id_tag_info(inbound.settings, message.idTag)
    state = inbound.state
    time = parse_device_time(message.timestamp, inbound.now_unix_us)
    measured_unix_us = time.unix_us
    register_kwh = _kwh(message.meterStop)
    transaction_id = v16_matching.stopped_transaction(
        state, message, measured_unix_us, register_kwh, inbound.now_unix_us
    )
    if transaction_id is None:
        inbound.emit(_notice("StopTransaction", message))
        return reply
    known = state.transactions.get(transaction_id)
    if known is not None and not known.open:
        return reply
    read = _read(inbound, message.transactionData, "transactionData")
    _deviate_in_time(inbound, "StopTransaction", time, message.timestamp)
    _deviate(inbound, "StopTransaction", read.deviations)
    inbound.emit(
        TransactionReported(
            transaction_id,
            "ended",
            v16_matching.sole_connector(state) if known is None else known.evse_id,
            measured_unix_us=measured_unix_us,
            late=_late(inbound, measured_unix_us),
            token=message.idTag or "",
            reason=message.reason or "Local",  # what leaving it out means (1.6 edition 2, 6.49)
            readings=read.readings + _register_reading(register_kwh, measured_unix_us, "end"),
        )
    )
    return reply


# What the messages hold.


def _repeats(state: ChargerState, event: TransactionReported) -> bool:
    """Whether meter values came before: same time, and nothing in them that was not known.

    Some chargers split one moment over several messages, which are no repetition.
    """
    if event.measured_unix_us is None or not state.repeats(event):
        return False
    known = state.evse(event.evse_id).reading
    if known is None or known.measured_unix_us != event.measured_unix_us:
        return True
    return all(
        value is None or value == getattr(known, name)
        for name, value in msgspec.structs.asdict(event.readings[-1]).items()
        if name not in {"moment", "signed"}
    )


def _in_the_middle(reading: MeterReading) -> bool:
    return reading.moment not in {"begin", "end"}


def _late(inbound: Inbound, measured_unix_us: int | None) -> bool:
    """Whether it was queued; 1.6 does not say."""
    return measured_unix_us is not None and inbound.state.is_history(
        measured_unix_us, inbound.now_unix_us
    )


def _deviate_in_time(inbound: Inbound, action: str, time: DeviceTime, text: str | None) -> None:
    if time.deviation is not None:
        _deviate(inbound, action, [Deviation("timestamp", time.deviation, str(text)[:60])])


def _read(inbound: Inbound, meter_values: Any, field: str) -> MeterValues:
    return read_meter_values(
        Version.V16,
        meter_values,
        inbound.now_unix_us,
        public_keys=inbound.settings.meter_public_keys,
        field=field,
    )


def _says_something(reading: MeterReading) -> bool:
    """Whether there is a value in it: measurands that nobody reads here leave none."""
    if reading.energy_import_kwh is not None or reading.power_kw is not None:
        return True
    return reading != MeterReading(reading.measured_unix_us, reading.moment)


def _deviate(inbound: Inbound, action: str, deviations: Iterable[Deviation]) -> None:
    for found in deviations:
        inbound.emit(DeviationSeen(action, found.field, found.rule, str(found.value)))


def _kwh(register_wh: float | None) -> float | None:
    return None if register_wh is None else register_wh / 1000


def _register_reading(
    register_kwh: float | None, measured_unix_us: int | None, moment: Any
) -> tuple[MeterReading, ...]:
    if register_kwh is None:
        return ()
    return (MeterReading(measured_unix_us, moment, energy_import_kwh=register_kwh),)


def _notice(action: str, message: Any) -> NoticeReceived:
    return NoticeReceived(action, msgspec.Raw(messages.encode(message)))
