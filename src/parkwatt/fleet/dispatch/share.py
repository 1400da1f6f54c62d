"""Who takes how much of what the pool is to do, so that few are told something new and nobody less than his charger can.

A charger does nothing below its least power (6 A, IEC 61851-1). A level that is the same for all would give many cars less than
that where little is asked: then some rest, and the others do what they would have done.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from parkwatt.fleet.disaggregate import PoolCars, PowerArray, disaggregate

# A small error is carried by one car of so many, then by another one.
_TURNS: Final = 16
# An error of so many times what moves nobody is no small one.
_SMALL: Final = 10.0
_SAME_KW: Final = 1e-3


class Shared(NamedTuple):
    """``power_kw``: [N]; ``missing_kw``: of the aim, what nobody could do; ``turn``: whose turn it is next."""

    power_kw: PowerArray
    missing_kw: float
    turn: int


def share(
    cars: PoolCars,
    stands_kw: PowerArray,
    least_kw: PowerArray,
    aim_kw: float,
    *,
    still_kw: float,
    turn: int,
    threads: int = 1,
) -> Shared:
    """Powers that come to ``aim_kw``. ``stands_kw``: [N] what each does now; ``least_kw``: [N] below it a charger rests, 0: it
    has none.

    An error up to ``still_kw`` moves nobody.
    """
    error_kw = aim_kw - float(stands_kw.sum(dtype=np.float64))
    if abs(error_kw) <= still_kw:
        return Shared(stands_kw, 0.0, turn)
    count = 1 if abs(error_kw) <= _SMALL * still_kw else _TURNS
    running = _running(cars, stands_kw, least_kw)
    number = np.arange(len(stands_kw))
    while count < _TURNS:
        chosen = (number - turn) % _TURNS < count
        weight = np.where(chosen, running.weight, 0.0).astype(np.float32)
        some = running._replace(planned_kw=stands_kw, weight=weight)
        found = disaggregate(some, aim_kw, threads=threads)
        turn = (turn + count) % _TURNS
        if abs(found.missing_kw) <= still_kw:
            return Shared(found.power_kw, 0.0, turn)
        count *= 2
    found = disaggregate(cars, aim_kw, threads=threads)
    small = _below_least(cars, found.power_kw, least_kw)
    if not small.any():
        return Shared(found.power_kw, found.missing_kw, turn)
    some = _some_rest(cars, found.power_kw, stands_kw, least_kw, small)
    again = disaggregate(some, aim_kw, threads=threads)
    return Shared(again.power_kw, again.missing_kw, turn)


def _running(cars: PoolCars, stands_kw: PowerArray, least_kw: PowerArray) -> PoolCars:
    """The same cars, each kept on its side of 0 and at its least power; one that rests goes on resting."""
    free = least_kw <= 0.0
    draws, gives = stands_kw >= least_kw - _SAME_KW, stands_kw <= -least_kw + _SAME_KW
    low_kw = np.where(~free & draws, np.maximum(cars.low_kw, least_kw), cars.low_kw)
    high_kw = np.where(~free & gives, np.minimum(cars.high_kw, -least_kw), cars.high_kw)
    # Whose bounds leave no room on its side is not for a small correction.
    moves = (free | draws | gives) & (low_kw <= high_kw)
    return cars._replace(
        low_kw=np.where(moves, low_kw, stands_kw).astype(np.float32),
        high_kw=np.where(moves, high_kw, stands_kw).astype(np.float32),
        weight=np.where(moves, cars.weight, 0.0).astype(np.float32),
    )


def _below_least(cars: PoolCars, power_kw: PowerArray, least_kw: PowerArray) -> np.ndarray:
    size_kw = np.abs(power_kw)
    below = (size_kw > _SAME_KW) & (size_kw < least_kw - _SAME_KW)
    return np.asarray(below & (cars.low_kw <= 0.0) & (cars.high_kw >= 0.0) & (cars.weight > 0.0))


def _how_many(least_kw: PowerArray, room_kw: PowerArray, total_kw: float) -> int:
    """How many of these cars run to come to a total: as many as their least powers allow, and as few as their most demand."""
    count = int((np.cumsum(least_kw, dtype=np.float64) <= total_kw).sum())
    if count < len(least_kw) and float(room_kw[:count].sum(dtype=np.float64)) < total_kw:
        # With one more it is a little too much: better than much too little.
        missing_kw = total_kw - float(room_kw[:count].sum(dtype=np.float64))
        beyond_kw = float(least_kw[: count + 1].sum(dtype=np.float64)) - total_kw
        count += beyond_kw <= missing_kw
    return count


def _some_rest(
    cars: PoolCars,
    power_kw: PowerArray,
    stands_kw: PowerArray,
    least_kw: PowerArray,
    small: np.ndarray,
) -> PoolCars:
    """The same cars, of which those whose share is ``small`` rest, but for as many as come to the sum of these shares.

    Those that run already go on, then those come that have the most to move.
    """
    total_kw = float(power_kw[small].sum(dtype=np.float64))
    side = np.float32(1.0 if total_kw > 0.0 else -1.0)
    room_kw = np.where(side > 0.0, cars.high_kw, -cars.low_kw)
    able = np.flatnonzero(small & (room_kw >= least_kw))
    runs = side * stands_kw[able] >= least_kw[able] - _SAME_KW
    able = able[np.lexsort((-cars.weight[able], ~runs))]
    on = able[: _how_many(least_kw[able], room_kw[able], abs(total_kw))]
    rests = (np.abs(power_kw) < least_kw - _SAME_KW) & (cars.low_kw <= 0.0) & (cars.high_kw >= 0.0)
    rests[on] = False
    low_kw, high_kw = cars.low_kw.copy(), cars.high_kw.copy()
    low_kw[rests] = high_kw[rests] = 0.0
    # Who runs stays above its least power, the new ones and the others.
    direction = np.sign(power_kw)
    direction[on] = side
    draws = ~rests & (least_kw > 0.0) & (direction > 0.0) & (cars.high_kw >= least_kw)
    gives = ~rests & (least_kw > 0.0) & (direction < 0.0) & (-cars.low_kw >= least_kw)
    low_kw[draws] = np.maximum(low_kw, least_kw)[draws]
    high_kw[gives] = np.minimum(high_kw, -least_kw)[gives]
    return cars._replace(planned_kw=power_kw, low_kw=low_kw, high_kw=high_kw)
