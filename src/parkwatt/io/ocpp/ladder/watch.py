"""Watches what a charger does: readings come in, checks go on and end, more readings are asked for.

Without a check, a reading that is not what was asked for begins one, and so do five minutes, or a minute and a half without any
reading while the car is to discharge.
"""

from __future__ import annotations

from parkwatt.domain.charger.event import SetpointJudged
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.charger.rung import Rung
from parkwatt.io.ocpp.ladder import check as checks
from parkwatt.io.ocpp.ladder import following, profiles_v2, profiles_v16
from parkwatt.io.ocpp.ladder.by_register import mean_power_kw
from parkwatt.io.ocpp.ladder.check import SECOND_US
from parkwatt.io.ocpp.ladder.demote import Fault, demote, give_up, stay
from parkwatt.io.ocpp.ladder.drive import (
    RECHECK_US,
    begin_check,
    drive,
    judge,
    refuse,
    settle,
)
from parkwatt.io.ocpp.ladder.memory import Check, EvseMemory, Sent
from parkwatt.io.ocpp.ladder.turn import Turn, tag

_TRIGGER_US = 2 * SECOND_US
_TRIGGER_CALM_US = 6 * SECOND_US
# Before it is known whether a car that rests begins to charge, each second counts.
_TRIGGER_HURRY_US = 1 * SECOND_US
_TRIGGER_FIRST_US = 500_000
# Over such a time after a set-point a mean power is that of the way there, which matters only where the car was at rest.
_RAMP_US = 2 * SECOND_US
_CLIMB_US = 28 * SECOND_US
_BLIND_US = 90 * SECOND_US


def see(turn: Turn, evse: EvseMemory, readings: tuple[MeterReading, ...]) -> None:
    """Take in the newest power among the readings; what is no newer than the one before is stale."""
    power_kw = _power_kw(turn, evse, readings)
    if power_kw is None:
        return
    evse.power_kw, evse.power_unix_us = power_kw, turn.now_unix_us
    sent = evse.sent
    if sent is None:
        return
    check = evse.check
    obeys = sent.accepted and sent.power_kw <= 0.0
    fresh = check is None or checks.is_fresh(check, turn.now_unix_us)
    evse.rested = power_kw <= checks.FLOOR_KW and (evse.rested or (obeys and fresh))
    if evse.doubted is not None and sent.power_kw == 0.0 and evse.tells_power:
        _believe(turn, evse, evse.doubted, power_kw)
    if check is not None:
        check.by_register = not evse.tells_power
        checks.see(check, _aim(turn, evse, sent), power_kw, turn.now_unix_us)
        go_on(turn, evse)
    elif _surprises(turn, evse, sent, power_kw):
        begin_check(turn, evse)


def _power_kw(turn: Turn, evse: EvseMemory, readings: tuple[MeterReading, ...]) -> float | None:
    """The newest power, by the registers where the meter never tells it; None where there is nothing new."""
    for reading in reversed(readings):
        if reading.power_kw is not None:
            evse.tells_power = True
            if reading.measured_unix_us is not None:
                if not _is_newer(evse, reading.measured_unix_us, turn.now_unix_us):
                    return None
                evse.measured_unix_us = reading.measured_unix_us
            evse.frequency_hz = reading.frequency_hz
            return reading.power_kw
    if evse.tells_power or evse.sent is None or not readings:
        return None
    check = evse.check
    told_unix_us = check.accepted_unix_us if check is not None else None
    since_unix_us = told_unix_us or evse.sent.sent_unix_us
    if check is None or not check.at_rest:
        since_unix_us += _RAMP_US
    return mean_power_kw(evse, readings[-1], since_unix_us, turn.now_unix_us)


def _is_newer(evse: EvseMemory, measured_unix_us: int, now_unix_us: int) -> bool:
    """Whether a reading is newer than the last; within a second, clocks that tell whole seconds do not show it."""
    if measured_unix_us > evse.measured_unix_us:
        evse.second_began_unix_us = now_unix_us
        return True
    if measured_unix_us < evse.measured_unix_us or measured_unix_us % SECOND_US:
        return False
    return now_unix_us - evse.second_began_unix_us < SECOND_US


