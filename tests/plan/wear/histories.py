"""Histories of charge and temperature, by formulas with a seed, for tests of wear.

A car stands at `top`, drives at 08:00 and at 17:00 (an hour each, half of the day's `driving`
depth), gives `grid_use` depth back to the grid evenly from 18:00 to 22:00, and charges from 23:00
at `charge_per_h` up to `top`. Temperature is a yearly and a daily sine. `irregular` draws both
depths anew for each day.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
DAY_S = 86400.0
YEAR_DAYS = 365.0


@dataclass(frozen=True)
class History:
    """Time (s), charge (0..1) and temperature (C) of each sample."""

    time_s: FloatArray
    soc: FloatArray
    temperature_c: FloatArray


def car_history(
    *,
    days: float = YEAR_DAYS,
    step_s: float = 900.0,
    top: float = 0.8,
    driving: float = 0.15,
    grid_use: float = 0.0,
    charge_per_h: float = 0.18,
    charge_from_h: float = 23.0,
    mean_c: float = 12.0,
    yearly_c: float = 10.0,
    daily_c: float = 4.0,
    irregular: bool = False,
    seed: int = 1,
) -> History:
    """A car's history; see the module."""
    random = np.random.default_rng(seed)
    count = int(days * DAY_S / step_s)
    time_s: FloatArray = np.arange(count, dtype=np.float64) * step_s
    hour = time_s / 3600 % 24
    day = (time_s // DAY_S).astype(int)
    scale = random.uniform(0, 2, (2, int(days) + 1)) if irregular else np.ones((2, int(days) + 1))
    trips = ((hour >= 8) & (hour < 9)) | ((hour >= 17) & (hour < 18))
    evening = (hour >= 18) & (hour < 22)
    night = (hour >= charge_from_h) | (hour < 7)
    step_h = step_s / 3600
    out = step_h * (trips * driving / 2 * scale[0, day] + evening * grid_use / 4 * scale[1, day])
    soc = np.empty(count)
    level = top
    for i in range(count):
        soc[i] = level
        level = max(0.0, level - out[i])
        if night[i]:
            level = max(level, min(top, level + charge_per_h * step_h))
    temperature_c = (
        mean_c
        - yearly_c * np.cos(2 * np.pi * time_s / DAY_S / YEAR_DAYS)
        + daily_c * np.sin(2 * np.pi * (hour - 9) / 24)
    )
    return History(time_s, soc, temperature_c)


def storage_history(soc: float, temperature_c: float, days: float = YEAR_DAYS) -> History:
    """A battery that rests, one sample an hour."""
    time_s: FloatArray = np.arange(int(days * 24), dtype=np.float64) * 3600.0
    return History(time_s, np.full(len(time_s), soc), np.full(len(time_s), temperature_c))


def random_history(days: float, step_s: float, seed: int, uneven: bool = False) -> History:
    """Charge wanders between 0.1 and 0.95 in ramps and rests, temperature with it."""
    random = np.random.default_rng(seed)
    count = int(days * DAY_S / step_s)
    steps = step_s * (random.uniform(0.5, 1.5, count) if uneven else np.ones(count))
    time_s = np.cumsum(steps) - steps[0]
    knots = max(3, int(days * 5))
    at = np.linspace(0, time_s[-1], knots)
    levels = random.uniform(0.1, 0.95, knots)
    rests = random.random(knots) < 0.5
    for i in range(1, knots):
        if rests[i]:
            levels[i] = levels[i - 1]
    soc = np.interp(time_s, at, levels)
    warmth = np.interp(time_s, at, 15 + 8 * random.standard_normal(knots))
    return History(time_s, soc, np.clip(warmth, -5, 45))


HISTORIES = {
    "driving": car_history(),
    "driving, late charge": car_history(top=0.6),
    "shallow V2G": car_history(grid_use=0.2),
    "deep V2G": car_history(grid_use=0.45),
    "deep V2G, hot": car_history(grid_use=0.45, mean_c=30),
    "deep V2G, cold": car_history(grid_use=0.45, mean_c=2),
    "irregular V2G": car_history(driving=0.2, grid_use=0.25, top=0.9, irregular=True),
    "stored full": storage_history(1.0, 25.0),
    "stored low": storage_history(0.2, 25.0),
    "stored hot": storage_history(0.7, 40.0),
    "a week": car_history(days=7, grid_use=0.3),
    "a day": car_history(days=1, grid_use=0.3),
    "a month, hourly": car_history(days=30, step_s=3600, grid_use=0.3),
    "a year, 5 minutes": car_history(step_s=300, grid_use=0.3),
    "wandering": random_history(365, 1800, 5),
    "wandering, uneven steps": random_history(60, 900, 6, uneven=True),
    "two cycles a day": random_history(90, 900, 7),
    "barely used, then V2G": History(
        np.arange(35040, dtype=np.float64) * 900.0,
        np.concatenate(
            (
                0.7 - 0.003 * (np.arange(9600) % 96 < 4),
                car_history(days=265, grid_use=0.4, top=0.7).soc,
            )
        ),
        car_history().temperature_c,
    ),
}
