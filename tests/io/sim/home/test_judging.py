"""What is counted as a broken promise, and what is not."""

from __future__ import annotations

import numpy as np
import pytest

from parkwatt.io.sim.home import judging
from parkwatt.io.sim.home.truth import SECOND_US, TrueDeparture, Truth
from parkwatt.io.sim.settings import CarSettings, StationSettings

START_UNIX_S = 1_704_150_000


def truth(house_kw: list[float], *cars_kw: list[float]) -> Truth:
    """A home by the second."""
    found = Truth(START_UNIX_S, np.array(house_kw), len(cars_kw))
    for number, powers_kw in enumerate(cars_kw):
        for second, power_kw in enumerate(powers_kw):
            at_us = (START_UNIX_S + second) * SECOND_US
            found.flowed(number, at_us, at_us + SECOND_US, power_kw, 0.5)
    return found


def test_a_moment_across_two_seconds_is_shared_out() -> None:
    found = truth([0.0] * 3, [0.0] * 3)
    found.flowed(
        0, START_UNIX_S * SECOND_US + 700_000, START_UNIX_S * SECOND_US + 1_700_000, 10.0, 0.7
    )
    assert found.car_kw[0].tolist() == pytest.approx([3.0, 7.0, 0.0])
    assert found.soc[0, 1] == pytest.approx(0.7)
    found.flowed(0, (START_UNIX_S + 5) * SECOND_US, (START_UNIX_S + 6) * SECOND_US, 9.0, 0.9)
    assert found.car_kw.sum() == pytest.approx(10.0)


def test_only_what_cars_draw_exceeds_a_limit() -> None:
    found = truth([5.0, 12.0, 12.0, 5.0, 5.0], [4.0, 0.0, 1.0, 6.0, 8.0])
    excess = judging.import_excess(found, 10.0)
    assert excess.runs_s == (3,)
    assert excess.starts_unix_s == (START_UNIX_S + 2,)
    assert excess.most_kw == pytest.approx(3.0)
    assert excess.beyond(2) == [(START_UNIX_S + 2, 3)]
    assert excess.beyond(3) == []
    assert judging.import_excess(found, 20.0).longest_s == 0


def test_the_sun_feeds_in_but_the_battery_must_not() -> None:
    found = truth([-3.0, -3.0, 1.0, 1.0, 1.0], [0.0, -1.0, -0.8, -1.5, -1.1])
    assert judging.feed_in_kw(found).tolist() == pytest.approx([0.0, 1.0, 0.0, 0.5, 0.1])
    assert judging.feed_in(found, 0.2).runs_s == (1, 1)
    assert judging.export_excess(found, 3.5).most_kw == pytest.approx(0.5)


def test_the_floor_is_about_discharging() -> None:
    found = truth([1.0] * 4, [1.0, -1.0, -1.0, 2.0])
    found.soc[0] = [0.1, 0.3, 0.19, 0.19]
    assert judging.discharge_below(found, 0, 0.2).total_s == 1
    assert judging.discharge_below(found, 0, 1.0).total_s == 2


def test_what_was_possible_is_what_a_willing_driver_would_have_got() -> None:
    hours = 6
    found = Truth(START_UNIX_S, np.full(hours * 3600, 2.0), 1)
    settings = StationSettings(car=CarSettings(capacity_kwh=60.0))
    departure = TrueDeparture(0, START_UNIX_S, 6.0, START_UNIX_S + hours * 3600, 0.0)

    def possible_kwh(import_limit_kw: float, begin_s: int = 0) -> float:
        return judging.possible_energy_kwh(
            found,
            departure,
            settings,
            begin_unix_s=START_UNIX_S + begin_s,
            energy_kwh=6.0,
            import_limit_kw=import_limit_kw,
        )

    assert possible_kwh(20.0) > 58.0
    assert possible_kwh(9.0) == pytest.approx(6.0 + 7.0 * 0.94 * hours, abs=0.2)
    assert possible_kwh(9.0, 3 * 3600) == pytest.approx(6.0 + 7.0 * 0.94 * 3, abs=0.2)
    assert possible_kwh(5.0) == 6.0  # less than 6 A on three phases


def test_switchings_are_counted_by_the_day() -> None:
    found = Truth(START_UNIX_S, np.zeros(2 * 86_400), 1)
    found.car_kw[0, 100:200] = 5.0
    found.car_kw[0, 200:300] = -3.0
    found.car_kw[0, 90_000:] = 1.0
    assert judging.switchings(found, 0).tolist() == [3, 1]
