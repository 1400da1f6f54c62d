"""Cars move towards better plans, one after another, each at the prices that the ones before it left.

A car whose best plan would save something at the prices of now moves towards it, as far as the line between both plans goes
down (block-coordinate Frank-Wolfe: S. Lacoste-Julien, M. Jaggi et al., 2013). Between two plans it moves in what its battery
gains in each step, so that every plan on the way is one that it can follow: charging and discharging cancel.

Where few cars share a limit, such moves get ever smaller. There each car remembers the plans that it mixes, and moves from the
dearest of them to the cheapest (pairwise steps with a cache: A. Osokin et al., 2016).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.cars import BatchPrices, CarStays, MissPrices
from parkwatt.plan.batch.compiled import compiled, inlined
from parkwatt.plan.coordinate.balance import Balance, draw, price_after
from parkwatt.plan.coordinate.money import stay_cost
from parkwatt.plan.coordinate.node_costs import NodeCosts
from parkwatt.plan.coordinate.problem import BoolArray, IntArray
from parkwatt.plan.coordinate.replies import Room, best_reply, new_room

PowerArray = NDArray[np.float32]

# A move below it is none: rounding.
_LEAST_MOVE_KW = 1e-6
# A car goes on moving between the plans that it knows for so many moves.
_MOVES = 3


class Stays(NamedTuple):
    """n stays of a fleet. ``node``, ``weight`` [n]: where it is and for how many cars it stands; ``pair``: [n] its row of
    ``orders`` [2, P, T], the steps as they were last sorted by price; ``whole``: [n] whether it takes a plan as it is or not
    at all. ``least_saved``: a car that would save less stays as it is.
    """

    cars: CarStays
    prices: BatchPrices
    miss: MissPrices
    node: IntArray
    weight: FloatArray
    pair: IntArray
    orders: IntArray
    whole: BoolArray
    least_saved: float


class Mixtures(NamedTuple):
    """Up to V plans of each stay: ``power_kw`` [n, V, T], their own ``cost`` [n, V] and ``share`` [n, V], 0 for none."""

    power_kw: PowerArray
    cost: FloatArray
    share: FloatArray


@inlined
def _blend(
    row: int,
    share: float,
    cars: CarStays,
    offered_kw: PowerArray,
    power_kw: PowerArray,
    move_kw: FloatArray,
) -> None:
    """Move a share of the way, in what the battery gains. ``power_kw`` [T] changes, and ``move_kw`` [T] gets by how much."""
    into, out = cars.charge_efficiency[row], cars.discharge_efficiency[row]
    for step in range(cars.from_step[row], cars.to_step[row]):
        if share == 1.0:
            power_kw[step] = offered_kw[step]
        elif move_kw[step] != 0.0:
            old, new = float(power_kw[step]), float(offered_kw[step])
            gained = (1.0 - share) * (old * into if old > 0.0 else old / out)
            gained += share * (new * into if new > 0.0 else new / out)
            blended = np.float32(gained / into if gained > 0.0 else gained * out)
            move_kw[step] = blended - power_kw[step]
            power_kw[step] = blended


@inlined
def _priced(
    cost: float,
    price_per_kwh: FloatArray,
    hours: FloatArray,
    power_kw: FloatArray | PowerArray,
    begin: int,
    end: int,
) -> float:
    """What a plan of its own cost comes to at prices [T] of the nodes."""
    for step in range(begin, end):
        cost += price_per_kwh[step] * hours[step] * power_kw[step]
    return cost


@inlined
def _see_prices(costs: NodeCosts, balance: Balance, node: int, price_per_kwh: FloatArray) -> None:
    """Write what all nodes above a car add to its prices [T]."""
    price_per_kwh[:] = 0.0
    one = node
    while one >= 0:
        for step in range(len(price_per_kwh)):
            price_per_kwh[step] += balance.price_per_kwh[one, step]
        one = costs.parent[one]


@inlined
def _offer(row: int, stays: Stays, room: Room, offered_kw: PowerArray) -> None:
    """Write the best plan [T] of a stay at the prices in ``room``."""
    cars, pair = stays.cars, stays.pair[row]
    best_reply(
        row, cars, stays.prices, stays.miss, stays.orders[0, pair], stays.orders[1, pair], room
    )
    into, out = cars.charge_efficiency[row], cars.discharge_efficiency[row]
    for step in range(cars.from_step[row], cars.to_step[row]):
        gained = room.gain_kwh[step] / stays.prices.duration_h[step]
        offered_kw[step] = gained / into if gained > 0.0 else gained * out


@inlined
def _move(
    row: int,
    offered_kw: PowerArray,
    power_kw: PowerArray,
    stays: Stays,
    first: bool,
    costs: NodeCosts,
    balance: Balance,
    room: Room,
    move_kw: FloatArray,
) -> None:
    """Move a stay from its plan towards its offer, both [T]; its plan and the balance change. ``room``: has its prices."""
    begin, end = stays.cars.from_step[row], stays.cars.to_step[row]
    largest_kw, share, weight = 0.0, 1.0, stays.weight[row]
    for step in range(begin, end):
        move_kw[step] = offered_kw[step] - power_kw[step]
        largest_kw = max(largest_kw, abs(move_kw[step]))
    moves = largest_kw > _LEAST_MOVE_KW
    if moves and not first:
        own = stay_cost(row, stays.cars, stays.prices, stays.miss, offered_kw)
        own -= stay_cost(row, stays.cars, stays.prices, stays.miss, power_kw)
        before = _priced(own, room.price_per_kwh, costs.duration_h, move_kw, begin, end)
        moves = before < -stays.least_saved
        if moves:
            after = own
            after += price_after(costs, balance, stays.node[row], begin, end, move_kw, weight)
            if stays.whole[row]:
                moves = before + after < 0.0
            elif after > 0.0:
                share = before / (before - after)
    if moves:
        _blend(row, share, stays.cars, offered_kw, power_kw, move_kw)
        draw(costs, balance, stays.node[row], begin, end, move_kw, weight)


@compiled
def take_up(
    rows: IntArray,
    offered_kw: PowerArray,
    power_kw: PowerArray,
    has_plan: BoolArray,
    stays: Stays,
    costs: NodeCosts,
    balance: Balance,
) -> None:
    """Move each of ``rows`` towards its offer [R, T]; ``power_kw`` [n, T] and the balance change.

    ``has_plan``: [n]; one without takes its offer and has one then.
    """
    steps = len(costs.duration_h)
    room, move_kw = new_room(steps), np.empty(steps)
    for place in range(len(rows)):
        row = rows[place]
        _see_prices(costs, balance, stays.node[row], room.price_per_kwh)
        first = not has_plan[row]
        _move(row, offered_kw[place], power_kw[row], stays, first, costs, balance, room, move_kw)
        has_plan[row] = True


@compiled
def reply(
    rows: IntArray,
    power_kw: PowerArray,
    has_plan: BoolArray,
    stays: Stays,
    costs: NodeCosts,
    balance: Balance,
) -> None:
    """Let each of ``rows`` find its best plan at the prices of the moment and move towards it, one after another."""
    steps = len(costs.duration_h)
    room, move_kw, offered_kw = new_room(steps), np.empty(steps), np.empty(steps, np.float32)
    for place in range(len(rows)):
        row = rows[place]
        _see_prices(costs, balance, stays.node[row], room.price_per_kwh)
        _offer(row, stays, room, offered_kw)
        first = not has_plan[row]
        _move(row, offered_kw, power_kw[row], stays, first, costs, balance, room, move_kw)
        has_plan[row] = True


@inlined
def _place_for(share: FloatArray, dearest: int) -> int:
    """A place for one more plan: a free one, or that of the smallest share but the dearest."""
    place = -1
    for plan in range(len(share)):
        free = share[plan] <= 0.0
        if (plan != dearest and (place < 0 or share[plan] < share[place])) or free:
            place = plan
        if free:
            break
    return place


@inlined
def _extremes(
    cost: FloatArray,
    share: FloatArray,
    power_kw: PowerArray,
    price_per_kwh: FloatArray,
    hours: FloatArray,
    begin: int,
    end: int,
) -> tuple[int, float, int, float]:
    """The cheapest and the dearest of the plans [V, T] that a stay mixes, and what they cost; -1 where it has none."""
    best, best_cost, dearest, dearest_cost = -1, np.inf, -1, -np.inf
    for plan in range(len(share)):
        if share[plan] > 0.0:
            priced = cost[plan]
            for step in range(begin, end):
                priced += price_per_kwh[step] * hours[step] * power_kw[plan, step]
            if priced < best_cost:
                best, best_cost = plan, priced
            if priced > dearest_cost:
                dearest, dearest_cost = plan, priced
    return best, best_cost, dearest, dearest_cost


@compiled
def _exchange(
    power_kw: PowerArray,
    share: FloatArray,
    into: int,
    out_of: int,
    amount: float,
    weight: float,
    node: int,
    begin: int,
    end: int,
    costs: NodeCosts,
    balance: Balance,
    move_kw: FloatArray,
) -> None:
    """Give ``amount`` of the share of a stay's plan ``out_of`` (-1: of none) to its plan ``into``; the balance changes."""
    for step in range(begin, end):
        move_kw[step] = power_kw[into, step]
        if out_of >= 0:
            move_kw[step] -= power_kw[out_of, step]
    draw(costs, balance, node, begin, end, move_kw, amount * weight)
    share[into] += amount
    if out_of >= 0:
        share[out_of] = share[out_of] - amount if share[out_of] > amount else 0.0


