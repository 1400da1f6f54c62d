"""Courses of what the sun may give: whole past days, the likelier the closer they come to what is forecast.

A course takes for each day ahead one of the last fifteen days, from this time of day on. Its weight is
exp(−½·(difference / 1.5 σ)²), with the difference between what that day gave and what is forecast for the day ahead, in the
hours for which there is a forecast, and σ the standard deviation of what the past days gave in them. A day ahead of which
nothing is forecast takes any past day. With fewer than five whole past days the forecast is the only course.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.forecast.local_time import DAY_S
from parkwatt.home.observation import SOLAR_PAST_DAYS, SOLAR_STEP_S, SolarAhead

_DAYS_LEAST: Final = 5
_BANDWIDTH: Final = 1.5
_DAY_STEPS: Final = DAY_S // SOLAR_STEP_S
_ENOUGH_KW: Final = 1e-6


def solar_courses(
    solar: SolarAhead, start_unix_s: int, step_count: int, count: int, seed: int = 0
) -> FloatArray:
    """[S, step_count] kW in steps of `SOLAR_STEP_S` from ``start_unix_s`` on: S is ``count``, or 1 with the forecast alone."""
    times = start_unix_s + SOLAR_STEP_S * np.arange(step_count, dtype=np.int64)
    ahead_kw = _forecast_kw(solar, times)
    past_kw = _past_days_kw(solar, start_unix_s)
    if len(past_kw) < _DAYS_LEAST:
        return np.asarray(np.nan_to_num(ahead_kw)[np.newaxis], dtype=np.float64)
    # A stream of its own: load and sun are paired by chance.
    random = np.random.default_rng([seed, 2])
    found = np.empty((count, step_count))
    for first in range(0, step_count, _DAY_STEPS):
        day_kw = ahead_kw[first : first + _DAY_STEPS]
        weight = _weights(past_kw[:, : len(day_kw)], day_kw)
        drawn = _drawn(weight, count, random)
        found[:, first : first + len(day_kw)] = past_kw[drawn, : len(day_kw)]
    return found


def _forecast_kw(solar: SolarAhead, times_unix_s: NDArray[np.int64]) -> FloatArray:
    """[T] as forecast; NaN where it is not."""
    found = np.full(len(times_unix_s), np.nan)
    if solar.power_kw:
        edges = np.array(solar.edges_unix_s, dtype=np.int64)
        within = (times_unix_s >= edges[0]) & (times_unix_s < edges[-1])
        step = np.searchsorted(edges, times_unix_s[within], side="right") - 1
        found[within] = np.maximum(np.array(solar.power_kw, dtype=np.float64)[step], 0.0)
    return found


def _past_days_kw(solar: SolarAhead, start_unix_s: int) -> FloatArray:
    """[K, steps of a day] the past days of which all is known, each from the start's time of day on."""
    past_kw = np.array(solar.past_kw, dtype=np.float64)
    here = len(past_kw) + (start_unix_s - solar.past_end_unix_s) // SOLAR_STEP_S
    firsts = [here - _DAY_STEPS * back for back in range(1, SOLAR_PAST_DAYS + 1)]
    days = [
        past_kw[first : first + _DAY_STEPS]
        for first in firsts
        if first >= 0 and first + _DAY_STEPS <= len(past_kw)
    ]
    known = [day for day in days if np.isfinite(day).all()]
    return np.maximum(np.array(known).reshape(len(known), _DAY_STEPS), 0.0)


def _weights(past_kw: FloatArray, ahead_kw: FloatArray) -> FloatArray:
    """[K] of the past days, 1 in sum."""
    told = np.isfinite(ahead_kw)
    given = past_kw[:, told].sum(axis=1)
    spread = _BANDWIDTH * float(np.std(given))
    if spread < _ENOUGH_KW:
        return np.full(len(past_kw), 1.0 / len(past_kw))
    apart = np.abs(given - float(ahead_kw[told].sum())) / spread
    # From the nearest on, so that a forecast unlike all past days leaves the days that come closest.
    weight = np.exp(-0.5 * (apart**2 - apart.min() ** 2))
    return np.asarray(weight / weight.sum())


def _drawn(weight: FloatArray, count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """[count] places by weight, spread evenly over the cumulated weight (systematic sampling), in random order."""
    points = (np.arange(count) + random.random()) / count
    places = np.searchsorted(np.cumsum(weight), points, side="right")
    return random.permutation(np.minimum(places, len(weight) - 1)).astype(np.int64)
