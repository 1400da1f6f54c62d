"""What nodes draw and what that is worth while a fleet's plan is searched for.

The nodes' costs are made smooth by an augmented Lagrangian (R. T. Rockafellar, 1976): a node's price rises with what it
draws, from the dual found so far on. After each round the prices become the duals. Where an excess does not shrink, the price
rises faster from then on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.compiled import compiled, inlined
from parkwatt.plan.coordinate.node_costs import NodeCosts, proximal_price

_PEAK_STEPS = 60
# An excess that is still this share of what it was, though its price rose by this share of the dearest, makes the price rise
# faster, up to so many times as fast as at first.
_HARDLY_LESS, _RISE, _FASTER, _FASTER_SCARCE, _FASTEST = 0.6, 0.02, 2.0, 8.0, 1e6
_ROUNDING = 1e-9


class Balance(NamedTuple):
    """``drawn_kw``: [K, T] at each node, all below it included. ``dual_per_kwh``: [K, T] found so far, ``peak_dual_per_kwh``
    the part for demand charges; ``stiffness``: [K, T] by how much a price rises per kW, ``demand_stiffness``: [K] the same for
    demand charges; ``peak_kw``: [K]. ``price_per_kwh``: [K, T] at what is drawn now, both parts. ``excess_kw``: [K, T] beyond
    limits after the last round. ``scale``: [K] what a move of a car counts for at a node: more than itself, where others of
    which nothing is known yet move at the same time.
    """

    drawn_kw: FloatArray
    dual_per_kwh: FloatArray
    peak_dual_per_kwh: FloatArray
    stiffness: FloatArray
    demand_stiffness: FloatArray
    peak_kw: FloatArray
    price_per_kwh: FloatArray
    excess_kw: FloatArray
    scale: FloatArray


def new_balance(costs: NodeCosts, base_kw: FloatArray, stiffness: FloatArray) -> Balance:
    """Before any car has a plan. ``base_kw``: [K, T] loads below each node; ``stiffness``: [K]."""
    shape = base_kw.shape
    # Prices within the range of slopes, so that the first bound is one.
    dual = np.clip(np.zeros(shape), costs.slope_per_kwh[0], costs.slope_per_kwh[-1])
    return Balance(
        drawn_kw=base_kw.copy(),
        dual_per_kwh=dual,
        peak_dual_per_kwh=np.zeros(shape),
        stiffness=np.repeat(stiffness[:, None], shape[1], axis=1),
        demand_stiffness=stiffness.copy(),
        peak_kw=costs.peak_so_far_kw.copy(),
        price_per_kwh=np.zeros(shape),
        excess_kw=np.zeros(shape),
        scale=np.ones(shape[0]),
    )


@inlined
def _peak_price(dual_per_kwh: float, stiffness: float, drawn_kw: float, peak_kw: float) -> float:
    price = dual_per_kwh + stiffness * (drawn_kw - peak_kw)
    return max(0.0, price)


@inlined
def _price_at(
    break_kw: FloatArray,
    slope_per_kwh: FloatArray,
    dual_per_kwh: FloatArray,
    stiffness: FloatArray,
    peak_dual_per_kwh: FloatArray,
    demand_stiffness: float,
    peak_kw: float,
    node: int,
    step: int,
    drawn_kw: float,
) -> float:
    """Both parts of a node's price; ``demand_stiffness``: 0 where there is no demand charge, as its dual is then."""
    dual, steep = dual_per_kwh[node, step], stiffness[node, step]
    price = proximal_price(break_kw, slope_per_kwh, node, step, drawn_kw, dual, steep)
    peak_dual = peak_dual_per_kwh[node, step]
    return price + _peak_price(peak_dual, demand_stiffness, drawn_kw, peak_kw)


@inlined
def _demand_stiffness(costs: NodeCosts, balance: Balance, node: int) -> float:
    return balance.demand_stiffness[node] if costs.demand_charge_per_kw[node] > 0.0 else 0.0


@compiled
def _draw_at(
    costs: NodeCosts,
    balance: Balance,
    node: int,
    begin: int,
    end: int,
    move_kw: FloatArray,
    share: float,
) -> None:
    breaks, slopes, rising = (
        costs.break_kw,
        costs.slope_per_kwh,
        _demand_stiffness(costs, balance, node),
    )
    drawn, dual, stiffness = balance.drawn_kw, balance.dual_per_kwh, balance.stiffness
    peak_dual, prices = balance.peak_dual_per_kwh, balance.price_per_kwh
    peak_kw, part = balance.peak_kw[node], share * balance.scale[node]
    for step in range(begin, end):
        then_kw = drawn[node, step] + part * move_kw[step]
        price = _price_at(
            breaks, slopes, dual, stiffness, peak_dual, rising, peak_kw, node, step, then_kw
        )
        drawn[node, step], prices[node, step] = then_kw, price