@compiled
def _remember(
    row: int,
    offered_kw: PowerArray,
    own: float,
    dearest: int,
    mixtures: Mixtures,
    stays: Stays,
    costs: NodeCosts,
    balance: Balance,
    move_kw: FloatArray,
) -> int:
    """Find a place for an offer [T] of such a cost among a stay's plans, without a share yet; returns the place."""
    power_kw, share = mixtures.power_kw[row], mixtures.share[row]
    begin, end = stays.cars.from_step[row], stays.cars.to_step[row]
    place = _place_for(share, dearest)
    if share[place] > 0.0:
        # Its plan gives way: the dearest takes over its share.
        _exchange(
            power_kw,
            share,
            dearest,
            place,
            share[place],
            stays.weight[row],
            stays.node[row],
            begin,
            end,
            costs,
            balance,
            move_kw,
        )
    mixtures.cost[row, place] = own
    for step in range(begin, end):
        power_kw[place, step] = offered_kw[step]
    return place


@compiled
def _mix_one(
    row: int,
    asks: bool,
    offered_kw: PowerArray,
    mixtures: Mixtures,
    stays: Stays,
    costs: NodeCosts,
    balance: Balance,
    room: Room,
    move_kw: FloatArray,
) -> bool:
    """Let a stay move once; returns whether it moved and may again. ``asks``: whether it may take its offer [T]."""
    begin, end, node = stays.cars.from_step[row], stays.cars.to_step[row], stays.node[row]
    power_kw, cost, share = mixtures.power_kw[row], mixtures.cost[row], mixtures.share[row]
    hours, price = costs.duration_h, room.price_per_kwh
    best, best_cost, dearest, dearest_cost = _extremes(
        cost, share, power_kw, price, hours, begin, end
    )
    if asks:
        own = stay_cost(row, stays.cars, stays.prices, stays.miss, offered_kw)
        priced = _priced(own, price, hours, offered_kw, begin, end)
        if priced < best_cost - stays.least_saved:
            best_cost = priced
            best = _remember(
                row, offered_kw, own, dearest, mixtures, stays, costs, balance, move_kw
            )
    before, amount = best_cost - dearest_cost, 1.0
    if dearest >= 0:
        if before > -stays.least_saved:
            return False
        for step in range(begin, end):
            move_kw[step] = power_kw[best, step] - power_kw[dearest, step]
        amount = share[dearest]
        after = cost[best] - cost[dearest]
        weight = amount * stays.weight[row]
        after += price_after(costs, balance, node, begin, end, move_kw, weight)
        if after > 0.0:
            amount *= before / (before - after)
    _exchange(
        power_kw,
        share,
        best,
        dearest,
        amount,
        stays.weight[row],
        node,
        begin,
        end,
        costs,
        balance,
        move_kw,
    )
    return dearest >= 0


