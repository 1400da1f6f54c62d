"""An independent checker of a fleet's plan: what it must keep and what it costs, from the problem and the powers alone.

It shares no code with the planner; how things are counted is in docs/modelling/coordination.md and the contract.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.plan.coordinate import Coordinated, FleetProblem

# Powers are single precision: so much may an energy be off after a day of them, and a power or a sum of powers.
ENERGY_KWH = 1e-3
POWER_KW = 1e-4
# What limits and costs are told to, relative to themselves.
RELATIVE = 1e-6


def faults_of_plan(problem: FleetProblem, found: Coordinated) -> list[str]:
    """What a plan does not keep of what holds for every plan: cars, batteries, sums and all that the plan says of itself."""
    return [
        *_power_faults(problem, found),
        *_energy_faults(problem, found),
        *_told_faults(problem, found),
    ]


def faults_of_wishes(problem: FleetProblem, found: Coordinated) -> list[str]:
    """What a plan misses where all wishes fit below all limits: limits, floors, departures."""
    nodes, drawn = problem.nodes, drawn_at_nodes(problem, found.power_kw)
    cars, energy = problem.cars, energies(problem, found.power_kw)
    floors, asked = wishes(problem)
    inside = _steps_inside(problem)
    faults = []
    if (drawn > nodes.import_limit_kw * (1 + RELATIVE) + POWER_KW).any():
        faults.append("an import limit is exceeded")
    if (-drawn > nodes.export_limit_kw * (1 + RELATIVE) + POWER_KW).any():
        faults.append("an export limit is exceeded")
    if ((energy[:, 1:] < floors - ENERGY_KWH) & inside).any():
        faults.append("a car is below its floor later than it has to be")
    if (energy[:, -1] < asked - ENERGY_KWH).any():
        short = np.flatnonzero(energy[:, -1] < asked - ENERGY_KWH).tolist()
        faults.append(f"cars {short[:5]} of {cars.stay_count} leave with less than they could have")
    return faults


def energies(problem: FleetProblem, power_kw: NDArray[Any]) -> FloatArray:
    """[N, T+1] kWh in the battery of each stay before each step and at the end, from its arrival and powers [N, T]."""
    cars, power = problem.cars, power_kw.astype(np.float64)
    gained = np.where(
        power > 0,
        power * cars.charge_efficiency[:, None],
        power / cars.discharge_efficiency[:, None],
    )
    after = np.cumsum(gained * problem.prices.duration_h, axis=1)
    arrived = cars.energy_kwh_at_arrival[:, None]
    return np.hstack((arrived, arrived + after))


def drawn_at_nodes(problem: FleetProblem, power_kw: NDArray[Any]) -> FloatArray:
    """[K, T] kW at each node: its loads, its cars, and all of that at the nodes below."""
    parent = problem.nodes.parent.tolist()
    drawn = problem.nodes.base_kw.astype(np.float64).copy()
    power = power_kw.astype(np.float64)
    for row, at in enumerate(problem.node.tolist()):
        node = at
        while node >= 0:
            drawn[node] += power[row]
            node = parent[node]
    for lower in range(len(parent)):
        node = parent[lower]
        while node >= 0:
            drawn[node] += problem.nodes.base_kw[lower]
            node = parent[node]
    return drawn


def wishes(problem: FleetProblem) -> tuple[FloatArray, FloatArray]:
    """[N, T] the least energy after each step, and [N] at departure: what is asked as far as full power from arrival on would
    bring it.
    """
    cars, hours = problem.cars, problem.prices.duration_h
    inside = _steps_inside(problem)
    full_kwh = np.cumsum(inside * hours, axis=1)
    full_kwh = full_kwh * (cars.charge_kw_max * cars.charge_efficiency)[:, None]
    top = np.maximum(cars.energy_kwh_max, cars.energy_kwh_at_arrival)[:, None]
    best = np.minimum(cars.energy_kwh_at_arrival[:, None] + full_kwh, top)
    asked = np.nan_to_num(cars.energy_kwh_at_departure, nan=0.0)
    return np.minimum(cars.energy_kwh_min[:, None], best), np.minimum(asked, best[:, -1])


def cost_of(problem: FleetProblem, power_kw: NDArray[Any]) -> float:
    """Cars by their own prices and wear less what is left in them, the pool by its market, position and demand charges."""
    cars, prices, market = problem.cars, problem.prices, problem.market
    hours, power = prices.duration_h, power_kw.astype(np.float64)
    drawn = drawn_at_nodes(problem, power_kw)
    cost = 0.0
    for row in range(cars.stay_count):
        bought, sold = np.maximum(power[row], 0.0) * hours, np.maximum(-power[row], 0.0) * hours
        tariff = int(cars.price_row[row])
        cost += float(bought @ prices.import_per_kwh[tariff] - sold @ prices.export_per_kwh[tariff])
        cost += float(sold.sum() / cars.discharge_efficiency[row] * cars.wear_price_per_kwh[row])
    left = energies(problem, power_kw)[:, -1]
    cost -= float(left @ cars.energy_value_per_kwh)
    cost += float((np.maximum(drawn[0], 0.0) * hours) @ market.import_per_kwh)
    cost -= float((np.maximum(-drawn[0], 0.0) * hours) @ market.export_per_kwh)
    known = ~np.isnan(market.position_kw)
    apart = (drawn[0] - market.position_kw)[known] * hours[known]
    cost += float(np.maximum(apart, 0.0) @ market.more_per_kwh[known])
    cost += float(np.maximum(-apart, 0.0) @ market.less_per_kwh[known])
    for node in range(problem.node_count):
        above = max(0.0, float(drawn[node].max()) - float(problem.nodes.peak_so_far_kw[node]))
        cost += above * float(problem.nodes.demand_charge_per_kw[node])
    return cost


def turnover(problem: FleetProblem, power_kw: NDArray[Any]) -> float:
    """What all energy would cost at the dearest price: rounding of costs is measured by it, as a cost may be near 0."""
    prices, market = problem.prices, problem.market
    dearest = max(
        float(np.abs(one).max(initial=0.0))
        for one in (
            prices.import_per_kwh,
            prices.export_per_kwh,
            market.import_per_kwh,
            market.export_per_kwh,
            market.more_per_kwh,
            market.less_per_kwh,
            problem.cars.energy_value_per_kwh,
        )
    )
    moved = float((np.abs(power_kw).astype(np.float64) @ prices.duration_h).sum())
    moved += float((np.abs(problem.nodes.base_kw) @ prices.duration_h).sum())
    return dearest * moved + float(problem.nodes.demand_charge_per_kw.sum()) + 1.0


def _steps_inside(problem: FleetProblem) -> NDArray[np.bool_]:
    """[N, T] whether the car is plugged in."""
    steps, cars = np.arange(problem.step_count), problem.cars
    return np.asarray((steps >= cars.from_step[:, None]) & (steps < cars.to_step[:, None]))


def _power_faults(problem: FleetProblem, found: Coordinated) -> list[str]:
    cars, power = problem.cars, found.power_kw.astype(np.float64)
    inside, faults = _steps_inside(problem), []
    if power.shape != inside.shape or not np.isfinite(power).all():
        return ["powers are not one finite number for each stay and step"]
    if (power * ~inside).any():
        faults.append("a car has power while it is away")
    if (power > cars.charge_kw_max[:, None] * (1 + RELATIVE) + POWER_KW).any():
        faults.append("a car charges with more than it can")
    if (-power > cars.discharge_kw_max[:, None] * (1 + RELATIVE) + POWER_KW).any():
        faults.append("a car discharges with more than it can")
    some_up, some_down = power > POWER_KW, power < -POWER_KW
    if (some_up & (power < cars.charge_kw_min[:, None] - POWER_KW)).any():
        faults.append("a car charges with less than its least power")
    if (some_down & (-power < cars.discharge_kw_min[:, None] - POWER_KW)).any():
        faults.append("a car discharges with less than its least power")
    return faults


def _energy_faults(problem: FleetProblem, found: Coordinated) -> list[str]:
    cars, energy = problem.cars, energies(problem, found.power_kw)
    rounding, faults = ENERGY_KWH + RELATIVE * np.abs(energy[:, 1:]), []
    top = np.maximum(cars.energy_kwh_max[:, None], energy[:, :-1])
    if (energy[:, 1:] > top + rounding).any():
        faults.append("a battery is above its maximum, and was not before")
    floor = np.minimum(cars.energy_kwh_min[:, None], energy[:, :-1])
    if (energy[:, 1:] < floor - rounding).any():
        faults.append("a battery is discharged below its floor")
    return faults


def _told_faults(problem: FleetProblem, found: Coordinated) -> list[str]:
    """Whether what a plan says of itself is what follows from its powers."""
    cars, nodes, power = problem.cars, problem.nodes, found.power_kw
    drawn, energy = drawn_at_nodes(problem, power), energies(problem, power)
    asked = np.nan_to_num(cars.energy_kwh_at_departure, nan=-np.inf)
    missing = np.maximum(asked - energy[:, -1], 0.0)
    over = np.maximum(drawn - nodes.import_limit_kw, -drawn - nodes.export_limit_kw)
    excess_kwh = float((np.maximum(over, 0.0) @ problem.prices.duration_h).sum())
    scale = RELATIVE * turnover(problem, power)
    at_all = float((np.abs(drawn) @ problem.prices.duration_h).sum())
    faults = []
    if not np.allclose(found.energy_kwh_end, energy[:, -1], rtol=RELATIVE, atol=ENERGY_KWH):
        faults.append("energy_kwh_end is not what the powers bring")
    if not np.allclose(found.shortfall_kwh, missing, rtol=RELATIVE, atol=ENERGY_KWH):
        faults.append("shortfall_kwh is not what is missing")
    if not np.allclose(found.drawn_kw, drawn, rtol=RELATIVE, atol=ENERGY_KWH):
        faults.append("drawn_kw is not the sum below each node")
    if abs(found.excess_kwh - excess_kwh) > ENERGY_KWH + RELATIVE * at_all:
        faults.append(f"excess_kwh is {found.excess_kwh}, not {excess_kwh}")
    cost = cost_of(problem, power)
    if abs(found.cost - cost) > scale:
        faults.append(f"cost is {found.cost}, not {cost}")
    return faults
