"""The least costs to come, by step and level of energy: the backward pass of the kernel *levels*."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.compiled import compiled, inlined
from parkwatt.plan.batch.rankings import Ranking

SingleArray = NDArray[np.float32]

# Beyond the grid. Finite, so that interpolation with a weight of 0 leaves it out.
_NOWHERE: Final = np.float32(1e30)
_LEAST_SPAN_KWH: Final = 1e-6


class Car(NamedTuple):
    """A stay as the kernel sees it, all in the battery: energies in kWh, ``least_up`` … ``most_down`` in kWh an hour.

    ``asked_kwh``: at the end, no more than can be reached; 0 where nothing is asked. ``missing_price_per_kwh``: far above all
    prices.
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


class Grid(NamedTuple):
    """``costs``: [T+1, L+1] before each step, from floor to maximum. ``moved``, ``nearest``: room to work, with as many
    places beyond both ends as a step may move. ``place``: [L+1] 0, 1, 2 …
    """

    costs: SingleArray
    moved: SingleArray
    nearest: SingleArray
    place: SingleArray


@compiled
def new_grid(steps: int, levels: int) -> Grid:
    """Room for T ``steps`` and L ``levels``."""
    room = 3 * (levels + 1) + 2
    return Grid(
        np.zeros((steps + 1, levels + 1), np.float32),
        np.full(room, _NOWHERE),
        np.full(room, _NOWHERE),
        np.arange(levels + 1).astype(np.float32),
    )


@compiled
def level_kwh_of(car: Car, grid: Grid) -> float:
    """What lies between two levels."""
    levels: int = grid.costs.shape[1] - 1
    return max(car.cap_kwh - car.floor_kwh, _LEAST_SPAN_KWH) / levels


@inlined
def end_cost(car: Car, energy_kwh: float) -> float:
    """What the energy at the end counts."""
    missing = car.asked_kwh - energy_kwh
    return (
        car.missing_price_per_kwh * missing if missing > 0.0 else 0.0
    ) - car.value_per_kwh * energy_kwh


@compiled
def costs_back(car: Car, grid: Grid, ranking: Ranking, duration_h: FloatArray) -> None:
    """Fill the costs from the end of a stay to its second step (the first begins from one energy only)."""
    level_kwh = level_kwh_of(car, grid)
    costs, moved, nearest, place = grid
    levels = costs.shape[1] - 1
    for level in range(levels + 1):
        costs[car.last, level] = end_cost(car, car.floor_kwh + level_kwh * level)
    for step in range(car.last - 1, car.first, -1):
        per_level = duration_h[step] / level_kwh
        after, before = costs[step + 1], costs[step]
        before[:] = after
        most, least = min(car.most_up * per_level, levels), car.least_up * per_level
        if most > 0.0 and least <= most:
            slope = np.float32(ranking.up_slope[step] * level_kwh)
            _improve(1, least, most, slope, after, before, moved, nearest, place)
        most, least = min(car.most_down * per_level, levels), car.least_down * per_level
        if most > 0.0 and least <= most:
            slope = np.float32(ranking.keep_slope[step] * level_kwh)
            _improve(-1, least, most, slope, after, before, moved, nearest, place)


@compiled
def _improve(
    way: int,
    least: float,
    most: float,
    slope: np.float32,
    after: SingleArray,
    before: SingleArray,
    moved: SingleArray,
    nearest: SingleArray,
    place: SingleArray,
) -> None:
    """Lower ``before`` where it is cheaper to move by ``least`` to ``most`` levels, up (``way`` 1) or down (−1).

    Moves by whole levels, and by the least and the most. The least of 2w neighbours in a row is the less of the least of w
    and the least of the next w, so that few passes find it for all levels at once.
    """
    count = len(after)
    room = count + 1
    here = moved[room : room + count]
    for level in range(count):
        here[level] = after[level] + slope * place[level]
    _move_between(way, most, slope, before, moved, place)
    if least > 0.0:
        _move_between(way, least, slope, before, moved, place)
    fewest = max(int(np.ceil(least - 1e-6)), 1)
    longest = min(int(most + 1e-6), count - 1)
    if longest < fewest:
        return
    width, source, target = 1, moved, nearest
    while 2 * width <= longest - fewest + 1:
        there = source[room + way * width : room + way * width + count]
        here, least_here = source[room : room + count], target[room : room + count]
        for level in range(count):
            least_here[level] = min(here[level], there[level])
        width, source, target = 2 * width, target, source
    first, last = room + way * fewest, room + way * (longest - width + 1)
    near, far = source[first : first + count], source[last : last + count]
    for level in range(count):
        cost = min(near[level], far[level]) - slope * place[level]
        before[level] = min(before[level], cost)


@inlined
def _move_between(
    way: int,
    by: float,
    slope: np.float32,
    before: SingleArray,
    moved: SingleArray,
    place: SingleArray,
) -> None:
    """Moves that end between two levels."""
    count = len(before)
    whole = int(by)
    share = np.float32(by - whole)
    first, second = count + 1 + way * whole, count + 1 + way * (whole + 1)
    below, above = moved[first : first + count], moved[second : second + count]
    for level in range(count):
        there = below[level] + share * (above[level] - below[level])
        before[level] = min(before[level], there - slope * place[level])
