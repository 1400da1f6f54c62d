"""Promises held against what physically happened in a virtual home; Parkwatt's own words play no part.

Only what cars did is judged: a household that draws more than its connection allows, or a sun that feeds in, is nobody's
broken promise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parkwatt.io.sim.car import Car
from parkwatt.io.sim.home.truth import TrueDeparture, Truth
from parkwatt.io.sim.settings import CarSettings, StationSettings

Flags = NDArray[np.bool_]
_MOVES_KW = 0.02  # less is no charging or discharging
_SOC_TOLERANCE = 0.002


@dataclass(frozen=True, slots=True)
class Excess:
    """Seconds in which something was too much. ``runs_s``: how long each uninterrupted stretch of them lasted, in order.

    ``starts_unix_s``: when each began; ``most_kw``: the most that it was too much, 0 where it never was.
    """

    starts_unix_s: tuple[int, ...]
    runs_s: tuple[int, ...]
    most_kw: float

    @property
    def longest_s(self) -> int:
        """The longest stretch, 0 where there is none."""
        return max(self.runs_s, default=0)

    @property
    def total_s(self) -> int:
        """All seconds together."""
        return sum(self.runs_s)

    def beyond(self, seconds: int) -> list[tuple[int, int]]:
        """Start and length of each stretch that lasted longer than that."""
        pairs = zip(self.starts_unix_s, self.runs_s, strict=True)
        return [(start, length) for start, length in pairs if length > seconds]


def above(truth: Truth, excess_kw: NDArray[np.floating], tolerance_kw: float) -> Excess:
    """Where ``excess_kw`` [S] is above the tolerance."""
    flags: Flags = excess_kw > tolerance_kw
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    most_kw = float(excess_kw.max(initial=0.0, where=flags))
    return Excess(
        tuple((truth.start_unix_s + starts).tolist()), tuple((ends - starts).tolist()), most_kw
    )


def import_excess(truth: Truth, limit_kw: float, tolerance_kw: float = 0.05) -> Excess:
    """What cars drew beyond what the connection's import limit left them."""
    charging_kw = np.clip(truth.car_kw, 0.0, None).sum(axis=0)
    return above(truth, np.minimum(truth.grid_kw() - limit_kw, charging_kw), tolerance_kw)


def feed_in_kw(truth: Truth) -> NDArray[np.floating]:
    """[S] what cars fed into the grid: the part of the export that is not the sun's."""
    discharging_kw = np.clip(-truth.car_kw, 0.0, None).sum(axis=0)
    fed_kw: NDArray[np.floating] = np.clip(np.minimum(-truth.grid_kw(), discharging_kw), 0.0, None)
    return fed_kw


def feed_in(truth: Truth, tolerance_kw: float) -> Excess:
    """Where cars fed more into the grid than the tolerance."""
    return above(truth, feed_in_kw(truth), tolerance_kw)


def export_excess(truth: Truth, limit_kw: float, tolerance_kw: float = 0.05) -> Excess:
    """What cars gave beyond what the connection's export limit allows."""
    discharging_kw = np.clip(-truth.car_kw, 0.0, None).sum(axis=0)
    return above(truth, np.minimum(-truth.grid_kw() - limit_kw, discharging_kw), tolerance_kw)


def discharge_below(truth: Truth, car: int, floor_soc: float) -> Excess:
    """Where a car was discharged although it held no more than its floor; 1 as the floor: where it was at all."""
    with np.errstate(invalid="ignore"):
        low = truth.soc[car] < floor_soc - _SOC_TOLERANCE
    discharging_kw = np.where(low, -truth.car_kw[car], 0.0)
    return above(truth, discharging_kw, _MOVES_KW)


def possible_energy_kwh(
    truth: Truth,
    departure: TrueDeparture,
    station: StationSettings,
    *,
    begin_unix_s: int,
    energy_kwh: float,
    import_limit_kw: float,
) -> float:
    """What the car could have held at its departure, charged as fast as possible from ``begin_unix_s`` on.

    ``energy_kwh``: what it held then. The household of these seconds is known, and goes first; no other car charges.
    """
    first = max(begin_unix_s - truth.start_unix_s, 0)
    last = min(departure.departed_unix_s - truth.start_unix_s, len(truth))
    car = _car(station.car, energy_kwh)
    least_kw = 0.0
    if not station.is_dc:
        least_kw = station.current_a_min * station.voltage_v * station.phases / 1000.0
    room_kw = np.clip(import_limit_kw - truth.house_kw[first:last], 0.0, station.power_kw_max)
    room_kw[room_kw < least_kw] = 0.0
    for power_kw in room_kw.tolist():
        car.step(power_kw, 1.0)
        if car.soc >= 1.0:
            break
    return car.energy_kwh


def _car(settings: CarSettings, energy_kwh: float) -> Car:
    car = Car(settings)
    car.energy_kwh = energy_kwh
    return car


def switchings(truth: Truth, car: int) -> NDArray[np.int64]:
    """[days] how often the car's power began, ended or changed its direction on each day of 24 hours."""
    power_kw = truth.car_kw[car]
    sign = np.where(np.abs(power_kw) < _MOVES_KW, 0, np.sign(power_kw)).astype(np.int8)
    changes = np.flatnonzero(np.diff(sign, prepend=np.int8(0)))
    return np.bincount(changes // 86_400, minlength=-(-len(truth) // 86_400)).astype(np.int64)
