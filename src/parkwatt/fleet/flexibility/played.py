"""What a pool could have given and taken at each step of its past, within each driver's floor and departure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.fleet.dispatch.bounds import Batteries, bounds

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
STEPS_OF_DAY: Final = 96
STEP_S: Final = 900
_EARLY_S: Final = 600.0
_NEVER: Final = 1 << 60


class Fleet(NamedTuple):
    """N cars of one kind each; arrays [N]. ``enrolled_day``: the day from which each is a member."""

    capacity_kwh: FloatArray
    floor_kwh: FloatArray
    charge_kw_max: FloatArray
    discharge_kw_max: FloatArray
    efficiency: FloatArray
    enrolled_day: IntArray


class Stays(NamedTuple):
    """K stays, in order of ``from_step``; arrays [K]: whose, steps [from, to) since the first day's midnight, what is in the
    battery when it comes, and what its driver wants when it goes, kWh.
    """

    car: IntArray
    from_step: IntArray
    to_step: IntArray
    arrives_kwh: FloatArray
    asked_kwh: FloatArray


class DayHeld(NamedTuple):
    """A day's steps [96] for each car [N]. ``reserve_kw``: what it could have held both ways; ``up_kw``, ``down_kw``: how far
    above and below its plan it could have gone for as long as a reserve lasts; ``up_kwh``, ``down_kwh``: what it could have
    taken and given in all until it left. ``here``: whether it was plugged in. Singles.
    """

    reserve_kw: SingleArray
    up_kw: SingleArray
    down_kw: SingleArray
    up_kwh: SingleArray
    down_kwh: SingleArray
    here: SingleArray


QUANTITIES: Final = DayHeld._fields


def play_days(
    fleet: Fleet, stays: Stays, day_count: int, *, reserve_minutes: float
) -> Iterator[DayHeld]:
    """Each day of the past, in order. A car charges with half its power until it holds what its driver asked for (so that it
    can do more and less), sooner where its departure needs more, and rests then.
    """
    player = _Player(fleet, stays, reserve_minutes)
    for day in range(day_count):
        yield player.day(day)


class _Player:
    def __init__(self, fleet: Fleet, stays: Stays, reserve_minutes: float) -> None:
        self._fleet, self._stays = fleet, stays
        self._hold_s = reserve_minutes * 60.0 + STEP_S
        self._next = 0
        count = len(fleet.capacity_kwh)
        self._energy = np.full(count, np.nan)
        self._asked = np.zeros(count)
        self._until = np.full(count, -1, np.int64)

    def day(self, day: int) -> DayHeld:
        count = len(self._fleet.capacity_kwh)
        held = DayHeld(*(np.zeros((STEPS_OF_DAY, count), np.float32) for _ in QUANTITIES))
        for step in range(STEPS_OF_DAY):
            self._step(day * STEPS_OF_DAY + step, DayHeld(*(one[step] for one in held)))
        return held

    def _step(self, step: int, row: DayHeld) -> None:
        """Fill in a step's row, and let it pass."""
        fleet = self._fleet
        self._come_and_go(step)
        here = self._until > step
        cars = self._batteries(step, here)
        within = bounds(cars, hold_s=self._hold_s, early_s=_EARLY_S)
        low, high = within.low_kw.astype(float), within.high_kw.astype(float)
        planned = np.where(self._energy < self._asked, fleet.charge_kw_max / 2.0, 0.0)
        half = np.maximum(high - low, 0.0) / 2.0
        plan = np.clip(np.where(here, planned, 0.0), low, high)
        row.reserve_kw[:] = np.where(here, half, 0.0)
        row.up_kw[:] = np.where(here, high - plan, 0.0)
        row.down_kw[:] = np.where(here, plan - low, 0.0)
        row.up_kwh[:] = np.where(
            here, np.maximum(fleet.capacity_kwh - self._energy, 0.0) / fleet.efficiency, 0.0
        )
        row.down_kwh[:] = np.where(here, np.maximum(within.above_kwh, 0.0) * fleet.efficiency, 0.0)
        row.here[:] = here
        gain = np.where(plan > 0.0, plan * fleet.efficiency, plan / fleet.efficiency) * 0.25
        energy = np.clip(self._energy + gain, 0.0, fleet.capacity_kwh)
        self._energy = np.where(here, energy, self._energy)

    def _come_and_go(self, step: int) -> None:
        stays = self._stays
        while self._next < len(stays.car) and stays.from_step[self._next] <= step:
            one, self._next = self._next, self._next + 1
            car = int(stays.car[one])
            if stays.to_step[one] <= step:
                continue
            self._energy[car] = stays.arrives_kwh[one]
            self._asked[car] = stays.asked_kwh[one]
            self._until[car] = stays.to_step[one]

    def _batteries(self, step: int, here: NDArray[np.bool_]) -> Batteries:
        fleet = self._fleet

        def single(array: FloatArray) -> SingleArray:
            return np.asarray(array, np.float32)

        none = np.zeros(len(fleet.capacity_kwh), np.float32)
        energy = np.where(here, self._energy, 0.0)
        return Batteries(
            single(energy),
            # One that came with less than its floor is not charged for that at once, but gives nothing.
            single(np.minimum(fleet.floor_kwh, energy)),
            single(fleet.capacity_kwh),
            single(np.where(here, self._asked, 0.0)),
            single(np.where(here, (self._until - step) * float(STEP_S), np.inf)),
            single(np.where(here, fleet.charge_kw_max, 0.0)),
            single(np.where(here, fleet.discharge_kw_max, 0.0)),
            single(fleet.efficiency),
            single(fleet.efficiency),
            none,
        )
