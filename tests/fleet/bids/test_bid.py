"""The best bid: by hand, and never more than is sure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.fleet.bids.bid import Offer, Terms, best_bid, cost_per_kw_h

TERMS = Terms(
    price_per_mw_h=15.0, penalty_factor=0.0, step_kw=1000.0, least_kw=1000.0, cost_per_kw_h=0.003
)


def test_by_hand() -> None:
    # 2.9 MW are sure: 2 lots for 4 hours at 15 a MW and hour are 120, at a cost of 24.
    offer = Offer(4.0, 2900.0, np.array([2950.0, 3000.0, 5000.0, 6000.0]), 6000.0)
    bid = best_bid(offer, TERMS)
    assert (bid.power_kw, bid.delivered_share) == (2000.0, 1.0)
    assert bid.revenue == pytest.approx(120.0)
    assert bid.net == pytest.approx(96.0)


def test_days_that_would_have_missed_cost_revenue_and_penalty() -> None:
    past = np.array([500.0] + [5000.0] * 19)
    bid = best_bid(Offer(4.0, 3000.0, past, 5000.0), TERMS._replace(penalty_factor=2.0))
    assert bid.delivered_share == pytest.approx(0.95)
    # 3 MW · 4 h · 15 · (0.95 − 2 · 0.05)
    assert bid.revenue == pytest.approx(180.0 * 0.85)


def test_a_penalty_can_make_less_better() -> None:
    past = np.array([1500.0] * 6 + [5000.0] * 14)
    bid = best_bid(Offer(4.0, 3000.0, past, 5000.0), TERMS._replace(penalty_factor=5.0))
    assert bid.power_kw == 1000.0
    assert "penalties" in bid.reason


@pytest.mark.parametrize(
    ("offer", "terms", "word"),
    [
        (Offer(4.0, 999.0, np.array([2000.0]), 5000.0), TERMS, "least bid"),
        (Offer(4.0, 2000.0, np.array([2000.0]), 50_000.0), TERMS, "are sure, of 50,000 kW"),
        (Offer(4.0, 2000.0, np.array([2000.0]), 5000.0), TERMS._replace(cost_per_kw_h=0.02), "does not pay"),
        (Offer(4.0, 0.0, np.array([np.nan]), 0.0), TERMS, "least bid"),
    ],
)  # fmt: skip
def test_no_bid_says_why(offer: Offer, terms: Terms, word: str) -> None:
    bid = best_bid(offer, terms)
    assert (bid.power_kw, bid.revenue) == (0.0, 0.0)
    assert word in bid.reason


@given(
    st.floats(0.0, 1e5), st.lists(st.floats(0.0, 1e5), min_size=1, max_size=40), st.floats(0.1, 5000.0), st.floats(0.0, 5.0)
)  # fmt: skip
def test_never_more_than_is_sure_and_whole_steps(
    sure_kw: float, past: list[float], step_kw: float, penalty: float
) -> None:
    terms = TERMS._replace(step_kw=step_kw, least_kw=step_kw, penalty_factor=penalty)
    bid = best_bid(Offer(4.0, sure_kw, np.array(past), sure_kw), terms)
    assert 0.0 <= bid.power_kw <= sure_kw * (1.0 + 1e-9)
    assert bid.power_kw / step_kw == pytest.approx(round(bid.power_kw / step_kw), abs=1e-6)
    assert bid.net >= 0.0


def test_what_a_kilowatt_costs() -> None:
    # 0.1 called: 0.05 kWh given wear 0.002, losses of 1 / 0.81 − 1 = 0.2346 of them cost 0.0029.
    found = cost_per_kw_h(0.1, 0.9, 0.25, 0.04, 0.001)
    assert found == pytest.approx(0.05 * 0.04 + 0.05 * (1 / 0.81 - 1) * 0.25 + 0.001)
