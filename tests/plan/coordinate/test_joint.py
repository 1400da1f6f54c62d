"""The joint program says the same as the exact planner of one site."""

from __future__ import annotations

import numpy as np
import pytest

from parkwatt.domain.problem import Problem
from parkwatt.plan.batch import BatchPrices, CarStays
from parkwatt.plan.coordinate import FleetProblem, Market, one_limit
from parkwatt.plan.coordinate.joint import solve_joint
from parkwatt.plan.exact import plan
from tests.plan.generator import random_problem


def as_fleet(problem: Problem) -> FleetProblem:
    """A site's cars at one node that pays the site's prices; each stay is a row."""
    site, steps = problem.site, problem.step_count
    rows = [(one, stay) for one in problem.vehicles for stay in one.stays]
    same = (
        "energy_kwh_min",
        "energy_kwh_max",
        "charge_kw_max",
        "discharge_kw_max",
        "charge_kw_min",
        "discharge_kw_min",
        "charge_efficiency",
        "discharge_efficiency",
        "wear_price_per_kwh",
        "holding_price_per_kwh_h",
        "holding_from_kwh",
    )
    arrays = {name: np.array([getattr(one, name) for one, _ in rows], float) for name in same}
    asked = [stay.energy_kwh_at_departure for _, stay in rows]
    cars = CarStays(
        from_step=np.array([stay.from_step for _, stay in rows], np.int64),
        to_step=np.array([stay.to_step for _, stay in rows], np.int64),
        energy_kwh_at_arrival=np.array([stay.energy_kwh_at_arrival for _, stay in rows], float),
        energy_kwh_at_departure=np.array([np.nan if one is None else one for one in asked], float),
        energy_value_per_kwh=np.array([stay.energy_value_per_kwh for _, stay in rows], float),
        price_row=np.zeros(len(rows), np.int64),
        taper_from_kwh=np.full(len(rows), np.inf),
        taper_kw_at_max=np.zeros(len(rows)),
        **arrays,
    )
    nodes = one_limit(steps)._replace(
        base_kw=site.load_kw[None],
        import_limit_kw=np.full(
            (1, steps), np.inf if site.import_limit_kw is None else site.import_limit_kw
        ),
        export_limit_kw=np.full(
            (1, steps), np.inf if site.export_limit_kw is None else site.export_limit_kw
        ),
        demand_charge_per_kw=np.array([site.demand_charge_per_kw]),
        peak_so_far_kw=np.array([site.peak_so_far_kw]),
    )
    nothing = np.zeros((1, steps))
    market = Market(
        site.import_price_per_kwh,
        site.export_price_per_kwh,
        np.full(steps, np.nan),
        np.zeros(steps),
        np.zeros(steps),
    )
    return FleetProblem(
        cars,
        BatchPrices(nothing, nothing, problem.duration_h),
        np.zeros(len(rows), np.int64),
        nodes,
        market,
    )


def comparable(seed: int) -> Problem | None:
    """A random site without what the joint program leaves out."""
    problem = random_problem(seed)
    site = problem.site
    if problem.batteries or not problem.vehicles or site.solar_kw.any():
        return None
    plain = all(
        one.charge_kw_min == one.discharge_kw_min == one.holding_price_per_kwh_h == 0
        and all(
            stay.energy_kwh_at_arrival <= one.energy_kwh_max
            and stay.ready_from_step is None
            and not stay.end_value_drops
            for stay in one.stays
        )
        for one in problem.vehicles
    )
    convex = (site.import_price_per_kwh >= site.export_price_per_kwh).all()
    return problem if convex and plain and site.batteries_may_export else None


def test_it_agrees_with_the_exact_planner() -> None:
    compared = 0
    for seed in range(4000):
        problem = comparable(seed)
        if problem is None:
            continue
        expected = plan(problem)
        if expected.violations:
            continue
        joint = solve_joint(as_fleet(problem), 100.0)
        # Where a program that allows both directions at once uses that, it is a bound only.
        assert joint.bound <= expected.cost + 1e-4 * (1.0 + abs(expected.cost)), seed
        if joint.valid.all():
            assert joint.bound == pytest.approx(expected.cost, rel=1e-4, abs=1e-4), seed
            compared += 1
        if compared == 30:
            return
    pytest.fail(f"only {compared} sites were compared")
