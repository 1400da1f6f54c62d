"""Prices of wear: never negative, convex, and what the research found for known cells."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.plan.wear import (
    CELLS,
    Cell,
    holding_cost_per_h,
    holding_price,
    wear_price,
    wear_price_curve,
)
from parkwatt.plan.wear.price import lower_envelope

few = settings(max_examples=12, deadline=None)
cells = st.sampled_from(list(CELLS.values()))
temperatures = st.floats(0, 40)


@few
@given(cells, temperatures)
def test_price_is_convex_in_depth_and_never_negative(cell: Cell, temperature_c: float) -> None:
    tiers = wear_price_curve(cell, 60, 100, temperature_c)
    prices = [tier.price_per_kwh for tier in tiers]
    assert prices[0] >= 0
    assert all(b >= a - 1e-12 for a, b in pairwise(prices))
    assert tiers[0].depth_from == 0
    assert all(a.depth_to == b.depth_from < b.depth_to for a, b in pairwise(tiers))


@few
@given(cells, temperatures, st.floats(0.05, 0.45), st.floats(0.05, 0.45))
def test_mean_price_does_not_fall_with_depth(
    cell: Cell, temperature_c: float, one: float, other: float
) -> None:
    shallow, deep = (
        wear_price(cell, 60, 100, depth, temperature_c) for depth in sorted((one, other))
    )
    assert 0 <= shallow <= deep + 1e-12


@few
@given(cells, temperatures, st.floats(1, 5))
def test_prices_scale_with_the_pack_price(cell: Cell, temperature_c: float, scale: float) -> None:
    one, many = (wear_price(cell, 60, 100 * x, 0.3, temperature_c) for x in (1, scale))
    assert many == pytest.approx(one * scale)
    holds = [holding_price(cell, 60, 100 * x, temperature_c) for x in (1, scale)]
    assert holds[1].holding_price_per_kwh_h == pytest.approx(
        holds[0].holding_price_per_kwh_h * scale
    )


@few
@given(cells, temperatures, st.floats(20, 120))
def test_holding_price_never_overstates_the_cost_of_resting(
    cell: Cell, temperature_c: float, capacity_kwh: float
) -> None:
    hinge = holding_price(cell, capacity_kwh, 100, temperature_c)
    soc, cost_per_h = holding_cost_per_h(cell, capacity_kwh, 100, temperature_c)
    resting = (soc > 0.19) & (soc < 0.91)
    above = np.maximum(0, soc[resting] * capacity_kwh - hinge.holding_from_kwh)
    charged = hinge.holding_price_per_kwh_h * above
    least = cost_per_h[resting].min()
    assert hinge.holding_price_per_kwh_h >= 0
    assert 0 <= hinge.holding_from_kwh <= capacity_kwh
    assert np.all(charged <= cost_per_h[resting] - least + 1e-12)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=20))
def test_lower_envelope_is_convex_and_below(values: list[float]) -> None:
    x, y = np.linspace(0, 1, len(values)), np.array(values)
    envelope = lower_envelope(x, y)
    assert np.all(envelope <= y + 1e-12)
    assert np.all(np.diff(envelope, 2) >= -1e-9)
    assert envelope[[0, -1]].tolist() == y[[0, -1]].tolist()


@pytest.mark.parametrize(
    ("cell_id", "temperature_c", "depth", "price"),
    [
        ("nmc-a", 25, 0.1, 0.013),
        ("nmc-a", 25, 0.2, 0.017),
        ("nmc-a", 25, 0.3, 0.020),
        ("nmc-a", 25, 0.45, 0.025),
        ("nmc622-denso", 25, 0.3, 0.023),
        ("nmc622-denso", 10, 0.3, 0.036),
        ("lfp-prismatic", 25, 0.3, 0.007),
        ("lfp-prismatic", 10, 0.3, 0.011),
    ],
)
def test_prices_are_near_an_independent_derivation(
    cell_id: str, temperature_c: float, depth: float, price: float
) -> None:
    """By finite differences of BLAST-Lite runs of a 60 kWh car, 100 per kWh of pack."""
    found = wear_price(CELLS[cell_id], 60, 100, depth, temperature_c)
    assert found == pytest.approx(price, rel=0.2)


@pytest.mark.parametrize(
    ("cell_id", "temperature_c", "cost_per_h"),
    [("nmc-a", 25, 0.0048), ("nmc-a", 35, 0.0142), ("lfp-prismatic", 25, 0.0035)],
)
def test_resting_at_80_instead_of_50_percent_costs_what_was_found_independently(
    cell_id: str, temperature_c: float, cost_per_h: float
) -> None:
    _, found = holding_cost_per_h(CELLS[cell_id], 60, 100, temperature_c)
    assert found[16] - found[10] == pytest.approx(cost_per_h, abs=5e-5)


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("capacity_kwh", {"capacity_kwh": 0.0}),
        ("pack_price_per_kwh", {"pack_price_per_kwh": -1.0}),
        ("pack_price_per_kwh", {"pack_price_per_kwh": float("nan")}),
        ("end_of_life_fraction", {"end_of_life_fraction": 1.0}),
        ("service_years", {"service_years": 0.0}),
        ("depth", {"depth": 0.0}),
        ("depth", {"depth": 0.5}),
        ("power_kw", {"power_kw": 0.0}),
        ("driving_depth", {"driving_depth": 0.5}),
        ("temperature_c", {"temperature_c": float("nan")}),
    ],
)
def test_bad_input_is_named(field: str, changed: dict[str, float]) -> None:
    given_ = {
        "capacity_kwh": 60.0,
        "pack_price_per_kwh": 100.0,
        "depth": 0.3,
        "temperature_c": 25.0,
    }
    with pytest.raises(InputError) as caught:
        wear_price(CELLS["nmc-a"], **(given_ | changed))
    assert any(fault.field.startswith(field) for fault in caught.value.faults)
