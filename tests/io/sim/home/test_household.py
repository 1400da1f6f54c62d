"""A made-up household is one that could be: its year, its steps, its nights."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.io.sim.home.household import household

ZONE = ZoneInfo("Europe/Berlin")
START_UNIX_S = int(datetime(2024, 1, 1, tzinfo=ZONE).timestamp())


def test_it_uses_what_households_use_when_people_are_up() -> None:
    profile = household(np.random.default_rng(1), START_UNIX_S, 90, ZONE)
    by_day = profile.power_kw.reshape(90, -1)
    assert 2000 < by_day.mean() * 8766 < 5000  # kWh a year
    assert by_day.min() >= 0.1
    night = by_day[:, 2 * 60 : 5 * 60].mean()
    evening = by_day[:, 18 * 60 : 21 * 60].mean()
    assert evening > 3 * night
    steps_a_day = (np.abs(np.diff(profile.power_kw)) > 1.0).sum() / 90
    assert 20 < steps_a_day < 200


def test_the_same_seed_is_the_same_household() -> None:
    first, second = (household(np.random.default_rng(4), START_UNIX_S, 3, ZONE) for _ in range(2))
    other = household(np.random.default_rng(5), START_UNIX_S, 3, ZONE)
    assert first.power_kw.tolist() == second.power_kw.tolist() != other.power_kw.tolist()
