"""Smart charging with hindsight: no cheaper way of only charging, held against an independent linear programme."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from parkwatt.domain.calendar import local_clock
from parkwatt.site.account import Sums, sums_by
from parkwatt.site.account.at_once import AtFullPower
from parkwatt.site.account.money import bill_change
from parkwatt.site.account.rows import Exchange, Rows
from parkwatt.site.account.smart import Cheapest
from tests.site.account.made import BERLIN, MONDAY_UNIX_S, QUARTER_S, Home, Made, folded, storage

HOUR_S = 3600


def made_rows(seed: int, count: int, *, convex: bool = True) -> tuple[Rows, Exchange]:
    """Quarters with random prices, load and sun and no car."""
    chance = np.random.default_rng(seed)
    start = MONDAY_UNIX_S + QUARTER_S * np.arange(count, dtype=np.int64)
    sell = chance.uniform(-0.05, 0.15, count)
    buy = sell + chance.uniform(0.0, 0.4, count) if convex else chance.uniform(-0.1, 0.4, count)
    known = np.ones(count, dtype=np.bool_)
    clock = local_clock(start, BERLIN)
    rows = Rows(start, start + QUARTER_S, np.arange(count), buy, sell, known, clock)
    base = chance.uniform(-2.0, 2.0, count)
    both = 0.0 if convex else chance.uniform(0.0, 0.5, count)
    return rows, Exchange(np.maximum(base, 0.0) + both, np.maximum(-base, 0.0) + both, known)


@given(seed=st.integers(0, 100_000), share=st.floats(0.0, 1.0))
@settings(max_examples=40)
def test_a_stay_is_charged_as_cheaply_as_a_linear_programme_can(seed: int, share: float) -> None:
    count, car = 24, storage(charge_kw_max=8.0)
    rows, exchanged = made_rows(seed, count)
    index, hours = np.arange(count), np.full(count, 0.25)
    left = np.random.default_rng(seed + 1).uniform(0.0, 4.0, count)
    most = np.minimum(left, car.charge_kw_max * 0.25)
    need = share * float(most.sum())
    way = Cheapest(rows, exchanged, np.zeros(count), left.copy())
    taken = way.take(index, hours, need, car)
    assert float(taken.sum()) == pytest.approx(need)
    assert np.all(taken >= -1e-12)
    assert np.all(taken <= most + 1e-9)
    # Two variables a quarter: from sun that would be exported, and bought.
    sun = np.minimum(exchanged.export_kwh, most)
    best = linprog(
        np.concatenate([rows.export_price_per_kwh, rows.import_price_per_kwh]),
        A_ub=np.hstack([np.eye(count), np.eye(count)]),
        b_ub=most,
        A_eq=np.ones((1, 2 * count)),
        b_eq=[need],
        bounds=[(0.0, float(top)) for top in np.concatenate([sun, most])],
    )
    cost = float(bill_change(rows, exchanged, taken).sum())
    assert cost == pytest.approx(float(best.fun), abs=1e-7)


@given(seed=st.integers(0, 100_000), share=st.floats(0.0, 1.0))
@settings(max_examples=40)
def test_no_kwh_is_lost_where_the_bill_is_not_convex(seed: int, share: float) -> None:
    count, car = 12, storage(charge_kw_max=8.0)
    rows, exchanged = made_rows(seed, count, convex=False)
    index, hours = np.arange(count), np.full(count, 0.25)
    need, room = share * 24.0, np.full(count, np.inf)
    cheapest = Cheapest(rows, exchanged, np.zeros(count), room.copy())
    taken = cheapest.take(index, hours, need, car)
    assert float(taken.sum()) == pytest.approx(need)
    assert np.all(taken <= 2.0 + 1e-9)
    at_once = AtFullPower(room).take(index, hours, need, car)
    # The last quarter of those taken is the only one that is charged in part.
    slack = 2.0 * float(
        np.ptp(np.concatenate([rows.import_price_per_kwh, rows.export_price_per_kwh]))
    )
    cost, of_at_once = (float(bill_change(rows, exchanged, way).sum()) for way in (taken, at_once))
    assert cost <= of_at_once + slack


def test_two_cars_do_not_have_the_same_sun() -> None:
    rows, exchanged = made_rows(1, 2)
    exchanged = Exchange(np.zeros(2), np.array([1.0, 0.0]), exchanged.known)
    rows = Rows(
        rows.start_unix_s,
        rows.end_unix_s,
        rows.source,
        np.array([0.3, 0.2]),
        np.array([0.1, 0.1]),
        rows.known_price,
        rows.local,
    )
    way = Cheapest(rows, exchanged, np.zeros(2), np.full(2, np.inf))
    index, hours = np.arange(2), np.full(2, 0.25)
    assert way.take(index, hours, 1.0, storage()).tolist() == [1.0, 0.0]
    assert way.take(index, hours, 1.0, storage()).tolist() == [0.0, 1.0]


def test_a_night_by_hand() -> None:
    """A car gives 2 kWh in a dear hour and takes 6 kWh in the cheapest: against smart charging only the giving is gained."""
    made = Made()
    prices = [0.40, 0.30, 0.10, 0.20]
    moves = [(0.0, 2.0), (0.0, 0.0), (6.0, 0.0), (0.0, 0.0)]
    register_in, register_out = 100.0, 10.0
    made.read(MONDAY_UNIX_S, register_in, register_out)
    stay = made.began(MONDAY_UNIX_S, 30.0)
    for hour, (taken, given_kwh) in enumerate(moves):
        for quarter in range(4):
            at = MONDAY_UNIX_S + hour * HOUR_S + quarter * QUARTER_S
            register_in, register_out = register_in + taken / 4, register_out + given_kwh / 4
            made.read(at + QUARTER_S, register_in, register_out)
            made.quarter(
                at, buy=prices[hour], import_kwh=1.0 + (taken - given_kwh) / 4, export_kwh=0.0
            )
    made.ended(stay, MONDAY_UNIX_S + 4 * HOUR_S, 30.0 + 6 * 0.9 - 2 / 0.8)
    (row,) = sums_by(folded(made.entries).ledger, "session", 0, 1 << 60)
    sums = row.sums
    need = (6 * 0.9 - 2 / 0.8) / 0.9
    assert sums.cost == pytest.approx(6 * 0.10 - 2 * 0.40)
    assert sums.at_once_cost == pytest.approx(need * 0.40)
    assert sums.smart_cost == pytest.approx(need * 0.10)
    assert sums.smart_gross_saving == pytest.approx(2 * 0.40 - (6 - need) * 0.10)
    assert sums.smart_wear_cost == pytest.approx(2 / 0.8 * 0.05)


@given(seed=st.integers(0, 100_000))
@settings(max_examples=10, deadline=None)
def test_a_car_that_only_charges_never_beats_it_and_at_once_neither(seed: int) -> None:
    def power_kw(chance: random.Random, _: int) -> float:
        return chance.choice([0.0, 0.0, 3.0, 8.0])

    home = Home()
    home.live(MONDAY_UNIX_S, 3, seed=seed, power_kw=power_kw)
    ledger = folded(home.made.entries).ledger
    buy, sell = ledger.rows.import_price_per_kwh, ledger.rows.export_price_per_kwh
    # Where an export price lies above the import price, one quarter may be charged in part at its mean.
    slack = 2.5 * float(np.maximum(sell - buy, 0.0).max())
    for row in sums_by(ledger, "session", 0, 1 << 60):
        _no_better(row.sums, slack)


def _no_better(sums: Sums, slack: float) -> None:
    assert sums.smart_gross_saving <= slack + 1e-9
    assert sums.smart_cost <= sums.at_once_cost + slack + 1e-9
