"""What is known of prices at a moment: those published, and a guess beyond that uses nothing later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.site.horizon.knowledge import SiteAhead
from parkwatt.site.horizon.prices import KnownPrices
from parkwatt.site.horizon.worth import StoredWorth
from parkwatt.site.study.horizon import car_ahead, site_ahead
from parkwatt.site.study.inputs import StudyInputs
from tests.site.made import plain_inputs, random_inputs


def known_prices(inputs: StudyInputs) -> KnownPrices:
    """The prices of a study."""
    return site_ahead(inputs).prices


def refill_price_per_kwh(inputs: StudyInputs, step: int, after_step: int) -> float:
    """What the next filling after ``after_step`` costs, seen from ``step``."""
    site: SiteAhead = site_ahead(inputs)
    worth = StoredWorth(site, car_ahead(inputs, inputs.car, may_export=True))
    return worth.refill_price_per_kwh(inputs.time_unix_s(step), inputs.time_unix_s(after_step))


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), share=st.floats(0, 0.95))
def test_published_prices_are_exact_and_later_ones_never_read(seed: int, share: float) -> None:
    inputs = random_inputs(seed)
    step = int(share * inputs.grid.step_count)
    prices, now_s = known_prices(inputs), inputs.time_unix_s(step)
    known = prices.known_until_step(now_s)
    assert step < known <= inputs.grid.step_count
    edges_s = inputs.grid.edges_unix_s()[step:]
    buy, sell = prices.over(now_s, edges_s)
    np.testing.assert_allclose(buy[: known - step], inputs.import_price_per_kwh[step:known])
    np.testing.assert_allclose(sell[: known - step], inputs.export_price_per_kwh[step:known])
    assert np.isfinite(buy).all()
    later = inputs.import_price_per_kwh.copy()
    later[known:] += 5.0
    other = replace(inputs, import_price_per_kwh=later)
    np.testing.assert_allclose(known_prices(other).over(now_s, edges_s)[0], buy)
    refill = refill_price_per_kwh(inputs, step, step + 4)
    assert refill_price_per_kwh(other, step, step + 4) == refill


def test_tomorrow_s_prices_appear_at_13_local_time() -> None:
    inputs = random_inputs(1, days=4)
    prices, hour = known_prices(inputs), 3600 // inputs.grid.step_s
    assert prices.known_until_step(inputs.time_unix_s(13 * hour - 1)) == 24 * hour
    assert prices.known_until_step(inputs.time_unix_s(13 * hour)) == 48 * hour
    assert prices.known_until_step(inputs.time_unix_s(13 * hour) - 1) == 24 * hour


def test_prices_over_longer_steps_are_means() -> None:
    inputs = plain_inputs(6, (), import_price_per_kwh=np.array([1.0, 3, 2, 4, 6, 0]))
    edges_s = np.array([inputs.time_unix_s(step) for step in (0, 2, 5, 6)])
    buy, _ = known_prices(inputs).over(int(edges_s[0]), edges_s)
    assert buy.tolist() == [2, 4, 0]


def test_a_step_that_begins_within_an_hour_takes_its_share_of_it_by_hand() -> None:
    """From 00:30 to 01:15 half an hour at 1 and a quarter at 3."""
    inputs = plain_inputs(6, (), import_price_per_kwh=np.array([1.0, 3, 2, 4, 6, 0]))
    edges_s = inputs.time_unix_s(0) + np.array([1800, 4500, 4600, 7200])
    buy, _ = known_prices(inputs).over(int(edges_s[0]), edges_s)
    np.testing.assert_allclose(buy, [(2 * 1 + 3) / 3, 3, 3])


@settings(max_examples=30)
@given(
    seed=st.integers(0, 1000),
    cuts=st.lists(st.integers(1, 3 * 86_400), min_size=2, max_size=20, unique=True),
)
def test_means_over_any_edges_add_up(seed: int, cuts: list[int]) -> None:
    """The mean over a span is the weighted mean over its parts."""
    inputs = random_inputs(seed)
    prices, now_s = known_prices(inputs), inputs.time_unix_s(0)
    edges_s = now_s + np.array(sorted(cuts))
    parts, _ = prices.over(now_s, edges_s)
    whole, _ = prices.over(now_s, edges_s[[0, -1]])
    assert parts @ np.diff(edges_s) == pytest.approx(whole[0] * (edges_s[-1] - edges_s[0]))
