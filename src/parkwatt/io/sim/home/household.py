"""A made-up household by the minute: a base, a fridge, and appliances that switch on and off when people are up.

Powers, durations and times of use are those of common appliances. Kettles and hobs make the steps that a control of the grid
connection has to follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.io.sim.home.profile import StepProfile

STEP_S = 60
_DAY_S = 86_400
_BASE_KW = 0.11
_FRIDGE_KW, _FRIDGE_ON_S, _FRIDGE_OFF_S = 0.09, 15 * 60, 30 * 60


@dataclass(frozen=True, slots=True)
class _Appliance:
    """``cycle_s``: how long its heater is on, then off, and so on for ``duration_s``; None: on all the time."""

    power_kw: float
    duration_s: int
    starts_per_day: float
    hours: tuple[tuple[float, float], ...]
    cycle_s: tuple[int, int] | None = None


_MEALS = ((6.5, 8.5), (12.0, 13.5), (18.0, 20.0))
_APPLIANCES = (
    _Appliance(2.2, 180, 4.0, ((6.5, 22.0),)),  # kettle
    _Appliance(1.2, 240, 2.0, _MEALS),  # microwave
    _Appliance(1.8, 1500, 1.2, _MEALS, (60, 60)),  # hob
    _Appliance(2.4, 2400, 0.4, ((17.0, 20.0),), (240, 180)),  # oven
    _Appliance(2.0, 900, 0.5, ((8.0, 20.0),)),  # washing machine, heating
    _Appliance(1.9, 3000, 0.7, ((13.0, 22.0),), (720, 1200)),  # dishwasher
    _Appliance(1.6, 300, 0.6, ((6.5, 8.0),)),  # hair dryer
    _Appliance(0.25, 9000, 1.2, ((17.0, 22.0),)),  # screens and light
)


def household(
    random: np.random.Generator, start_unix_s: int, days: int, zone: ZoneInfo
) -> StepProfile:
    """The load of so many days of 24 hours; ``zone``: by whose clock people live."""
    steps_a_day = _DAY_S // STEP_S
    steps = np.arange(days * steps_a_day)
    load_kw = np.full(len(steps), _BASE_KW)
    fridge_s = _FRIDGE_ON_S + _FRIDGE_OFF_S
    load_kw += _FRIDGE_KW * ((steps * STEP_S + random.integers(fridge_s)) % fridge_s < _FRIDGE_ON_S)
    for day in range(days):
        day_unix_s = start_unix_s + day * _DAY_S
        local = datetime.fromtimestamp(day_unix_s, zone)
        begun_h = local.hour + local.minute / 60.0
        for appliance in _APPLIANCES:
            for _ in range(int(random.poisson(appliance.starts_per_day))):
                from_h, until_h = appliance.hours[int(random.integers(len(appliance.hours)))]
                hour = (float(random.uniform(from_h, until_h)) - begun_h) % 24.0
                _switch_on(load_kw, day * steps_a_day + round(hour * 3600 / STEP_S), appliance)
    return StepProfile(start_unix_s, STEP_S, load_kw)


def _switch_on(load_kw: FloatArray, first: int, appliance: _Appliance) -> None:
    """Add one use from step ``first`` on."""
    count = max(appliance.duration_s // STEP_S, 1)
    uses = np.full(count, appliance.power_kw)
    if appliance.cycle_s is not None:
        on_s, off_s = appliance.cycle_s
        uses[np.arange(count) * STEP_S % (on_s + off_s) >= on_s] = 0.0
    part = load_kw[first : first + count]
    part += uses[: len(part)]