@compiled
def refresh(costs: NodeCosts, balance: Balance) -> None:
    """Find the peaks that pay for the demand charges at what is drawn now, and all prices."""
    count, steps = balance.drawn_kw.shape
    nothing = np.zeros(steps)
    for node in range(count):
        if costs.demand_charge_per_kw[node] > 0.0:
            balance.peak_kw[node] = _peak_kw(
                balance.drawn_kw[node],
                balance.peak_dual_per_kwh[node],
                balance.demand_stiffness[node],
                costs.demand_charge_per_kw[node],
                costs.peak_so_far_kw[node],
                costs.duration_h,
            )
        _draw_at(costs, balance, node, 0, steps, nothing, 0.0)


@compiled
def _peak_kw(
    drawn_kw: FloatArray,
    dual_per_kwh: FloatArray,
    stiffness: float,
    charge_per_kw: float,
    so_far_kw: float,
    duration_h: FloatArray,
) -> float:
    """The peak at which prices pay for the demand charge, or the peak so far where they do not."""
    low, high, steps = so_far_kw, so_far_kw, len(drawn_kw)
    for step in range(steps):
        high = max(high, drawn_kw[step] + dual_per_kwh[step] / stiffness)
    for turn in range(_PEAK_STEPS):
        peak_kw, paid = low if turn == 0 else 0.5 * (low + high), 0.0
        for step in range(steps):
            price = _peak_price(dual_per_kwh[step], stiffness, drawn_kw[step], peak_kw)
            paid += duration_h[step] * price
        if paid > charge_per_kw:
            low = peak_kw
        else:
            high = peak_kw
        if low == high:
            break
    return high


@compiled
def learn(costs: NodeCosts, balance: Balance) -> None:
    """Take the prices of now as the duals from here on."""
    count, steps = balance.drawn_kw.shape
    for node in range(count):
        charged = costs.demand_charge_per_kw[node] > 0.0
        for step in range(steps):
            peak = 0.0
            if charged:
                peak = _peak_price(
                    balance.peak_dual_per_kwh[node, step],
                    balance.demand_stiffness[node],
                    balance.drawn_kw[node, step],
                    balance.peak_kw[node],
                )
            balance.peak_dual_per_kwh[node, step] = peak
            balance.dual_per_kwh[node, step] = balance.price_per_kwh[node, step] - peak


@compiled
def stiffen(costs: NodeCosts, balance: Balance, dearest_per_kwh: float) -> None:
    """Let prices rise faster where limits are exceeded hardly less than after the round before, though the price rose."""
    count, steps = balance.drawn_kw.shape
    for node in range(count):
        for step in range(steps):
            slope, excess = costs.slope_per_kwh[:, node, step], 0.0
            hard = costs.hard_per_kwh[node, step]
            for one in range(len(slope) - 1):
                if slope[one + 1] - slope[one] >= hard * (1.0 - _ROUNDING):
                    beyond = balance.drawn_kw[node, step] - costs.break_kw[one, node, step]
                    # Below the lower limit the slope is far below 0.
                    excess = max(excess, -beyond if slope[one] < -0.5 * hard else beyond)
            before = balance.excess_kw[node, step]
            stiffness = balance.stiffness[node, step]
            rises = stiffness * excess > _RISE * dearest_per_kwh
            if rises and before > 0.0 and excess > _HARDLY_LESS * before:
                most = _FASTEST * balance.demand_stiffness[node]
                # Beyond all prices of money only wishes give way, which have a price each, far apart.
                scarce = abs(balance.price_per_kwh[node, step]) > dearest_per_kwh
                faster = _FASTER_SCARCE if scarce else _FASTER
                balance.stiffness[node, step] = min(stiffness * faster, most)
            balance.excess_kw[node, step] = excess


@compiled
def price_after(
    costs: NodeCosts,
    balance: Balance,
    node: int,
    begin: int,
    end: int,
    move_kw: FloatArray,
    share: float,
) -> float:
    """What a move [T] of a car at a node would cost per unit of it, at the prices after ``share`` of it."""
    breaks, slopes, hours = costs.break_kw, costs.slope_per_kwh, costs.duration_h
    drawn, dual, stiffness = balance.drawn_kw, balance.dual_per_kwh, balance.stiffness
    peak_dual, parent = balance.peak_dual_per_kwh, costs.parent
    cost, one = 0.0, node
    while one >= 0:
        peak_kw, part = balance.peak_kw[one], share * balance.scale[one]
        rising = _demand_stiffness(costs, balance, one)
        for step in range(begin, end):
            then_kw = drawn[one, step] + part * move_kw[step]
            price = _price_at(
                breaks, slopes, dual, stiffness, peak_dual, rising, peak_kw, one, step, then_kw
            )
            cost += price * move_kw[step] * hours[step]
        one = parent[one]
    return cost


@compiled
def draw(
    costs: NodeCosts,
    balance: Balance,
    node: int,
    begin: int,
    end: int,
    move_kw: FloatArray,
    share: float,
) -> None:
    """Let a car at a node draw ``share`` of a move [T] more; prices follow."""
    one = node
    while one >= 0:
        _draw_at(costs, balance, one, begin, end, move_kw, share)
        one = costs.parent[one]
