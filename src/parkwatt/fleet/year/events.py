"""A programme that pays for what cars take less, or give, in events of summer evenings: days, baselines, pay.

The rules are those of California's Emergency Load Reduction Program: from May to October, between 16:00 and 21:00, at most 60
hours a year, 2 per kWh beyond a baseline, nothing to pay for those who do less. The baseline of an hour is the mean of the same
hour on the last ten days of the same kind (weekday, weekend) without an event, as it was measured: it sees no later day. The
pool is paid for its sum, and each driver gets the share of what they did beyond their own baseline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.fleet.year.drivers import YearDays
from parkwatt.plan.batch.cars import IntArray

FIRST_HOUR: Final = 16
EVENT_HOURS: Final = 5
HOURS_OF_YEAR_MAX: Final = 60
_BASELINE_DAYS: Final = 10
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class EventRules:
    """``price_per_kwh``: beyond the baseline; ``days_max``: with an event, of five hours each."""

    price_per_kwh: float = 2.0
    days_max: int = HOURS_OF_YEAR_MAX // EVENT_HOURS


def hour_steps(days: YearDays) -> IntArray:
    """[D, 5] the step at which each hour of an event would begin, by the local clock (counted from the day's end)."""
    before_end = (24 - FIRST_HOUR - np.arange(EVENT_HOURS)) * 60 // days.step_minutes
    return np.asarray(days.first_step[1:, None] - before_end)


def event_days(
    price_per_kwh: FloatArray, months: IntArray, days: YearDays, rules: EventRules
) -> IntArray:
    """The dearest evenings from May to October, in order of time: [E] places of days. ``months``: [D] 1 to 12."""
    evening = by_hour(price_per_kwh[None, :], days)[0].mean(axis=1)
    season = np.flatnonzero((months >= 5) & (months <= 10))
    dearest = season[np.argsort(-evening[season], kind="stable")][: rules.days_max]
    return np.sort(dearest)


def by_hour(series: NDArray[np.floating], days: YearDays) -> FloatArray:
    """[n, D, 5] means over the hours of all evenings, of [n, S]."""
    of_hour = 60 // days.step_minutes
    at = hour_steps(days)[:, :, None] + np.arange(of_hour)
    return np.asarray(series[:, at].mean(axis=3, dtype=np.float64))


def with_events(
    series: FloatArray, events: IntArray, days: YearDays, price_per_kwh: float
) -> FloatArray:
    """[S] the series with the event's price on top in its steps."""
    begins = hour_steps(days)[events, 0]
    steps = begins[:, None] + np.arange(EVENT_HOURS * 60 // days.step_minutes)
    found = series.copy()
    found[steps.ravel()] += price_per_kwh
    return found


def baseline_kw(evening_kw: FloatArray, events: IntArray, days: YearDays) -> FloatArray:
    """[n, E, 5] from what was measured in the evenings [n, D, 5]; an event without ten such days before it takes those there
    are, and 0 where there is none.
    """
    weekend = days.weekday >= _SATURDAY
    plain = np.ones(days.day_count, dtype=np.bool_)
    plain[events] = False
    found = np.zeros((len(evening_kw), len(events), EVENT_HOURS))
    for place, event in enumerate(events.tolist()):
        before = np.flatnonzero(plain[:event] & (weekend[:event] == weekend[event]))[
            -_BASELINE_DAYS:
        ]
        if len(before):
            found[:, place] = evening_kw[:, before].mean(axis=1)
    return found


class EventPay(NamedTuple):
    """``paid``: [n] to each driver; ``pool_kwh``: [E] that the pool was paid for in each event."""

    paid: FloatArray
    pool_kwh: FloatArray


def settle(reduced_kw: FloatArray, rules: EventRules) -> EventPay:
    """From what drivers did beyond their baselines [n, E, 5] (of an hour: kW is kWh); hours below the baseline count 0."""
    pool_kwh = np.maximum(reduced_kw.sum(axis=0), 0.0)
    more = np.maximum(reduced_kw, 0.0)
    together = more.sum(axis=0)
    share = np.divide(more, together, out=np.zeros_like(more), where=together > 0.0)
    paid = (share * pool_kwh).sum(axis=(1, 2)) * rules.price_per_kwh
    return EventPay(np.asarray(paid), np.asarray(pool_kwh.sum(axis=1)))
