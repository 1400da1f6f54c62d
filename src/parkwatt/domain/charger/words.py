"""Events in words, for whoever reads the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parkwatt.domain.charger.event import (
    Booted,
    CarNeeds,
    ChargerEvent,
    ClockTicked,
    CommandAnswered,
    CommandSent,
    Connected,
    DeviationSeen,
    Disconnected,
    EnterServiceJudged,
    ExternalLimit,
    GridAlarmTold,
    MeterRead,
    NoticeReceived,
    RungChanged,
    RungForgotten,
    SetpointAsked,
    SetpointJudged,
    SetpointReleased,
    StatusChanged,
    TokenPresented,
    TransactionReported,
    VariablesReported,
)
from parkwatt.domain.charger.reading import MeterReading

_PAYLOAD_CHARACTERS_MAX = 160
_VERDICTS = {
    "followed": "is followed",
    "ignored": "is ignored",
    "opposed": "is answered with the opposite",
    "refused": "is refused",
    "unseen": "is accepted, but no meter value shows it",
}

_ENTER_SERVICE = {
    "held": "is held",
    "refused": "is refused",
    "differs": "is accepted and not held",
    "unseen": "is accepted and not read back",
    "cleared": "is taken out",
}


def power_in_words(power_kw: float) -> str:
    """A set-point or a measured power."""
    if power_kw > 0.0:
        return f"charge {power_kw:.2f} kW"
    return f"discharge {-power_kw:.2f} kW" if power_kw < 0.0 else "rest at 0 kW"


def in_words(event: ChargerEvent) -> str:
    """The event as a clause, with its numbers."""
    return _WORDS[type(event)](event)


def _grid_alarm(event: GridAlarmTold) -> str:
    if not event.fault:
        has = "no longer has" if event.ended else "has"
        return f"says that the grid {has} a fault that it does not name ({event.control})"
    if event.ended:
        return f"says that {event.fault} of the grid is over ({event.control})"
    return f"says that the grid has {event.fault} ({event.control})"


def _reading(reading: MeterReading) -> str:
    parts = []
    if reading.power_kw is not None:
        parts.append(f"{reading.power_kw:+.2f} kW")
    if reading.energy_import_kwh is not None:
        parts.append(f"{reading.energy_import_kwh:.3f} kWh in")
    if reading.energy_export_kwh is not None:
        parts.append(f"{reading.energy_export_kwh:.3f} kWh out")
    if reading.soc is not None:
        parts.append(f"{reading.soc:.0%} charged")
    return ", ".join(parts) or "no values that are known"


def _transaction(event: TransactionReported) -> str:
    notes = [name for name in ("offline", "late") if getattr(event, name)]
    head = f"transaction {event.transaction_id} {event.phase} at {event.evse_id}"
    if event.reason:
        head += f" ({event.reason})"
    if notes:
        head += f" [{', '.join(notes)}]"
    return head + "".join(f"; {_reading(reading)}" for reading in event.readings[-1:])


def _status(event: StatusChanged) -> str:
    place = f"connection point {event.evse_id}" if event.evse_id else "the charger"
    return f"{place} is {event.availability}" + (f" ({event.error})" if event.error else "")


def _needs(event: CarNeeds) -> str:
    both = "can discharge" if event.bidirectional else "can only charge"
    return f"the car at {event.evse_id} wants {event.energy_transfer}, {both}"


def _limit(event: ExternalLimit) -> str:
    if event.power_kw_max is None:
        return f"{event.source} no longer limits connection point {event.evse_id}"
    return f"{event.source} limits connection point {event.evse_id} to {event.power_kw_max:.2f} kW"


def _answered(event: CommandAnswered) -> str:
    return f"{event.action} is answered: {event.error or event.status or 'done'} {event.reason_code}".rstrip()


def _sent(event: CommandSent) -> str:
    payload = bytes(event.payload).decode()
    if len(payload) > _PAYLOAD_CHARACTERS_MAX:
        payload = payload[: _PAYLOAD_CHARACTERS_MAX - 1] + "…"
    return f"{event.action} {payload} ({event.reason})"


def _asked(event: SetpointAsked) -> str:
    command = event.command
    power = power_in_words(command.power_kw)
    return f"asked to {power} at {command.evse_id} for {command.lease_s} s: {command.reason}"


def _released(event: SetpointReleased) -> str:
    why = "lapsed" if event.lapsed else "was released"
    return f"the set-point at {event.evse_id} {why}: {event.reason}"


def _judged(event: SetpointJudged) -> str:
    power = power_in_words(event.power_kw)
    return f"'{power}' at {event.evse_id} {_VERDICTS[event.verdict]}: {event.reason}"


def _rung(event: RungChanged) -> str:
    proven = "proven" if event.proven else "not proven"
    return (
        f"connection point {event.evse_id} is driven by {event.rung.words} "
        f"(rung {int(event.rung)} of {int(event.highest)}, {proven}): {event.reason}"
    )


_WORDS: dict[type[Any], Callable[[Any], str]] = {
    Connected: lambda event: f"connected from {event.peer} with {event.protocol}",
    Disconnected: lambda event: f"link lost: {event.reason}",
    Booted: lambda event: f"booted: {event.vendor} {event.model} {event.firmware_version}".rstrip(),
    StatusChanged: _status,
    TokenPresented: lambda event: f"token {'accepted' if event.accepted else 'refused'}",
    TransactionReported: _transaction,
    MeterRead: lambda event: (
        f"meter at {event.evse_id}: {_reading(event.readings[-1])}"
        if event.readings
        else f"meter at {event.evse_id}: nothing"
    ),
    CarNeeds: _needs,
    ExternalLimit: _limit,
    VariablesReported: lambda event: f"told {len(event.variables)} settings of itself",
    NoticeReceived: lambda event: f"sent {event.action}",
    DeviationSeen: lambda event: (
        f"broke the standard in {event.action}: {event.field} {event.rule}"
    ),
    CommandSent: _sent,
    CommandAnswered: _answered,
    SetpointAsked: _asked,
    SetpointReleased: _released,
    SetpointJudged: _judged,
    RungChanged: _rung,
    RungForgotten: lambda event: (
        f"what connection point {event.evse_id} had shown was forgotten by hand"
    ),
    GridAlarmTold: _grid_alarm,
    EnterServiceJudged: lambda event: (
        f"the return to the grid by {event.grid_code} {_ENTER_SERVICE[event.verdict]}: {event.reason}"
    ),
    ClockTicked: lambda _: "time passed",
}
