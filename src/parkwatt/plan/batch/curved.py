"""Kernel *curved*: the exact optimum of a car whose charging slows, whose charge is dear to hold, or whose floor has a price.

It holds where no step pays for charging and discharging at once and no least power is asked for: V is convex still (`curve`).

With a price of being below the floor a car that arrives there waits while power is dearer than that. It must not discharge
before it has reached the floor, nor below it, which is not convex: where the optimum without that rule breaks it, *levels*
plans the car.
"""

from __future__ import annotations

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.cars import CarStays, IntArray, MissPrices
from parkwatt.plan.batch.compiled import compiled
from parkwatt.plan.batch.curve import (
    Bends,
    Steps,
    best_end,
    draw,
    follow_back,
    new_curve,
    new_steps,
)
from parkwatt.plan.batch.outcome import Outcome, write_powers
from parkwatt.plan.batch.rankings import PriceOrders, new_rankings, slot_with
from parkwatt.plan.batch.reserve import HeldTerms, ReservePrices, new_tilts, paid_for_energy, tilt


@compiled
def plan_curved(
    rows: IntArray,
    cars: CarStays,
    orders: PriceOrders,
    duration_h: FloatArray,
    miss: MissPrices,
    reserve: ReservePrices,
    terms: HeldTerms,
    relaxed: bool,
    outcome: Outcome,
) -> None:
    """Plan ``rows`` of the stays; results go into ``outcome``. Above its maximum a car does not charge.

    ``reserve``: what members are paid, whose prices of energy know already what their power holds back. ``relaxed``: their
    cost is one that no plan is below, where a step would pay for charging and discharging at once; else that of a plan that
    charges there. A stay whose optimum would discharge below its floor has NaN as its cost, and no powers.
    """
    steps, nothing, tilts = len(duration_h), new_tilts(0), new_tilts(len(duration_h))
    own_up, own_keep = np.empty(steps), np.empty(steps)
    kept, per_hour, curve, moves = (
        new_rankings(steps),
        1.0 / duration_h,
        new_curve(steps),
        new_steps(steps),
    )
    gain_kwh = np.empty(steps)
    for row in rows:
        charge_factor, discharge_factor = (
            1.0 / cars.charge_efficiency[row],
            cars.discharge_efficiency[row],
        )
        wear = cars.wear_price_per_kwh[row]
        slot = slot_with(cars.price_row[row], charge_factor, discharge_factor, wear, orders, kept)
        first, last, bends = cars.from_step[row], cars.to_step[row], bends_of(row, cars, miss)
        above = bends.arrival_kwh > cars.energy_kwh_max[row]
        up_kw = 0.0 if above else cars.charge_kw_max[row] * cars.charge_efficiency[row]
        down_kw = cars.discharge_kw_max[row] / discharge_factor
        for step in range(first, last):
            moves.up_kwh[step] = up_kw * duration_h[step]
            moves.keep_kwh[step] = down_kw * duration_h[step]
        up_slope, keep_slope = kept.up_slope[slot], kept.keep_slope[slot]
        holds_back, less = reserve.member[row], 0.0
        if holds_back:
            for step in range(first, last):
                own_up[step], own_keep[step] = up_slope[step], keep_slope[step]
            less = _one_way(first, last, moves, relaxed, own_up, own_keep)
            up, down = reserve.up_per_kwh, reserve.down_per_kwh
            tilt(row, cars, terms, duration_h, up, down, tilts)
            draw(first, last, bends, moves, duration_h, own_up, own_keep, tilts, False, curve)
            if relaxed:
                up_slope, keep_slope = own_up, own_keep
        else:
            draw(first, last, bends, moves, duration_h, up_slope, keep_slope, nothing, False, curve)
        end_kwh = best_end(bends, curve)
        money, below_kwh_h, discharges_below = follow_back(
            first,
            last,
            end_kwh,
            bends,
            moves,
            duration_h,
            up_slope,
            keep_slope,
            curve,
            gain_kwh,
        )
        outcome.cost[row], outcome.energy_kwh_end[row] = np.nan, end_kwh
        outcome.below_floor_kwh_h[row] = below_kwh_h
        if not discharges_below:
            outcome.cost[row] = money - bends.value_per_kwh * end_kwh
            if holds_back:
                up, down = reserve.up_per_kwh, reserve.down_per_kwh
                paid_for = paid_for_energy(row, cars, terms, duration_h, up, down, gain_kwh)
                outcome.cost[row] -= paid_for + less
            write_powers(
                row,
                first,
                last,
                gain_kwh,
                charge_factor,
                discharge_factor,
                per_hour,
                outcome.power_kw,
                outcome.power_kw_sum[outcome.group[row]],
            )


@compiled
def _one_way(
    first: int,
    last: int,
    moves: Steps,
    relaxed: bool,
    up_slope: FloatArray,
    keep_slope: FloatArray,
) -> float:
    """Make steps convex that would pay for charging and discharging at once; returns what they cost less where nothing is done.

    ``relaxed``: by the straight line between both full powers, which is nowhere above what one of both ways costs.
    """
    less = 0.0
    for step in range(first, last):
        if keep_slope[step] > up_slope[step]:
            line, up, keep = up_slope[step], moves.up_kwh[step], moves.keep_kwh[step]
            if relaxed and up + keep > 0.0:
                line = (up * up_slope[step] + keep * keep_slope[step]) / (up + keep)
                less += up * keep * (keep_slope[step] - up_slope[step]) / (up + keep)
            up_slope[step] = keep_slope[step] = line
    return less


@compiled
def bends_of(row: int, cars: CarStays, miss: MissPrices) -> Bends:
    """What a row's problem is made of."""
    arrival_kwh, floor_kwh = cars.energy_kwh_at_arrival[row], cars.energy_kwh_min[row]
    maximum_kwh, taper_from_kwh = cars.energy_kwh_max[row], cars.taper_from_kwh[row]
    waits = arrival_kwh < floor_kwh and np.isfinite(miss.floor_per_kwh_h)
    falls_kw = cars.charge_kw_max[row] - cars.taper_kw_at_max[row]
    taper_per_h = 0.0
    if taper_from_kwh < maximum_kwh:
        taper_per_h = falls_kw * cars.charge_efficiency[row] / (maximum_kwh - taper_from_kwh)
    return Bends(
        arrival_kwh,
        min(arrival_kwh, floor_kwh) if waits else floor_kwh,
        max(maximum_kwh, arrival_kwh),
        cars.energy_kwh_at_departure[row],
        cars.energy_value_per_kwh[row],
        miss.departure_per_kwh,
        taper_from_kwh,
        taper_per_h,
        cars.holding_from_kwh[row],
        cars.holding_price_per_kwh_h[row],
        floor_kwh,
        miss.floor_per_kwh_h if waits else 0.0,
    )
