"""Laws that every optimal plan obeys, whatever the problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from parkwatt.domain.plan import Plan
from parkwatt.domain.problem import Problem, SiteProblem, Stay, Storage, Vehicle
from parkwatt.domain.record import FloatArray
from parkwatt.io.contract import plan_to_json
from parkwatt.plan.check import check
from parkwatt.plan.exact import plan as exact_plan
from tests.plan import generator
from tests.plan.test_against_oracle import misses, same

# A law solves each problem twice or more: a quarter of the profile's examples.
LAW = settings(max_examples=max(10, settings().max_examples // 4))
SEEDS = st.integers(10_000, 99_999)


def random_problem(seed: int) -> Problem:
    """A problem small enough to be solved in a moment, even with its options removed."""
    return generator.random_problem(seed, steps_of_all_max=30)


def same_plan(one: Plan, other: Plan) -> bool:
    """Whether two plans move the same energy at the same time."""
    cars = zip(one.vehicles, other.vehicles, strict=True)
    walls = zip(one.batteries, other.batteries, strict=True)
    return all(np.array_equal(a.power_kw, b.power_kw) for a, b in cars) and all(
        np.array_equal(a.power_kw, b.power_kw) for a, b in walls
    )


def all_misses_same(
    one: tuple[float, float, float], other: tuple[float, float, float], factor: float = 1.0
) -> bool:
    """Whether two plans miss their wishes by the same, the second after scaling."""
    return all(same(a, b * factor) for a, b in zip(one, other, strict=True))


@LAW
@given(SEEDS)
def test_energy_is_conserved(seed: int) -> None:
    problem = random_problem(seed)
    plan = exact_plan(problem)
    step_h = problem.duration_h
    net_kwh = step_h @ (plan.import_kw - plan.export_kw + plan.solar_used_kw - problem.site.load_kw)
    moved_kwh, stored_kwh, lost_kwh = 0.0, 0.0, 0.0
    spans: list[tuple[Storage, FloatArray, FloatArray]] = [
        (battery, planned.power_kw, planned.energy_kwh)
        for battery, planned in zip(problem.batteries, plan.batteries, strict=True)
    ]
    for vehicle, driven in zip(problem.vehicles, plan.vehicles, strict=True):
        assert abs(driven.power_kw).sum() == pytest.approx(
            sum(abs(driven.power_kw[s.from_step : s.to_step]).sum() for s in vehicle.stays)
        )
        for stay, stay_plan in zip(vehicle.stays, driven.stays, strict=True):
            power_kw = driven.power_kw[stay.from_step : stay.to_step]
            spans.append((vehicle, power_kw, stay_plan.energy_kwh))
    for storage, power_kw, energy_kwh in spans:
        charged_kwh = step_h[0] * np.maximum(power_kw, 0.0).sum()
        discharged_kwh = step_h[0] * np.maximum(-power_kw, 0.0).sum()
        moved_kwh += charged_kwh - discharged_kwh
        stored_kwh += energy_kwh[-1] - energy_kwh[0]
        lost_kwh += charged_kwh * (1.0 - storage.charge_efficiency)
        lost_kwh += discharged_kwh * (1.0 / storage.discharge_efficiency - 1.0)
    assert net_kwh == pytest.approx(moved_kwh, abs=1e-6)
    assert net_kwh == pytest.approx(stored_kwh + lost_kwh, abs=1e-6)
    assert lost_kwh >= 0.0


@LAW
@given(SEEDS, st.sampled_from([0.01, 0.5, 3.0, 100.0]))
def test_money_scales(seed: int, factor: float) -> None:
    problem = random_problem(seed)
    plan, scaled = exact_plan(problem), exact_plan(with_money(problem, factor))
    assert scaled.cost == pytest.approx(factor * plan.cost, rel=2e-4, abs=2e-4 * factor)
    assert all_misses_same(misses(problem, scaled), misses(problem, plan))


def with_money(problem: Problem, factor: float) -> Problem:
    """The problem with every price times ``factor``."""
    site = replace(
        problem.site,
        import_price_per_kwh=problem.site.import_price_per_kwh * factor,
        export_price_per_kwh=problem.site.export_price_per_kwh * factor,
        demand_charge_per_kw=problem.site.demand_charge_per_kw * factor,
    )
    return replace(
        problem,
        site=site,
        batteries=tuple(
            replace(
                battery,
                wear_price_per_kwh=battery.wear_price_per_kwh * factor,
                holding_price_per_kwh_h=battery.holding_price_per_kwh_h * factor,
                energy_value_per_kwh=battery.energy_value_per_kwh * factor,
            )
            for battery in problem.batteries
        ),
        vehicles=tuple(
            replace(
                vehicle,
                wear_price_per_kwh=vehicle.wear_price_per_kwh * factor,
                holding_price_per_kwh_h=vehicle.holding_price_per_kwh_h * factor,
                stays=tuple(
                    replace(stay, energy_value_per_kwh=stay.energy_value_per_kwh * factor)
                    for stay in vehicle.stays
                ),
            )
            for vehicle in problem.vehicles
        ),
    )


@LAW
@given(SEEDS, st.sampled_from([0.1, 2.0, 10.0]))
def test_energy_scales(seed: int, factor: float) -> None:
    problem = random_problem(seed)
    larger = with_energy(problem, factor)
    plan, scaled = exact_plan(problem), exact_plan(larger)
    assert scaled.cost == pytest.approx(factor * plan.cost, rel=2e-4, abs=4e-4 * max(1.0, factor))
    assert all_misses_same(misses(larger, scaled), misses(problem, plan), factor)


def with_energy(problem: Problem, factor: float) -> Problem:
    """The problem with every power and energy times ``factor``."""

    def scaled(kw: float | None) -> float | None:
        return None if kw is None else kw * factor

    site = problem.site
    physical = (
        "energy_kwh_min",
        "energy_kwh_max",
        "charge_kw_max",
        "discharge_kw_max",
        "charge_kw_min",
        "discharge_kw_min",
        "holding_from_kwh",
    )
    return replace(
        problem,
        site=replace(
            site,
            load_kw=site.load_kw * factor,
            solar_kw=site.solar_kw * factor,
            import_limit_kw=scaled(site.import_limit_kw),
            export_limit_kw=scaled(site.export_limit_kw),
            peak_so_far_kw=site.peak_so_far_kw * factor,
        ),
        batteries=tuple(
            replace(
                battery,
                energy_kwh_at_start=battery.energy_kwh_at_start * factor,
                **{name: getattr(battery, name) * factor for name in physical},
            )
            for battery in problem.batteries
        ),
        vehicles=tuple(
            replace(
                vehicle,
                stays=tuple(
                    replace(
                        stay,
                        energy_kwh_at_arrival=stay.energy_kwh_at_arrival * factor,
                        energy_kwh_at_departure=scaled(stay.energy_kwh_at_departure),
                    )
                    for stay in vehicle.stays
                ),
                **{name: getattr(vehicle, name) * factor for name in physical},
            )
            for vehicle in problem.vehicles
        ),
    )


@LAW
@given(SEEDS, st.integers(-100_000, 100_000))
def test_the_time_of_day_changes_nothing(seed: int, minutes: int) -> None:
    problem = random_problem(seed)
    shifted = replace(problem, start=problem.start + timedelta(minutes=minutes))
    assert same_plan(exact_plan(problem), exact_plan(shifted))


@LAW
@given(SEEDS)
def test_the_same_problem_gives_the_same_plan(seed: int) -> None:
    first, again = (plan_to_json(exact_plan(p), p) for p in map(random_problem, (seed, seed)))
    assert first == again


def without_v2g(problem: Problem) -> Problem:
    """No car may discharge."""
    cars = [replace(car, discharge_kw_max=0.0, discharge_kw_min=0.0) for car in problem.vehicles]
    return replace(problem, vehicles=tuple(cars))


def without_wall_battery_discharge(problem: Problem) -> Problem:
    """No stationary battery may discharge."""
    walls = [replace(wall, discharge_kw_max=0.0) for wall in problem.batteries]
    return replace(problem, batteries=tuple(walls))


def with_slower_chargers(problem: Problem) -> Problem:
    """Cars charge at 90 % of the power at most."""
    cars = [replace(car, charge_kw_max=0.9 * car.charge_kw_max) for car in problem.vehicles]
    return replace(problem, vehicles=tuple(cars))


def with_lower_import_limit(problem: Problem) -> Problem:
    """Less may be imported."""
    limit_kw = problem.site.import_limit_kw
    lower_kw = 8.0 if limit_kw is None else 0.9 * limit_kw
    return replace(problem, site=replace(problem.site, import_limit_kw=lower_kw))


def without_battery_export(problem: Problem) -> Problem:
    """Batteries may not sell."""
    return replace(problem, site=replace(problem.site, batteries_may_export=False))


@pytest.mark.parametrize(
    "remove",
    [
        without_v2g,
        without_wall_battery_discharge,
        with_slower_chargers,
        with_lower_import_limit,
        without_battery_export,
    ],
)
@LAW
@given(seed=SEEDS)
def test_a_removed_option_never_gains(remove: Callable[[Problem], Problem], seed: int) -> None:
    problem = random_problem(seed)
    poorer = remove(problem)
    before, after = exact_plan(problem), exact_plan(poorer)
    misses_before, misses_after = misses(problem, before), misses(poorer, after)
    for had, has in zip(misses_before, misses_after, strict=True):
        if not same(has, had):
            assert has > had  # an earlier wish is missed by more: later ones and money may gain
            return
    assert after.cost >= before.cost - 3e-4 * max(1.0, abs(before.cost))


@LAW
@given(SEEDS, st.floats(0.0, 0.5))
def test_a_longer_horizon_is_never_worse(seed: int, price_per_kwh: float) -> None:
    """One more step in which nothing is consumed, and every stay that reached the end goes on.

    Whoever does as before and then rests has the same cost: a plan that met all wishes still does, at
    no more cost. (A holding price is left out: it is paid for time.)
    """
    problem = without_holding(random_problem(seed))
    longer = one_step_longer(problem, price_per_kwh)
    plan = exact_plan(problem)
    assume(plan.status == "optimal")
    longer_plan = exact_plan(longer)
    assert longer_plan.status == "optimal"
    assert longer_plan.cost <= plan.cost + 3e-4 * max(1.0, abs(plan.cost))


def without_holding(problem: Problem) -> Problem:
    """The problem without a price on standing at a high charge."""
    cars = [replace(car, holding_price_per_kwh_h=0.0) for car in problem.vehicles]
    return replace(problem, vehicles=tuple(cars))


def one_step_longer(problem: Problem, price_per_kwh: float) -> Problem:
    """The problem with one more step at the end, without load and sun."""
    site, end = problem.site, problem.step_count
    return replace(
        problem,
        duration_h=np.append(problem.duration_h, problem.duration_h[-1]),
        site=replace(
            site,
            import_price_per_kwh=np.append(site.import_price_per_kwh, price_per_kwh),
            export_price_per_kwh=np.append(site.export_price_per_kwh, price_per_kwh / 2),
            load_kw=np.append(site.load_kw, 0.0),
            solar_kw=np.append(site.solar_kw, 0.0),
        ),
        vehicles=tuple(
            replace(
                car,
                stays=tuple(
                    replace(stay, to_step=end + 1) if stay.to_step == end else stay
                    for stay in car.stays
                ),
            )
            for car in problem.vehicles
        ),
    )


@LAW
@given(
    needed_kwh=st.floats(1.0, 40.0),
    price_per_kwh=st.floats(0.05, 0.6),
    charge_kw_max=st.sampled_from([3.7, 7.4, 11.0]),
    discharges=st.booleans(),
)
def test_equal_prices_charge_at_the_beginning_and_in_one_go(
    needed_kwh: float, price_per_kwh: float, charge_kw_max: float, discharges: bool
) -> None:
    steps = 48
    problem = Problem(
        start=datetime(2026, 3, 1, tzinfo=UTC),
        duration_h=np.full(steps, 0.5),
        currency="EUR",
        site=SiteProblem(
            import_price_per_kwh=np.full(steps, price_per_kwh),
            export_price_per_kwh=np.full(steps, price_per_kwh / 2),
            load_kw=np.full(steps, 0.5),
            solar_kw=np.zeros(steps),
        ),
        vehicles=(
            Vehicle(
                id="leaf",
                energy_kwh_min=5.0,
                energy_kwh_max=60.0,
                charge_kw_max=charge_kw_max,
                discharge_kw_max=charge_kw_max if discharges else 0.0,
                charge_efficiency=0.93,
                discharge_efficiency=0.93,
                stays=(
                    Stay(
                        from_step=3,
                        to_step=steps,
                        energy_kwh_at_arrival=10.0,
                        energy_kwh_at_departure=10.0 + needed_kwh,
                        # A car that may run the house keeps what it has: a kWh is worth its price.
                        energy_value_per_kwh=price_per_kwh,
                    ),
                ),
            ),
        ),
    )
    plan = exact_plan(problem)
    assert check(problem, plan).faults == ()
    power_kw = plan.vehicles[0].power_kw
    assert (power_kw >= 0.0).all(), "cycling gains nothing"
    assert (power_kw[:3] == 0.0).all()
    assert all(later <= earlier for earlier, later in pairwise(power_kw[3:].tolist()))
    partial = (power_kw > 0.0) & (power_kw < charge_kw_max)
    assert partial.sum() <= 1, "full power until it is done"
    gained_kwh = 0.5 * 0.93 * power_kw.sum()
    assert gained_kwh == pytest.approx(needed_kwh, abs=1e-5)
