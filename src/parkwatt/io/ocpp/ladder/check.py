"""Judges a set-point by what the meter shows in the seconds after it, and by the schedule that the charger reports back.

The meter decides; a schedule counts only where it shows charging in place of discharging and no meter contradicts it. Times
run from the charger's answer. A power that comes closer to what was asked for gets more time than one that stands still; while
it goes down from charging, as long as the ladder has for all rungs.
Asked to discharge, a charger is

- followed as soon as the meter shows the power, within 10 % and 0.3 kW, or that it discharges less and stays there;
- opposed when it charges by more than that: from rest at once, and 2 s after its schedule said so where the meter says nothing;
  from charging after 3 s where its schedule says so or its power has risen, else after 6 s;
- ignored when nothing comes of it within 8 s, or it discharges more than it was asked to.

A rung that is not proven is tried from rest only: the car is brought there by a limit of 0 before, which the meter has to show.

Asked to charge or to rest, less is always right (the car decides), and more for longer than 10 s is ignored, or for longer than
a minute where it comes closer. Without a reading of the meter within 20 s nothing is known, and it was unseen. Where so little
is asked for that the charger may not be able to do it (`Goal.least_kw`), rest comes to nothing.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from parkwatt.domain.charger.command import FrequencyCurve
from parkwatt.io.ocpp.ladder.memory import Check

SECOND_US = 1_000_000
# The meter of a charger shows its own consumption too; less than this is nothing.
FLOOR_KW = 0.3
_SHARE = 0.1
# A reading that came sooner after the answer may have been taken before the set-point was.
_SETTLE_US = 1 * SECOND_US
_FRESH_US = 400_000
_QUIET_US = 2 * SECOND_US
_RISE_US = 3 * SECOND_US
_BLIND_OPPOSED_US = 5 * SECOND_US
_OPPOSED_US = 6 * SECOND_US
_HOLD_US = 6 * SECOND_US
_IGNORED_US = 8 * SECOND_US
_EXCEEDED_US = 10 * SECOND_US
_LAST_US = 20 * SECOND_US
_SLOW_US = 60 * SECOND_US
_REST_SEEN_US = 3 * SECOND_US
_REST_STILL_US = 5 * SECOND_US
_REST_LAST_US = 24 * SECOND_US
# Since when the power must stand still to be called so, and what counts as coming closer.
_STILL_US = 5 * SECOND_US
_PROGRESS_KW = 0.2
_DEADLINES_US = (
    *(_SETTLE_US, _RISE_US, _BLIND_OPPOSED_US, _OPPOSED_US),
    *(_IGNORED_US, _EXCEEDED_US, _LAST_US, _SLOW_US),
)


class Goal(NamedTuple):
    """What was asked for: a power, or a range where it changes all the time or the charger adds a response of its own.

    ``least_kw``: below it a charger may rest or do that much instead, which shows neither obedience nor the lack of it.
    """

    low_kw: float
    high_kw: float
    least_kw: float = 0.0

    @property
    def discharges(self) -> bool:
        """Whether the car is to give energy."""
        return self.high_kw < 0.0

    @property
    def tolerance_kw(self) -> float:
        """How far off the meter may be."""
        return max(FLOOR_KW, _SHARE * max(abs(self.low_kw), abs(self.high_kw)))

    @property
    def may_rest(self) -> bool:
        """Whether so little discharging was asked for that a car at rest shows nothing."""
        return -self.least_kw < self.high_kw < 0.0

    @property
    def lowest_kw(self) -> float:
        """The most discharging that is still what was asked for."""
        return -self.least_kw if -self.least_kw < self.low_kw < 0.0 else self.low_kw

    @property
    def highest_kw(self) -> float:
        """The most charging that is still what was asked for."""
        return self.least_kw if 0.0 < self.high_kw < self.least_kw else self.high_kw

    def distance_kw(self, power_kw: float) -> float:
        """How far a power is from what was asked for."""
        return max(self.low_kw - power_kw, power_kw - self.high_kw, 0.0)

    def allows(self, power_kw: float) -> bool:
        """Whether the power needs no second look: what was asked for, or less of it."""
        tolerance_kw = self.tolerance_kw
        if self.discharges:
            shown_kw = min(tolerance_kw, -self.high_kw / 2.0)
            upper_kw = FLOOR_KW if self.may_rest else -shown_kw
            return self.lowest_kw - tolerance_kw <= power_kw <= upper_kw
        beneath_kw = tolerance_kw if self.low_kw < 0.0 else FLOOR_KW
        lower_kw = min(self.lowest_kw, 0.0) - beneath_kw
        return lower_kw <= power_kw <= self.highest_kw + tolerance_kw


class Finding(NamedTuple):
    """What a check came to."""

    verdict: str
    reason: str


def goal(
    asked_kw: tuple[float, float],
    curve: FrequencyCurve | None,
    frequency_hz: float | None,
    least_kw: float = 0.0,
) -> Goal:
    """What to expect of the set-points in a range, with the response to the frequency that they hold.

    That is known where the meter tells the frequency, else anything within its range.
    """
    low_kw, high_kw = asked_kw
    if curve is None:
        return Goal(low_kw, high_kw, least_kw)
    if frequency_hz is None:
        return Goal(low_kw + min(curve.power_kw), high_kw + max(curve.power_kw), least_kw)
    added_kw = _interpolated(curve, frequency_hz)
    return Goal(low_kw + added_kw, high_kw + added_kw, least_kw)


def see(check: Check, aim: Goal, power_kw: float, now_unix_us: int) -> None:
    """Take in a reading of the meter."""
    check.power_kw, check.power_unix_us = power_kw, now_unix_us
    distance_kw = aim.distance_kw(power_kw)
    if check.distance_kw is None:
        check.distance_kw = distance_kw
        if check.before_kw is not None and aim.distance_kw(check.before_kw) > distance_kw:
            check.progress_unix_us, check.closer = now_unix_us, True
    elif distance_kw <= check.distance_kw - _PROGRESS_KW:
        check.distance_kw, check.progress_unix_us = distance_kw, now_unix_us
        check.closer = True


def next_deadline(check: Check, now_unix_us: int) -> int | None:
    """When time alone may decide next."""
    base_unix_us = _base(check)
    if base_unix_us is None:
        return None
    times = [base_unix_us + after_us for after_us in _DEADLINES_US]
    times += [check.progress_unix_us + _STILL_US, base_unix_us + _LAST_US + SECOND_US]
    times.append(max(base_unix_us, check.power_unix_us) + _QUIET_US)
    return min((time for time in times if time >= now_unix_us), default=None)


def judge(check: Check, aim: Goal, now_unix_us: int) -> Finding | None:
    """What the check came to; None while it goes on, and as long as the charger has not answered."""
    if check.at_rest and aim.discharges:
        opposed = _opposed_from_rest(check, aim, now_unix_us)
        if opposed is not None:
            return opposed
    base_unix_us = _base(check)
    if base_unix_us is None:
        return None
    passed_us = now_unix_us - base_unix_us
    power_kw = check.power_kw
    seen_us = check.power_unix_us - base_unix_us
    if power_kw is None or seen_us < _SETTLE_US:
        return _blind(check, aim, passed_us)
    if aim.discharges:
        return _discharging(check, aim, power_kw, seen_us, passed_us, now_unix_us)
    return _charging(check, aim, power_kw, seen_us, passed_us)


def judge_rest(check: Check, climbed_us: int, now_unix_us: int) -> Finding | None:
    """Whether a limit of 0 has brought the car to rest; ``climbed_us``: since the search for a rung began."""
    base_unix_us = _base(check)
    if base_unix_us is None:
        late = climbed_us >= _LAST_US
        return Finding("unseen", "it did not answer a limit of 0 kW in time") if late else None
    seen_us = check.power_unix_us - base_unix_us
    if check.power_kw is None or seen_us < _FRESH_US:
        late = climbed_us >= _LAST_US
        return (
            Finding("unseen", f"no reading of power within {_LAST_US // SECOND_US} s")
            if late
            else None
        )
    if check.power_kw <= FLOOR_KW:
        return Finding("followed", "at rest")
    still_us = _REST_STILL_US * (2 if check.by_register else 1)  # a mean is known only every 5 s
    still = now_unix_us - max(base_unix_us, check.progress_unix_us) >= still_us
    if still and seen_us >= _REST_SEEN_US:
        reason = f"it does not rest when it is told to: {_shown(check)} in spite of a limit of 0 kW"
        return Finding("ignored", reason)
    if climbed_us >= _REST_LAST_US:
        return Finding("ignored", f"it takes too long to come to rest: {_shown(check)}")
    return None


def is_fresh(check: Check, now_unix_us: int) -> bool:
    """Whether what comes now was measured after the charger had answered."""
    base_unix_us = _base(check)
    return base_unix_us is not None and now_unix_us - base_unix_us >= _FRESH_US


def rest_deadlines(climb_unix_us: int) -> tuple[int, int]:
    """When time alone ends a rest."""
    return climb_unix_us + _LAST_US, climb_unix_us + _REST_LAST_US


def shows_charging(check: Check, aim: Goal) -> bool:
    """Whether a reading of the power itself shows, since the check began, that the car charges."""
    power_kw = check.power_kw
    if power_kw is None or check.by_register or check.power_unix_us <= check.began_unix_us:
        return False
    return power_kw > aim.tolerance_kw


def last_word(check: Check, aim: Goal) -> Finding:
    """What the check came to when no time is left for more: what discharges by now does."""
    asked = f"asked for {_kw(aim.high_kw)}, {_shown(check)}"
    if check.power_kw is not None and -aim.tolerance_kw >= check.power_kw >= aim.low_kw:
        return Finding("followed", f"{asked}: it is on its way")
    if aim.may_rest and check.power_kw is not None and abs(check.power_kw) <= aim.tolerance_kw:
        return Finding("undecided", f"{asked}: that may be less than it can")
    return Finding("unseen", f"{asked} when time was up")


def _base(check: Check) -> int | None:
    if check.accepted_unix_us is not None:
        return check.accepted_unix_us
    return check.began_unix_us if check.unanswered else None


def _opposed_from_rest(check: Check, aim: Goal, now_unix_us: int) -> Finding | None:
    power_kw = check.power_kw
    heard = power_kw is not None and check.power_unix_us > check.began_unix_us
    if heard and power_kw is not None and power_kw > aim.tolerance_kw:
        asked = f"asked for {_kw(aim.high_kw)} at rest, {_shown(check)}"
        return Finding("opposed", _with_schedule(check, asked))
    base_unix_us = _base(check)
    if base_unix_us is None or check.schedule != "opposes":
        return None
    if heard and power_kw is not None and power_kw <= -aim.tolerance_kw:
        return None
    quiet = now_unix_us - max(base_unix_us, check.power_unix_us) >= _QUIET_US
    return _opposed_by_schedule(check, aim) if quiet else None


def _opposed_by_schedule(check: Check, aim: Goal) -> Finding:
    scheduled = _kw(check.scheduled_kw)
    reason = f"asked for {_kw(aim.high_kw)}, its composite schedule shows {scheduled} and no meter says otherwise"
    return Finding("opposed", reason)


def _blind(check: Check, aim: Goal, passed_us: int) -> Finding | None:
    if aim.discharges and check.schedule == "opposes" and passed_us >= _BLIND_OPPOSED_US:
        return _opposed_by_schedule(check, aim)
    if passed_us >= _LAST_US:
        reason = f"no reading of power within {_LAST_US // SECOND_US} s of {_kw(aim.low_kw)}"
        return Finding("unseen", reason)
    return None


def _discharging(
    check: Check, aim: Goal, power_kw: float, seen_us: int, passed_us: int, now_unix_us: int
) -> Finding | None:
    tolerance_kw = aim.tolerance_kw
    asked = f"asked for {_kw(aim.high_kw)}, {_shown(check)}"
    still = now_unix_us - check.progress_unix_us >= _STILL_US
    if power_kw > tolerance_kw:
        if _turned(check, aim, power_kw, seen_us):
            return Finding("opposed", _with_schedule(check, asked))
        stays = still and passed_us >= _OPPOSED_US and seen_us >= _BLIND_OPPOSED_US
        return Finding("opposed", _with_schedule(check, asked)) if stays else None
    if aim.distance_kw(power_kw) <= tolerance_kw and power_kw <= aim.high_kw / 2.0:
        return Finding("followed", _with_schedule(check, asked))
    late = still and passed_us >= _LAST_US
    if not late and (not still or passed_us < _IGNORED_US or seen_us < _BLIND_OPPOSED_US):
        return None
    if power_kw < aim.lowest_kw - tolerance_kw:
        return Finding("ignored", f"{asked}: it discharges more than it was asked to")
    if power_kw <= -tolerance_kw:
        least = "the least it can" if power_kw < aim.low_kw else "less than it was asked to"
        return Finding("followed", f"{asked}: it discharges {least}")
    if aim.may_rest:
        return Finding("undecided", f"{asked}: that may be less than it can")
    if seen_us < _BLIND_OPPOSED_US:
        return Finding("unseen", f"{asked} and nothing after that")
    return Finding("ignored", _with_schedule(check, asked))


def _turned(check: Check, aim: Goal, power_kw: float, seen_us: int) -> bool:
    """Whether charging is an answer to the set-point, not what was going on and is about to end."""
    before_kw = check.before_kw
    if check.closer or seen_us < _RISE_US:
        return False
    rise_kw = 0.0 if before_kw is None else power_kw - max(before_kw, 0.0)
    return check.schedule == "opposes" or rise_kw > aim.tolerance_kw


def _charging(
    check: Check, aim: Goal, power_kw: float, seen_us: int, passed_us: int
) -> Finding | None:
    asked = f"asked for {_kw(aim.high_kw)}, {_shown(check)}"
    if aim.allows(power_kw):
        return Finding("followed", asked) if seen_us >= _HOLD_US else _late_unseen(passed_us, asked)
    if seen_us < _OPPOSED_US:
        return _late_unseen(passed_us, asked)
    still = check.power_unix_us - check.progress_unix_us >= _STILL_US
    if passed_us >= _SLOW_US or (still and passed_us > _EXCEEDED_US):
        return Finding("ignored", asked)
    return None


def _late_unseen(passed_us: int, asked: str) -> Finding | None:
    return Finding("unseen", f"{asked} and nothing after that") if passed_us >= _LAST_US else None


def _with_schedule(check: Check, asked: str) -> str:
    if check.schedule in {"opposes", "differs"}:
        return f"{asked}; its composite schedule shows {_kw(check.scheduled_kw)}"
    return asked


def _interpolated(curve: FrequencyCurve, frequency_hz: float) -> float:
    points = list(zip(curve.frequency_hz, curve.power_kw, strict=True))
    if frequency_hz <= points[0][0]:
        return points[0][1]
    for (left_hz, left_kw), (right_hz, right_kw) in pairwise(points):
        if frequency_hz <= right_hz:
            share = (frequency_hz - left_hz) / (right_hz - left_hz)
            return left_kw + share * (right_kw - left_kw)
    return points[-1][1]


def _shown(check: Check) -> str:
    """What the meter shows, in words."""
    by = " by its register" if check.by_register else ""
    return f"the meter shows {_kw(check.power_kw)}{by}"


def _kw(power_kw: float | None) -> str:
    return "nothing" if power_kw is None else f"{power_kw:+.1f} kW"
