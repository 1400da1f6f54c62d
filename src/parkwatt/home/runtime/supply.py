"""When each battery is there, and what it must keep, over the steps of a forecast.

What a car must keep before it leaves: its floor and the trip, and, where the driver does not charge on the way to what the
next departure needs, that of the next one too; backwards from the last. A trip that the car cannot make any more with what it
has keeps nothing: the driver charges elsewhere. What a driver has asked for (`Mobility`) is kept until the car leaves first,
or, where nobody knows when that is, for good; whether it is firm decides for whom.

The energy to start again from is kept in the battery that leaves least.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.forecast.local_time import DAY_S, HOUR_S
from parkwatt.home.runtime.battery import Absence, IslandBattery
from parkwatt.home.runtime.request import RuntimeRequest

_FINE_S: Final = 900
_FINE_UNTIL_S: Final = DAY_S
_ENOUGH_KWH: Final = 1e-6


def step_edges(request: RuntimeRequest) -> NDArray[np.int64]:
    """[T+1] edges: quarters of an hour for a day, then hours, and each moment at which a car leaves or is back."""
    start, end = request.at_unix_s, request.at_unix_s + request.horizon_s
    fine = np.arange(start, min(start + _FINE_UNTIL_S, end), _FINE_S, dtype=np.int64)
    coarse = np.arange(start + _FINE_UNTIL_S, end, HOUR_S, dtype=np.int64)
    moments = [
        moment
        for battery in request.batteries
        for absence in battery.absences
        for moment in (absence.leaves_unix_s, absence.returns_unix_s)
        if moment is not None and start < moment < end
    ]
    return np.unique(np.concatenate((fine, coarse, np.array([*moments, end], dtype=np.int64))))


@dataclass(frozen=True, slots=True, eq=False)
class Supply:
    """One battery over T steps. ``is_here`` [T]; ``comes_back`` [T]: away, but back within the forecast.

    ``kept_kwh``, ``free_kwh`` [T]: what stays in it with and without what a driver needs; ``returns`` [T]: the absence that
    ended just before a step.
    """

    battery: IslandBattery
    is_here: NDArray[np.bool_]
    comes_back: NDArray[np.bool_]
    kept_kwh: FloatArray
    free_kwh: FloatArray
    returns: tuple[Absence | None, ...]


def supplies(request: RuntimeRequest, edges_unix_s: NDArray[np.int64]) -> list[Supply]:
    """The batteries in the order in which they are emptied: those that leave first, the ones that stay last."""
    order = sorted(
        request.batteries,
        key=lambda one: (not one.absences, one.absences[0].leaves_unix_s if one.absences else 0),
    )
    anchor = min(request.batteries, key=lambda one: (len(one.absences), one.charge_kw_max == 0.0))
    return [_supply(one, request, edges_unix_s, one is anchor) for one in order]


def _supply(
    battery: IslandBattery,
    request: RuntimeRequest,
    edges_unix_s: NDArray[np.int64],
    is_anchor: bool,
) -> Supply:
    starts = edges_unix_s[:-1]
    is_here = np.ones(len(starts), dtype=np.bool_)
    comes_back = np.zeros(len(starts), dtype=np.bool_)
    restart_kwh = request.restart_kwh / battery.discharge_efficiency if is_anchor else 0.0
    floor_kwh = battery.floor_kwh + restart_kwh
    free_kwh = np.full(len(starts), floor_kwh)
    kept_kwh = free_kwh.copy()
    returns: list[Absence | None] = [None] * len(starts)
    needs_kwh = _needs_kwh(battery, request)
    before_unix_s = request.at_unix_s
    for absence, need_kwh in zip(battery.absences, needs_kwh, strict=True):
        waits = (starts >= before_unix_s) & (starts < absence.leaves_unix_s)
        kept_kwh[waits] = np.maximum(kept_kwh[waits], need_kwh)
        back = absence.returns_unix_s
        away = starts >= absence.leaves_unix_s
        if back is not None:
            away &= starts < back
            if back < edges_unix_s[-1]:
                comes_back |= away
            at = int(np.searchsorted(starts, back))
            if request.at_unix_s < back and at < len(starts):
                returns[at] = absence
            before_unix_s = back
        is_here &= ~away
    asked = request.mobility
    if asked is not None and asked.battery_id == battery.battery_id and not battery.absences:
        kept_kwh = np.maximum(kept_kwh, asked.energy_kwh)
    return Supply(battery, is_here, comes_back, kept_kwh, free_kwh, tuple(returns))


def _needs_kwh(battery: IslandBattery, request: RuntimeRequest) -> list[float]:
    """For each absence, what must be in the battery when the car leaves."""
    asked = request.mobility
    following_kwh = battery.floor_kwh
    needs: list[float] = []
    for number, possible in reversed(list(enumerate(_possible(battery)))):
        absence = battery.absences[number]
        need_kwh = battery.floor_kwh + (absence.trip_kwh if possible else 0.0)
        charges_enough = absence.returns_kwh is not None and absence.returns_kwh >= following_kwh
        if possible and following_kwh > battery.floor_kwh and not charges_enough:
            need_kwh = following_kwh + absence.trip_kwh
        if number == 0 and asked is not None and asked.battery_id == battery.battery_id:
            need_kwh = max(need_kwh, asked.energy_kwh)
        following_kwh = min(need_kwh, battery.capacity_kwh)
        needs.append(following_kwh)
    return needs[::-1]


def _possible(battery: IslandBattery) -> list[bool]:
    """For each absence whether the car could have what it takes, were the home to take nothing."""
    energy_kwh, found = battery.energy_kwh, []
    for absence in battery.absences:
        found.append(energy_kwh >= battery.floor_kwh + absence.trip_kwh - _ENOUGH_KWH)
        energy_kwh = float(back_kwh(battery, absence, np.asarray(energy_kwh)))
    return found


def back_kwh(battery: IslandBattery, absence: Absence, energy_kwh: FloatArray) -> FloatArray:
    """What is in the battery when the car is back; it was ``energy_kwh`` when it left."""
    charged_kwh = absence.returns_kwh or 0.0
    least_kwh = np.maximum(np.minimum(energy_kwh, battery.floor_kwh), charged_kwh)
    back = np.maximum(energy_kwh - absence.trip_kwh, least_kwh)
    return np.asarray(np.minimum(back, battery.capacity_kwh))
