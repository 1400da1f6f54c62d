"""Running the house from the car: the grid is held at zero through the steps of real appliances."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from parkwatt.domain.site.observation import ChargerSeen
from parkwatt.domain.site.reading import SiteReading
from parkwatt.domain.site.wish import Wishes
from parkwatt.site.live.following import BaseFollower
from tests.site.live.world import Car, World, evening_tariff, site_settings

US = 1_000_000
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


def test_a_wrong_guess_at_what_the_charger_does_ends_with_its_next_reading() -> None:
    """A program that began in a peak of the load took its charger for one that does not follow, and alternated for minutes:
    its set-points came every 5 s, and each reading of the charger's own meter 2.5 s after one.
    """
    follower, key, begin_us = BaseFollower(15.0), "CP-1/1", 1_700_000_000 * US
    follower._takes_us[key] = 2 * US
    base_kw, car_kw, read_kw, read_us = 8.17, 0.0, 0.0, begin_us
    exchanged_kw = []
    for half_s in range(240):
        now_us = begin_us + half_s * US // 2
        if half_s == 4:
            # The peak is over, and the charger never came to what it was told first.
            base_kw, car_kw = 2.37, -6.06
            follower.told(key, car_kw, -8.15, now_us)
        if half_s % 20 == 5:
            read_kw, read_us = car_kw, now_us
        if half_s % 10 == 0:
            seen = ChargerSeen("CP-1", 1, True, True, power_kw=read_kw, power_unix_us=read_us)
            reading = SiteReading(grid_kw=base_kw + car_kw, grid_unix_us=now_us)
            known_kw = follower.follow(reading, {key: seen}, now_us)
            assert known_kw is not None
            follower.told(key, -known_kw, follower.power_kw(key, seen, now_us) or 0.0, now_us)
            car_kw = -known_kw if half_s else car_kw
        if half_s >= 60:
            exchanged_kw.append(base_kw + car_kw)
    assert max(map(abs, exchanged_kw)) < 0.3


def test_a_wrong_guess_ends_though_each_reading_comes_just_after_a_set_point() -> None:
    """From a month with kills: set-points came every 2 s, and each reading 0.6 s after one, too soon to tell what that one did.

    What had been guessed before it was still believed, and the car fed in 2 kW for five minutes.
    """
    follower, key, begin_us = BaseFollower(15.0), "CP-1/1", 1_700_000_000 * US
    # The program began anew while the charger charged for its driver, in a peak of the load.
    base_kw, car_kw, told_kw = 3.76, 4.6, 4.6
    read_kw, read_us = car_kw, begin_us
    exchanged_kw = []
    for tick in range(600):  # of a fifth of a second
        now_us = begin_us + tick * US // 5
        if tick == 6:
            # The peak is over, and the charger is on its way to what it was told in it.
            base_kw, car_kw = 0.15, -2.25
        elif tick > 6:
            car_kw = told_kw
        if tick % 50 == 39:
            read_kw, read_us = car_kw, now_us
        if tick == 0 or tick % 10 == 6:
            seen = ChargerSeen("CP-1", 1, True, True, power_kw=read_kw, power_unix_us=read_us)
            reading = SiteReading(grid_kw=base_kw + car_kw, grid_unix_us=now_us)
            known_kw = follower.follow(reading, {key: seen}, now_us)
            assert known_kw is not None
            told_kw = -known_kw
            follower.told(key, told_kw, follower.power_kw(key, seen, now_us) or 0.0, now_us)
        if tick >= 100:
            exchanged_kw.append(base_kw + car_kw)
    assert max(map(abs, exchanged_kw)) < 0.3
