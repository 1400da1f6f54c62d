"""Writes what a grid code asks of the return to the grid to a charger of 2.1 that follows one, and reads it back (R04).

    SetDERControl EnterService -> GetDERControl -> ReportDERControl -> held, or what is there instead

It is one default control under one id, so that another profile's numbers take the place of those before. It is written once
the charger says that it has a DER controller, and again after each boot; a refusal stands until the next boot, or until the
settings want something else. Where they want none any more, ours is cleared, and nobody else's is touched.

The priority is 1: 0, the highest, is left to whoever runs the grid. The schema names no unit of the voltages; see
`ChargerSettings.enter_service_unit`. Whoever misreads the one for the other has both bounds wrong in the same direction and
does not return to the grid at all.
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal

import msgspec

from parkwatt.domain.charger.event import CommandSent, EnterServiceJudged, NoticeReceived
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp.call import Answer
from parkwatt.io.ocpp.ladder.check import SECOND_US
from parkwatt.io.ocpp.ladder.memory import LadderState
from parkwatt.io.ocpp.ladder.turn import Turn
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version

CONTROL_ID: Final = "parkwatt-enter-service"
_KIND: Final = "EnterService"
_PRIORITY: Final = 1
_REPORT_US: Final = 30 * SECOND_US
# Report ids of ours, apart from those that people choose by hand.
_REQUEST_ID_FIRST: Final = 1_100_000_000
_DIGITS: Final = 3
# What a charger may round away: a tenth of a percent, a hundredth of a Hz, half a second.
_TOLERANCES: Final = {"highFreq": 0.011, "lowFreq": 0.011, "delay": 0.5, "rampRate": 0.5}
_TOLERANCE: Final = 0.11

Verdict = Literal["held", "refused", "differs", "unseen", "cleared"]


def body(settings: ChargerSettings) -> dict[str, float] | None:
    """The control's `enterService` by the settings; None where nothing is to be written."""
    wanted, unit = settings.enter_service, settings.enter_service_unit
    if wanted is None or unit == "off":
        return None
    of_nominal = 100.0 if unit == "percent" else settings.voltage_v
    return {
        "priority": _PRIORITY,
        "highVoltage": round(wanted.voltage_pu_max * of_nominal, _DIGITS),
        "lowVoltage": round(wanted.voltage_pu_min * of_nominal, _DIGITS),
        "highFreq": wanted.frequency_hz_max,
        "lowFreq": wanted.frequency_hz_min,
        "delay": wanted.delay_s,
        "rampRate": wanted.ramp_s,
    }


def look(turn: Turn) -> None:
    """Write or clear what is to be, unless that is done, on its way, or was refused."""
    memory, own = turn.memory, turn.memory.enter_service
    if own.status != "none" or not memory.ready or not turn.state.connected:
        return
    if turn.version is not Version.V21:
        return
    wanted = body(turn.settings)
    if wanted is None:
        if own.body is not None:
            _clear(turn)
    elif _follows_grid_codes(turn.state):
        _set(turn, wanted)


def connected(turn: Turn) -> None:
    """A new link: what the settings want now may be something else."""
    own = turn.memory.enter_service
    if own.status != "settled" or own.body != body(turn.settings):
        write_anew(turn.memory)


def disconnected(memory: LadderState) -> None:
    """What was on its way is lost."""
    if memory.enter_service.status != "settled":
        write_anew(memory)


def write_anew(memory: LadderState) -> None:
    """Take the settings for not there."""
    memory.enter_service.status = "none"
    memory.enter_service.due_unix_us = None


def sent(memory: LadderState, event: CommandSent) -> None:
    """A control went out: from now on there may be one to clear."""
    if event.action == "SetDERControl":
        payload = msgspec.json.decode(event.payload)
        memory.enter_service.body = payload["enterService"]


def judged(turn: Turn, event: EnterServiceJudged) -> None:
    """A verdict, as it was recorded."""
    own = turn.memory.enter_service
    own.status, own.due_unix_us = "settled", None
    if event.verdict == "cleared":
        own.body = None


def answered(turn: Turn, answer: Answer) -> None:
    """Take in the answer to a call; what belongs to an earlier try is no matter."""
    own = turn.memory.enter_service
    if answer.call.tag != _tag(turn, own.status):
        return
    if answer.error == "Disconnected":
        write_anew(turn.memory)
    elif own.status == "setting":
        if answer.accepted:
            _read(turn)
        else:
            _judge(turn, "refused", _why(answer))
    elif own.status == "reading":
        if answer.status == "NotFound":
            _judge(turn, "differs", "it accepted them, and then says that it has none")
        elif not answer.accepted:
            _judge(turn, "unseen", f"it does not tell what it holds: {_why(answer)}")
    elif own.status == "clearing":
        if answer.accepted or answer.status == "NotFound":
            _judge(turn, "cleared", "the settings ask for none any more")
        else:
            _judge(turn, "refused", f"to be cleared: {_why(answer)}")


