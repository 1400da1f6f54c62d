"""Transactions and meter values of 2.0.1 and 2.1 (blocks E and J).

A TransactionEvent cannot be refused: it is acknowledged whatever it says, also when its transaction was never heard of or it
was heard before, because a station sends it again until then. What was heard before is acknowledged in the same words and
counts once. What is late (queued without a link, or overtaken) counts in its transaction, never as the state of now.
"""

from __future__ import annotations

from typing import Any, Literal

from parkwatt.domain.charger.event import (
    ChargingState,
    MeterRead,
    TokenPresented,
    TransactionReported,
)
from parkwatt.domain.charger.transaction import Transaction
from parkwatt.io.ocpp.session.inbound import Handler, Inbound
from parkwatt.io.ocpp.session.v2_message import told_readings, told_unix_us
from parkwatt.io.ocpp.session.v2_tokens import ACCEPTED, token_status

_PHASES: dict[str, Literal["started", "updated", "ended"]] = {
    "Started": "started",
    "Updated": "updated",
    "Ended": "ended",
}
_CHARGING_STATES: dict[str | None, ChargingState] = {
    "Charging": "charging",
    "EVConnected": "car_connected",
    "SuspendedEV": "suspended_by_car",
    "SuspendedEVSE": "suspended_by_charger",
    "Idle": "idle",
}
_PERIODIC = frozenset({"MeterValuePeriodic", "MeterValueClock"})
_BY_WHO_STOPS = "StopAuthorized"
# The one reason that a station may leave out (E06, E07).
_REASON_OMITTED = "Local"


def transaction_event(inbound: Inbound, message: Any) -> dict[str, Any]:
    """TransactionEvent: `idTokenInfo` is in the reply exactly when a token came (C01, E01)."""
    info = message.transactionInfo
    id_token = message.idToken
    token, status = "", ""
    reply: dict[str, Any] = {}
    if id_token is not None:
        token = id_token.idToken
        status = token_status(inbound.settings, token)
        reply = {"idTokenInfo": {"status": status}}
    known = inbound.state.transactions.get(info.transactionId)
    measured_unix_us = told_unix_us(inbound, "TransactionEvent", message.timestamp)
    offline = message.offline is True
    phase = _PHASES.get(message.eventType, "updated")
    trigger = message.triggerReason
    evse = message.evse
    starts_it = status == ACCEPTED and trigger != _BY_WHO_STOPS and phase != "ended"
    meter_values = message.meterValue
    event = TransactionReported(
        info.transactionId,
        phase,
        _place(inbound, known) if evse is None else evse.id,
        None if evse is None else evse.connectorId,
        message.seqNo,
        trigger,
        measured_unix_us,
        offline,
        offline or _is_history(inbound, known, measured_unix_us, message.seqNo),
        trigger in _PERIODIC,
        token if starts_it else "",
        _CHARGING_STATES.get(info.chargingState, "unknown"),
        info.stoppedReason or (_REASON_OMITTED if phase == "ended" else ""),
        told_readings(inbound, "TransactionEvent", meter_values) if meter_values else (),
    )
    if known is not None and known.repeats(event):
        return reply
    if status and status != ACCEPTED:
        inbound.emit(TokenPresented(token, id_token.type, accepted=False))
    inbound.emit(event)
    return reply


def meter_values(inbound: Inbound, message: Any) -> dict[str, Any]:
    """MeterValues: the clock's readings outside of transactions; EVSE 0 is the station's own meter."""
    readings = told_readings(inbound, "MeterValues", message.meterValue)
    inbound.emit(MeterRead(message.evseId, readings))
    return {}


def _place(inbound: Inbound, known: Transaction | None) -> int:
    """Where a report belongs that does not say so: where its transaction is, else at the only place there is, else 0."""
    if known is not None:
        return known.evse_id
    places = [evse_id for evse_id in inbound.state.evses if evse_id > 0]
    return places[0] if len(places) == 1 else 0


def _is_history(
    inbound: Inbound, known: Transaction | None, measured_unix_us: int | None, seq_no: int
) -> bool:
    """Whether the report was overtaken by a newer one of its transaction, or queued without a word of it.

    One that counts on from the highest number is not overtaken: where its time is older, the clock was set back.
    """
    if measured_unix_us is None:
        return False
    if known is not None and measured_unix_us < known.newest_unix_us:
        runs = known.seen.runs
        return not runs or seq_no <= runs[-1][1]
    return inbound.state.is_history(measured_unix_us, inbound.now_unix_us)


HANDLERS: dict[str, Handler] = {
    "TransactionEvent": transaction_event,
    "MeterValues": meter_values,
}
