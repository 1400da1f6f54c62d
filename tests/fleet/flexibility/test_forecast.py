"""A forecast of a coming day: nothing of later days goes into it, and its quantiles are in order."""

from __future__ import annotations

import numpy as np
import pytest

from parkwatt.fleet.flexibility.forecast import DayForecast, Forecaster
from parkwatt.fleet.flexibility.played import Stays, play_days
from parkwatt.fleet.flexibility.recorded import CarKind, RecordedPool, recorded_pool

BLOCKS = (0, 16, 32, 48, 64, 80, 96)


def pool(users: int = 12, days: int = 80, seed: int = 4, cars: int | None = None) -> RecordedPool:
    """Users who come home on workdays at six or so, and more or less never at weekends."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        for day in range(days):
            if rng.random() < (0.9 if day % 7 < 5 else 0.3):
                begin = int(np.clip(rng.normal(18 * 60, 60), 12 * 60, 23 * 60))
                rows.append((user, day, begin, int(rng.normal(780, 60)), rng.uniform(3.0, 20.0)))
    user_, day_, minute, minutes, energy = (np.array(one) for one in zip(*rows, strict=True))
    return recorded_pool(user_, day_, minute, minutes, energy, CarKind(), cars=cars)


def forecasts(of: RecordedPool, until: int) -> dict[int, DayForecast | None]:
    """Of each day, as it was two days before."""
    forecaster = Forecaster(of.fleet, BLOCKS, confidence=0.95, ahead_days=2)
    found = {}
    for day, held in enumerate(play_days(of.fleet, of.stays, until, reserve_minutes=30)):
        forecaster.learn(day, int(day % 7 >= 5), held)
        found[day + 2] = forecaster.forecast(day + 2, int((day + 2) % 7 >= 5))
    return found


def test_what_comes_later_changes_nothing() -> None:
    whole = pool()
    begins = whole.stays.from_step < 60 * 96
    cut = whole._replace(stays=Stays._make(one[begins] for one in whole.stays))
    one, other = forecasts(whole, 58), forecasts(cut, 58)
    assert one.keys() == other.keys()
    for day in range(45, 60):
        a, b = one[day], other[day]
        assert (a is None) == (b is None)
        if a is not None and b is not None:
            assert np.array_equal(a.block_kw, b.block_kw)


def test_quantiles_are_in_order_and_expect_evenings() -> None:
    found = forecasts(pool(), 78)[79]  # a Tuesday
    assert found is not None
    for rows in found.quantiles.values():
        assert (np.diff(rows, axis=0) >= -1e-9).all()
    reserve = found.quantiles["reserve_kw"]
    assert reserve[0, 92] > 5.0 * max(float(reserve[1, 60]), 1.0)
    assert (found.block_kw <= found.block_expected_kw * 1.5).all()
    assert found.block_past_kw.shape[1] == 6


def test_few_days_say_nothing() -> None:
    assert forecasts(pool(days=30), 25)[26] is None


def test_copies_of_users_are_apart() -> None:
    of = pool(users=3, cars=30)
    assert of.users == 3
    assert len(of.fleet.capacity_kwh) == 30
    first = [int(of.stays.from_step[of.stays.car == car][0]) for car in range(30)]
    assert len(set(first)) > 5


@pytest.mark.parametrize("seed", [1, 2])
def test_bids_are_held(seed: int) -> None:
    of = pool(users=40, days=130, seed=seed)
    edges = np.array(BLOCKS[:-1])
    forecaster = Forecaster(of.fleet, BLOCKS, confidence=0.95, ahead_days=2)
    waiting: dict[int, DayForecast] = {}
    held_of, sold = 0, 0
    for day, held in enumerate(play_days(of.fleet, of.stays, 128, reserve_minutes=30)):
        if day in waiting:
            bid = waiting[day].block_kw
            came = np.minimum.reduceat(held.reserve_kw.sum(axis=1, dtype=float), edges)
            sold += int((bid > 1.0).sum())
            held_of += int(((bid > 1.0) & (came >= bid)).sum())
        forecaster.learn(day, int(day % 7 >= 5), held)
        found = forecaster.forecast(day + 2, int((day + 2) % 7 >= 5))
        if found is not None:
            waiting[day + 2] = found
    assert sold > 150
    assert held_of / sold >= 0.95
