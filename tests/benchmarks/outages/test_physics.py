"""Energy is kept, the floor holds, and no way to run a home beats what foresight reaches."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.outages.baselines import FixedThresholds, Unmanaged
from benchmarks.outages.bound import bound, required_kwh
from benchmarks.outages.cars import DISCHARGE_EFFICIENCY, STANDBY_KW, Car, Trip, made_stays
from benchmarks.outages.events import made_outages
from benchmarks.outages.homes import made_homes
from benchmarks.outages.pairs import Pair, sample
from benchmarks.outages.physics import Decision, Seen, possible, simulate

COUNT = 16
NUMBERS = st.integers(0, COUNT - 1)


@cache
def pairs() -> tuple[Pair, ...]:
    """Generated homes in generated outages."""
    return tuple(sample(COUNT, 1, made_homes(), made_outages(), made_stays()))


class AtRandom:
    """Switches by chance, and keeps what it is told to."""

    def __init__(self, pair: Pair, seed: int, keep: list[float] | None = None) -> None:
        self.pair, self.random, self.keep = pair, np.random.default_rng(seed), keep
        self.likely = self.random.uniform(0.0, 1.0, len(pair.home.circuits))

    def decide(self, seen: Seen) -> Decision:
        """Anything."""
        on = self.random.random(len(self.likely)) < self.likely
        keep_kwh = self.pair.car.floor_kwh
        if self.keep is not None and seen.trips:
            keep_kwh = max(keep_kwh, self.keep[self.pair.car.trips.index(seen.trips[0])])
        return Decision(on, keep_kwh)


@given(NUMBERS, st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_what_the_circuits_had_came_from_the_car_and_the_sun(number: int, seed: int) -> None:
    pair = replace(pairs()[number], car=replace(pairs()[number].car, trips=()))
    course = simulate(pair, AtRandom(pair, seed))
    step_h = pair.grid.step_h
    run = course.served.max(axis=0)
    load_kw = (pair.power_kw * (course.served > 0)).sum(axis=0)
    net_kw = np.maximum(load_kw + STANDBY_KW - pair.solar_kw, 0.0)
    taken_kwh = pair.car.energy_kwh - course.energy_kwh[-1]
    loads_kwh = step_h * float((run * net_kw).sum()) / DISCHARGE_EFFICIENCY
    idle_kwh = step_h * STANDBY_KW * float((run == 0.0).sum()) / DISCHARGE_EFFICIENCY
    assert loads_kwh - 1e-6 <= taken_kwh <= loads_kwh + idle_kwh + 1e-6


@given(NUMBERS, st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_the_floor_holds(number: int, seed: int) -> None:
    pair = pairs()[number]
    course = simulate(pair, AtRandom(pair, seed))
    assert course.energy_kwh.min() >= pair.car.floor_kwh - 1e-6


@given(NUMBERS, st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_none_has_more_hours_than_foresight_that_keeps_the_driver_s_energy(
    number: int, seed: int
) -> None:
    pair = pairs()[number]
    course = simulate(pair, AtRandom(pair, seed, required_kwh(pair.car)))
    assert all(one.kept for one in course.departures if one.possible)
    must_h = pair.grid.step_h * course.served[pair.home.tier("must_have")].min(axis=0).sum()
    assert must_h <= bound(pair).must_h_chosen + 0.01


@pytest.mark.parametrize("number", range(COUNT))
def test_the_bounds_are_in_order(number: int) -> None:
    best = bound(pairs()[number])
    assert best.must_h <= best.must_h_chosen + 1e-6 <= best.can_serve_h + 1e-5
    assert best.must_h <= best.must_h_without_driver + 1e-6
    assert best.nice_h <= best.must_h + 1e-4


def test_without_a_driver_thresholds_serve_must_have_as_foresight_does_or_less() -> None:
    for pair in pairs():
        for policy in (Unmanaged(pair), FixedThresholds(pair)):
            served = simulate(pair, policy).served[pair.home.tier("must_have")].sum()
            assert pair.grid.step_h * served <= bound(pair).must_h_without_driver + 0.01


def test_while_the_car_is_away_the_home_is_dark_and_then_lit_again() -> None:
    pair = next(one for one in pairs() if one.grid.step_count > 200)
    leaves = pair.grid.start_unix_s + 50 * pair.grid.step_s
    trip = Trip(leaves, leaves + 20 * pair.grid.step_s, 5.0, 40.0)
    away = replace(pair, car=Car(60.0, 50.0, (trip,)))
    course = simulate(away, FixedThresholds(away))
    must = course.served[pair.home.tier("must_have")].min(axis=0)
    assert must[49] == 1.0
    assert not must[50:70].any()
    assert must[70] == 1.0
    assert course.energy_kwh[71] <= max(course.energy_kwh[50] - 5.0, 40.0)


def test_what_later_trips_need_is_kept_unless_the_car_charges_away() -> None:
    first, second = Trip(100, 200, 10.0, 0.0), Trip(300, 400, 8.0, 0.0)
    car = Car(60.0, 50.0, (first, second))
    assert required_kwh(car) == [24.0, 14.0]
    charging = replace(car, trips=(replace(first, public_kwh=30.0), second))
    assert required_kwh(charging) == [16.0, 14.0]
    assert possible(replace(car, energy_kwh=20.0)) == [True, False]
    assert required_kwh(replace(car, energy_kwh=20.0)) == [16.0, 6.0]
