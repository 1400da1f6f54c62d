"""What a fleet's plan costs: each car by its own prices, the pool by its market and demand charges."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.cars import BatchPrices, CarStays, MissPrices
from parkwatt.plan.batch.compiled import compiled, inlined
from parkwatt.plan.batch.reserve import HeldTerms, sums_held_back, terms_of
from parkwatt.plan.coordinate.problem import BoolArray, FleetProblem, IntArray, up_the_tree

# Sums of powers in single precision are not known better.
KEPT = 1.0 + 1e-6


@compiled
def stay_cost(
    row: int, cars: CarStays, prices: BatchPrices, miss: MissPrices, power_kw: NDArray[np.float32]
) -> float:
    """Energy, wear and what wishes missed cost, less what is left at the end, of a stay's powers [T]."""
    energy_kwh, money, price_row = cars.energy_kwh_at_arrival[row], 0.0, cars.price_row[row]
    wear, floor_kwh = cars.wear_price_per_kwh[row], cars.energy_kwh_min[row]
    holding, held_from = cars.holding_price_per_kwh_h[row], cars.holding_from_kwh[row]
    waits = energy_kwh < floor_kwh and np.isfinite(miss.floor_per_kwh_h)
    for step in range(cars.from_step[row], cars.to_step[row]):
        drawn = power_kw[step] * prices.duration_h[step]
        if drawn >= 0.0:
            money += drawn * prices.import_per_kwh[price_row, step]
            energy_kwh += drawn * cars.charge_efficiency[row]
        else:
            lost = drawn / cars.discharge_efficiency[row]
            money += drawn * prices.export_per_kwh[price_row, step] - wear * lost
            energy_kwh += lost
        if holding > 0.0 and energy_kwh > held_from:
            money += holding * (energy_kwh - held_from) * prices.duration_h[step]
        if waits and energy_kwh < floor_kwh:
            money += miss.floor_per_kwh_h * (floor_kwh - energy_kwh) * prices.duration_h[step]
    missing_kwh = cars.energy_kwh_at_departure[row] - energy_kwh
    if missing_kwh > 0.0 and np.isfinite(miss.departure_per_kwh):
        money += miss.departure_per_kwh * missing_kwh
    return float(money - cars.energy_value_per_kwh[row] * energy_kwh)


@compiled
def energies_at_end(
    cars: CarStays, duration_h: FloatArray, power_kw: NDArray[np.float32]
) -> FloatArray:
    """[N] kWh in the battery at the end of each stay."""
    found = cars.energy_kwh_at_arrival.copy()
    for row in range(len(power_kw)):
        for step in range(cars.from_step[row], cars.to_step[row]):
            drawn = power_kw[row, step] * duration_h[step]
            if drawn >= 0.0:
                found[row] += drawn * cars.charge_efficiency[row]
            else:
                found[row] += drawn / cars.discharge_efficiency[row]
    return found


@compiled
def costs_of(
    cars: CarStays, prices: BatchPrices, miss: MissPrices, power_kw: NDArray[np.float32]
) -> FloatArray:
    """[N] the cost of each stay, with what missed wishes cost."""
    found = np.empty(len(power_kw))
    for row in range(len(power_kw)):
        found[row] = stay_cost(row, cars, prices, miss, power_kw[row])
    return found


@inlined
def _charge_kw(row: int, cars: CarStays, energy_kwh: float, hours: float) -> float:
    """The highest charging power of a step that begins at an energy: what tapers does so by the energy at its end."""
    most, full = cars.charge_kw_max[row], cars.taper_kw_at_max[row]
    from_kwh, maximum_kwh = cars.taper_from_kwh[row], cars.energy_kwh_max[row]
    if from_kwh >= maximum_kwh or full >= most:
        return float(most)
    falls = (most - full) / (maximum_kwh - from_kwh)
    # power = most − falls · (energy + power · into · hours − from), where that is above from.
    gained = cars.charge_efficiency[row] * hours
    allowed = (most + falls * (from_kwh - energy_kwh)) / (1.0 + falls * gained)
    return float(max(min(most, allowed), 0.0))