@compiled
def mix(
    rows: IntArray,
    offers_kw: PowerArray,
    mixtures: Mixtures,
    stays: Stays,
    asks: bool,
    costs: NodeCosts,
    balance: Balance,
) -> None:
    """Let each of ``rows`` move shares from the dearest to the cheapest of its plans; the mixtures and the balance change.

    ``asks``: whether it may also take its offer [R, T]; where there are none, its best plan at the prices of the moment.
    A stay without a plan takes that.
    """
    steps = len(costs.duration_h)
    room, move_kw, offered_kw = new_room(steps), np.empty(steps), np.empty(steps, np.float32)
    for place in range(len(rows)):
        row = rows[place]
        largest = mixtures.share[row].max()
        if not asks and (largest >= 1.0 or largest <= 0.0):
            continue
        for turn in range(_MOVES):
            _see_prices(costs, balance, stays.node[row], room.price_per_kwh)
            first = asks and turn == 0
            if first and len(offers_kw) > 0:
                offered_kw[:] = offers_kw[place]
            elif first:
                _offer(row, stays, room, offered_kw)
            if not _mix_one(row, first, offered_kw, mixtures, stays, costs, balance, room, move_kw):
                break


@compiled
def mixed_power_kw(mixtures: Mixtures, cars: CarStays, power_kw: PowerArray) -> None:
    """Write the plan [n, T] that follows from each mixture of some plans, in what the battery gains; others stay."""
    for row in range(len(power_kw)):
        into, out = cars.charge_efficiency[row], cars.discharge_efficiency[row]
        share = mixtures.share[row]
        if share.max() <= 0.0:
            continue
        for step in range(cars.from_step[row], cars.to_step[row]):
            gained = 0.0
            for plan in range(len(share)):
                power = float(mixtures.power_kw[row, plan, step])
                gained += share[plan] * (power * into if power > 0.0 else power / out)
            power_kw[row, step] = gained / into if gained > 0.0 else gained * out
