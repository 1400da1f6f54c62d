"""What the ladder makes of events: of a charger as they happen, and of its own when a journal is folded after a restart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parkwatt.domain.charger.event import (
    Booted,
    CarNeeds,
    ChargerEvent,
    CommandAnswered,
    CommandSent,
    Connected,
    Disconnected,
    EnterServiceJudged,
    MeterRead,
    NoticeReceived,
    RungChanged,
    SetpointAsked,
    SetpointJudged,
    SetpointReleased,
    StatusChanged,
    TransactionReported,
    VariablesReported,
)
from parkwatt.io.ocpp.ladder import enter_service, safe_default
from parkwatt.io.ocpp.ladder.check import SECOND_US
from parkwatt.io.ocpp.ladder.demote import distrust
from parkwatt.io.ocpp.ladder.drive import clear, drive, leave, settle
from parkwatt.io.ocpp.ladder.turn import Turn
from parkwatt.io.ocpp.ladder.watch import see

# A charger that has not booted yet gets time to do so; one that is known may just go on, but some boot at each connection.
_BOOT_US = 30 * SECOND_US
_RECONNECT_US = 5 * SECOND_US
_HAND_CLEARS_MAX = 16

REPORTS = frozenset({MeterRead, StatusChanged, TransactionReported})
"""What a charger reports all the time: of no matter once it is ready, where no connection point was ever driven."""


def take_in(turn: Turn, event: ChargerEvent) -> bool:
    """Take in one event; False where it is no matter here."""
    handler = _HANDLERS.get(type(event))
    if handler is None or _is_of_no_matter(turn, event):
        return False
    if not isinstance(event, MeterRead):
        turn.offers.clear()
    handler(turn, event)
    return True


def _is_of_no_matter(turn: Turn, event: ChargerEvent) -> bool:
    """Commands and their answers, which are many, matter here only where a person may have cleared a profile."""
    if isinstance(event, CommandSent):
        return event.purpose not in {"hand", "grid_code"}
    if isinstance(event, NoticeReceived):
        return event.action != "ReportDERControl"
    return isinstance(event, CommandAnswered) and not turn.memory.hand_clears


def ready_in_time(turn: Turn) -> bool:
    """Take the charger for ready if its time has come; whether that happened now."""
    memory = turn.memory
    if memory.ready or memory.ready_unix_us is None or turn.now_unix_us < memory.ready_unix_us:
        return False
    _ready(turn)
    return True


def _connected(turn: Turn, _event: Connected) -> None:
    memory = turn.memory
    boot = turn.state.boot
    memory.ready = False
    wait_us = _BOOT_US if boot is None else _RECONNECT_US
    memory.ready_unix_us = turn.now_unix_us + wait_us
    if boot is not None and not boot.accepted:
        memory.ready_unix_us = None
    if memory.default != "installed" or safe_default.is_other(turn):
        safe_default.remove(memory)
    enter_service.connected(turn)
    for evse in memory.evses.values():
        leave(evse)


def _disconnected(turn: Turn, _event: Disconnected) -> None:
    memory = turn.memory
    memory.ready = False
    memory.ready_unix_us = None
    if memory.default == "asked":
        safe_default.remove(memory)
    enter_service.disconnected(memory)
    for evse in memory.evses.values():
        leave(evse)


def _booted(turn: Turn, event: Booted) -> None:
    memory = turn.memory
    if memory.firmware and event.firmware_version and event.firmware_version != memory.firmware:
        memory.forget_quirks()
    memory.firmware = event.firmware_version or memory.firmware
    safe_default.remove(memory)
    enter_service.write_anew(memory)
    for evse in memory.evses.values():
        leave(evse)
        evse.checked.clear()
    if event.accepted:
        _ready(turn)
    else:
        memory.ready, memory.ready_unix_us = False, None


def _ready(turn: Turn) -> None:
    turn.memory.ready, turn.memory.ready_unix_us = True, None
    safe_default.install(turn)
    enter_service.look(turn)
    _drive_all(turn)


def _heard(turn: Turn) -> None:
    """A charger that booted before and speaks of its state goes on where it was."""
    boot = turn.state.boot
    if not turn.memory.ready and turn.memory.ready_unix_us and boot is not None and boot.accepted:
        _ready(turn)


def _status(turn: Turn, _event: StatusChanged) -> None:
    _heard(turn)


def _transaction(turn: Turn, event: TransactionReported) -> None:
    if not event.offline:
        _heard(turn)
    evse = turn.memory.evses.get(event.evse_id)
    if evse is None:
        known = turn.state.transactions.get(event.transaction_id)
        evse = None if known is None else turn.memory.evses.get(known.evse_id)
    if evse is None:
        return
    if event.phase == "ended":
        if event.transaction_id == evse.transaction_id:
            if evse.sent is not None and evse.sent.form.purpose == "TxDefaultProfile":
                clear(turn, evse, "the transaction is over, and this profile would outlive it")
            leave(evse)
        return
    if not event.late:
        see(turn, evse, event.readings)
    drive(turn, evse)


def _meter(turn: Turn, event: MeterRead) -> None:
    _heard(turn)
    evse = turn.memory.evses.get(event.evse_id)
    if evse is not None:
        see(turn, evse, event.readings)


def _needs(turn: Turn, event: CarNeeds) -> None:
    evse = turn.memory.evse(event.evse_id)
    settle(turn, evse)
    drive(turn, evse)


def _variables(turn: Turn, _event: VariablesReported) -> None:
    for evse_id in turn.state.evses:
        if evse_id:
            settle(turn, turn.memory.evse(evse_id))
    enter_service.look(turn)
    _drive_all(turn)


def _command_sent(turn: Turn, event: CommandSent) -> None:
    if event.purpose == "grid_code":
        enter_service.sent(turn.memory, event)
    if event.action == "ClearChargingProfile" and event.purpose == "hand":
        clears = turn.memory.hand_clears
        clears.append(event.message_id)
        del clears[:-_HAND_CLEARS_MAX]


def _command_answered(turn: Turn, event: CommandAnswered) -> None:
    """A clear by hand may have taken the default or our profile with it: both are sent again."""
    memory = turn.memory
    if event.message_id not in memory.hand_clears:
        return
    memory.hand_clears.remove(event.message_id)
    safe_default.remove(memory)
    for evse in memory.evses.values():
        evse.sent = evse.check = None
    safe_default.install(turn)


def _asked(turn: Turn, event: SetpointAsked) -> None:
    evse = turn.memory.evse(event.command.evse_id)
    evse.wanted = event.command
    evse.lease_ends_unix_us = turn.now_unix_us + event.command.lease_s * SECOND_US


def _released(turn: Turn, event: SetpointReleased) -> None:
    turn.memory.evse(event.evse_id).wanted = None


def _judged(turn: Turn, event: SetpointJudged) -> None:
    evse = turn.memory.evse(event.evse_id)
    evse.judged = event
    if event.verdict == "followed":
        evse.ignored_counts.pop(event.rung, None)
    else:
        distrust(evse, event.rung, event.verdict, event.reason, for_good=event.for_good)


def _rung(turn: Turn, event: RungChanged) -> None:
    evse = turn.memory.evse(event.evse_id)
    evse.rung, evse.highest, evse.shown_proven = event.rung, event.highest, event.proven
    if event.proven and event.rung not in evse.proven:
        evse.proven.append(event.rung)
    elif not event.proven and event.rung in evse.proven:
        evse.proven.remove(event.rung)


def _drive_all(turn: Turn) -> None:
    for evse in list(turn.memory.evses.values()):
        drive(turn, evse)


_HANDLERS: dict[type[Any], Callable[[Turn, Any], None]] = {
    Booted: _booted,
    CarNeeds: _needs,
    CommandAnswered: _command_answered,
    CommandSent: _command_sent,
    Connected: _connected,
    Disconnected: _disconnected,
    EnterServiceJudged: enter_service.judged,
    MeterRead: _meter,
    NoticeReceived: enter_service.reported,
    RungChanged: _rung,
    SetpointAsked: _asked,
    SetpointJudged: _judged,
    SetpointReleased: _released,
    StatusChanged: _status,
    TransactionReported: _transaction,
    VariablesReported: _variables,
}
