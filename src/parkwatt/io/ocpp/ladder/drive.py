"""Brings a connection point to what is wanted of it: chooses the rung, writes the profile, begins the check.

Each connection point has one profile with one id on all rungs, so that a new one always takes the place of the one before. It
ends with the lease by itself. An unchanged set-point is sent again when it is asked for and half of its time is over, or by the
clock in the last quarter of it where the lease goes on.
"""

from __future__ import annotations

from typing import Any

from parkwatt.domain.charger.command import SetPower
from parkwatt.domain.charger.event import RungChanged, SetpointJudged
from parkwatt.domain.charger.rung import Rung
from parkwatt.io.ocpp.ladder import following, offered, profiles_v2, profiles_v16
from parkwatt.io.ocpp.ladder.check import SECOND_US
from parkwatt.io.ocpp.ladder.memory import Check, Distrust, EvseMemory, Form, RateUnit, Sent
from parkwatt.io.ocpp.ladder.rate import wire_rate
from parkwatt.io.ocpp.ladder.turn import Turn, profile_id, tag

_PHASES_OF_DEFAULT = 3
# A change of less is none.
_SAME_KW = 0.05
_SAME_SHARE = 0.01
# A reading that is older says nothing of the power before a set-point.
_BEFORE_US = 15 * SECOND_US
RECHECK_US = 300 * SECOND_US
# How far ahead a schedule is read back: its present is what counts.
_SCHEDULE_S = 300
# How often a check may begin its time anew because something else was asked for, and how often after that a car gets time to
# come to a power that is so much another one.
_RESTARTS_MAX = 2
_MOVES_MAX = 12
_MOVED_KW = 0.3


def drive(turn: Turn, evse: EvseMemory) -> None:
    """Send what is wanted, where it is not there yet and the charger can be told."""
    wanted, memory = evse.wanted, turn.memory
    if wanted is None or not memory.ready or not turn.state.connected or memory.default == "asked":
        return
    transaction = turn.state.open_transaction(evse.evse_id)
    if transaction is None or turn.now_unix_us >= evse.lease_ends_unix_us:
        return  # a wish that has lapsed ends with the next tick
    _enter(evse, transaction.transaction_id)
    rung = settle(turn, evse)
    power_kw = following.sent_power_kw(turn, wanted.power_kw)
    if power_kw >= 0.0:
        evse.resting, evse.refusal, evse.climb_unix_us = False, "", 0
    elif _unsafe(evse, rung):
        evse.resting = True
        evse.climb_unix_us = evse.climb_unix_us or turn.now_unix_us
    if evse.resting:
        rung, power_kw = Rung.LIMITS_ONLY, 0.0
    elif power_kw < 0.0 and not rung.discharges:
        power_kw, evse.climb_unix_us = 0.0, 0
    evse.held_unix_us = 0
    if not _holds(turn, evse, wanted, rung, power_kw):
        evse.held_unix_us = following.waits_until(turn, evse, rung, power_kw)
        if not evse.held_unix_us:
            _send(turn, evse, wanted, rung, power_kw)
    if evse.resting and evse.check is None:
        begin_check(turn, evse)
    tell_refusal(turn, evse)


def tell_refusal(turn: Turn, evse: EvseMemory) -> None:
    """Say that the charger rests where it was asked to discharge, once it has accepted that."""
    sent = evse.sent
    if sent is not None and sent.accepted and evse.rung is Rung.LIMITS_ONLY and rests_instead(evse):
        refuse(turn, evse, "it holds 0 kW")


def rests_instead(evse: EvseMemory) -> bool:
    """Whether a limit of 0 kW stands in for the discharging that was asked for."""
    wanted, sent = evse.wanted, evse.sent
    if wanted is None or sent is None or evse.resting:
        return False
    return wanted.power_kw < 0.0 and sent.rung is Rung.LIMITS_ONLY and sent.power_kw == 0.0


def refuse(turn: Turn, evse: EvseMemory, instead: str) -> None:
    """Say why the charger does not discharge, and what it does ``instead``; once for each reason."""
    why = _why(evse, turn.offer(evse.evse_id))
    if evse.wanted is None or why == evse.refusal:
        return
    evse.refusal = why
    reason = f"this charger cannot discharge now: {why}; {instead}"
    power_kw = evse.wanted.power_kw
    judge(turn, evse, SetpointJudged(evse.evse_id, power_kw, "refused", reason, Rung.LIMITS_ONLY))


