"""The least costs to come, by step and level of energy: the backward pass of the kernel *levels*."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.compiled import compiled, inlined
from parkwatt.plan.batch.curve import Bends, reached_kwh
from parkwatt.plan.batch.rankings import Ranking

SingleArray = NDArray[np.float32]

# Beyond the grid. Finite, so that interpolation with a weight of 0 leaves it out.
_NOWHERE: Final = np.float32(1e30)
_LEAST_SPAN_KWH: Final = 1e-6


class Car(NamedTuple):
    """A stay as the kernel sees it, all in the battery: energies in kWh, ``least_up`` … ``most_down`` in kWh an hour.

    ``asked_kwh``: at the end, no more than can be reached; 0 where nothing is asked. ``missing_price_per_kwh``: given, or
    far above all prices. ``bottom_kwh``: the lowest energy looked at, below the floor for a car that may wait there. ``bent``:
    whether any of ``bends`` counts.
    """

    first: int
    last: int
    arrival_kwh: float
    floor_kwh: float
    cap_kwh: float
    asked_kwh: float
    value_per_kwh: float
    missing_price_per_kwh: float
    least_up: float
    most_up: float
    least_down: float
    most_down: float
    bottom_kwh: float
    bent: bool
    bends: Bends


class Grid(NamedTuple):
    """``costs``: [T+1, L+1] before each step, from bottom to maximum. The rest is room to work: ``moved`` [2, …] with as many
    places beyond both ends as a step may move, ``between`` [L+1]. ``place``: [L+1] 0, 1, 2 …
    """

    costs: SingleArray
    moved: SingleArray
    between: SingleArray
    place: SingleArray


@compiled
def new_grid(steps: int, levels: int) -> Grid:
    """Room for T ``steps`` and L ``levels``."""
    count = levels + 1
    return Grid(
        np.zeros((steps + 1, count), np.float32),
        np.full((2, 3 * count + 2), _NOWHERE),
        np.zeros(count, np.float32),
        np.arange(count).astype(np.float32),
    )


@compiled
def level_kwh_of(car: Car, grid: Grid) -> float:
    """What lies between two levels."""
    levels: int = grid.costs.shape[1] - 1
    return max(car.cap_kwh - car.bottom_kwh, _LEAST_SPAN_KWH) / levels


@inlined
def end_cost(car: Car, energy_kwh: float) -> float:
    """What the energy at the end counts."""
    missing = car.asked_kwh - energy_kwh
    return (
        car.missing_price_per_kwh * missing if missing > 0.0 else 0.0
    ) - car.value_per_kwh * energy_kwh


@inlined
def standing_per_h(car: Car, energy_kwh: float) -> float:
    """What it costs per hour to stand at an energy: above what is dear to hold, or below the floor."""
    bends = car.bends
    held_kwh = max(energy_kwh - bends.holding_from_kwh, 0.0)
    below_kwh = max(bends.floor_kwh - energy_kwh, 0.0)
    return bends.holding_price_per_kwh_h * held_kwh + bends.floor_price_per_kwh_h * below_kwh


@compiled
def costs_back(car: Car, grid: Grid, ranking: Ranking, duration_h: FloatArray) -> None:
    """Fill the costs from the end of a stay to its second step (the first begins from one energy only).

    Those before a step hold what it costs to stand there through the step that ended.
    """
    level_kwh = level_kwh_of(car, grid)
    costs, moved, between, place = grid
    levels = costs.shape[1] - 1
    for level in range(levels + 1):
        costs[car.last, level] = end_cost(car, car.bottom_kwh + level_kwh * level)
    lowest = int(np.ceil((car.floor_kwh - car.bottom_kwh) / level_kwh - 1e-6))
    for step in range(car.last - 1, car.first - 1, -1):
        per_level = duration_h[step] / level_kwh
        if car.bent:
            for level in range(levels + 1):
                standing = standing_per_h(car, car.bottom_kwh + level_kwh * level)
                costs[step + 1, level] += np.float32(duration_h[step] * standing)
        if step == car.first:
            break
        for level in range(levels + 1):
            costs[step, level] = costs[step + 1, level]
        most, least = min(car.most_up * per_level, levels), car.least_up * per_level
        if most > 0.0 and least <= most:
            slope = np.float32(ranking.up_slope[step] * level_kwh)
            _improve(1, least, most, slope, step, 0, costs, moved, between, place)
            if car.bent:
                _slow_down(car, step, duration_h[step], slope, costs)
        most, least = min(car.most_down * per_level, levels), car.least_down * per_level
        if most > 0.0 and least <= most:
            slope = np.float32(ranking.keep_slope[step] * level_kwh)
            _improve(-1, least, most, slope, step, lowest, costs, moved, between, place)


@compiled
def _slow_down(car: Car, step: int, hours: float, slope: np.float32, costs: SingleArray) -> None:
    """Find the costs before a step anew for the levels from which less than full power is taken."""
    levels = costs.shape[1] - 1
    level_kwh = max(car.cap_kwh - car.bottom_kwh, _LEAST_SPAN_KWH) / levels
    least, after = car.least_up * hours / level_kwh, costs[step + 1]
    slow_from_kwh = car.bends.taper_from_kwh - car.most_up * hours
    first = max(np.floor((slow_from_kwh - car.bottom_kwh) / level_kwh) + 1.0, 0.0)
    if first > levels:
        return
    for level in range(int(first), levels + 1):
        energy_kwh, best = car.bottom_kwh + level_kwh * level, after[level]
        top_kwh = reached_kwh(car.bends, energy_kwh, car.most_up * hours, hours)
        top = min((top_kwh - car.bottom_kwh) / level_kwh, float(levels))
        if top > level and top - level >= least:
            best = min(best, _between(after, top) + slope * np.float32(top - level))
            if least > 0.0:
                low = _between(after, level + least) + slope * np.float32(least)
                best = min(best, low)
            fewest = max(int(np.ceil(least - 1e-6)), 1)
            for there in range(level + fewest, int(top + 1e-6) + 1):
                best = min(best, after[there] + slope * np.float32(there - level))
        costs[step, level] = best


@inlined
def _between(after: SingleArray, place: float) -> Any:
    """The cost at a place between two levels."""
    whole = min(int(place), len(after) - 2)
    share = np.float32(place - whole)
    return after[whole] + share * (after[whole + 1] - after[whole])


@compiled
def _improve(
    way: int,
    least: float,
    most: float,
    slope: np.float32,
    step: int,
    lowest: int,
    costs: SingleArray,
    moved: SingleArray,
    between: SingleArray,
    place: SingleArray,
) -> None:
    """Lower the costs before a step where it is cheaper to move by ``least`` to ``most`` levels, up (``way`` 1) or down (−1).

    No move ends below the level ``lowest``. Moves by whole levels, and by the least and the most. The least of 2w neighbours in
    a row is the less of the least of w and the least of the next w, so that few passes find it for all levels at once. Places
    have no sign: Numba then does not look whether they count from the end, and takes many levels at a time.
    """
    count, room = np.uint64(costs.shape[1]), costs.shape[1] + 1
    here, before, after = np.uint64(room), np.uint64(step), np.uint64(step + 1)
    source, target = np.uint64(0), np.uint64(1)
    for level in range(count):
        moved[source, here + level] = costs[after, level] + slope * place[level]
    for level in range(np.uint64(lowest)):
        moved[source, here + level] = _NOWHERE
    _move_between(room, way, most, moved, between)
    for level in range(count):
        cost = between[level] - slope * place[level]
        costs[before, level] = min(costs[before, level], cost)
    if least > 0.0:
        _move_between(room, way, least, moved, between)
        for level in range(count):
            cost = between[level] - slope * place[level]
            costs[before, level] = min(costs[before, level], cost)
    fewest = max(int(np.ceil(least - 1e-6)), 1)
    longest = min(int(most + 1e-6), costs.shape[1] - 1)
    if longest < fewest:
        return
    width = 1
    while 2 * width <= longest - fewest + 1:
        there = np.uint64(room + way * width)
        for level in range(count):
            moved[target, here + level] = min(
                moved[source, here + level], moved[source, there + level]
            )
        width, source, target = 2 * width, target, source
    near, far = np.uint64(room + way * fewest), np.uint64(room + way * (longest - width + 1))
    for level in range(count):
        cost = min(moved[source, near + level], moved[source, far + level]) - slope * place[level]
        costs[before, level] = min(costs[before, level], cost)


@inlined
def _move_between(room: int, way: int, by: float, moved: SingleArray, between: SingleArray) -> None:
    """The cost of moves that end between two levels, in ``between``."""
    whole = int(by)
    share = np.float32(by - whole)
    first, second = np.uint64(room + way * whole), np.uint64(room + way * (whole + 1))
    for level in range(np.uint64(len(between))):
        nearer = moved[np.uint64(0), first + level]
        between[level] = nearer + share * (moved[np.uint64(0), second + level] - nearer)