@compiled
def follow(
    cars: CarStays, duration_h: FloatArray, power_kw: NDArray[np.float32]
) -> NDArray[np.float32]:
    """[N, T] what cars make of plans that were made for other energies or stays: within their powers, floor and maximum; what
    is below its floor charges first.
    """
    found = np.zeros_like(power_kw)
    for row in range(len(power_kw)):
        energy_kwh, into = cars.energy_kwh_at_arrival[row], cars.charge_efficiency[row]
        out, floor_kwh = cars.discharge_efficiency[row], cars.energy_kwh_min[row]
        most, least = cars.charge_kw_max[row], cars.discharge_kw_max[row]
        for step in range(cars.from_step[row], cars.to_step[row]):
            hours, power = duration_h[step], float(power_kw[row, step])
            if energy_kwh < floor_kwh:
                power = max(power, min(most, (floor_kwh - energy_kwh) / into / hours))
                power = max(power, min(cars.charge_kw_min[row], most))
            if power > 0.0:
                room_kwh = max(cars.energy_kwh_max[row] - energy_kwh, 0.0)
                allowed = _charge_kw(row, cars, energy_kwh, hours)
                power = min(power, most, allowed, room_kwh / into / hours)
                power = power if power >= cars.charge_kw_min[row] else 0.0
                energy_kwh += power * into * hours
            elif power < 0.0:
                held_kwh = max(energy_kwh - floor_kwh, 0.0)
                power = -min(-power, least, held_kwh * out / hours)
                power = power if -power >= cars.discharge_kw_min[row] else 0.0
                energy_kwh += power / out * hours
            found[row, step] = power
    return found


class Penalties(NamedTuple):
    """What comes before money, in the contract's order: limits, then floors, then departures. ``dearest_per_kwh``: the
    largest price of energy of any kind; ``most_per_kwh``: what money can make of a price, with the reserve; ``least_saved``:
    less is not worth a move of a car.
    """

    miss: MissPrices
    over_per_kwh: float
    dearest_per_kwh: float
    most_per_kwh: float
    least_saved: float


def penalties_of(problem: FleetProblem) -> Penalties:
    """Prices so high that no plan misses one wish for a later one, or for money, beyond what has to be."""
    market, hours, cars = problem.market, problem.prices.duration_h, problem.cars
    kinds = (
        problem.prices.import_per_kwh,
        problem.prices.export_per_kwh,
        market.import_per_kwh,
        market.export_per_kwh,
        market.more_per_kwh,
        market.less_per_kwh,
    )
    dearest = max(0.01, *(float(np.abs(one).max(initial=0.0)) for one in kinds))
    short = 0.0
    if problem.reserve is not None:
        short = float(problem.reserve.short_per_kwh.max(initial=0.0))
    own = max(float(np.abs(one).max(initial=0.0)) for one in kinds[:2])
    worth = float(np.abs(cars.energy_value_per_kwh).max(initial=0.0))
    holding = float(cars.holding_price_per_kwh_h.max(initial=0.0)) * float(hours.sum())
    charge = float(problem.nodes.demand_charge_per_kw.sum()) / float(hours.min())
    most = own + 2.0 * (dearest + short) + worth + holding + charge
    efficiency = float(
        min(cars.charge_efficiency.min(initial=1.0), cars.discharge_efficiency.min(initial=1.0))
    )
    departure = 4.0 * most / efficiency**2
    floor = 4.0 * departure / float(hours.min())
    return Penalties(
        MissPrices(departure, floor),
        4.0 * floor * float(hours.sum()),
        dearest,
        dearest + 2.0 * short,
        1e-6 * dearest,
    )


def reachable(problem: FleetProblem) -> FleetProblem:
    """The same, each car asking for no more than full power from arrival on would bring: what is beyond is missed in any
    plan.
    """
    cars, edges = problem.cars, np.concatenate(([0.0], np.cumsum(problem.prices.duration_h)))
    stayed_h = edges[cars.to_step] - edges[cars.from_step]
    best = cars.energy_kwh_at_arrival + stayed_h * cars.charge_kw_max * cars.charge_efficiency
    best = np.minimum(best, np.maximum(cars.energy_kwh_max, cars.energy_kwh_at_arrival))
    asked = np.minimum(cars.energy_kwh_at_departure, best)
    return replace(problem, cars=cars._replace(energy_kwh_at_departure=asked))