def _unsafe(evse: EvseMemory, rung: Rung) -> bool:
    """Whether a rung that may do the opposite would be tried on a car that may charge: it is brought to rest before."""
    if evse.resting or evse.rested or not rung.discharges or rung in evse.proven:
        return False
    sent = evse.sent
    return sent is None or sent.rung != rung or sent.power_kw >= 0.0


def settle(turn: Turn, evse: EvseMemory, reason: str = "") -> Rung:
    """The rung to use now; a change of it, or of its proof, is told. ``reason``: why, where it is not what is offered."""
    offer = turn.offer(evse.evse_id)
    usable = [rung for rung in offer.rungs if _distrust(evse, rung) is None]
    highest = usable[0]
    curve = None if evse.wanted is None else evse.wanted.frequency_curve
    rung = next(rung for rung in usable if rung is not Rung.LOCAL_FREQUENCY or curve is not None)
    proven = rung in evse.proven
    if (rung, highest, proven) != (evse.rung, evse.highest, evse.shown_proven):
        evse.rung, evse.highest, evse.shown_proven = rung, highest, proven
        why = reason or _why(evse, offer)
        turn.emit(RungChanged(evse.evse_id, rung, highest, proven, why))
    return rung


def judge(turn: Turn, evse: EvseMemory, judged: SetpointJudged) -> None:
    """Tell a verdict, once for each change of it."""
    last = evse.judged
    if last is not None and _sense(last) == _sense(judged):
        return
    evse.judged = judged
    turn.emit(judged)


def begin_check(turn: Turn, evse: EvseMemory) -> None:
    """Watch whether the charger does what it was told last."""
    now_unix_us = turn.now_unix_us
    check = evse.check = Check(now_unix_us, now_unix_us)
    known = turn.state.evses.get(evse.evse_id)
    if known is not None and known.reading is not None:
        heard_unix_us = known.reading_received_unix_us or 0
        if now_unix_us - heard_unix_us <= _BEFORE_US:
            check.before_kw = known.reading.power_kw
            evse.measured_unix_us = max(evse.measured_unix_us, known.reading.measured_unix_us or 0)
    evse.recheck_unix_us = now_unix_us + RECHECK_US
    sent = evse.sent
    if sent is not None and sent.power_kw < 0.0:
        evse.climb_unix_us = evse.climb_unix_us or now_unix_us
        check.at_rest = evse.rested and sent.rung not in evse.proven
    if sent is not None and sent.accepted:
        check.accepted_unix_us = now_unix_us
        ask_schedule(turn, evse)


def ask_schedule(turn: Turn, evse: EvseMemory) -> None:
    """Read back what the charger makes of its profiles."""
    sent = evse.sent
    if turn.memory.no_schedule or sent is None or evse.resting:
        return
    profiles = profiles_v2 if turn.version.is_2 else profiles_v16
    payload = profiles.composite_schedule(
        evse.evse_id, min(sent.lease_s, _SCHEDULE_S), sent.form.rate_unit
    )
    reason = "whether the charger's schedule shows what it was told"
    turn.call("GetCompositeSchedule", payload, "check", reason, tag(evse, "schedule"), urgent=True)


def clear(turn: Turn, evse: EvseMemory, reason: str) -> None:
    """Take our profile away: the charger's default holds."""
    sent, evse.sent, evse.check = evse.sent, None, None
    evse.checked.clear()
    evse.idle = False
    evse.held_unix_us = 0
    evse.resting = evse.rested = False
    evse.refusal = ""
    if sent is None or not turn.state.connected:
        return
    if sent.form.purpose == "TxProfile" and turn.state.open_transaction(evse.evse_id) is None:
        return  # it went with its transaction
    evse.serial += 1
    profiles = profiles_v2 if turn.version.is_2 else profiles_v16
    payload = profiles.clear_profile(profile_id(evse.evse_id))
    key = f"ladder:{evse.evse_id}"
    turn.call(
        "ClearChargingProfile",
        payload,
        "setpoint",
        reason,
        tag(evse, "clear"),
        key=key,
        urgent=True,
    )


def leave(evse: EvseMemory) -> None:
    """Forget what was sent: the transaction, the link or the charger's memory of it is gone."""
    evse.sent = evse.check = None
    evse.held_unix_us = 0
    evse.resting = evse.rested = evse.reinstalled = evse.tells_power = False
    evse.measured_unix_us = 0
    evse.mark = None
    evse.tried.clear()
    evse.form = None
    evse.climb_unix_us = 0


