"""What a fleet's plan costs: each car by its own prices, the pool by its market and demand charges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.cars import BatchPrices, CarStays
from parkwatt.plan.batch.compiled import compiled
from parkwatt.plan.coordinate.problem import FleetProblem


@compiled
def costs_of(
    cars: CarStays, prices: BatchPrices, power_kw: NDArray[np.float32], energy_kwh_end: FloatArray
) -> FloatArray:
    """[N] energy and wear less what is left at the end; ``energy_kwh_end`` [N] gets the energy that follows from the powers."""
    cost = np.zeros(len(power_kw))
    for row in range(len(power_kw)):
        energy_kwh, money, price_row = cars.energy_kwh_at_arrival[row], 0.0, cars.price_row[row]
        wear = cars.wear_price_per_kwh[row]
        for step in range(cars.from_step[row], cars.to_step[row]):
            drawn = power_kw[row, step] * prices.duration_h[step]
            if drawn >= 0.0:
                money += drawn * prices.import_per_kwh[price_row, step]
                energy_kwh += drawn * cars.charge_efficiency[row]
            else:
                lost = drawn / cars.discharge_efficiency[row]
                money += drawn * prices.export_per_kwh[price_row, step] - wear * lost
                energy_kwh += lost
        energy_kwh_end[row] = energy_kwh
        cost[row] = money - cars.energy_value_per_kwh[row] * energy_kwh
    return cost


def nodes_cost(problem: FleetProblem, drawn_kw: FloatArray) -> float:
    """What the pool pays. ``drawn_kw``: [K, T] at each node, loads and all that is below it included."""
    market, hours, nodes = problem.market, problem.prices.duration_h, problem.nodes
    drawn = drawn_kw[0]
    per_kwh = np.where(drawn > 0, market.import_per_kwh, market.export_per_kwh)
    cost = float((hours * per_kwh * drawn).sum())
    beyond = np.nan_to_num(drawn - market.position_kw)
    cost += float((hours * market.more_per_kwh * np.maximum(beyond, 0.0)).sum())
    cost += float((hours * market.less_per_kwh * np.maximum(-beyond, 0.0)).sum())
    peaks = np.maximum(drawn_kw.max(axis=1) - nodes.peak_so_far_kw, 0.0)
    return cost + float(nodes.demand_charge_per_kw @ peaks)


def excess_kwh(problem: FleetProblem, drawn_kw: FloatArray) -> float:
    """By how much limits are exceeded, in all nodes and steps."""
    over = np.maximum(drawn_kw - problem.nodes.import_limit_kw, 0.0)
    over += np.maximum(-drawn_kw - problem.nodes.export_limit_kw, 0.0)
    return float((over @ problem.prices.duration_h).sum())
