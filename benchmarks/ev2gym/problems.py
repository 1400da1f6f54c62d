"""From the cars at EV2Gym's ports to a problem of cars that share limits."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from benchmarks.ev2gym.ports import Port
from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import BatchPrices, CarStays
from parkwatt.plan.coordinate import FleetProblem, Nodes, no_market
from parkwatt.plan.coordinate.problem import IntArray

WEAR_PER_KWH: Final = 1e-3
"""So that no energy goes in and out at equal prices. EV2Gym's own money knows no wear."""
_SPARE_KW: Final = 0.01
"""Plans hold a limit to some millionths of it."""


def stays(ports: list[Port], full_steps: IntArray, wanted_kwh: list[float]) -> CarStays:
    """A stay for each port, up to its last ``full_steps`` [N], by when it is to hold ``wanted_kwh``."""

    def each(values: list[float]) -> FloatArray:
        return np.array(values, float)

    count = len(ports)
    nothing, ones = np.zeros(count), np.ones(count)
    return CarStays(
        from_step=np.zeros(count, np.int64),
        to_step=np.array([one.steps_left for one in ports], np.int64) - full_steps,
        energy_kwh_at_arrival=each([one.energy_kwh for one in ports]),
        energy_kwh_at_departure=each(wanted_kwh),
        energy_kwh_min=each([min(one.floor_kwh, one.energy_kwh) for one in ports]),
        energy_kwh_max=each([max(one.capacity_kwh, one.energy_kwh) for one in ports]),
        charge_kw_max=each([one.charge_kw for one in ports]),
        discharge_kw_max=each([one.discharge_kw for one in ports]),
        charge_kw_min=nothing,
        discharge_kw_min=nothing,
        charge_efficiency=ones,
        discharge_efficiency=ones,
        wear_price_per_kwh=np.full(count, WEAR_PER_KWH),
        energy_value_per_kwh=nothing,
        price_row=np.zeros(count, np.int64),
        taper_from_kwh=np.full(count, np.inf),
        taper_kw_at_max=nothing,
        holding_price_per_kwh_h=nothing,
        holding_from_kwh=nothing,
    )


def nodes_of(env: Any, ports: list[Port], base_kw: FloatArray) -> Nodes:
    """The pool, each transformer with its limits as announced and its forecast load, and each port, which tapers now.

    ``base_kw``: [1 + transformers, T] of cars whose power is settled.
    """
    first, steps = base_kw.shape
    count = first + len(ports)
    import_kw, export_kw = np.full((2, count, steps), np.inf)
    load_kw = np.zeros((count, steps))
    load_kw[:first] = base_kw
    for place, transformer in enumerate(env.transformers, start=1):
        load, sun = transformer.get_load_pv_forecast(env.current_step, steps)
        load_kw[place] += np.asarray(load[:steps]) + np.asarray(sun[:steps])
        limit_kw = transformer.get_power_limits(env.current_step, steps)[:steps]
        import_kw[place] = export_kw[place] = np.maximum(0.0, limit_kw - _SPARE_KW)
    for place, port in enumerate(ports, start=first):
        import_kw[place, 0] = port.charged_kwh(port.energy_kwh, 1.0) / port.step_h
    parent = [-1] + [0] * (first - 1) + [one.transformer + 1 for one in ports]
    nothing = np.zeros(count)
    return Nodes(np.array(parent), load_kw, import_kw, export_kw, nothing, nothing)


def fleet(cars: CarStays, nodes: Nodes, price_per_kwh: FloatArray, step_h: float) -> FleetProblem:
    """Cars at the last nodes. ``price_per_kwh``: [N or 1, T], the same for both directions, as EV2Gym has it."""
    steps, count = price_per_kwh.shape[1], cars.stay_count
    if len(price_per_kwh) > 1:
        cars = cars._replace(price_row=np.arange(count))
    return FleetProblem(
        cars=cars,
        prices=BatchPrices(price_per_kwh, price_per_kwh, np.full(steps, step_h)),
        node=np.arange(len(nodes.parent) - count, len(nodes.parent)),
        nodes=nodes,
        market=no_market(steps),
    )


def price_ahead(env: Any, steps: int) -> FloatArray:
    """[1, T] per kWh in the battery, for both directions; EV2Gym's price of charging is what a car earns, so below 0."""
    now = env.current_step
    price = -np.asarray(env.charge_prices[0, now : now + steps], float)
    return np.pad(price, (0, steps - len(price)), mode="edge")[None]
