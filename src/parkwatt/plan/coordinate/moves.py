"""Cars move towards better plans, one after another, each at the prices that the ones before it left.

A car whose best plan would save something at the prices of now moves towards it, as far as the line between both plans goes
down (block-coordinate Frank-Wolfe: S. Lacoste-Julien, M. Jaggi et al., 2013). Between two plans it moves in what its battery
gains in each step, so that every plan on the way is one that it can follow: charging and discharging cancel.

What a car holds back for a reserve moves with its plan: between two plans, by the straight line, which is nowhere above it.

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
from parkwatt.plan.batch.reserve import HeldTerms, held_back, held_worth
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
    at all. ``least_saved``: a car that would save less stays as it is. ``member``: [n] whether it holds back a reserve, of
    which sums stand in the rows ``up_row`` of the balance and the one after; ``terms``: for how long.
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
    member: BoolArray
    up_row: int
    terms: HeldTerms


class Held(NamedTuple):
    """Room for what a stay holds back, up and down, [T] each: as it is, and by how much that would change."""

    up_kw: FloatArray
    down_kw: FloatArray
    more_up_kw: FloatArray
    more_down_kw: FloatArray


class Mixtures(NamedTuple):
    """Up to V plans of each stay: ``power_kw`` [n, V, T], their own ``cost`` [n, V] and ``share`` [n, V], 0 for none."""

    power_kw: PowerArray
    cost: FloatArray
    share: FloatArray


@compiled
def _new_held(steps: int) -> Held:
    return Held(np.zeros(steps), np.zeros(steps), np.zeros(steps), np.zeros(steps))


@compiled
def _hold_before(row: int, stays: Stays, power_kw: PowerArray, has_plan: bool, held: Held) -> None:
    """Write what a member holds back at powers [T]; nothing without a plan."""
    hours = stays.prices.duration_h
    held_back(row, stays.cars, stays.terms, hours, power_kw, held.up_kw, held.down_kw)
    if not has_plan:
        for step in range(stays.cars.from_step[row], stays.cars.to_step[row]):
            held.up_kw[step] = held.down_kw[step] = 0.0


@compiled
def _hold_more(row: int, stays: Stays, power_kw: PowerArray, held: Held) -> None:
    """Write by how much more than that it holds back at powers [T]."""
    hours, more_up, more_down = stays.prices.duration_h, held.more_up_kw, held.more_down_kw
    held_back(row, stays.cars, stays.terms, hours, power_kw, more_up, more_down)
    for step in range(stays.cars.from_step[row], stays.cars.to_step[row]):
        more_up[step] -= held.up_kw[step]
        more_down[step] -= held.down_kw[step]


@compiled
def _held_price(
    row: int,
    stays: Stays,
    costs: NodeCosts,
    balance: Balance,
    up_kw: FloatArray,
    down_kw: FloatArray,
) -> float:
    """What it costs at the prices of now to hold back so much [T]; below 0, as it is paid for."""
    cost, up_row, hours = 0.0, stays.up_row, costs.duration_h
    for step in range(stays.cars.from_step[row], stays.cars.to_step[row]):
        paid = balance.price_per_kwh[up_row, step] * up_kw[step]
        paid += balance.price_per_kwh[up_row + 1, step] * down_kw[step]
        cost += paid * hours[step]
    return cost


@compiled
def _held_price_after(
    row: int, stays: Stays, costs: NodeCosts, balance: Balance, share: float, held: Held
) -> float:
    """What it costs to hold back so much more, at the prices after ``share`` of it."""
    begin, end, up_row = stays.cars.from_step[row], stays.cars.to_step[row], stays.up_row
    cost = price_after(costs, balance, up_row, begin, end, held.more_up_kw, share)
    return cost + price_after(costs, balance, up_row + 1, begin, end, held.more_down_kw, share)


@compiled
def _draw_held(
    row: int, stays: Stays, costs: NodeCosts, balance: Balance, share: float, held: Held
) -> None:
    """Let it hold back ``share`` of so much more; prices follow."""
    begin, end, up_row = stays.cars.from_step[row], stays.cars.to_step[row], stays.up_row
    draw(costs, balance, up_row, begin, end, held.more_up_kw, share)
    draw(costs, balance, up_row + 1, begin, end, held.more_down_kw, share)


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
    held: Held,
) -> None:
    """Move a stay from its plan towards its offer, both [T]; its plan and the balance change. ``room``: has its prices."""
    begin, end = stays.cars.from_step[row], stays.cars.to_step[row]
    holds_back = stays.member[row]
    if holds_back:
        _hold_before(row, stays, power_kw, not first, held)
        _hold_more(row, stays, offered_kw, held)
    largest_kw, share, weight = 0.0, 1.0, stays.weight[row]
    for step in range(begin, end):
        move_kw[step] = offered_kw[step] - power_kw[step]
        largest_kw = max(largest_kw, abs(move_kw[step]))
    moves = largest_kw > _LEAST_MOVE_KW or (holds_back and first)
    if moves and not first:
        own = stay_cost(row, stays.cars, stays.prices, stays.miss, offered_kw)
        own -= stay_cost(row, stays.cars, stays.prices, stays.miss, power_kw)
        before = _priced(own, room.price_per_kwh, costs.duration_h, move_kw, begin, end)
        if holds_back:
            more_up, more_down = held.more_up_kw, held.more_down_kw
            before += _held_price(row, stays, costs, balance, more_up, more_down)
        moves = before < -stays.least_saved
        if moves:
            after = own
            after += price_after(costs, balance, stays.node[row], begin, end, move_kw, weight)
            if holds_back:
                after += _held_price_after(row, stays, costs, balance, weight, held)
            if stays.whole[row]:
                moves = before + after < 0.0
            elif after > 0.0:
                share = before / (before - after)
    if moves:
        _blend(row, share, stays.cars, offered_kw, power_kw, move_kw)
        draw(costs, balance, stays.node[row], begin, end, move_kw, weight)
        if holds_back:
            if share < 1.0:
                _hold_more(row, stays, power_kw, held)
            _draw_held(row, stays, costs, balance, weight, held)


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
    room, move_kw, held = new_room(steps), np.empty(steps), _new_held(steps)
    for place in range(len(rows)):
        row = rows[place]
        _see_prices(costs, balance, stays.node[row], room.price_per_kwh)
        first, offer_kw, own_kw = not has_plan[row], offered_kw[place], power_kw[row]
        _move(row, offer_kw, own_kw, stays, first, costs, balance, room, move_kw, held)
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
    held = _new_held(steps)
    for place in range(len(rows)):
        row = rows[place]
        _see_prices(costs, balance, stays.node[row], room.price_per_kwh)
        _offer(row, stays, room, offered_kw)
        first, own_kw = not has_plan[row], power_kw[row]
        _move(row, offered_kw, own_kw, stays, first, costs, balance, room, move_kw, held)
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


@compiled
def _held_worth(
    row: int, stays: Stays, costs: NodeCosts, balance: Balance, power_kw: PowerArray
) -> float:
    """What a member's plan [T] costs by what it holds back, at the prices of now; below 0, as it is paid for."""
    up, down = balance.price_per_kwh[stays.up_row], balance.price_per_kwh[stays.up_row + 1]
    return held_worth(row, stays.cars, stays.terms, costs.duration_h, power_kw, up, down)


