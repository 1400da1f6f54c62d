"""Costs of single steps: they are what the accounts say, and the envelope is the highest convex function below."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.site.study.account import meter_flows
from parkwatt.site.study.step_costs import envelope_slopes, power_bounds, step_costs
from tests.site.made import random_inputs

numbers = st.floats(-10, 10, allow_nan=False).map(lambda value: round(value, 3))


@given(seed=st.integers(0, 10_000), share=st.floats(0, 1))
def test_a_step_costs_what_the_accounts_say(seed: int, share: float) -> None:
    """At any power within the bounds, against the lowest one: less the difference of import and export, and wear."""
    inputs = random_inputs(seed, days=2)
    car, step_h = inputs.car, inputs.grid.step_h
    lowest, highest = power_bounds(inputs, np.arange(inputs.grid.step_count))
    costs = step_costs(inputs, np.arange(inputs.grid.step_count), lowest, highest)
    power = lowest + share * (highest - lowest)
    change = step_h * np.where(
        power > 0, power * car.charge_efficiency, power / car.discharge_efficiency
    )
    before = np.cumsum(costs.width_kwh, axis=1) - costs.width_kwh
    filled = np.clip((change - costs.start_kwh)[:, None] - before, 0, costs.width_kwh)
    expected = np.zeros(inputs.grid.step_count)
    for at, sign in ((power, 1.0), (lowest, -1.0)):
        imported, exported, _ = meter_flows(inputs, at)
        expected += sign * step_h * inputs.import_price_per_kwh * imported
        expected -= sign * step_h * inputs.export_price_per_kwh * exported
        discharged = np.maximum(-at, 0) * step_h / car.discharge_efficiency
        expected += sign * car.wear_price_per_kwh * discharged
    np.testing.assert_allclose((costs.slope * filled).sum(axis=1), expected, atol=1e-6)
    kw = costs.start_kw + (costs.kw_per_kwh * filled).sum(axis=1)
    np.testing.assert_allclose(kw, power, atol=1e-6)
    assert (costs.understated(change) >= -1e-7).all()


@given(points=st.lists(st.tuples(st.floats(0.01, 5), numbers), min_size=2, max_size=6))
def test_the_envelope_is_convex_below_the_points_and_ends_where_they_end(
    points: list[tuple[float, float]],
) -> None:
    change = np.cumsum([width for width, _ in points])
    cost = np.array([height for _, height in points])
    slopes = envelope_slopes(change[None, :], cost[None, :])[0]
    assert (np.diff(slopes) >= -1e-6).all()
    envelope = cost[0] + np.concatenate(([0.0], np.cumsum(slopes * np.diff(change))))
    assert (envelope <= cost + 1e-6).all()
    assert envelope[-1] == pytest.approx(cost[-1], abs=1e-6)


def test_an_envelope_by_hand() -> None:
    """The hump at 1 is bridged, the hollow at 3 stays; a segment without width disturbs nothing."""
    change = np.array([[0.0, 1.0, 2.0, 2.0, 3.0, 4.0]])
    cost = np.array([[0.0, 3.0, 2.0, 2.0, 1.0, 5.0]])
    slopes = envelope_slopes(change, cost)[0]
    np.testing.assert_allclose(slopes[[0, 1, 3, 4]], [1 / 3, 1 / 3, 1 / 3, 4.0])