def renew_unix_us(evse: EvseMemory, *, asked: bool) -> int | None:
    """When the profile has to be sent again, for its lease goes on after it."""
    sent = evse.sent
    if sent is None or evse.lease_ends_unix_us <= sent.ends_unix_us + SECOND_US:
        return None
    return sent.ends_unix_us - sent.lease_s * SECOND_US // (2 if asked else 4)


def _enter(evse: EvseMemory, transaction_id: str) -> None:
    """Another transaction may have another car: what was ignored in the one before is tried again."""
    if evse.transaction_id == transaction_id:
        return
    leave(evse)
    evse.transaction_id = transaction_id
    evse.distrusts = [found for found in evse.distrusts if found.transaction_id is None]
    evse.judged = evse.doubted = None
    evse.checked.clear()
    evse.idle = False
    evse.refusal = ""


def _distrust(evse: EvseMemory, rung: Rung) -> Distrust | None:
    if rung is Rung.LIMITS_ONLY:
        return None
    for found in evse.distrusts:
        if found.rung == rung or (found.and_above and rung > found.rung):
            return found
    return None


def _why(evse: EvseMemory, offer: offered.Offer) -> str:
    for rung in offer.rungs:
        found = _distrust(evse, rung)
        if found is not None:
            return found.reason
    if (
        evse.wanted is not None
        and evse.wanted.frequency_curve is None
        and evse.rung is not evse.highest
    ):
        return f"no response to the frequency was asked for; {offer.reason}"
    return offer.reason


def _sense(judged: SetpointJudged) -> tuple[str, Rung, bool, str]:
    discharges = judged.power_kw < 0.0
    reason = judged.reason if judged.verdict == "refused" and discharges else ""
    return judged.verdict, judged.rung, discharges, reason


def _holds(turn: Turn, evse: EvseMemory, wanted: SetPower, rung: Rung, power_kw: float) -> bool:
    """Whether the charger was told just that, for long enough."""
    sent = evse.sent
    if sent is None or sent.rung != rung or sent.transaction_id != evse.transaction_id:
        return False
    if sent.curve != (wanted.frequency_curve if rung is Rung.LOCAL_FREQUENCY else None):
        return False
    if abs(power_kw - sent.power_kw) >= max(_SAME_KW, _SAME_SHARE * abs(sent.power_kw)):
        return False
    if (power_kw < 0.0) != (sent.power_kw < 0.0) or _shortened(evse, sent):
        return False
    due_unix_us = renew_unix_us(evse, asked=turn.asked)
    return due_unix_us is None or turn.now_unix_us < due_unix_us


def _shortened(evse: EvseMemory, sent: Sent) -> bool:
    """Whether the lease ends before the profile does, which nobody could end if Parkwatt were gone."""
    return evse.lease_ends_unix_us < sent.ends_unix_us - SECOND_US


