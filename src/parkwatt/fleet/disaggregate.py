"""From one set-point of a pool to one of each car, exactly: water-filling.

A car i leaves its plan by as much as one *level* says, times its weight, as far as its bounds allow:

    power_i  =  min(max(planned_i + weight_i · level, low_i), high_i)            Σ power_i  =  target

The sum rises with the level, in straight pieces that bend where a car reaches a bound. Newton's method finds the level: where a
step leaves the range in which it must lie, that range is halved instead. It begins at the level of a sample of the cars, or of
the command before, so that a few passes over memory do, without a sort. (The continuous quadratic knapsack problem; such
methods are compared by K. C. Kiwiel, Breakpoint searching algorithms, 2008.)
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.compiled import compiled

PowerArray = NDArray[np.float32]

_SAMPLE: Final = 4096
_PASSES: Final = 200
# The sum is met to such a share of all numbers of kW; in single precision one is not known better.
_MET: Final = 1e-7
_CARS_OF_THREAD: Final = 100_000

# What cars come to at a level, and by how much that rises with it.
_SumsAt = Callable[[float], FloatArray]


class PoolCars(NamedTuple):
    """N cars of a pool at one moment; arrays [N] in single precision, kW at the charger, positive: from the grid.

    ``planned_kw``: what each would do otherwise. ``low_kw`` ≤ ``high_kw``: what it can and may do now, after its driver's floor
    and departure, its charger and its link. ``weight`` ≥ 0: how much more than others it leaves its plan; 0: it stays.
    """

    planned_kw: PowerArray
    low_kw: PowerArray
    high_kw: PowerArray
    weight: PowerArray


class Disaggregated(NamedTuple):
    """``power_kw``: [N]. ``level``: kW for a weight of 1; infinite where all that move are at their bounds. ``missing_kw``: of
    the target, above 0 where more cannot be drawn, below 0 where less cannot.
    """

    power_kw: PowerArray
    level: float
    missing_kw: float


def disaggregate(
    cars: PoolCars, target_kw: float, *, begin_at: float | None = None, threads: int = 1
) -> Disaggregated:
    """Share a set-point ``target_kw`` of the pool among its cars; what they cannot reach is told as missing.

    ``begin_at``: the level of a command shortly before, None: unknown. Raises InputError where arrays differ in shape, bounds
    are in the wrong order, or a number is not finite.
    """
    cars = PoolCars(*(np.require(one, np.float32, ["C", "W"]) for one in cars))
    _raise_if_misshapen(cars, target_kw)
    count = len(cars.weight)
    parts = max(1, min(threads, count // _CARS_OF_THREAD))
    edges = np.linspace(0, count, parts + 1).astype(np.int64).tolist()
    power_kw = np.empty(count, np.float32)
    with ThreadPoolExecutor(parts) as pool:

        def in_parts(work: Callable[[int, int], FloatArray]) -> FloatArray:
            return np.stack(list(pool.map(work, edges[:-1], edges[1:])))

        reach = in_parts(partial(_reach, cars=cars))
        least, most, wrong, sizes_kw = reach[:, :4].sum(axis=0).tolist()
        if wrong:
            _raise_wrong(cars)
        level = np.inf if target_kw >= most and target_kw > least else -np.inf
        if least < target_kw < most:
            # At such levels all cars that move are at a bound.
            far = float(reach[:, 4].max() / reach[:, 5].min())
            met_kw = _MET * sizes_kw
            if begin_at is None:
                some = PoolCars(*(one[:: max(1, count // _SAMPLE)] for one in cars))
                mean_kw = target_kw / count * len(some.weight)
                of_some = partial(_sums_at, 0, len(some.weight), cars=some)
                begin_at = _level(mean_kw, met_kw * len(some.weight) / count, 0.0, far, of_some)
            of_all = partial(_sums_at, cars=cars)
            level = _level(
                target_kw,
                met_kw,
                begin_at,
                far,
                lambda level: in_parts(partial(of_all, level=level)).sum(axis=0),
            )
        in_parts(partial(_write, level=level, cars=cars, power_kw=power_kw))
    reached_kw = float(min(max(target_kw, least), most))
    return Disaggregated(power_kw, level, target_kw - reached_kw)


def _level(target_kw: float, met_kw: float, begin_at: float, far: float, sums_at: _SumsAt) -> float:
    """The level between -``far`` and ``far`` at which the sum is as close as ``met_kw`` to a target."""
    low, high, level = -far, far, min(max(begin_at, -far), far)
    for _ in range(_PASSES):
        total, slope = sums_at(level).tolist()
        short_kw = target_kw - total
        if abs(short_kw) <= met_kw:
            break
        if short_kw > 0.0:
            low = level
        else:
            high = level
        level = level + short_kw / slope if slope > 0.0 else np.inf
        if not low < level < high:
            level = 0.5 * (low + high)
        if not low < level < high:
            break
    return float(level)


@compiled
def _reach(begin: int, end: int, cars: PoolCars) -> FloatArray:
    """The least and the most that some cars come to; in how many something is wrong; the sum of the sizes of their numbers, the
    largest of these, and the least weight of those that move.
    """
    planned, least, most, weight = cars
    low, high, right, sizes, largest, lightest = 0.0, 0.0, 0, 0.0, 0.0, np.inf
    for one in range(begin, end):
        bottom, top, slope = float(least[one]), float(most[one]), float(weight[one])
        stays = min(max(float(planned[one]), bottom), top)
        low += bottom if slope > 0.0 else stays
        high += top if slope > 0.0 else stays
        size = abs(float(planned[one])) + abs(bottom) + abs(top)
        right += (size + abs(slope) < np.inf) & (bottom <= top) & (slope >= 0.0)
        sizes += size
        largest = max(largest, size)
        lightest = min(lightest, slope if slope > 0.0 else np.inf)
    return np.array([low, high, float(end - begin - right), sizes, largest, lightest])


@compiled
def _sums_at(begin: int, end: int, level: float, cars: PoolCars) -> FloatArray:
    """What some cars come to at a level, and by how much that rises with it."""
    planned, least, most, weight = cars
    total, rises = 0.0, 0.0
    for one in range(begin, end):
        slope = float(weight[one])
        wanted = float(planned[one]) + level * slope
        power = min(max(wanted, float(least[one])), float(most[one]))
        total += power
        rises += slope if power == wanted else 0.0
    return np.array([total, rises])


@compiled
def _write(begin: int, end: int, level: float, cars: PoolCars, power_kw: PowerArray) -> FloatArray:
    """Write the powers at a level. (Returns nothing of use.)"""
    planned, least, most, weight = cars
    for one in range(begin, end):
        slope = float(weight[one])
        # No weight times an infinite level is no move.
        move = level * slope if slope > 0.0 else 0.0
        wanted = float(planned[one]) + move
        power_kw[one] = min(max(wanted, float(least[one])), float(most[one]))
    return np.zeros(1)


def _raise_if_misshapen(cars: PoolCars, target_kw: float) -> None:
    faults = []
    if not np.isfinite(target_kw):
        faults.append(InputFault("target_kw", "must be finite", target_kw))
    shape = cars.weight.shape
    for name, array in zip(cars._fields, cars, strict=True):
        if array.ndim != 1 or array.shape != shape:
            faults.append(InputFault(name, f"must have shape {shape}", array.shape))
    if faults:
        raise InputError(faults)


def _raise_wrong(cars: PoolCars) -> None:
    """Raises InputError with the first car in which each rule is broken."""
    rules = [(name, ~np.isfinite(getattr(cars, name)), "must be finite") for name in cars._fields]
    rules.append(("low_kw", cars.low_kw > cars.high_kw, "must be at most high_kw"))
    rules.append(("weight", cars.weight < 0.0, "must be at least 0"))
    first = [(name, np.flatnonzero(wrong)[:1].tolist(), rule) for name, wrong, rule in rules]
    raise InputError(
        [
            InputFault(f"{name}[{row}]", rule, float(getattr(cars, name)[row]))
            for name, rows, rule in first
            for row in rows
        ]
    )
