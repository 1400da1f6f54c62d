"""Pairs are drawn by their rules, circuits add up to the home, and nothing is known before its time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.outages.bands import hours_lived
from benchmarks.outages.cars import Car, made_stays, stays
from benchmarks.outages.events import HOURS_MAX, HOURS_MIN, made_outages, outages
from benchmarks.outages.homes import Home, _bridged, by_shares, homes, made_homes
from benchmarks.outages.learned import circuit_hours, solar_scenarios
from benchmarks.outages.pairs import HISTORY_DAYS, Pair, sample
from benchmarks.outages.physics import Decision, Seen, simulate
from parkwatt.domain.series import TimeGrid
from parkwatt.forecast.local_time import DAY_S, LocalClock


def _pairs(count: int = 16, seed: int = 1) -> list[Pair]:
    return sample(count, seed, made_homes(), made_outages(), made_stays())


def test_the_same_seed_gives_the_same_pairs() -> None:
    def told(pairs: list[Pair]) -> list[tuple[str, int, Car]]:
        return [(one.home.name, one.grid.start_unix_s, one.car) for one in pairs]

    assert told(_pairs()) == told(_pairs())
    assert told(_pairs()) != told(_pairs(seed=2))


def test_half_are_sub_metered_half_are_planned_and_half_are_scarce() -> None:
    pairs = _pairs(32)
    assert sum(one.home.kind == "sub-metered" for one in pairs) == 16
    assert sum(one.outage.planned for one in pairs) == 16
    assert sum(one.is_scarce for one in pairs) == 16


def test_an_outage_keeps_its_time_of_day_and_weekday_and_lies_in_known_data() -> None:
    for pair in _pairs():
        clock = LocalClock.of(pair.home.time_zone)
        moved_s = clock.scalar_local_s(pair.grid.start_unix_s) - pair.outage.start_local_s
        assert abs((moved_s + 1800) % (7 * DAY_S) - 1800) <= 3600
        assert np.isfinite(pair.power_kw).all()
        assert 0 <= pair.grid.step_count * pair.grid.step_s - pair.outage.duration_s < 1200


def test_the_car_s_trips_begin_while_it_is_there() -> None:
    for pair in _pairs():
        ends_s = [pair.grid.start_unix_s, *(trip.returns_unix_s for trip in pair.car.trips)]
        begins_s = [trip.leaves_unix_s for trip in pair.car.trips]
        assert all(begin > end for begin, end in zip(begins_s, ends_s, strict=False))


def test_circuits_add_up_to_the_load() -> None:
    grid = TimeGrid(0, 600, 500)
    load = np.random.default_rng(1).gamma(1.0, 0.8, 500)
    home = by_shares("any", "UTC", grid, load, np.zeros(500))
    assert home.power_kw.sum(axis=0) == pytest.approx(load)
    assert (home.power_kw >= 0.0).all()
    assert not home.has_sun


def test_only_short_gaps_are_filled() -> None:
    gap = np.nan
    series = np.array([1.0, gap, gap, 2.0, gap, gap, gap, gap, 3.0, gap])
    assert _bridged(series)[:4].tolist() == [1.0, 1.0, 1.0, 2.0]
    assert np.isnan(_bridged(series)[4:8]).all()
    assert np.isnan(_bridged(series)[9])


def _with_another_future(home: Home, from_unix_s: int) -> Home:
    first = home.grid.index(from_unix_s)
    power, sun = home.power_kw.copy(), home.solar_kw.copy()
    power[:, first:] += 7.0
    sun[first:] += 7.0
    return replace(home, power_kw=power, solar_kw=sun)


def test_nothing_is_learned_from_the_outage_or_after_it() -> None:
    for pair in _pairs(8):
        begin_s = pair.grid.start_unix_s
        other = _with_another_future(pair.home, begin_s)
        since_s = begin_s - HISTORY_DAYS * DAY_S
        hours = [list(circuit_hours(home, since_s, begin_s)) for home in (pair.home, other)]
        assert hours[0]
        assert hours[0] == hours[1]
        suns = [solar_scenarios(home, begin_s, 900, 200, 5, 1) for home in (pair.home, other)]
        if suns[0] is None or suns[1] is None:
            assert pair.home.kind == "sub-metered"
        else:
            assert suns[0].shape == (5, 200)
            assert (suns[0] == suns[1]).all()


def test_hours_hold_the_energy_and_tell_of_gaps() -> None:
    home = made_homes()[1]
    day_s = home.grid.start_unix_s + DAY_S
    told = list(circuit_hours(home, day_s, day_s + 30 * DAY_S))
    circuit = home.circuits[0].circuit_id
    energy_kwh = sum(hour.energy_kwh for hour in told if hour.circuit_id == circuit)
    first = home.grid.index(day_s)
    lived_kwh = np.nansum(home.power_kw[0, first : first + 30 * 144]) / 6.0
    assert energy_kwh == pytest.approx(lived_kwh)
    assert sum(hour.circuit_id == circuit for hour in told) < 30 * 24


def test_the_outcome_of_a_band_is_what_the_physics_live() -> None:
    class Fixed:
        def __init__(self, pair: Pair) -> None:
            self.on = np.array([one.tier != "not_needed" for one in pair.home.circuits])
            self.floor_kwh = pair.car.floor_kwh

        def decide(self, seen: Seen) -> Decision:  # noqa: ARG002
            return Decision(self.on, self.floor_kwh)

    for pair in _pairs(8):
        stays_here = replace(pair, car=Car(60.0, 9.0, ()))
        fixed = Fixed(stays_here)
        served = simulate(stays_here, fixed).served[0]
        lived_h = pair.grid.step_h * float(served.sum())
        hours = pair.grid.step_h * pair.grid.step_count
        outcome_h = hours_lived(pair.home, pair.grid.start_unix_s, fixed.on, 3.0, hours)
        assert outcome_h == pytest.approx(lived_h, abs=0.17)


def test_a_gap_makes_an_outcome_unknown() -> None:
    home = made_homes()[1]
    on = np.ones(len(home.circuits), dtype=np.bool_)
    before_gap_s = home.grid.start_unix_s + 19 * DAY_S
    assert hours_lived(home, before_gap_s, on, 500.0, 23.0) == 23.0
    assert hours_lived(home, before_gap_s, on, 500.0, 25.0) is None


def test_real_or_generated_all_are_read() -> None:
    assert {home.kind for home in homes()} == {"sub-metered", "whole home"}
    assert all(HOURS_MIN <= one.duration_s / 3600 <= HOURS_MAX for one in outages())
    assert any(one.planned for one in outages())
    assert all(0.0 < one.soc < 1.0 and one.trip_kwh > 0.0 for one in stays())
