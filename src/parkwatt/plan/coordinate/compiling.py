"""All kernels of a shard compiled at once, so that processes begun later find the same code on the disk.

Code that a process has just compiled may round otherwise than the same code compiled by another. Where processes are to come
to the same result to the bit, they all have to take it from the disk.
"""

from __future__ import annotations

import numpy as np

from parkwatt.plan.batch import BatchPrices, CarStays, MissPrices
from parkwatt.plan.coordinate.balance import new_balance, refresh
from parkwatt.plan.coordinate.node_costs import node_costs
from parkwatt.plan.coordinate.problem import FleetProblem, Reserve, no_market, one_limit
from parkwatt.plan.coordinate.shard import Shard

_STEPS = 4


def compile_kernels() -> None:
    """Let a car of each kind be planned in each way."""
    for has_reserve in (False, True):
        problem = _problem(has_reserve)
        costs = node_costs(problem, 1000.0, margin=True)
        for remembers in (False, True):
            count, sums = problem.cars.stay_count, problem.sum_count
            shard = Shard(
                problem,
                np.arange(count),
                np.ones(count),
                MissPrices(10.0, 100.0),
                threads=1,
                remembers=remembers,
                least_saved=1e-6,
            )
            balance = new_balance(costs, np.zeros((sums, _STEPS)), np.full(sums, 0.01))
            refresh(costs, balance)
            powers = np.zeros((count, _STEPS), np.float32)
            shard.begin_with(powers, np.arange(count) > 0)
            for _ in range(2):
                shard.turn(costs, balance, shard.weight_below(), np.zeros((sums, _STEPS)))
            shard.best(balance.price_per_kwh)
            shard.own_cost()


def _problem(has_reserve: bool) -> FleetProblem:
    """Two cars each that are linear, that taper, that have a least power, and that begin below their floor."""
    kind = np.arange(8) % 4
    same = np.ones(8)
    cars = CarStays(
        from_step=np.zeros(8, np.int64),
        to_step=np.full(8, _STEPS),
        energy_kwh_at_arrival=np.where(kind == 3, 2.0, 20.0),
        energy_kwh_at_departure=30.0 * same,
        energy_kwh_min=10.0 * same,
        energy_kwh_max=40.0 * same,
        charge_kw_max=11.0 * same,
        discharge_kw_max=11.0 * same,
        charge_kw_min=np.where(kind == 2, 4.1, 0.0),
        discharge_kw_min=0.0 * same,
        charge_efficiency=0.9 * same,
        discharge_efficiency=0.9 * same,
        wear_price_per_kwh=0.02 * same,
        energy_value_per_kwh=0.1 * same,
        price_row=np.zeros(8, np.int64),
        taper_from_kwh=np.where(kind == 1, 25.0, np.inf),
        taper_kw_at_max=np.where(kind == 1, 2.0, 0.0),
        holding_price_per_kwh_h=0.0 * same,
        holding_from_kwh=0.0 * same,
    )
    prices = BatchPrices(
        np.array([[0.3, 0.1, 0.4, 0.2]]), np.array([[0.2, 0.05, 0.3, 0.1]]), np.ones(_STEPS)
    )
    asked_kw, node = np.full(_STEPS, 20.0), np.zeros(8, np.int64)
    reserve = Reserve(asked_kw, asked_kw, 0.5, np.ones(_STEPS), np.ones(8, np.bool_))
    nodes = one_limit(_STEPS, import_limit_kw=40.0)._replace(demand_charge_per_kw=np.ones(1))
    market = no_market(_STEPS)
    return FleetProblem(cars, prices, node, nodes, market, reserve if has_reserve else None)
