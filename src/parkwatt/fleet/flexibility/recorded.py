"""A pool from recorded sessions: each car is a recorded user, who comes and goes on the recorded days."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.fleet.flexibility.played import STEPS_OF_DAY, Fleet, Stays

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
_STEP_MINUTES: Final = 15
_MINUTES_OF_DAY: Final = 1440
# Cars that are copies of one user come and go apart.
_APART_MINUTES: Final = 20.0
_EMPTY_SOC: Final = 0.05
_NEVER: Final = 1 << 40


class CarKind(NamedTuple):
    """What all cars are taken to be."""

    capacity_kwh: float = 60.0
    charger_kw: float = 11.0
    floor_soc: float = 0.2
    asked_soc: float = 0.8
    efficiency: float = 0.93


class RecordedPool(NamedTuple):
    """``first_day``: the number of the first day (days since a Monday); ``day_count``: whole days, the last one before the last
    session begins not included. ``users``: how many different ones are behind the cars.
    """

    fleet: Fleet
    stays: Stays
    first_day: int
    day_count: int
    users: int


def recorded_pool(
    user: IntArray,
    day: IntArray,
    minute: IntArray,
    minutes: IntArray,
    energy_kwh: FloatArray,
    kind: CarKind,
    *,
    cars: int | None = None,
    seed: int = 1,
) -> RecordedPool:
    """A pool of the users themselves, or of ``cars`` that are drawn among them with replacement, each some minutes apart from
    its like. K sessions, arrays [K]: whose (0, 1, …), local day (days since a Monday), minute of it, minutes plugged in,
    energy at the charger. A car takes part from its first session on. It comes with what it wants less what was charged.
    """
    random = np.random.default_rng(seed)
    users = int(user.max()) + 1
    picked = np.arange(users) if cars is None else random.integers(users, size=cars)
    late = (
        np.zeros(len(picked)) if cars is None else random.normal(0.0, _APART_MINUTES, len(picked))
    )
    first_day = int(day.min())
    begin = (day - first_day) * _MINUTES_OF_DAY + minute
    columns = _columns(user, begin, minutes, picked, late)
    source, car, from_step, to_step = columns
    order = np.argsort(from_step, kind="stable")
    source, car, from_step, to_step = (one[order] for one in (source, car, from_step, to_step))
    gain = kind.efficiency * energy_kwh[source]
    asked = kind.asked_soc * kind.capacity_kwh
    arrives = np.maximum(asked - gain, _EMPTY_SOC * kind.capacity_kwh)
    stays = Stays(car, from_step, to_step, arrives, np.minimum(arrives + gain, kind.capacity_kwh))
    enrolled = np.full(len(picked), _NEVER, np.int64)
    np.minimum.at(enrolled, car, from_step // STEPS_OF_DAY)
    fleet = _fleet(kind, enrolled)
    return RecordedPool(fleet, stays, first_day, int(begin.max()) // _MINUTES_OF_DAY, users)


def _fleet(kind: CarKind, enrolled_day: IntArray) -> Fleet:
    count = len(enrolled_day)

    def each(value: float) -> FloatArray:
        return np.full(count, value)

    return Fleet(
        each(kind.capacity_kwh),
        each(kind.floor_soc * kind.capacity_kwh),
        each(kind.charger_kw),
        each(kind.charger_kw),
        each(kind.efficiency),
        enrolled_day,
    )


def _columns(
    user: IntArray, begin: IntArray, minutes: IntArray, picked: IntArray, late: FloatArray
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Of each stay of each car: the session, the car, and steps rounded inwards; one that begins before the last one is over
    is left out.
    """
    in_order = np.lexsort((begin, user))
    edges = np.searchsorted(user[in_order], np.arange(int(user.max()) + 2))
    rows: list[tuple[int, int, int, int]] = []
    for car, (one, off) in enumerate(zip(picked.tolist(), late.tolist(), strict=True)):
        free = 0
        for session in in_order[edges[one] : edges[one + 1]].tolist():
            first = int(-((-(begin[session] + off)) // _STEP_MINUTES))
            last = int((begin[session] + minutes[session] + off) // _STEP_MINUTES)
            if first < free or last <= first:
                continue
            rows.append((session, car, first, last))
            free = last + 1
    table = np.array(rows, np.int64).reshape(-1, 4)
    return table[:, 0], table[:, 1], table[:, 2], table[:, 3]
