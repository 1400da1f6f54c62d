"""What perfect foresight reaches: the most that physics allows with the driver's energy kept.

- *Must-have, without a break.* With nothing else on, from the beginning for as long as there is energy above what the next
  possible departures need. It is what "as long as energy physically allows" means, and what the policies are held against.
- *Must-have, hours chosen.* The same energy spent in the cheapest hours (a linear program): nobody would live like that,
  but nothing can have more hours.
- *Nice-to-have.* With must-have as in the first, the most hours of each nice-to-have circuit (a linear program over shares
  of steps). A car that charges away comes home with max(e − trip, public); that is not concave, so both cases are solved.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from benchmarks.outages.cars import DISCHARGE_EFFICIENCY, STANDBY_KW, Car
from benchmarks.outages.pairs import Pair
from benchmarks.outages.physics import ENOUGH_KWH, after_trip_kwh, away_steps, drain_kwh, possible
from parkwatt.domain.record import FloatArray

_SLACK_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class Bound:
    """Hours with perfect foresight; ``nice_h`` is the mean over the nice-to-have circuits.

    ``must_h_without_driver``: were nothing kept for any departure. ``can_serve_h``: in which the car is at home.
    """

    must_h: float
    must_h_chosen: float
    must_h_without_driver: float
    nice_h: float
    can_serve_h: float


def required_kwh(car: Car) -> list[float]:
    """For each trip what the battery must hold at its departure, for it and for those after it."""
    can = possible(car)
    following_kwh, found = car.floor_kwh, [0.0] * len(car.trips)
    for place in reversed(range(len(car.trips))):
        trip = car.trips[place]
        own_kwh = car.floor_kwh + (trip.trip_kwh if can[place] else 0.0)
        met_away = trip.public_kwh >= following_kwh
        rest_kwh = 0.0 if met_away or not can[place] else following_kwh + trip.trip_kwh
        found[place] = following_kwh = max(own_kwh, rest_kwh)
    return found


def bound(pair: Pair) -> Bound:
    """All of it for one pair."""
    required = required_kwh(pair.car)
    at_home = at_home_steps(pair)
    must_kw = pair.power_kw[pair.home.tier("must_have")].sum(axis=0)
    net_kw = must_kw + STANDBY_KW - pair.solar_kw
    step_h = pair.grid.step_h
    share = _without_break(pair, must_kw, required)
    floor = [pair.car.floor_kwh] * len(required)
    must_kwh = step_h * np.maximum(net_kw, 0.0) / DISCHARGE_EFFICIENCY
    nothing = np.zeros_like(must_kwh)
    chosen = _most(
        pair,
        _Spending(must_kwh[np.newaxis], nothing, nothing, at_home.astype(np.float64)),
        required,
    )
    nice_kw = pair.power_kw[pair.home.tier("nice_to_have")]
    spending = _Spending(
        np.asarray(step_h * nice_kw / DISCHARGE_EFFICIENCY, dtype=np.float64),
        np.asarray(step_h * share * net_kw / DISCHARGE_EFFICIENCY, dtype=np.float64),
        nothing,
        share,
    )
    return Bound(
        must_h=step_h * float(share.sum()),
        must_h_chosen=step_h * max(chosen, float(share.sum())),
        must_h_without_driver=step_h * float(_without_break(pair, must_kw, floor).sum()),
        nice_h=step_h * _most(pair, spending, required) / len(nice_kw),
        can_serve_h=step_h * float(at_home.sum()),
    )


def at_home_steps(pair: Pair) -> NDArray[np.bool_]:
    """[T] whether the car is there."""
    found = np.ones(pair.grid.step_count, dtype=np.bool_)
    for leaves, returns in away_steps(pair.grid, pair.car.trips):
        found[leaves:returns] = False
    return found


def _without_break(pair: Pair, load_kw: FloatArray, required: list[float]) -> FloatArray:
    """[T] the share of each step in which a load has power, from the beginning until what is required is all that is left."""
    grid, car = pair.grid, pair.car
    share = np.zeros(grid.step_count)
    energy_kwh, first = car.energy_kwh, 0
    for place, (leaves, returns) in enumerate(away_steps(grid, car.trips)):
        keep_kwh = required[place]
        for step in range(first, leaves):
            needed_kwh = drain_kwh(grid, float(load_kw[step]), float(pair.solar_kw[step]))
            usable_kwh = max(energy_kwh - max(keep_kwh, car.floor_kwh), 0.0)
            if usable_kwh <= ENOUGH_KWH:
                break
            share[step] = 1.0 if needed_kwh <= usable_kwh else usable_kwh / needed_kwh
            energy_kwh -= share[step] * needed_kwh
            if share[step] < 1.0:
                break
        if leaves == grid.step_count:
            break
        energy_kwh = after_trip_kwh(car, car.trips[place], energy_kwh)
        first = returns
    return share


@dataclass(frozen=True, slots=True, eq=False)
class _Spending:
    """What a step takes from the battery: at least ``least_kwh`` [T], and at least ``fixed_kwh`` [T] plus ``each_kwh`` [C, T]
    times the shares, which are at most ``share_max`` [T].
    """

    each_kwh: FloatArray
    fixed_kwh: FloatArray
    least_kwh: FloatArray
    share_max: FloatArray


def _most(pair: Pair, spending: _Spending, required: list[float]) -> float:
    """The most steps, summed over the circuits, that a linear program finds in the best case of charging away."""
    begun = [trip for trip in pair.car.trips if trip.leaves_unix_s < pair.grid.end_unix_s]
    cases = product(*((False, True) if trip.public_kwh > 0.0 else (False,) for trip in begun))
    return max(_most_of_case(pair, spending, required, case) for case in cases)


def _most_of_case(
    pair: Pair, spending: _Spending, required: list[float], charges: tuple[bool, ...]
) -> float:
    """``charges``: for each trip whether the car comes home with the public charger's energy, whatever it left with."""
    budgets = _budgets(pair, required, charges)
    count, steps = spending.each_kwh.shape
    place = np.arange(steps)
    columns = [circuit * steps + place for circuit in range(count)] + [count * steps + place]
    values = [*spending.each_kwh, -np.ones(steps)]
    rows = np.concatenate([place] * (count + 1))
    matrix = csr_array((np.concatenate(values), (rows, np.concatenate(columns))))
    spent_rows = np.zeros((len(budgets), (count + 1) * steps))
    for row, (first, end, _) in enumerate(budgets):
        spent_rows[row, count * steps + first : count * steps + end] = 1.0
    solved = linprog(
        np.concatenate((-np.ones(count * steps), np.zeros(steps))),
        A_ub=vstack((matrix, csr_array(spent_rows))),
        b_ub=np.concatenate((-spending.fixed_kwh, [kwh + _SLACK_KWH for *_, kwh in budgets])),
        bounds=[(0.0, most) for most in np.tile(spending.share_max, count)]
        + [(least, None) for least in spending.least_kwh],
        method="highs",
    )
    return -float(solved.fun) if solved.status == 0 else 0.0


def _budgets(
    pair: Pair, required: list[float], charges: tuple[bool, ...]
) -> list[tuple[int, int, float]]:
    """(first step, end, kWh): what may be spent from the battery in these steps together."""
    car, grid = pair.car, pair.grid
    can = possible(car)
    first, holds_kwh, found = 0, car.energy_kwh, []
    for place, (leaves, returns) in enumerate(away_steps(grid, car.trips)):
        trip = car.trips[place]
        found.append((first, leaves, holds_kwh - max(required[place], car.floor_kwh)))
        if leaves == grid.step_count:
            break
        if charges[place] or not can[place]:
            first, holds_kwh = returns, max(trip.public_kwh, car.floor_kwh)
        else:
            holds_kwh -= trip.trip_kwh
    return found
