"""Shares of what was expected: bounds that hold as often as they say, and that follow what was missed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.fleet.flexibility.envelope import LEAST_DAYS, Shares


def learned(days: int, seed: int, missed_share: float = 0.05) -> Shares:
    """Days whose shares are drawn alike."""
    rng = np.random.default_rng(seed)
    shares = Shares(4, missed_share)
    for _ in range(days):
        shares.learn(np.full(4, 100.0), 100.0 * rng.uniform(0.5, 1.5, 4))
    return shares


def test_too_few_days_say_nothing() -> None:
    assert learned(LEAST_DAYS - 1, 1).factors() is None
    assert learned(LEAST_DAYS, 1).factors() is not None


@given(st.integers(0, 10_000), st.floats(0.01, 0.4), st.floats(0.01, 0.4))
def test_a_higher_probability_is_a_higher_bound(seed: int, one: float, other: float) -> None:
    shares = learned(60, seed)
    low, high = (shares.quantiles(p) for p in sorted((one, other)))
    assert low is not None
    assert high is not None
    assert (low <= high).all()


def test_it_is_missed_no_more_often_than_it_says() -> None:
    rng = np.random.default_rng(5)
    missed = []
    for seed in range(60):
        factors = learned(70, seed).factors()
        assert factors is not None
        missed.append((rng.uniform(0.5, 1.5, 4) < factors).mean())
    assert np.mean(missed) <= 0.05


def test_it_follows_what_was_missed() -> None:
    shares = learned(60, 2)
    before = shares.factors()
    for _ in range(3):
        shares.learn(np.full(4, 100.0), np.full(4, 1.0))
    after = shares.factors()
    assert before is not None
    assert after is not None
    assert (after < 0.7 * before).all()


def test_nothing_expected_says_nothing() -> None:
    shares = learned(60, 3)
    before = shares.factors()
    shares.learn(np.zeros(4), np.zeros(4))
    assert shares.factors() == pytest.approx(before)
