"""A household's electricity: a base, the shape of a day, and appliances that come on when they please."""

from __future__ import annotations

import numpy as np

from parkwatt.app.demo.local_time import LocalTime, bump, wandering
from parkwatt.domain.record import FloatArray

_BASE_KW = 0.16  # fridge, router, standby
_APPLIANCES_SHARE = 0.35  # of what is used beyond the base

# Power, duration and mean starts a day of appliances whose use is seen in a 15-minute mean.
_APPLIANCES = (
    # name, kW, minutes, starts a day
    ("kettle and coffee", 1.8, 15, 2.2),
    ("hob and oven", 2.0, 45, 1.1),
    ("dishwasher", 1.1, 75, 0.7),
    ("washing", 0.9, 90, 0.6),
)


def load_kw(
    random: np.random.Generator, local: LocalTime, step_s: int, annual_kwh: float
) -> FloatArray:
    """[T] mean power of each step; a whole year sums to about ``annual_kwh``.

    Args:
        random: where chance comes from.
        local: [T] the local clock of each step.
        step_s: length of a step in seconds.
        annual_kwh: what the household uses in a year, kWh.
    """
    annual_mean_kw = annual_kwh / 8766.0
    beyond_kw = max(annual_mean_kw - _BASE_KW, 0.0)
    activity = _activity(local)
    season = 1.0 + 0.22 * local.winter  # light, and more time at home
    # Activity and season are scaled by their means over a year: activity's is a constant of its shape.
    rhythm = activity * season / _mean_activity()
    mood = np.exp(0.35 * wandering(random, len(activity), 0.85) - 0.35**2 / 2.0)
    steady = beyond_kw * (1.0 - _APPLIANCES_SHARE) * rhythm * mood
    bursts = _bursts(random, rhythm, step_s)
    return _BASE_KW + steady + beyond_kw * _APPLIANCES_SHARE * bursts


def _activity(local: LocalTime) -> FloatArray:
    """[T] how busy the house is: up at seven, home at five, later and busier by day at weekends."""
    free = local.weekday >= 5
    working = 0.25 + 1.0 * bump(local.hour, 7.3, 0.8) + 2.3 * bump(local.hour, 19.2, 2.0)
    resting = 0.25 + 0.9 * bump(local.hour, 9.7, 1.5) + 0.7 * bump(local.hour, 13.0, 2.0)
    resting = resting + 2.0 * bump(local.hour, 19.0, 2.2)
    night = 1.0 - 0.75 * bump(local.hour, 3.0, 1.7)
    return np.where(free, resting, working) * night


def _mean_activity() -> float:
    """The mean of `_activity` over a week in steps of 15 minutes."""
    steps = np.arange(7 * 96)
    one = np.ones(len(steps), dtype=np.int64)
    return float(_activity(LocalTime((steps % 96) / 4.0, steps // 96, one, steps // 96)).mean())


def _bursts(random: np.random.Generator, rhythm: FloatArray, step_s: int) -> FloatArray:
    """[T] appliances' power, of mean 1 over a year: starts come by chance (Poisson), more often at busy hours."""
    step_h = step_s / 3600.0
    total = np.zeros(len(rhythm))
    mean_kw = 0.0
    for _, power_kw, minutes, starts_per_day in _APPLIANCES:
        starts = random.poisson(starts_per_day / 24.0 * step_h * rhythm).astype(np.float64)
        length = max(1, round(minutes * 60 / step_s))
        running = np.convolve(starts, np.ones(length))[: len(rhythm)]
        total += power_kw * np.minimum(running, 1.0)
        mean_kw += power_kw * starts_per_day / 24.0 * length * step_h
    return total / mean_kw
