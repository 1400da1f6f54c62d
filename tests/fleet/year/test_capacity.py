"""Selling a reserve: whole lots, nothing from days to come, all pay goes out, and none for a block that was not held."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.fleet.year.capacity import (
    CapacityRules,
    bids_kw,
    block_steps,
    called_for,
    sell,
    share_out,
)
from parkwatt.fleet.year.drivers import YearDays
from tests.fleet.year.years import plain_days

RULES = CapacityRules(price_per_mw_h=20.0, lot_kw=100.0)


@given(seed=st.integers(0, 10_000), day=st.integers(0, 59))
def test_a_bid_is_in_whole_lots_and_knows_only_days_before_the_gate(seed: int, day: int) -> None:
    held = np.random.default_rng(seed).uniform(0.0, 5000.0, (60, 6))
    weekday = plain_days(60).weekday
    bids = bids_kw(held, weekday, RULES)
    assert np.allclose(bids / RULES.lot_kw, np.round(bids / RULES.lot_kw))
    later = held.copy()
    later[max(day - 1, 0) :] = 0.0
    assert np.array_equal(bids_kw(later, weekday, RULES)[day], bids[day])


def test_a_pool_that_always_holds_the_same_sells_it_with_a_quarter_in_hand() -> None:
    days = plain_days(70)
    held = np.full(days.step_count, 1250.0)
    sold = sell(held, held, days, RULES)
    assert set(sold.bid_kw[-6:].tolist()) == {1000.0}
    # 1 MW for 4 hours at 20.
    assert np.allclose(sold.paid[-6:], 80.0)
    assert sold.missed_share == 0.0


def test_one_step_without_the_reserve_costs_the_whole_block_and_no_other() -> None:
    days = plain_days(70)
    up = np.full(days.step_count, 1250.0)
    down = up.copy()
    down[60 * 96 + 5] = 1249.0
    sold = sell(up, down, days, RULES)
    assert np.flatnonzero(sold.paid[58 * 6 : 62 * 6] == 0.0).tolist() == [12]


def test_a_few_bad_days_are_risked_and_the_share_is_told() -> None:
    days = plain_days(364)
    random = np.random.default_rng(5)
    held = np.repeat(random.uniform(1000.0, 2000.0, days.day_count * 6), 16)
    sold = sell(held, held, days, CapacityRules(lot_kw=1.0))
    assert 0.02 < sold.missed_share < 0.12


@given(seed=st.integers(0, 10_000), drivers=st.integers(1, 20))
def test_all_that_is_paid_goes_out_and_nothing_to_those_who_held_nothing(
    seed: int, drivers: int
) -> None:
    days = plain_days(30)
    random = np.random.default_rng(seed)
    held = random.uniform(0.0, 10.0, (drivers + 1, 180))
    held[-1] = 0.0
    pool = np.repeat(held.sum(axis=0), 16)
    sold = sell(pool, pool, days, CapacityRules(lot_kw=0.1))
    brought = share_out(sold, held)
    assert brought.paid.sum() == pytest.approx(sold.paid.sum())
    assert brought.paid[-1] == 0.0
    assert (brought.paid >= 0.0).all()


@pytest.mark.parametrize("hours", [23, 24, 25])
def test_a_day_has_six_blocks_and_the_odd_hour_is_in_the_first(hours: int) -> None:
    days = YearDays(np.array([0, hours * 4, hours * 4 + 96]), np.array([6, 0]), 15)
    lengths = np.diff(block_steps(days)).tolist()
    assert lengths == [(hours - 20) * 4, *[16] * 11]


def test_without_losses_and_margins_being_called_for_costs_nothing() -> None:
    sold = np.array([1000.0])
    rules = CapacityRules(activated_share=0.1)
    free = called_for(sold, rules, 1.0, 0.2, 0.2)
    assert free.cost[0] == 0.0
    assert free.given_kwh[0] == pytest.approx(50.0)
    # 50 kWh given: 50 / 0.9² have to be bought at 0.3 of which 50 are the half that is taken anyway; 50 are sold at 0.2.
    paid = called_for(sold, rules, 0.9, 0.3, 0.2)
    assert paid.cost[0] == pytest.approx(50 / 0.81 * 0.3 - 50 * 0.2)
