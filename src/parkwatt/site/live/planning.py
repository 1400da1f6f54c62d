"""The plan of a running site: from all that is known at one moment to a plan in the journal's words.

The horizon, the worth of what cars leave with and the guess of prices are the study's (`parkwatt.site.horizon`), so
that what the study promises is what a site does. A plan begins at any second, goes by quarter hours for two hours,
then by the hour, up to the last departure; all cars share one problem, each with its stay, floor, target and end value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from parkwatt.domain.plan import Plan
from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray
from parkwatt.domain.site.live_plan import CarPlan, LivePlan, PlanReason
from parkwatt.plan.exact.planner import PricedPlan, plan_priced
from parkwatt.site.horizon.departure import DepartureAhead
from parkwatt.site.horizon.problem import plan_edges, problem_ahead
from parkwatt.site.live.planning_kept import running_cost
from parkwatt.site.live.planning_knowledge import peak_so_far_kw, present_car, site_known
from parkwatt.site.live.planning_prices import LivePrices
from parkwatt.site.live.request import CarNow, Planned, PlanRequest

# For each mixed-integer solve; one of a home ends in a fraction of this.
TIME_LIMIT_S: Final = 1.0
# Without a car the plan shows what is expected of the day ahead.
_WITHOUT_CARS_S: Final = 86_400
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class Posed:
    """The problem that a request asks, with its steps' edges [T+1] and how prices are known."""

    problem: Problem
    edges_unix_s: TimeArray
    prices: LivePrices


def pose(request: PlanRequest) -> Posed:
    """The problem of the hours ahead."""
    site, prices = site_known(request)
    cars = [present_car(site, request, now) for now in request.cars]
    departures = [car.departure for car in cars]
    if not departures:
        end = site.floor_unix_s(request.now_unix_s) + _WITHOUT_CARS_S
        departures = [DepartureAhead(end, end, within=False)]
    edges = plan_edges(site, request.now_unix_s, departures)
    problem = problem_ahead(site, cars, request.now_unix_s, peak_so_far_kw(request), edges)
    return Posed(problem, edges, prices)


def make_plan(request: PlanRequest, *, time_limit_s: float = TIME_LIMIT_S) -> Planned:
    """The cheapest plan that meets the wishes in their order, and what the running one would cost from now on.

    ``time_limit_s``: for each mixed-integer solve; where it is reached, the best plan found by then counts. Else the same
    request gives the same plan. A plan always exists.
    Raises SolverError where the solver fails numerically.
    """
    posed = pose(request)
    found = plan_priced(posed.problem, time_limit_s=time_limit_s)
    live = _as_live(request, posed, found)
    kept = None
    if request.running is not None:
        kept = running_cost(
            request.running, request.cars, posed.problem, posed.edges_unix_s, found.plan
        )
    return Planned(live, kept)


def _as_live(request: PlanRequest, posed: Posed, found: PricedPlan) -> LivePlan:
    plan, site = found.plan, posed.problem.site
    edges = posed.edges_unix_s.tolist()
    return LivePlan(
        made_unix_s=request.now_unix_s,
        edges_unix_s=tuple(edges),
        currency=posed.problem.currency,
        grid_kw=_told(plan.import_kw - plan.export_kw),
        load_kw=_told(site.load_kw),
        solar_kw=_told(site.solar_kw),
        import_price_per_kwh=_told(site.import_price_per_kwh),
        export_price_per_kwh=_told(site.export_price_per_kwh),
        price_known_until_unix_s=posed.prices.known_until_unix_s,
        cost=plan.cost,
        cars=tuple(
            _car_plan(now, posed.problem, found, index) for index, now in enumerate(request.cars)
        ),
        reasons=tuple(
            PlanReason(
                reason.id,
                edges[reason.from_step],
                edges[reason.to_step],
                round(reason.power_kw, _DIGITS),
                reason.message,
            )
            for reason in plan.reasons
        ),
        risks=(*(violation.message for violation in plan.violations), *posed.prices.risks),
    )


def _car_plan(now: CarNow, problem: Problem, found: PricedPlan, index: int) -> CarPlan:
    """One car's part; after its departure it keeps what it left with."""
    plan: Plan = found.plan
    vehicle = plan.vehicles[index]
    (stay,) = vehicle.stays
    stored = None
    if found.stored_value_per_kwh is not None:
        stored = _told(_held(found.stored_value_per_kwh[index], problem.step_count))
    return CarPlan(
        car_id=now.car_id,
        power_kw=_told(vehicle.power_kw),
        energy_kwh=_told(_held(stay.energy_kwh, problem.step_count + 1)),
        stored_value_per_kwh=stored,
        departs_unix_s=now.departs_unix_s,
        energy_kwh_asked=now.energy_kwh_asked,
        shortfall_kwh=stay.shortfall_kwh,
    )


def _held(values: FloatArray, count: int) -> FloatArray:
    """The values, and the last of them on to ``count``."""
    return np.concatenate((values, np.full(count - len(values), values[-1])))


def _told(values: FloatArray) -> tuple[float, ...]:
    return tuple((np.round(values, _DIGITS) + 0.0).tolist())
