"""Running the house from the car: the grid is held at zero through the steps of real appliances."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from parkwatt.domain.site.wish import Wishes
from tests.site.live.world import Car, World, evening_tariff, site_settings

_HOME = Wishes(mode="home", floor_soc=0.2, target_soc=0.8, consents=True)


def _appliances(second: float) -> float:
    """A base, a fridge, and things that are switched on and off at whole minutes and in between."""
    load_kw = 0.25 + (0.12 if int(second / 900) % 2 else 0.0)
    minute = second / 60.0
    if 10 <= minute < 13 or 31.3 <= minute < 34:
        load_kw += 2.1  # kettle
    if 20 <= minute < 50:
        load_kw += 1.9 if int(second / 45) % 2 else 0.1  # a hob that cycles
    return load_kw


def test_the_grid_is_held_at_zero_through_appliances_steps() -> None:
    world = World(site_settings(_HOME, evening_tariff()), Car(energy_kwh=45.0), _appliances)
    world.run(3600.0)
    grid_kw = np.array(world.grid_kw[round(60 / world.step_s) :])
    export_kw = np.maximum(-grid_kw, 0.0)
    assert abs(float(grid_kw.mean())) < 0.05
    assert _longest_s(export_kw > 0.2, world.step_s) <= 5.0
    assert _longest_s(np.abs(grid_kw) > 0.2, world.step_s) <= 5.0


@pytest.mark.parametrize("delay_s", [1.5, 3.0, 6.0])
def test_a_slow_charger_settles_after_each_step_of_the_load(delay_s: float) -> None:
    car = Car(energy_kwh=45.0, delay_s=delay_s)
    world = World(site_settings(_HOME, evening_tariff()), car, _appliances)
    world.run(1200.0)
    grid_kw = np.array(world.grid_kw[round(60 / world.step_s) :])
    assert abs(float(grid_kw.mean())) < 0.08
    assert _longest_s(np.abs(grid_kw) > 0.2, world.step_s) <= 5.0 + 2 * delay_s


def _longest_s(where: NDArray[np.bool_], step_s: float) -> float:
    """The longest run of True, in seconds."""
    longest = run = 0
    for is_so in where.tolist():
        run = run + 1 if is_so else 0
        longest = max(longest, run)
    return longest * step_s
