"""What is wrong with cars, prices and groups is named with its field, its rule and its value, all at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from parkwatt.domain.errors import InputError
from parkwatt.plan.batch import BatchPrices, CarStays, MissPrices, faults_of, plan_batch
from tests.plan.batch.fleets import fleet_of, prices_of

PRICES = prices_of([0.3, 0.2, 0.3, 0.4])
NAN, INFINITE = float("nan"), float("inf")
NOT_NEGATIVE = (
    "energy_kwh_at_arrival",
    "energy_kwh_min",
    "energy_kwh_max",
    "charge_kw_max",
    "discharge_kw_max",
    "charge_kw_min",
    "discharge_kw_min",
    "wear_price_per_kwh",
    "taper_kw_at_max",
    "holding_price_per_kwh_h",
    "holding_from_kwh",
)
FINITE_RULE = "must be finite and at least 0"


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("from_step", -1, "must be at least 0"),
        ("from_step", 4, "must be above from_step"),
        ("to_step", 5, "must be at most 4, the number of steps"),
        ("price_row", -1, "must be at least 0"),
        ("price_row", 1, "must be below 1, the number of price rows"),
        *[
            (name, value, "must be in (0, 1]")
            for name in ("charge_efficiency", "discharge_efficiency")
            for value in (0.0, -0.1, 1.01, NAN)
        ],
        *[(name, value, FINITE_RULE) for name in NOT_NEGATIVE for value in (-0.1, NAN, INFINITE)],
        ("energy_value_per_kwh", NAN, "must be finite"),
        ("energy_value_per_kwh", -INFINITE, "must be finite"),
        ("energy_kwh_at_departure", -1.0, "must be at least 0, or NaN"),
        ("energy_kwh_at_departure", INFINITE, "must be at least 0, or NaN"),
        ("energy_kwh_max", 9.0, "must be at least energy_kwh_min"),
        ("charge_kw_min", 10.5, "must be at most charge_kw_max"),
        ("taper_kw_at_max", 10.5, "must be at most charge_kw_max"),
        ("taper_from_kwh", -0.1, "must be at least 0"),
        ("taper_from_kwh", NAN, "must be at least 0"),
        ("discharge_kw_min", 0.5, "must be at most discharge_kw_max"),
    ],
)
def test_each_rule(field: str, value: float, rule: str) -> None:
    cars = fleet_of(3)
    getattr(cars, field)[1] = value
    found = [fault for row, fault in faults_of(cars, PRICES) if row == 1]
    assert rule in [fault.rule for fault in found]
    fault = next(fault for fault in found if fault.rule == rule)
    if fault.field == f"{field}[1]":  # the rule about both steps is told of to_step
        assert fault.value == pytest.approx(value, nan_ok=True)
    assert len(faults_of(cars, PRICES)) == len(found)
    with pytest.raises(InputError) as raised:
        plan_batch(cars, PRICES)
    assert fault.rule in str(raised.value)


def test_all_faults_are_told_in_the_order_of_rows() -> None:
    cars = fleet_of(3, charge_efficiency=[2.0, 0.9, 0.0], wear_price_per_kwh=[0.0, 0.0, -1.0])
    assert [(row, fault.field) for row, fault in faults_of(cars, PRICES)] == [
        (0, "charge_efficiency[0]"),
        (2, "charge_efficiency[2]"),
        (2, "wear_price_per_kwh[2]"),
    ]


def test_good_cars_have_no_faults() -> None:
    assert faults_of(fleet_of(3), PRICES) == []


def refused(cars: CarStays, prices: BatchPrices, **options: Any) -> str:
    """What is said of it."""
    with pytest.raises(InputError) as raised:
        plan_batch(cars, prices, **options)
    return str(raised.value)


def test_shapes() -> None:
    cars = fleet_of(3)
    said = refused(
        cars._replace(price_row=np.zeros(2, np.int64), wear_price_per_kwh=np.zeros((3, 1))), PRICES
    )
    assert "price_row: must have shape (3,)" in said
    assert "wear_price_per_kwh: must have shape (3,)" in said
    said = refused(
        cars, PRICES._replace(export_per_kwh=np.zeros((1, 3)), duration_h=np.ones((4, 1)))
    )
    assert "export_per_kwh: must have shape (1, 4)" in said
    assert "duration_h: must have shape (4,)" in said
    assert "import_per_kwh: must have shape" in refused(
        cars, PRICES._replace(import_per_kwh=np.zeros(4))
    )


def test_prices() -> None:
    cars = fleet_of(3)
    assert "import_per_kwh: must be finite" in refused(cars, prices_of([0.3, NAN, 0.3, 0.4]))
    assert "duration_h: must be finite and above 0" in refused(
        cars, prices_of([0.3] * 4, hours=0.0)
    )
    assert "duration_h: must be finite and above 0" in refused(
        cars, prices_of([0.3] * 4, hours=NAN)
    )


def test_steps_are_whole_numbers() -> None:
    parts: Any = np.zeros(3)
    said = refused(fleet_of(3)._replace(from_step=parts), PRICES)
    assert "from_step: must be whole numbers" in said


def test_too_many_steps() -> None:
    assert "duration_h: must have at most 2048 steps" in refused(
        fleet_of(1), prices_of([0.3] * 2049)
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"group": np.array([0, 2, 0]), "group_count": 2}, "group[1]: must be in 0..1"),
        ({"group": np.array([0, -1, 0]), "group_count": 2}, "group[1]: must be in 0..1"),
        ({"group": np.array([0, 1])}, "group: must have shape (3,)"),
        ({"group": np.zeros(3)}, "group: must be whole numbers"),
        ({"group_count": 0}, "group_count: must be at least 1"),
        ({"threads": 0}, "threads: must be at least 1"),
        ({"levels": 0}, "levels: must be at least 1"),
        ({"miss": MissPrices(-0.1)}, "departure_per_kwh: must be at least 0, or infinite"),
        ({"miss": MissPrices(0.1, -0.1)}, "floor_per_kwh_h: must be at least 0, or infinite"),
        ({"miss": MissPrices(NAN)}, "departure_per_kwh: must be at least 0, or infinite"),
    ],
)
def test_options(options: dict[str, Any], said: str) -> None:
    assert said in refused(fleet_of(3), PRICES, **options)


def test_arrays_of_other_types_are_taken() -> None:
    cars = fleet_of(3)
    expected = plan_batch(cars, PRICES)
    frozen = fleet_of(6).take(slice(0, 6, 2))._replace(from_step=np.zeros(3, np.int32))
    frozen.energy_kwh_min.setflags(write=False)
    found = plan_batch(frozen, PRICES._replace(duration_h=np.ones(4, np.float32)))
    assert np.array_equal(found.cost, expected.cost)


def test_no_cars() -> None:
    batch = plan_batch(fleet_of(0), PRICES)
    assert batch.cost.shape == (0,)
    assert batch.power_kw is not None
    assert batch.power_kw.shape == (0, 4)
    assert not batch.power_kw_sum.any()