def reported(turn: Turn, event: NoticeReceived) -> None:
    """A report of controls: ours is held as it was written, or is not."""
    own = turn.memory.enter_service
    report: dict[str, Any] = msgspec.json.decode(event.payload)
    if own.status != "reading" or report.get("requestId") != _REQUEST_ID_FIRST + own.serial:
        return
    held = next(
        (one for one in report.get("enterService") or () if one.get("id") == CONTROL_ID), None
    )
    if held is not None:
        differences = _differences(own.body or {}, held.get("enterService") or {})
        if differences:
            _judge(turn, "differs", f"it accepted them, and holds {'; '.join(differences)}")
        else:
            _judge(turn, "held", "it reads back what was written")
    elif not report.get("tbc"):
        _judge(turn, "differs", "it accepted them, and its report does not hold them")


def tick(turn: Turn) -> None:
    """Give up on a report that does not come."""
    due_unix_us = turn.memory.enter_service.due_unix_us
    if due_unix_us is not None and turn.now_unix_us >= due_unix_us:
        _judge(turn, "unseen", f"it sent no report within {_REPORT_US // SECOND_US} s")


def _set(turn: Turn, wanted: dict[str, float]) -> None:
    own = turn.memory.enter_service
    own.status, own.body = "setting", wanted
    own.serial += 1
    payload = {
        "isDefault": True,
        "controlId": CONTROL_ID,
        "controlType": _KIND,
        "enterService": wanted,
    }
    reason = f"how it returns to the grid after a failure: by {_grid_code(turn)}"
    turn.call("SetDERControl", payload, "grid_code", reason, _tag(turn, own.status), key="der")


def _read(turn: Turn) -> None:
    own = turn.memory.enter_service
    own.status, own.due_unix_us = "reading", turn.now_unix_us + _REPORT_US
    payload = {
        "requestId": _REQUEST_ID_FIRST + own.serial,
        "isDefault": True,
        "controlType": _KIND,
    }
    reason = "whether it holds what it accepted"
    turn.call("GetDERControl", payload, "grid_code", reason, _tag(turn, own.status), key="der")


def _clear(turn: Turn) -> None:
    own = turn.memory.enter_service
    own.status = "clearing"
    own.serial += 1
    payload = {"isDefault": True, "controlId": CONTROL_ID}
    reason = "the settings ask for no return to the grid of ours any more"
    turn.call("ClearDERControl", payload, "grid_code", reason, _tag(turn, own.status), key="der")


def _judge(turn: Turn, verdict: Verdict, reason: str) -> None:
    event = EnterServiceJudged(_grid_code(turn), verdict, reason)
    turn.emit(event)
    judged(turn, event)


def _tag(turn: Turn, status: str) -> str:
    return f"0:{status}:{turn.memory.enter_service.serial}"


def _grid_code(turn: Turn) -> str:
    wanted = turn.settings.enter_service
    return "no grid code" if wanted is None else wanted.grid_code


def _follows_grid_codes(state: ChargerState) -> bool:
    """Whether the charger has a DER controller, at any of its connection points."""
    return any(
        (state.variable(component, "Available", evse_id=evse_id) or "").lower() == "true"
        for component in ("DCDERCtrlr", "ACDERCtrlr")
        for evse_id in (0, *state.evses)
    )


def _differences(written: dict[str, float], held: dict[str, Any]) -> list[str]:
    found = []
    for name, value in written.items():
        there = held.get(name)
        if isinstance(there, bool) or not isinstance(there, int | float):
            found.append(f"no {name} instead of {value:g}")
        elif not math.isclose(there, value, rel_tol=0.0, abs_tol=_TOLERANCES.get(name, _TOLERANCE)):
            found.append(f"{name} {there:g} instead of {value:g}")
    return found


def _why(answer: Answer) -> str:
    if answer.error:
        return f"{answer.error} {answer.description}".strip()
    info = answer.payload.get("statusInfo")
    more = info.get("additionalInfo") if isinstance(info, dict) else None
    return " ".join(filter(None, (answer.status, answer.reason_code, more)))
