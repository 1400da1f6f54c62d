"""Laws of batch plans: each is valid, and how the work is cut changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.plan.batch import KERNEL_NAMES, BatchPrices, CarStays, MissPrices, plan_batch
from parkwatt.plan.check import check
from tests.plan.batch.fleets import (
    any_prices,
    bent,
    convex_prices,
    fleet_of,
    nonsense_cars,
    prices_of,
    random_cars,
)
from tests.plan.batch.judges import judged, taper_of

SEEDS = st.integers(0, 2**32 - 1)
KINDS = st.sampled_from(("convex", "any", "nonsense", "bent convex", "bent any", "bent nonsense"))
MISSES = st.sampled_from((None, MissPrices(0.2, 0.1), MissPrices(floor_per_kwh_h=0.05)))
CARS = 8
# Powers are written in single precision: of the largest size that a stay has.
TOLERANCE = 1e-5


def random_fleet(seed: int, kind: str, count: int = CARS) -> tuple[CarStays, BatchPrices]:
    """Cars and prices of a kind."""
    rng = np.random.default_rng(seed)
    steps = int(rng.integers(1, 30))
    convex = kind.endswith("convex")
    prices = convex_prices(rng, steps) if convex else any_prices(rng, steps)
    if kind.endswith("nonsense"):
        cars = nonsense_cars(rng, count, steps)
    else:
        cars = random_cars(rng, count, steps, least_power=not convex)
    return bent(rng, cars) if kind.startswith("bent") else cars, prices


@given(SEEDS, KINDS, MISSES)
def test_every_plan_is_valid(seed: int, kind: str, miss: MissPrices | None) -> None:
    cars, prices = random_fleet(seed, kind)
    batch = plan_batch(cars, prices, miss=miss)
    for row in range(CARS):
        problem, plan = judged(cars, prices, batch, row)
        size = max(1.0, cars.energy_kwh_at_arrival[row], *(array[row] for array in cars[5:8]))
        report = check(problem, plan, tolerance=TOLERANCE * size)
        # What is named as missed depends on a threshold, and this one has grown with the size.
        faults = [
            f for f in report.faults if "violations" not in f.field and "short" not in f.field
        ]
        assert faults == [], (row, KERNEL_NAMES[batch.kernel[row]])
        stay = plan.vehicles[0].stays[0]
        dearest = np.abs(prices.import_per_kwh).max() + cars.wear_price_per_kwh[row]
        dearest += abs(cars.energy_value_per_kwh[row]) + 1.0
        dearest += cars.holding_price_per_kwh_h[row] * problem.duration_h.sum()
        margin = TOLERANCE * size * dearest / cars.charge_efficiency[row]
        assert batch.cost[row] == pytest.approx(plan.cost, rel=TOLERANCE, abs=margin)
        assert batch.energy_kwh_end[row] == pytest.approx(stay.energy_kwh[-1], abs=TOLERANCE * size)
        below_kwh = np.maximum(cars.energy_kwh_min[row] - stay.energy_kwh[1:], 0.0)
        assert batch.below_floor_kwh_h[row] == pytest.approx(
            problem.duration_h @ below_kwh, abs=TOLERANCE * size * problem.duration_h.sum()
        )
        assert batch.shortfall_kwh[row] == pytest.approx(
            stay.shortfall_kwh, abs=2 * TOLERANCE * size
        )


@given(SEEDS, KINDS, MISSES)
def test_no_step_charges_with_more_than_is_taken_at_its_end(
    seed: int, kind: str, miss: MissPrices | None
) -> None:
    cars, prices = random_fleet(seed, f"bent {kind.removeprefix('bent ')}")
    batch = plan_batch(cars, prices, miss=miss)
    for row in range(CARS):
        _, plan = judged(cars, prices, batch, row)
        from_kwh, kw_per_kwh = taper_of(cars, row)
        vehicle, full_kw = plan.vehicles[0], cars.charge_kw_max[row]
        above_kwh = vehicle.stays[0].energy_kwh[1:] - from_kwh
        most_kw = np.maximum(full_kw - kw_per_kwh * np.maximum(above_kwh, 0.0), 0.0)
        size_kwh = max(
            1.0, full_kw, *(array[row] for array in cars[2:6] if array[row] == array[row])
        )
        room_kw = TOLERANCE * (full_kw + (kw_per_kwh if np.isfinite(from_kwh) else 0.0) * size_kwh)
        assert np.all(vehicle.power_kw <= most_kw + room_kw + 1e-6)


@settings(max_examples=max(10, settings().max_examples // 4))
@given(SEEDS, KINDS)
def test_order_and_company_of_rows_change_nothing(seed: int, kind: str) -> None:
    cars, prices = random_fleet(seed, kind)
    whole = plan_batch(cars, prices)
    rows = np.random.default_rng(seed).permutation(CARS)
    mixed = plan_batch(cars.take(rows), prices)
    alone = [plan_batch(cars.take(slice(row, row + 1)), prices) for row in range(CARS)]
    assert whole.power_kw is not None
    assert mixed.power_kw is not None
    assert np.array_equal(mixed.power_kw, whole.power_kw[rows])
    assert np.array_equal(mixed.cost, whole.cost[rows])
    assert np.array_equal(mixed.kernel, whole.kernel[rows])
    assert np.array_equal([one.cost[0] for one in alone], whole.cost)


@settings(max_examples=max(10, settings().max_examples // 4))
@given(SEEDS, KINDS)
def test_sums_are_those_of_powers_kept_or_not(seed: int, kind: str) -> None:
    cars, prices = random_fleet(seed, kind)
    group = np.random.default_rng(seed).integers(0, 3, CARS)
    kept = plan_batch(cars, prices, group=group, group_count=3)
    summed = plan_batch(cars, prices, group=group, group_count=3, powers=False)
    assert kept.power_kw is not None
    assert summed.power_kw is None
    for one in range(3):
        powers_kw = kept.power_kw[group == one].astype(np.float64)
        size_kw = np.abs(powers_kw).sum(axis=0)
        assert np.all(
            np.abs(kept.power_kw_sum[one] - powers_kw.sum(axis=0)) <= 1e-6 * (1.0 + size_kw)
        )
    assert np.allclose(summed.power_kw_sum, kept.power_kw_sum, rtol=1e-12, atol=1e-9)
    assert np.array_equal(summed.cost, kept.cost)
    assert np.array_equal(summed.energy_kwh_end, kept.energy_kwh_end)


def test_threads_and_chunks_change_nothing() -> None:
    rng = np.random.default_rng(3)
    cars, prices = random_cars(rng, 20_000, 24), convex_prices(rng, 24)
    one, three = plan_batch(cars, prices), plan_batch(cars, prices, threads=3)
    halves = [plan_batch(cars.take(part), prices) for part in (slice(0, 777), slice(777, None))]
    assert one.power_kw is not None
    assert three.power_kw is not None
    assert np.array_equal(one.power_kw, three.power_kw)
    assert np.array_equal(one.power_kw_sum, three.power_kw_sum)
    assert np.array_equal(one.cost, np.concatenate([half.cost for half in halves]))
    assert np.allclose(one.power_kw_sum, sum(half.power_kw_sum for half in halves), rtol=1e-12)


@settings(max_examples=max(10, settings().max_examples // 4))
@given(
    SEEDS, st.sampled_from(("convex", "any", "bent convex")), st.sampled_from((0.5, 2.0, 1024.0))
)
def test_costs_scale_with_prices(seed: int, kind: str, factor: float) -> None:
    cars, prices = random_fleet(seed, kind)
    dear = cars._replace(
        holding_price_per_kwh_h=factor * cars.holding_price_per_kwh_h,
        wear_price_per_kwh=factor * cars.wear_price_per_kwh,
        energy_value_per_kwh=factor * cars.energy_value_per_kwh,
    )
    dear_prices = prices._replace(
        import_per_kwh=factor * prices.import_per_kwh, export_per_kwh=factor * prices.export_per_kwh
    )
    scaled, plain = plan_batch(dear, dear_prices), plan_batch(cars, prices)
    assert scaled.cost == pytest.approx(factor * plain.cost, rel=1e-9, abs=1e-9 * factor)
    assert np.array_equal(scaled.shortfall_kwh, plain.shortfall_kwh)


def test_more_models_of_cars_than_rankings_are_kept() -> None:
    rng = np.random.default_rng(5)
    cars, prices = random_cars(rng, 300, 24), convex_prices(rng, 24)
    cars = cars._replace(wear_price_per_kwh=rng.uniform(0.0, 0.05, 300))
    alone = [plan_batch(cars.take(slice(row, row + 1)), prices).cost[0] for row in range(300)]
    assert np.array_equal(plan_batch(cars, prices).cost, alone)


@given(SEEDS, KINDS, st.sampled_from((0.0, 0.1, 1.0, 100.0)))
def test_dearer_misses_are_fewer(seed: int, kind: str, price: float) -> None:
    cars, prices = random_fleet(seed, kind)
    hard = plan_batch(cars, prices)
    soft = plan_batch(cars, prices, miss=MissPrices(price))
    exact = soft.kernel != KERNEL_NAMES.index("levels")
    room_kwh = 1e-6 * np.maximum(1.0, cars.energy_kwh_max)
    assert np.all((soft.shortfall_kwh >= hard.shortfall_kwh - room_kwh)[exact])
    # The plan that misses least is one that a price could choose.
    in_all = soft.cost + price * soft.shortfall_kwh
    limit = hard.cost + price * hard.shortfall_kwh
    room = 1e-5 * (1.0 + price) * np.maximum(1.0, np.abs(limit) + cars.energy_kwh_max)
    assert np.all((in_all <= limit + room)[exact])


@pytest.mark.parametrize(
    ("worth", "price", "end_kwh"), [(0.0, 0.3, 65.0), (0.0, 0.1, 60.0), (0.3, 0.3, 70.0)]
)
def test_what_is_missing_has_a_price_in_the_solver_too(
    worth: float, price: float, end_kwh: float
) -> None:
    cars = fleet_of(
        1,
        energy_kwh_at_arrival=70.0,
        energy_kwh_at_departure=65.0,
        energy_kwh_min=60.0,
        discharge_kw_max=10.0,
        discharge_efficiency=1.0,
        energy_value_per_kwh=worth,
    )
    batch = plan_batch(cars, prices_of([0.3] * 4, [0.2] * 4), miss=MissPrices(price))
    assert KERNEL_NAMES[batch.kernel[0]] == "solver"
    assert batch.energy_kwh_end == pytest.approx([end_kwh])
    assert batch.shortfall_kwh == pytest.approx([max(65.0 - end_kwh, 0.0)])
    assert batch.cost == pytest.approx([-0.2 * (70.0 - end_kwh) - worth * end_kwh])


@pytest.mark.parametrize("taper_kw_at_max", [0.0, 10.0])
def test_a_car_above_its_maximum_charges_again_only_as_fast_as_it_takes(
    taper_kw_at_max: float,
) -> None:
    """Sold at 0.5, bought again at 0.1: to 60 kWh by what is taken there, or not at all."""
    cars = fleet_of(
        1,
        energy_kwh_at_arrival=61.0,
        energy_value_per_kwh=0.3,
        discharge_kw_max=10.0,
        taper_from_kwh=40.0,
        taper_kw_at_max=taper_kw_at_max,
    )
    batch = plan_batch(cars, prices_of([0.6, 0.1, 0.1, 0.1], [0.5, 0.0, 0.0, 0.0]))
    assert KERNEL_NAMES[batch.kernel[0]] == "solver"
    assert batch.power_kw is not None
    assert batch.power_kw[0, 0] == pytest.approx(-10.0)
    assert (batch.power_kw[0, 1:] > 0.0).any() == (taper_kw_at_max > 0.0)


def test_a_car_above_its_maximum_discharges_by_the_solver() -> None:
    cars = fleet_of(2, energy_kwh_at_arrival=[70.0, 20.0], discharge_kw_max=10.0)
    batch = plan_batch(cars, prices_of([0.3] * 4, [0.2] * 4), group=np.array([1, 0]), group_count=2)
    assert [KERNEL_NAMES[kernel] for kernel in batch.kernel] == ["solver", "linear"]
    assert batch.power_kw is not None
    assert np.allclose(batch.power_kw_sum[1], batch.power_kw[0])
