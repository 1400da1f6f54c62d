"""Baselines: what a meter would have shown without a call. Each has the same signature: `Readings` and a `Window` in, a
`Baseline` out.

Arrays hold floats, or decimals as objects: the arithmetic is the same, and with decimals each value is rounded at most once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.calendar import local_clock, local_time_unix_s
from parkwatt.domain.fleet.programme import Adjustment

Numbers = NDArray[Any]
BoolArray = NDArray[np.bool_]
_WEEK: Final = 7
_SATURDAY_FROM_THURSDAY: Final = 2  # 1970-01-01, day 0, was a Thursday
_MINUTE_S: Final = 60


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """[N] net kWh (import less export) of one meter in steps of ``step_s`` from ``start_unix_s`` on;
    ``known``: which were read.

    ``declared_kwh``, ``declared_known``: [N] the schedule that was declared for the same steps; None: none was.
    """

    start_unix_s: int
    step_s: int
    net_kwh: Numbers
    known: BoolArray
    declared_kwh: Numbers | None = None
    declared_known: BoolArray | None = None

    def steps(self, from_unix_s: int, count: int) -> slice | None:
        """Where ``count`` steps from an instant on stand; None where they lie outside, or between two steps."""
        first, off = divmod(from_unix_s - self.start_unix_s, self.step_s)
        if off or first < 0 or first + count > len(self.net_kwh):
            return None
        return slice(first, first + count)

    def energies_kwh(self, from_unix_s: int, count: int) -> Numbers | None:
        """[count] the net energies from an instant on; None where one is not known."""
        place = self.steps(from_unix_s, count)
        return None if place is None or not self.known[place].all() else self.net_kwh[place]


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The span [start, end) that a baseline is for. ``similar_unix_s``: when it begins on earlier days of the same kind without
    a call, the newest first.
    """

    start_unix_s: int
    end_unix_s: int
    similar_unix_s: tuple[int, ...]
    weekend: bool
    adjustment: Adjustment
    baseline_minutes: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """[T] kWh of each step of the window; None where it cannot be told, and ``reason`` why. ``days``: that it rests on.

    ``factor``: by which the same day changed it.
    """

    net_kwh: Numbers | None
    reason: str = ""
    days: int = 0
    factor: float = 1.0


Rule = Callable[[Readings, Window], Baseline]


def is_weekend(day: int, holidays: frozenset[int]) -> bool:
    """Whether a day (days since 1970-01-01) is a Saturday, a Sunday or a holiday."""
    return (day - _SATURDAY_FROM_THURSDAY) % _WEEK < 2 or day in holidays


def window(
    start_unix_s: int,
    end_unix_s: int,
    zone: ZoneInfo,
    event_days: frozenset[int],
    holidays: frozenset[int],
    adjustment: Adjustment,
    baseline_minutes: tuple[int, int] = (60, 0),
) -> Window:
    """The window of an event, with its similar days: those of the same kind (workday; weekend or holiday) within the rule's
    look-back that are no ``event_days``. The same clock time counts, also over a change of the clock. Days: since 1970-01-01.
    """
    clock = local_clock(np.array([start_unix_s], dtype=np.int64), zone)
    day, second = int(clock.day[0]), int(clock.second_of_day[0])
    weekend = is_weekend(day, holidays)
    similar = [
        local_time_unix_s(earlier, second, zone)
        for earlier in range(day - 1, day - adjustment.lookback_days - 1, -1)
        if earlier not in event_days and is_weekend(earlier, holidays) == weekend
    ]
    return Window(start_unix_s, end_unix_s, tuple(similar), weekend, adjustment, baseline_minutes)