def _send(turn: Turn, evse: EvseMemory, wanted: SetPower, rung: Rung, power_kw: float) -> None:
    now_unix_us, last = turn.now_unix_us, evse.sent
    lease_s = max(1, -((now_unix_us - evse.lease_ends_unix_us) // SECOND_US))
    in_place = _updatable(evse, rung, wanted.lease_s, lease_s)
    form = _form(turn, evse, rung)
    curve = wanted.frequency_curve if rung is Rung.LOCAL_FREQUENCY else None
    evse.serial += 1
    evse.sent = sent = Sent(
        rung,
        power_kw,
        evse.transaction_id,
        now_unix_us,
        now_unix_us + lease_s * SECOND_US,
        lease_s,
        form,
    )
    sent.curve, sent.dynamic = curve, rung is Rung.DYNAMIC_SETPOINT
    if last is None or (last.rung, last.transaction_id) != (rung, evse.transaction_id):
        evse.asked_kw.clear()
    following.note_asked(evse, power_kw, now_unix_us)
    reason = _reason(turn, wanted, power_kw, lease_s)
    key = f"ladder:{evse.evse_id}"
    if in_place and last is not None:
        sent.lease_s = last.lease_s
        rate = wire_rate(power_kw, last.form.rate_unit, turn.settings)
        payload = profiles_v2.dynamic_update(profile_id(evse.evse_id), rate)
        action, kind = "UpdateDynamicSchedule", "update"
    else:
        payload = _profile(turn, evse, sent)
        action, kind = "SetChargingProfile", "set"
    turn.call(
        action,
        payload,
        "setpoint",
        reason,
        tag(evse, kind),
        key=key,
        urgent=True,
        following=wanted.following,
    )
    _watch(turn, evse, sent, last)


def _reason(turn: Turn, wanted: SetPower, power_kw: float, lease_s: int) -> str:
    """Why it is sent. What follows the meter comes too often to say more than what it is."""
    reason = f"{power_kw:+.1f} kW for {lease_s} s"
    if following.is_too_little(turn, wanted.power_kw):
        reason += (
            f", since {wanted.power_kw:+.2f} kW is less than the {turn.settings.power_kw_min:g} kW "
            "that the charger needs"
        )
    return reason if wanted.following or not wanted.reason else f"{reason}: {wanted.reason}"


def _watch(turn: Turn, evse: EvseMemory, sent: Sent, last: Sent | None) -> None:
    """Begin a check where a direction is new on this rung, or was not looked at for long.

    One that runs is let know that the set-point changed; one of another direction cannot go on.
    """
    if evse.resting:
        begin_check(turn, evse)
    elif evse.check is not None and last is not None and last.direction == sent.direction:
        _restart(evse.check, abs(sent.power_kw - last.power_kw), turn.now_unix_us)
    elif _is_due(turn, evse, sent):
        begin_check(turn, evse)
    elif last is None or last.direction != sent.direction:
        evse.check = None


def _is_due(turn: Turn, evse: EvseMemory, sent: Sent) -> bool:
    checked_unix_us = evse.checked.get(sent.direction)
    if checked_unix_us is not None:
        return turn.now_unix_us - checked_unix_us >= RECHECK_US
    return not (evse.idle and abs(sent.power_kw) < following.doubtful_kw(turn, evse))


def _restart(check: Check, moved_kw: float, now_unix_us: int) -> None:
    """Another power in the same direction gets its time too, but not for ever."""
    begins_anew = check.restarts < _RESTARTS_MAX
    if not begins_anew and (moved_kw < _MOVED_KW or check.restarts >= _MOVES_MAX):
        return
    check.restarts += 1
    check.distance_kw, check.progress_unix_us = None, now_unix_us
    if begins_anew:
        check.began_unix_us, check.accepted_unix_us, check.closer = now_unix_us, None, False


def _updatable(evse: EvseMemory, rung: Rung, asked_s: int, lease_s: int) -> bool:
    """Whether the dynamic profile that is there can take the set-point: its watchdog is the lease that is asked for."""
    last = evse.sent
    if last is None or rung is not Rung.DYNAMIC_SETPOINT or not last.dynamic or not last.accepted:
        return False
    return last.transaction_id == evse.transaction_id and last.lease_s == asked_s == lease_s


def _form(turn: Turn, evse: EvseMemory, rung: Rung) -> Form:
    if evse.form is not None and rung <= Rung.NEGATIVE_LIMIT:
        return evse.form
    form = evse.form or turn.memory.form or offered.form(turn.state, turn.version)
    unit: RateUnit = "W" if rung is Rung.LOCAL_FREQUENCY else form.rate_unit
    return Form(
        form.stack_level,
        unit,
        turn.memory.limit_purpose if rung <= Rung.NEGATIVE_LIMIT else "TxProfile",
    )


def _profile(turn: Turn, evse: EvseMemory, sent: Sent) -> dict[str, Any]:
    # By the charger's clock, so that one that is behind does not hold the set-point longer than its lease.
    start_unix_us = sent.sent_unix_us - turn.state.clock_behind_us
    start_unix_us -= start_unix_us % SECOND_US
    rate = wire_rate(sent.power_kw, sent.form.rate_unit, turn.settings)
    identity = (evse.evse_id, profile_id(evse.evse_id), sent.transaction_id, sent.form)
    if sent.rung is Rung.LOCAL_FREQUENCY and sent.curve is not None:
        period = profiles_v2.frequency_period(sent.power_kw, sent.curve)
    elif sent.rung >= Rung.CENTRAL_SETPOINT:
        period = profiles_v2.setpoint_period(rate)
    else:
        period = {"startPeriod": 0, "limit": rate}
        if turn.settings.phase_count != _PHASES_OF_DEFAULT:
            period["numberPhases"] = turn.settings.phase_count
    if not turn.version.is_2:
        return profiles_v16.limit_profile(*identity, period, start_unix_us, sent.lease_s)
    return profiles_v2.transaction_profile(
        *identity, period, start_unix_us, sent.lease_s, dynamic=sent.dynamic
    )
