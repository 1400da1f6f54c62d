"""What is known of prices at a moment: those published, and a guess beyond that uses nothing later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.site.study.prices import KnownPrices
from tests.site.made import plain_inputs, random_inputs


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), share=st.floats(0, 0.95))
def test_published_prices_are_exact_and_later_ones_never_read(seed: int, share: float) -> None:
    inputs = random_inputs(seed)
    step = int(share * inputs.grid.step_count)
    prices = KnownPrices(inputs)
    known = prices.known_until_step(step)
    assert step < known <= inputs.grid.step_count
    edges = np.arange(step, inputs.grid.step_count + 1)
    buy, sell = prices.over(step, edges)
    np.testing.assert_allclose(buy[: known - step], inputs.import_price_per_kwh[step:known])
    np.testing.assert_allclose(sell[: known - step], inputs.export_price_per_kwh[step:known])
    assert np.isfinite(buy).all()
    later = inputs.import_price_per_kwh.copy()
    later[known:] += 5.0
    other = KnownPrices(replace(inputs, import_price_per_kwh=later))
    np.testing.assert_allclose(other.over(step, edges)[0], buy)
    assert other.refill_price_per_kwh(step, step + 4) == prices.refill_price_per_kwh(step, step + 4)


def test_tomorrow_s_prices_appear_at_13_local_time() -> None:
    inputs = random_inputs(1, days=4)
    prices, hour = KnownPrices(inputs), 3600 // inputs.grid.step_s
    assert prices.known_until_step(13 * hour - 1) == 24 * hour
    assert prices.known_until_step(13 * hour) == 48 * hour


def test_prices_over_longer_steps_are_means() -> None:
    inputs = plain_inputs(6, (), import_price_per_kwh=np.array([1.0, 3, 2, 4, 6, 0]))
    buy, _ = KnownPrices(inputs).over(0, np.array([0, 2, 5, 6]))
    assert buy.tolist() == [2, 4, 0]
