"""Day-ahead prices by the hour: a level that wanders, two peaks, and a hollow where the sun shines.

The more the sun shines in the country, the deeper the hollow at noon and the steeper the evening after it, down to negative
prices on sunny, windy weekends: the "duck curve". The level remembers the day before, as wind and fuel do.
"""

from __future__ import annotations

import numpy as np

from parkwatt.app.demo.local_time import LocalTime, bump, wandering
from parkwatt.domain.record import FloatArray

# EUR per MWh; chosen so that a year has the mean, spread and share of negative hours told in docs/concepts/demo-home.md.
_LEVEL = 82.0
_WANDER = 27.0
_LEVEL_MEMORY = 0.6
_WINTER = 6.0
_MORNING = 24.0
_EVENING = 57.0
_NIGHT = -16.0
_SUN = -128.0
_WEEKEND = -14.0
_HOUR_NOISE = 6.0
_LOWEST, _HIGHEST = -500.0, 4000.0  # the exchange's own bounds


def day_ahead_price_per_mwh(
    random: np.random.Generator, local: LocalTime, clearness: FloatArray
) -> FloatArray:
    """[T] EUR per MWh of each hour, T hours.

    Args:
        random: where chance comes from.
        local: [T] the local clock of each hour.
        clearness: [days] the share of a clear sky's light on each day of the span, 0 … 1.
    """
    days = len(clearness)
    level = wandering(random, days, _LEVEL_MEMORY)
    calm = np.exp(0.3 * wandering(random, days, 0.3))  # some days are wilder than others
    summer = (1.0 - local.winter) / 2.0
    sun = clearness[local.day] * (0.12 + 0.88 * summer)
    working = np.where(local.weekday >= 5, 0.55, 1.0)
    peaks = _MORNING * bump(local.hour, 8.0, 1.4) * working
    peaks = peaks + _EVENING * bump(local.hour, 19.0 + 0.6 * summer, 1.9) * (0.75 + 0.25 * working)
    shape = peaks + _NIGHT * bump(local.hour, 3.0, 2.4) + _SUN * sun * bump(local.hour, 13.2, 2.5)
    price = (
        _LEVEL
        + _WANDER * level[local.day]
        + _WINTER * local.winter
        + np.where(local.weekday >= 5, _WEEKEND, 0.0)
        + shape * calm[local.day]
        + _HOUR_NOISE * wandering(random, len(shape), 0.6)
    )
    return np.clip(price, _LOWEST, _HIGHEST)