def ten_of_ten(readings: Readings, span: Window) -> Baseline:
    """The mean of the last similar days, times a factor of the same day within a cap (California ISO's rule for proxy demand
    resources: ten workdays of at least five, or four weekend days, within 45; ±20 %; three hours that end one hour before).

    A day with an unknown step, in the window or in the hours of the factor, is passed over. Fewer days than the least: no
    baseline. The factor is what was drawn in those hours today over what was drawn on these days; it is 1 where today's are
    unknown, or where the days' sum is not above 0 (no direction can be told). Export counts as negative, and the factor
    multiplies it like import.
    """
    rule = span.adjustment
    count = (span.end_unix_s - span.start_unix_s) // readings.step_s
    before_s = rule.from_minutes_before * _MINUTE_S
    earlier = max(0, before_s - rule.until_minutes_before * _MINUTE_S) // readings.step_s
    wanted = rule.weekend_days if span.weekend else rule.days
    least = rule.weekend_days_min if span.weekend else rule.days_min
    found, morning = [], []
    for begin in span.similar_unix_s:
        energies = readings.energies_kwh(begin, count)
        factor_hours = readings.energies_kwh(begin - before_s, earlier) if earlier else ()
        if energies is None or factor_hours is None:
            continue
        found.append(energies)
        morning.append(_sum(factor_hours))
        if len(found) == wanted:
            break
    days = len(found)
    if days < max(1, least):
        return Baseline(None, f"{days} similar days are known, {least} are needed", days)
    total, base = _sum(found), _sum(morning)
    today = readings.energies_kwh(span.start_unix_s - before_s, earlier) if earlier else None
    if today is None or not base > 0:
        return Baseline(total / days, "no factor of the same day", days)
    now, cap = _sum(today), _like(rule.cap_fraction, base)
    low, high = (1 - cap) * base, (1 + cap) * base
    if now * days < low:
        return Baseline(total * (1 - cap) / days, "factor at its cap", days, float(1 - cap))
    if now * days > high:
        return Baseline(total * (1 + cap) / days, "factor at its cap", days, float(1 + cap))
    # total / days · now / (base / days), with one division, so that decimals are rounded once
    return Baseline(total * now / base, "", days, float(now * days / base))


def meter_before_meter_after(readings: Readings, span: Window) -> Baseline:
    """The mean of the readings just before the window, and after it where the rule says so, in each step.

    An unknown step is left out; none known at all: no baseline.
    """
    before, after = (minutes * _MINUTE_S // readings.step_s for minutes in span.baseline_minutes)
    starts = [span.start_unix_s - (index + 1) * readings.step_s for index in range(before)]
    starts += [span.end_unix_s + index * readings.step_s for index in range(after)]
    found = [e for start in starts if (e := readings.energies_kwh(start, 1)) is not None]
    if not found:
        return Baseline(None, "no reading before or after is known")
    count = (span.end_unix_s - span.start_unix_s) // readings.step_s
    mean = _sum(found)[0] / len(found)
    return Baseline(np.full(count, mean, dtype=readings.net_kwh.dtype))


def declared_schedule(readings: Readings, span: Window) -> Baseline:
    """The schedule that was declared ahead; a step that it lacks: no baseline."""
    count = (span.end_unix_s - span.start_unix_s) // readings.step_s
    place = readings.steps(span.start_unix_s, count)
    declared, known = readings.declared_kwh, readings.declared_known
    if place is None or declared is None or known is None or not known[place].all():
        return Baseline(None, "no schedule was declared for all of it")
    return Baseline(declared[place])


def zero(readings: Readings, span: Window) -> Baseline:
    """Nothing: what is given to the grid counts as it is read."""
    count = (span.end_unix_s - span.start_unix_s) // readings.step_s
    return Baseline(readings.net_kwh[:0].sum() + np.zeros(count, dtype=readings.net_kwh.dtype))


RULES: Final[dict[str, Rule]] = {
    "ten_of_ten": ten_of_ten,
    "meter_before_meter_after": meter_before_meter_after,
    "declared_schedule": declared_schedule,
    "zero": zero,
}


def _sum(values: Any) -> Any:
    """Their sum; 0 of none."""
    return sum(values[1:], values[0]) if len(values) else 0


def _like(value: Any, sample: Any) -> Any:
    """A number in the arithmetic of the sample."""
    return float(value) if isinstance(sample, float) else value