def _believe(turn: Turn, evse: EvseMemory, doubted: Rung, power_kw: float) -> None:
    """A schedule showed charging, and the meter shows that the car gave energy: the rung is tried again, by the meter alone."""
    if power_kw > -checks.FLOOR_KW:
        return
    evse.doubted = None
    evse.distrusts = [
        found
        for found in evse.distrusts
        if found.rung is not doubted or found.transaction_id is None
    ]
    turn.memory.no_schedule = True
    drive(turn, evse)


def go_on(turn: Turn, evse: EvseMemory) -> None:
    """End the check if it has come to something."""
    check, sent = evse.check, evse.sent
    if check is None or sent is None:
        return
    if evse.resting:
        _rest(turn, evse, check)
        return
    aim = _aim(turn, evse, sent)
    finding = checks.judge(check, aim, turn.now_unix_us)
    if finding is None and _overdue(turn, evse, check, sent):
        finding = checks.last_word(check, aim)
    if finding is None:
        return
    if finding.verdict == "undecided":
        evse.check, evse.idle, evse.climb_unix_us = None, True, 0
        return
    if finding.verdict == "followed":
        _followed(turn, evse, check, sent, finding.reason)
    elif finding.verdict == "opposed":
        for_good = checks.shows_charging(check, aim)
        demote(turn, evse, sent, "opposed", finding.reason, for_good=for_good)
    elif finding.verdict == "unseen":
        _failed(turn, evse, sent, "unseen", finding.reason)
    else:
        _failed(turn, evse, sent, "ignored", finding.reason)


def tick(turn: Turn, evse: EvseMemory) -> None:
    """Let time pass for a check, or begin one that is due."""
    now_unix_us = turn.now_unix_us
    if evse.sent is None:
        return
    if evse.check is None:
        due_unix_us = _check_due(turn, evse)
        if due_unix_us is not None and now_unix_us >= due_unix_us:
            begin_check(turn, evse)
    else:
        go_on(turn, evse)
    check, due_unix_us = evse.check, _trigger_due(turn, evse)
    if check is not None and due_unix_us is not None and now_unix_us >= due_unix_us:
        check.trigger_unix_us = now_unix_us
        _trigger(turn, evse)


def wake_unix_us(turn: Turn, evse: EvseMemory) -> int | None:
    """When `tick` has something to do."""
    times = [_check_due(turn, evse), _trigger_due(turn, evse)]
    if evse.check is not None:
        times.append(checks.next_deadline(evse.check, turn.now_unix_us))
        if evse.resting:
            times += [
                time
                for time in checks.rest_deadlines(evse.climb_unix_us)
                if time > turn.now_unix_us
            ]
        if evse.climb_unix_us and turn.now_unix_us <= evse.climb_unix_us + _CLIMB_US:
            times.append(evse.climb_unix_us + _CLIMB_US)
    return min((time for time in times if time is not None), default=None)


def _rest(turn: Turn, evse: EvseMemory, check: Check) -> None:
    """Go on once the meter shows rest; a charger that does not come to rest is not asked to discharge."""
    climbed_us = turn.now_unix_us - evse.climb_unix_us
    finding = checks.judge_rest(check, climbed_us, turn.now_unix_us)
    if finding is None:
        return
    evse.resting = False
    if finding.verdict == "followed":
        evse.rested, evse.check = True, None
        drive(turn, evse)
        return
    evse.check, evse.recheck_unix_us = None, turn.now_unix_us
    give_up(evse, finding.reason)
    drive(turn, evse)
    if evse.sent is not None and not evse.sent.accepted:
        refuse(turn, evse, "it has not answered when it was told to rest")


def _overdue(turn: Turn, evse: EvseMemory, check: Check, sent: Sent) -> bool:
    """Whether all rungs together took so long that the charger has to rest within 30 s of the set-point."""
    answered = check.accepted_unix_us is not None or check.unanswered
    late = turn.now_unix_us - evse.climb_unix_us >= _CLIMB_US
    return answered and sent.power_kw < 0.0 and evse.climb_unix_us > 0 and late