@inlined
def _extremes(
    row: int,
    cost: FloatArray,
    share: FloatArray,
    power_kw: PowerArray,
    price_per_kwh: FloatArray,
    hours: FloatArray,
    begin: int,
    end: int,
    stays: Stays,
    costs: NodeCosts,
    balance: Balance,
) -> tuple[int, float, int, float]:
    """The cheapest and the dearest of the plans [V, T] that a stay mixes, and what they cost; -1 where it has none."""
    best, best_cost, dearest, dearest_cost = -1, np.inf, -1, -np.inf
    for plan in range(len(share)):
        if share[plan] > 0.0:
            priced = cost[plan]
            for step in range(begin, end):
                priced += price_per_kwh[step] * hours[step] * power_kw[plan, step]
            if stays.member[row]:
                priced += _held_worth(row, stays, costs, balance, power_kw[plan])
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
def _exchange_held(
    row: int,
    power_kw: PowerArray,
    into: int,
    out_of: int,
    amount: float,
    stays: Stays,
    costs: NodeCosts,
    balance: Balance,
    held: Held,
) -> None:
    """The same for what a member holds back."""
    _hold_before(row, stays, power_kw[out_of], out_of >= 0, held)
    _hold_more(row, stays, power_kw[into], held)
    _draw_held(row, stays, costs, balance, amount * stays.weight[row], held)


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
    held: Held,
) -> int:
    """Find a place for an offer [T] of such a cost among a stay's plans, without a share yet; returns the place."""
    power_kw, share = mixtures.power_kw[row], mixtures.share[row]
    begin, end = stays.cars.from_step[row], stays.cars.to_step[row]
    place = _place_for(share, dearest)
    if share[place] > 0.0:
        # Its plan gives way: the dearest takes over its share.
        amount, weight, node = share[place], stays.weight[row], stays.node[row]
        if stays.member[row]:
            _exchange_held(row, power_kw, dearest, place, amount, stays, costs, balance, held)
        _exchange(
            power_kw,
            share,
            dearest,
            place,
            amount,
            weight,
            node,
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
    held: Held,
) -> bool:
    """Let a stay move once; returns whether it moved and may again. ``asks``: whether it may take its offer [T]."""
    begin, end, node = stays.cars.from_step[row], stays.cars.to_step[row], stays.node[row]
    power_kw, cost, share = mixtures.power_kw[row], mixtures.cost[row], mixtures.share[row]
    hours, price, holds_back = costs.duration_h, room.price_per_kwh, stays.member[row]
    best, best_cost, dearest, dearest_cost = _extremes(
        row, cost, share, power_kw, price, hours, begin, end, stays, costs, balance
    )
    if asks:
        own = stay_cost(row, stays.cars, stays.prices, stays.miss, offered_kw)
        priced = _priced(own, price, hours, offered_kw, begin, end)
        if holds_back:
            priced += _held_worth(row, stays, costs, balance, offered_kw)
        if priced < best_cost - stays.least_saved:
            best_cost = priced
            best = _remember(
                row, offered_kw, own, dearest, mixtures, stays, costs, balance, move_kw, held
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
        if holds_back:
            _hold_before(row, stays, power_kw[dearest], True, held)
            _hold_more(row, stays, power_kw[best], held)
            after += _held_price_after(row, stays, costs, balance, weight, held)
        if after > 0.0:
            amount *= before / (before - after)
    if holds_back:
        _exchange_held(row, power_kw, best, dearest, amount, stays, costs, balance, held)
    weight = stays.weight[row]
    _exchange(
        power_kw,
        share,
        best,
        dearest,
        amount,
        weight,
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
    held = _new_held(steps)
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
            if not _mix_one(
                row, first, offered_kw, mixtures, stays, costs, balance, room, move_kw, held
            ):
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
