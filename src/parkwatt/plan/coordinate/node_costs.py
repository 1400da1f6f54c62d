"""What nodes cost in each step, as a convex and piecewise linear function of what they draw.

The slope rises at each break: at a limit by what exceeding it costs, at the pool's meter from the price of export to that of
import, and at the position bought ahead. A demand charge ties steps together and stands beside it, by its peak.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.compiled import compiled, inlined
from parkwatt.plan.coordinate.problem import FleetProblem, IntArray, Reserve

BREAKS = 4
# Plans are made for limits that are by so much lower, so that what rounding and the last moves leave stays within them.
_MARGIN = 2e-6


class NodeCosts(NamedTuple):
    """``break_kw``: [B, K, T] in order, infinite where there is none; ``slope_per_kwh``: [B + 1, K, T] before, between and
    after them; ``at_zero``: [K, T] per hour, the cost where nothing is drawn. ``demand_charge_per_kw``, ``peak_so_far_kw``,
    ``parent``: [K]. ``duration_h``: [T]. ``hard_per_kwh``: [K, T] from which rise on a break is one to keep. With a reserve, K
    counts its two rows of sums too, which have no parent.
    """

    break_kw: FloatArray
    slope_per_kwh: FloatArray
    at_zero: FloatArray
    demand_charge_per_kw: FloatArray
    peak_so_far_kw: FloatArray
    parent: IntArray
    duration_h: FloatArray
    hard_per_kwh: FloatArray


def node_costs(problem: FleetProblem, over_per_kwh: float, *, margin: bool) -> NodeCosts:
    """The nodes of a problem. ``over_per_kwh``: what exceeding a limit costs; ``margin``: whether limits are a little lower."""
    nodes, market = problem.nodes, problem.market
    shape = (*nodes.base_kw.shape, BREAKS)
    place, rise = np.full(shape, np.inf), np.zeros(shape)
    first = np.zeros(nodes.base_kw.shape)
    share = 1.0 - _MARGIN * margin
    place[:, :, 0] = -nodes.export_limit_kw * share
    place[:, :, 1] = nodes.import_limit_kw * share
    for one in (0, 1):
        rise[:, :, one] = np.where(np.isfinite(place[:, :, one]), over_per_kwh, 0.0)
    first -= rise[:, :, 0]
    place[:, :, 0] = np.where(np.isfinite(place[:, :, 0]), place[:, :, 0], np.inf)
    first[0] += market.export_per_kwh
    rise[0, :, 2] = market.import_per_kwh - market.export_per_kwh
    place[0, :, 2] = np.where(rise[0, :, 2] > 0.0, 0.0, np.inf)
    bought = ~np.isnan(market.position_kw)
    first[0] -= np.where(bought, market.less_per_kwh, 0.0)
    rise[0, :, 3] = np.where(bought, market.less_per_kwh + market.more_per_kwh, 0.0)
    place[0, :, 3] = np.where(bought, market.position_kw, np.inf)
    at_zero = np.zeros(nodes.base_kw.shape)
    position_kw = np.where(bought, market.position_kw, 0.0)
    at_zero[0] = market.less_per_kwh * np.maximum(position_kw, 0.0)
    at_zero[0] += market.more_per_kwh * np.maximum(-position_kw, 0.0)
    order = np.argsort(place, axis=2, kind="stable")
    rise = np.take_along_axis(rise, order, axis=2)
    slope = first[:, :, None] + np.concatenate(
        (np.zeros((*shape[:2], 1)), np.cumsum(rise, axis=2)), axis=2
    )
    found = NodeCosts(
        np.ascontiguousarray(np.moveaxis(np.take_along_axis(place, order, axis=2), 2, 0)),
        np.ascontiguousarray(np.moveaxis(slope, 2, 0)),
        at_zero,
        nodes.demand_charge_per_kw.astype(float),
        nodes.peak_so_far_kw.astype(float),
        nodes.parent.astype(np.int64),
        problem.prices.duration_h.astype(float),
        np.full(nodes.base_kw.shape, over_per_kwh),
    )
    return found if problem.reserve is None else _with_reserve(found, problem.reserve, margin)


def _with_reserve(costs: NodeCosts, reserve: Reserve, margin: bool) -> NodeCosts:
    """Two more rows: what is held back, up and down, each kW of which that is missing has a price."""
    asked_kw = np.stack((reserve.up_kw, reserve.down_kw))
    short = np.broadcast_to(reserve.short_per_kwh, asked_kw.shape)
    place = np.full((BREAKS, *asked_kw.shape), np.inf)
    place[0] = asked_kw * (1.0 + _MARGIN * margin)
    slope = np.zeros((BREAKS + 1, *asked_kw.shape))
    slope[0] = -short
    return NodeCosts(
        np.concatenate((costs.break_kw, place), axis=1),
        np.concatenate((costs.slope_per_kwh, slope), axis=1),
        np.concatenate((costs.at_zero, short * place[0])),
        np.concatenate((costs.demand_charge_per_kw, np.zeros(2))),
        np.concatenate((costs.peak_so_far_kw, np.zeros(2))),
        np.concatenate((costs.parent, np.full(2, -1))),
        costs.duration_h,
        np.concatenate((costs.hard_per_kwh, np.full(asked_kw.shape, np.inf))),
    )


@inlined
def proximal_price(
    break_kw: FloatArray,
    slope_per_kwh: FloatArray,
    node: int,
    step: int,
    drawn_kw: float,
    dual_per_kwh: float,
    stiffness: float,
) -> float:
    """The price y = dual + stiffness · (drawn − z) that is a slope of the cost at z: rises with what is drawn, from the dual
    on.

    It climbs from slope to slope, each climb of the stiffness and around its break. ``stiffness``: per kWh and kW.
    """
    # Whole arrays and places, as to take views or parts of tuples would cost more than all else; without branches, so that
    # steps are taken several at a time.
    found: float = slope_per_kwh[0, node, step]
    for one in range(BREAKS):
        slope = slope_per_kwh[one, node, step]
        rise = slope_per_kwh[one + 1, node, step] - slope
        climbed = dual_per_kwh + stiffness * (drawn_kw - break_kw[one, node, step]) - slope
        climbed = max(0.0, climbed)
        found += min(rise, climbed)
    return found


@compiled
def dual_value(
    costs: NodeCosts, dual_per_kwh: FloatArray, peak_dual_per_kwh: FloatArray, base_kw: FloatArray
) -> float:
    """The nodes' part of the dual at prices [K, T]: no plan costs less than it and all cars' best at these prices.

    ``peak_dual_per_kwh``: the part of the prices that pays demand charges. ``base_kw``: [K, T] all loads below a node included.
    Minus infinity where a price is no slope of its node's cost.
    """
    total = 0.0
    breaks, count, steps = costs.break_kw.shape
    for node in range(count):
        for step in range(steps):
            hours, dual = costs.duration_h[step], dual_per_kwh[node, step]
            place, slope = costs.break_kw[:, node, step], costs.slope_per_kwh[:, node, step]
            if dual < slope[0] - 1e-9 or dual > slope[breaks] + 1e-9:
                return -np.inf
            # Where the slope passes the price; without a break the slope is the price.
            at = 0
            while at < breaks and slope[at + 1] < dual:
                at += 1
            drawn = place[at] if at < breaks else place[breaks - 1]
            if not np.isfinite(drawn):
                drawn = place[at - 1] if at > 0 else 0.0
            total += hours * (_cost(drawn, place, slope, costs.at_zero[node, step]) - dual * drawn)
            total += hours * (dual + peak_dual_per_kwh[node, step]) * base_kw[node, step]
            total -= hours * peak_dual_per_kwh[node, step] * costs.peak_so_far_kw[node]
    return total


@compiled
def _cost(drawn_kw: float, break_kw: FloatArray, slope: FloatArray, at_zero: float) -> float:
    """Per hour, of drawing so much."""
    low, high = min(drawn_kw, 0.0), max(drawn_kw, 0.0)
    cost, before = 0.0, -np.inf
    for one in range(len(slope)):
        after = break_kw[one] if one < len(break_kw) else np.inf
        cost += slope[one] * max(min(after, high) - max(before, low), 0.0)
        before = after
    return float(at_zero + (cost if drawn_kw > 0.0 else -cost))
