"""With each step's direction held, what is left of a car's problem is convex: the exact plan for it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.compiled import compiled
from parkwatt.plan.batch.curve import (
    Curve,
    Steps,
    best_end,
    draw,
    follow_back,
    new_curve,
    new_steps,
    standing_cost,
)
from parkwatt.plan.batch.level_costs import Car, end_cost
from parkwatt.plan.batch.outcome import below_floor_of, money_of
from parkwatt.plan.batch.rankings import Ranking
from parkwatt.plan.batch.reserve import new_tilts
from parkwatt.plan.batch.segments import Bounds, fill

_ROUNDING: Final = 1e-9


class Room(NamedTuple):
    """Room to work."""

    curve: Curve
    steps: Steps


@compiled
def new_room(steps: int) -> Room:
    """For T ``steps``."""
    return Room(new_curve(steps), new_steps(steps))


@compiled
def in_all(
    car: Car, gain_kwh: FloatArray, end_kwh: float, duration_h: FloatArray, ranking: Ranking
) -> float:
    """What a plan costs, missed wishes included. ``gain_kwh``: [T] what each step adds."""
    cost = money_of(car.first, car.last, gain_kwh, ranking.up_slope, ranking.keep_slope)
    cost += end_cost(car, end_kwh)
    if car.bent:
        cost += standing_cost(car.first, car.last, car.bends, duration_h, gain_kwh)
        cost += car.bends.floor_price_per_kwh_h * below_floor_of(
            car.first, car.last, car.arrival_kwh, car.floor_kwh, gain_kwh, duration_h
        )
    return cost


@compiled
def polish(
    car: Car,
    coarse_kwh: FloatArray,
    fine_kwh: FloatArray,
    duration_h: FloatArray,
    ranking: Ranking,
    room: Room,
) -> float:
    """Solve exactly with each step's direction held; returns the energy at the end, NaN where that does not hold the bounds.

    ``coarse_kwh``: [T] what each step adds, whose sign is held; ``fine_kwh``: gets what it is to add.
    """
    if car.bent:
        end_kwh = _draw(car, coarse_kwh, fine_kwh, duration_h, ranking, room)
    else:
        end_kwh = _fill(car, coarse_kwh, fine_kwh, duration_h, ranking)
    energy_kwh = car.arrival_kwh
    for step in range(car.first, car.last):
        after = energy_kwh + fine_kwh[step]
        if after > car.cap_kwh + _ROUNDING or after < min(car.floor_kwh, energy_kwh) - _ROUNDING:
            return np.nan
        energy_kwh = after
    return end_kwh


@compiled
def _draw(
    car: Car,
    coarse_kwh: FloatArray,
    fine_kwh: FloatArray,
    duration_h: FloatArray,
    ranking: Ranking,
    room: Room,
) -> float:
    """A car with bends, from its curve; returns the energy at the end."""
    base_kwh, up_kwh, keep_kwh = room.steps
    for step in range(car.first, car.last):
        hours, gained = duration_h[step], coarse_kwh[step]
        base_kwh[step] = up_kwh[step] = keep_kwh[step] = 0.0
        if gained > 0.0:
            base_kwh[step] = car.least_up * hours
            up_kwh[step] = (car.most_up - car.least_up) * hours
        elif gained < 0.0:
            base_kwh[step] = -car.least_down * hours
            keep_kwh[step] = (car.most_down - car.least_down) * hours
    up_slope, keep_slope, bends = ranking.up_slope, ranking.keep_slope, car.bends
    first, last, curve = car.first, car.last, room.curve
    nothing = new_tilts(0)
    if not draw(
        first, last, bends, room.steps, duration_h, up_slope, keep_slope, nothing, True, curve
    ):
        return np.nan
    end_kwh = best_end(bends, curve)
    follow_back(
        first,
        last,
        end_kwh,
        bends,
        room.steps,
        duration_h,
        up_slope,
        keep_slope,
        curve,
        fine_kwh,
    )
    return end_kwh


@compiled
def _fill(
    car: Car,
    coarse_kwh: FloatArray,
    fine_kwh: FloatArray,
    duration_h: FloatArray,
    ranking: Ranking,
) -> float:
    """A car without bends, from its segments; returns the energy at the end."""
    steps = len(duration_h)
    up_kwh, keep_kwh = np.zeros(steps), np.zeros(steps)
    left_kwh, words = np.empty(2 * steps), np.zeros((2 * steps + 63) // 64, np.uint64)
    for step in range(car.first, car.last):
        hours, gained = duration_h[step], coarse_kwh[step]
        fine_kwh[step] = 0.0
        if gained > 0.0:
            fine_kwh[step] = car.least_up * hours
            up_kwh[step] = (car.most_up - car.least_up) * hours
        elif gained < 0.0:
            fine_kwh[step] = -car.most_down * hours
            keep_kwh[step] = (car.most_down - car.least_down) * hours
    return fill(
        car.first,
        car.last,
        Bounds(
            car.arrival_kwh,
            car.cap_kwh,
            car.floor_kwh,
            car.asked_kwh,
            car.value_per_kwh,
            car.bends.missing_price_per_kwh,
        ),
        fine_kwh,
        up_kwh,
        keep_kwh,
        left_kwh,
        words,
        ranking.charge_rank,
        ranking.keep_rank,
        ranking.step_of,
        ranking.slope_of,
    )
