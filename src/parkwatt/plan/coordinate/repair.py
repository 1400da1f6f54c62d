"""The last kilowatts: where sums exceed a limit by what the last moves left, some cars shift energy to other steps.

A car gives up power in the step and takes the same energy in the cheapest other step of its stay in which all nodes above it
have room, and its battery too. Only cars of kernel *linear* do, as others have powers that depend on their energy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.cars import CarStays
from parkwatt.plan.batch.compiled import compiled, inlined
from parkwatt.plan.coordinate.money import KEPT, sums_by_node
from parkwatt.plan.coordinate.moves import PowerArray
from parkwatt.plan.coordinate.problem import (
    BoolArray,
    FleetProblem,
    IntArray,
    down_the_tree,
    up_the_tree,
)

_LEAST_KWH = 1e-9
# So many cars without room one after another, and there is none.
_IN_VAIN = 3000


def repair(
    problem: FleetProblem, power_kw: PowerArray, plain: BoolArray, node_per_kwh: FloatArray
) -> None:
    """Shift what exceeds limits, as far as there is room; ``power_kw`` [N, T] changes.

    ``plain``: [N] whether kernel *linear* plans a stay. ``node_per_kwh``: [K, T] prices, by which the other step is chosen.
    """
    nodes, ones = problem.nodes, np.ones(len(power_kw))
    drawn = nodes.base_kw + sums_by_node(problem.node, ones, power_kw, problem.node_count)
    drawn_kw = up_the_tree(nodes.parent, drawn)
    allowed_kw = nodes.import_limit_kw.astype(float)
    allowed_out_kw = nodes.export_limit_kw.astype(float)
    price = down_the_tree(nodes.parent, node_per_kwh)
    parent, node_of = nodes.parent.astype(np.int64), problem.node.astype(np.int64)
    limits = Limits(allowed_kw, allowed_out_kw, drawn_kw, price, parent)
    hours, cars = problem.prices.duration_h.astype(float), problem.cars.as_kernels_take()
    mixed = np.random.default_rng(0).permutation(len(power_kw))
    whole = (cars.charge_kw_min > 0.0) | (cars.discharge_kw_min > 0.0)
    # First energy is shifted; where there is no room for it, wishes give way, as limits come first.
    for may, gives_up in ((plain, False), (~whole, True)):
        rows = mixed[may[mixed]]
        for node in range(problem.node_count - 1, -1, -1):
            too_much = np.flatnonzero(drawn_kw[node] > allowed_kw[node] * KEPT)
            too_little = np.flatnonzero(-drawn_kw[node] > allowed_out_kw[node] * KEPT)
            if len(too_much) + len(too_little) == 0:
                continue
            here = rows[_below(parent, node)[node_of[rows]]]
            for steps, lower in ((too_much, True), (too_little, False)):
                for step in steps:
                    at = (node, int(step), lower, gives_up)
                    _shift(here, *at, cars, hours, node_of, limits, power_kw)


def _below(parent: IntArray, node: int) -> BoolArray:
    """[K] whether a node is, or is below, one."""
    found = np.arange(len(parent)) == node
    for one in range(node + 1, len(parent)):
        found[one] |= found[parent[one]]
    return np.asarray(found)


@inlined
def _room_kwh(row: int, lower: bool, cars: CarStays, power_kw: float, hours: float) -> float:
    """How much less, or more, a step may add to a battery without a change between charging and discharging."""
    into, out = cars.charge_efficiency[row], cars.discharge_efficiency[row]
    if lower:
        kwh = power_kw * into if power_kw > 0.0 else (cars.discharge_kw_max[row] + power_kw) / out
    else:
        kwh = (cars.charge_kw_max[row] - power_kw) * into if power_kw >= 0.0 else -power_kw / out
    return float(max(kwh, 0.0) * hours)


@inlined
def _moved(power_kw: float, added_kwh: float, into: float, out: float, hours: float) -> float:
    """The power that adds so much more to a battery; the direction stays, or begins from 0."""
    charges = power_kw > 0.0 or (power_kw == 0.0 and added_kwh > 0.0)
    return power_kw + (added_kwh / into if charges else added_kwh * out) / hours


class Limits(NamedTuple):
    """[K, T] each: what may be drawn and given, and is drawn; ``price_per_kwh`` of a node and all above it. ``parent``: [K]."""

    allowed_kw: FloatArray
    allowed_out_kw: FloatArray
    drawn_kw: FloatArray
    price_per_kwh: FloatArray
    parent: IntArray


@inlined
def _slack_kw(limits: Limits, node: int, step: int, lower: bool) -> float:
    """What all nodes above a car leave room for in a step, to draw more (``lower`` elsewhere) or less."""
    slack, above = np.inf, node
    while above >= 0:
        drawn = limits.drawn_kw[above, step]
        room = limits.allowed_kw[above, step] - drawn
        if not lower:
            room = limits.allowed_out_kw[above, step] + drawn
        slack = min(slack, room)
        above = limits.parent[above]
    return slack


@compiled
def _other_step(
    row: int,
    step: int,
    lower: bool,
    gives_up: bool,
    wanted_kwh: float,
    cars: CarStays,
    hours: FloatArray,
    node: int,
    limits: Limits,
    energy_kwh: FloatArray,
    power_kw: PowerArray,
) -> tuple[int, float]:
    """The cheapest other step for what is shifted, where more is drawn here the dearest, and how many kWh it takes.

    The end of the stay stands for leaving with less, or more. -1: there is none. ``power_kw``: [T] of the stay.
    """
    begin, end, into = cars.from_step[row], cars.to_step[row], cars.charge_efficiency[row]
    sign, out = (1.0 if lower else -1.0), cars.discharge_efficiency[row]
    best, best_price, best_kwh, enough = -1, np.inf, 0.0, max(0.2 * wanted_kwh, _LEAST_KWH)
    asked_kwh = cars.energy_kwh_at_departure[row]
    least_kwh = max(0.0 if np.isnan(asked_kwh) else asked_kwh, cars.energy_kwh_min[row])
    if gives_up:
        # What is not charged is not charged later either; a car that waits below its floor waits longer.
        room_kwh = wanted_kwh
        if power_kw[step] <= 0.0 and energy_kwh[step + 1] < cars.energy_kwh_min[row]:
            room_kwh = 0.0
        for one in range(step, end):
            waits = energy_kwh[one + 1] < cars.energy_kwh_min[row]
            if power_kw[one] < 0.0 or not waits:
                room_kwh = min(room_kwh, max(energy_kwh[one + 1] - cars.energy_kwh_min[row], 0.0))
        return (end, room_kwh) if lower and room_kwh > _LEAST_KWH else (-1, 0.0)
    for direction in (-1, 1):
        room_kwh, one = wanted_kwh, step + direction
        while begin <= one <= end and room_kwh > _LEAST_KWH:
            # Energies between both steps fall or rise by what is shifted.
            at = one + 1 if direction < 0 else one
            falls = lower == (direction > 0)
            least = least_kwh if one == end else cars.energy_kwh_min[row]
            room = energy_kwh[at] - least if falls else cars.energy_kwh_max[row] - energy_kwh[at]
            room_kwh = min(room_kwh, room)
            if one == end:
                kwh, asks = room_kwh, cars.energy_value_per_kwh[row] * into * sign
            else:
                other = float(power_kw[one])
                kwh = min(room_kwh, _room_kwh(row, not lower, cars, other, hours[one]))
                per_kwh = 1.0 / into if other > 0.0 or (other == 0.0 and lower) else out
                kwh = min(kwh, _slack_kw(limits, node, one, lower) / per_kwh * hours[one])
                asks = limits.price_per_kwh[node, one] * sign
            if kwh > enough and asks < best_price:
                best, best_price, best_kwh = one, asks, kwh
            one += direction
    return best, best_kwh


@compiled
def _shift(
    rows: IntArray,
    node: int,
    step: int,
    lower: bool,
    gives_up: bool,
    cars: CarStays,
    hours: FloatArray,
    node_of: IntArray,
    limits: Limits,
    power_kw: PowerArray,
) -> None:
    """Let ``rows`` draw less in a step (``lower``), or more, until its node keeps its limit.

    ``gives_up``: they leave with less than they asked for.
    """
    energy_kwh, in_vain, sign = np.empty(len(hours) + 1), 0, (-1.0 if lower else 1.0)
    for row in rows:
        begin, end = cars.from_step[row], cars.to_step[row]
        if step < begin or step >= end:
            continue
        drawn_kw = limits.drawn_kw[node, step]
        beyond = drawn_kw - limits.allowed_kw[node, step]
        if not lower:
            beyond = -drawn_kw - limits.allowed_out_kw[node, step]
        if beyond <= 0.0 or in_vain > _IN_VAIN:
            return
        into, out = cars.charge_efficiency[row], cars.discharge_efficiency[row]
        energy_kwh[begin] = cars.energy_kwh_at_arrival[row]
        for one in range(begin, end):
            power = float(power_kw[row, one])
            gained = power * into if power > 0.0 else power / out
            energy_kwh[one + 1] = energy_kwh[one] + gained * hours[one]
        power = float(power_kw[row, step])
        wanted_kwh = beyond * hours[step] * (into if power > 0.0 else 1.0 / out)
        wanted_kwh = min(wanted_kwh, _room_kwh(row, lower, cars, power, hours[step]))
        other, kwh = _other_step(
            row,
            step,
            lower,
            gives_up,
            wanted_kwh,
            cars,
            hours,
            node_of[row],
            limits,
            energy_kwh,
            power_kw[row],
        )
        in_vain = in_vain + 1 if other < 0 else 0
        for one, added in ((step, sign * kwh), (other, -sign * kwh)):
            if other >= 0 and one < end:
                old = float(power_kw[row, one])
                power_kw[row, one] = np.float32(_moved(old, added, into, out, hours[one]))
                above = node_of[row]
                while above >= 0:
                    limits.drawn_kw[above, one] += float(power_kw[row, one]) - old
                    above = limits.parent[above]
