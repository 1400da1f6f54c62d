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

    ``asked_kwh``: at the end, no more than can be reached; 0 where nothing is asked. ``missing_price_per_kwh``: far above all prices.
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
    """``costs``: [T+1, L+1] before each step, from floor to maximum; the rest is room to work."""

    costs: SingleArray
    padded: SingleArray
    best: SingleArray


@compiled
def new_grid(steps: int, levels: int) -> Grid:
    """Room for T ``steps`` and L ``levels``."""
    return Grid(
        np.zeros((steps + 1, levels + 1), np.float32),
        np.zeros(2 * levels + 8, np.float32),
        np.zeros(levels + 1, np.float32),
    )


@compiled
def level_kwh_of(car: Car, grid: Grid) -> float:
    """What lies between two levels."""
    return max(car.cap_kwh - car.floor_kwh, _LEAST_SPAN_KWH) / (len(grid.best) - 1)


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
    count = len(grid.best)
    for level in range(count):
        grid.costs[car.last, level] = end_cost(car, car.floor_kwh + level_kwh * level)
    span_kwh = level_kwh * (count - 1)
    for step in range(car.last - 1, car.first, -1):
        hours = duration_h[step]
        after, before = grid.costs[step + 1], grid.costs[step]
        for level in range(count):
            before[level] = after[level]
        most = min(car.most_up * hours, span_kwh) / level_kwh
        least = car.least_up * hours / level_kwh
        if most > 0.0 and least <= most:
            slope = np.float32(ranking.up_slope[step] * level_kwh)
            for level in range(count):
                grid.padded[level] = after[level] + slope * np.float32(level)
            _best_within(grid, least, most)
            for level in range(count):
                cost = grid.best[level] - slope * np.float32(level)
                before[level] = min(before[level], cost)
        most = min(car.most_down * hours, span_kwh) / level_kwh
        least = car.least_down * hours / level_kwh
        if most > 0.0 and least <= most:
            # The same with the levels counted from the top.
            slope = np.float32(ranking.keep_slope[step] * level_kwh)
            for level in range(count):
                grid.padded[level] = after[count - 1 - level] - slope * np.float32(level)
            _best_within(grid, least, most)
            for level in range(count):
                cost = grid.best[count - 1 - level] + slope * np.float32(count - 1 - level)
                before[level] = min(before[level], cost)


@compiled
def _best_within(grid: Grid, least: float, most: float) -> None:
    """For each level the least of ``padded`` between so many levels further up: at whole levels, and at both ends."""
    padded, best = grid.padded, grid.best
    count = len(best)
    for level in range(count, count + int(most) + 2):
        padded[level] = _NOWHERE
    for level in range(count):
        best[level] = _NOWHERE
    fewest = max(int(np.ceil(least - 1e-6)), 1)
    for by in range(fewest, min(int(most + 1e-6), count - 1) + 1):
        shifted = padded[by : by + count]
        for level in range(count):
            best[level] = min(best[level], shifted[level])
    _between(padded, best, most)
    if least > 0.0:
        _between(padded, best, least)


@compiled
def _between(padded: SingleArray, best: SingleArray, by: float) -> None:
    """Moves that end between two levels."""
    whole = int(by)
    share = np.float32(by - whole)
    below, above = padded[whole:], padded[whole + 1 :]
    for level in range(len(best)):
        there = below[level] + share * (above[level] - below[level])
        best[level] = min(best[level], there)