def unavoidable_cost(
    problem: FleetProblem, miss: MissPrices, rows: IntArray, weight: FloatArray
) -> float:
    """What wishes of some stays cost that no plan can meet: energy below the floor while a car charges at full power.

    ``weight``: for how many cars each of ``rows`` stands.
    """
    if not np.isfinite(miss.floor_per_kwh_h):
        return 0.0
    cars = problem.cars.take(rows)
    waits = np.flatnonzero(cars.energy_kwh_at_arrival < cars.energy_kwh_min)
    full = np.repeat(cars.charge_kw_max[waits, None], problem.step_count, axis=1)
    below = cars.take(waits)
    plans = follow(below, problem.prices.duration_h, full.astype(np.float32))
    free = BatchPrices(
        np.zeros((1, problem.step_count)),
        np.zeros((1, problem.step_count)),
        problem.prices.duration_h,
    )
    only = below._replace(
        price_row=np.zeros(len(waits), np.int64),
        wear_price_per_kwh=np.zeros(len(waits)),
        energy_value_per_kwh=np.zeros(len(waits)),
        energy_kwh_at_departure=np.full(len(waits), np.nan),
        holding_price_per_kwh_h=np.zeros(len(waits)),
    )
    return float(weight[waits] @ costs_of(only, free, miss, plans))


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
    """By how much limits are exceeded, in all nodes and steps; a limit holds to a millionth of it."""
    over = np.maximum(drawn_kw - problem.nodes.import_limit_kw * KEPT, 0.0)
    over += np.maximum(-drawn_kw - problem.nodes.export_limit_kw * KEPT, 0.0)
    return float((over @ problem.prices.duration_h).sum())


def drawn_by_cars(
    node: IntArray,
    weight: FloatArray,
    cars: CarStays,
    parent: IntArray,
    power_kw: NDArray[np.float32],
    terms: HeldTerms,
    member: BoolArray | None,
) -> FloatArray:
    """[K, T] sums over cars: what those at and below each node draw; then, with ``member`` [N], what these hold back."""
    own_kw = sums_by_node(node, weight, power_kw, len(parent))
    drawn_kw = up_the_tree(parent, own_kw)
    if member is None:
        return drawn_kw
    rows, hours = np.flatnonzero(member), np.diff(terms.edge_h)
    return np.vstack((drawn_kw, sums_held_back(rows, weight, cars, terms, hours, power_kw)))


def sums_of_plans(
    problem: FleetProblem, power_kw: NDArray[np.float32], weight: FloatArray
) -> FloatArray:
    """[K, T] sums over all stays of a problem, each of which counts ``weight`` [N] times."""
    reserve, member, hours_h = problem.reserve, None, 1.0
    if reserve is not None:
        member, hours_h = problem.members, float(reserve.hours_h)
    terms = terms_of(hours_h, problem.prices.duration_h)
    cars, parent = problem.cars.as_kernels_take(), problem.nodes.parent
    return drawn_by_cars(problem.node, weight, cars, parent, power_kw, terms, member)


def reserve_short_kwh(problem: FleetProblem, held_kw: FloatArray) -> FloatArray:
    """[2, T] what is missing of the reserve; empty where there is none. ``held_kw``: [2, T] up and down."""
    if problem.reserve is None:
        return np.zeros((0, problem.step_count))
    asked_kw = np.stack((problem.reserve.up_kw, problem.reserve.down_kw))
    missing_kw = np.where(held_kw * KEPT < asked_kw, asked_kw - held_kw, 0.0)
    return np.asarray(missing_kw * problem.prices.duration_h)


def reserve_cost(problem: FleetProblem, held_kw: FloatArray) -> float:
    """What is lost by what is not held back."""
    if problem.reserve is None:
        return 0.0
    return float((reserve_short_kwh(problem, held_kw) @ problem.reserve.short_per_kwh).sum())


def sums_by_node(
    node: IntArray, weight: FloatArray, power_kw: NDArray[np.float32], node_count: int
) -> FloatArray:
    """[K, T] what the cars at each node draw, without those below it."""
    found = np.zeros((node_count, power_kw.shape[1]))
    order = np.argsort(node, kind="stable")
    starts = np.searchsorted(node[order], np.arange(node_count + 1))
    for one in range(node_count):
        rows = order[starts[one] : starts[one + 1]]
        for some in np.array_split(rows, max(1, len(rows) // 10_000)):
            found[one] += weight[some] @ power_kw[some]
    return found