def _aim(turn: Turn, evse: EvseMemory, sent: Sent, late_us: int = following.LATE_US) -> checks.Goal:
    """What the car may show now of what it was asked for, since its check began or, without one, so late."""
    since_unix_us = turn.now_unix_us - late_us
    if evse.check is not None:
        since_unix_us = max(since_unix_us, evse.check.began_unix_us)
    asked_kw = following.asked_since(evse, sent, since_unix_us)
    least_kw = following.doubtful_kw(turn, evse)
    return checks.goal(asked_kw, sent.curve, evse.frequency_hz, least_kw)


def _surprises(turn: Turn, evse: EvseMemory, sent: Sent, power_kw: float) -> bool:
    """Whether a reading does not fit what was followed until now."""
    judged = evse.judged
    began_unix_us = evse.asked_kw[0][0] if evse.asked_kw else sent.sent_unix_us
    return (
        sent.accepted
        and turn.now_unix_us - began_unix_us >= following.CALM_US
        and not _aim(turn, evse, sent, following.CALM_US).allows(power_kw)
        and (judged is None or judged.verdict in {"followed", "unseen"} or sent.rung in evse.proven)
    )


def _followed(turn: Turn, evse: EvseMemory, check: Check, sent: Sent, reason: str) -> None:
    evse.check, evse.climb_unix_us = None, 0
    evse.checked[sent.direction] = turn.now_unix_us
    rung = sent.rung
    if sent.power_kw < 0.0:
        evse.ignored_counts.pop(rung, None)
        turn.memory.no_schedule = turn.memory.no_schedule or check.schedule == "opposes"
    if rung not in evse.proven and (sent.power_kw < 0.0 or rung is Rung.LIMITS_ONLY):
        evse.proven.append(rung)
    wanted = evse.wanted
    if wanted is not None and (wanted.power_kw >= 0.0 or sent.power_kw < 0.0):
        judged = SetpointJudged(
            evse.evse_id,
            sent.power_kw,
            "followed",
            reason,
            rung,
            check.power_kw,
            check.scheduled_kw,
        )
        judge(turn, evse, judged)
    settle(turn, evse, reason)


def _failed(turn: Turn, evse: EvseMemory, sent: Sent, fault: Fault, reason: str) -> None:
    limit = sent.rung <= Rung.NEGATIVE_LIMIT
    if sent.rung is Rung.LIMITS_ONLY or (sent.power_kw >= 0.0 and (limit or fault == "unseen")):
        stay(turn, evse, sent, fault, reason)
    else:
        demote(turn, evse, sent, fault, reason, for_good=False)


def _check_due(turn: Turn, evse: EvseMemory) -> int | None:
    sent = evse.sent
    if evse.check is not None or sent is None or not sent.accepted or not turn.memory.ready:
        return None
    if sent.power_kw < 0.0:
        heard_unix_us = max(evse.power_unix_us, evse.recheck_unix_us - RECHECK_US)
        return min(evse.recheck_unix_us, heard_unix_us + _BLIND_US)
    return evse.recheck_unix_us


def _trigger_due(turn: Turn, evse: EvseMemory) -> int | None:
    """When to ask for the next reading, while a check runs: soon after the last one where the car may do the opposite.

    Of one that charges or rests as it was told a look is enough when the check may end.
    """
    check, sent = evse.check, evse.sent
    if check is None or sent is None or check.accepted_unix_us is None:
        return None
    if check.trigger_refused or turn.memory.no_trigger:
        return None
    newest_unix_us = max(check.power_unix_us, check.trigger_unix_us, check.accepted_unix_us)
    if evse.resting or check.at_rest:
        first = newest_unix_us == check.accepted_unix_us
        return newest_unix_us + (_TRIGGER_FIRST_US if first else _TRIGGER_HURRY_US)
    moves = sent.power_kw < 0.0 or (
        sent.power_kw == 0.0 and (evse.power_kw or 0.0) > checks.FLOOR_KW
    )
    return newest_unix_us + (_TRIGGER_US if moves else _TRIGGER_CALM_US)


def _trigger(turn: Turn, evse: EvseMemory) -> None:
    profiles = profiles_v2 if turn.version.is_2 else profiles_v16
    payload = profiles.meter_trigger(evse.evse_id)
    reason = "what the meter shows while a set-point is checked"
    turn.call(
        "TriggerMessage",
        payload,
        "check",
        reason,
        tag(evse, "trigger"),
        key=f"trigger:{evse.evse_id}",
    )
