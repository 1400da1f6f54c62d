"""Power and energy that cars hold back, so that a pool can draw more or less for some time when it is asked to.

From the beginning of any step on a car could, for ``hours_h``, draw less than planned by its *up* part and more by its *down*
part (up and down as of the grid's frequency):

    up   = power + min(discharge_kw_max, (energy − needed) · η_d / hours)          energy ≥ needed
    up   = power − (needed − energy) / (η_c · hours)                               else
    down = min(charge_kw_max, (most − energy) / (η_c · hours)) − power

``needed`` is the floor, or what has to be there after these hours so that full power brings what is asked at departure: what a
driver was promised is never held back. ``most`` is the maximum, or where charging begins to slow. Both parts are sums of
something of the power and something concave of the energy at the step's beginning, so a sum over cars is too, and prices of
both make a one-car problem that kernel *curved* solves exactly.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import InputFault
from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.cars import FAULTS_MAX, CarStays, as_kernels_take
from parkwatt.plan.batch.compiled import compiled, inlined

BoolArray = NDArray[np.bool_]


class ReservePrices(NamedTuple):
    """What is paid for what cars hold back: ``up_per_kwh``, ``down_per_kwh`` [T] ≥ 0, per kW and hour.

    ``hours_h``: for how long it could be asked for. ``member``: [N] which stays hold back; such a stay has no least power and
    arrives between its floor and its maximum.
    """

    up_per_kwh: FloatArray
    down_per_kwh: FloatArray
    hours_h: float
    member: BoolArray

    def as_kernels_take(self) -> ReservePrices:
        """The same in the form that is compiled for."""
        return ReservePrices(
            as_kernels_take(self.up_per_kwh, np.float64),
            as_kernels_take(self.down_per_kwh, np.float64),
            float(self.hours_h),
            np.require(self.member, None, ["C", "W"]),
        )


class HeldTerms(NamedTuple):
    """What decides what is held back beside the cars: ``hours_h``; ``edge_h`` [T + 1] when steps begin and end."""

    hours_h: float
    edge_h: FloatArray


def terms_of(hours_h: float, duration_h: FloatArray) -> HeldTerms:
    """For steps of ``duration_h`` [T]."""
    return HeldTerms(float(hours_h), np.concatenate(([0.0], np.cumsum(duration_h))))


def can_hold_back(cars: CarStays) -> BoolArray:
    """[N] which stays may be members."""
    arrival_kwh = cars.energy_kwh_at_arrival
    within = (arrival_kwh >= cars.energy_kwh_min) & (arrival_kwh <= cars.energy_kwh_max)
    return np.asarray(within & (cars.charge_kw_min == 0.0) & (cars.discharge_kw_min == 0.0))


def reserve_faults(reserve: ReservePrices, cars: CarStays, steps: int) -> list[InputFault]:
    """What is wrong with prices of reserve for some cars."""
    found = []
    for name in ("up_per_kwh", "down_per_kwh"):
        array = getattr(reserve, name)
        if array.shape != (steps,) or not (np.isfinite(array) & (array >= 0.0)).all():
            found.append(InputFault(name, f"must be {steps} numbers of at least 0"))
    if not (np.isfinite(reserve.hours_h) and reserve.hours_h > 0.0):
        found.append(InputFault("hours_h", "must be finite and above 0", reserve.hours_h))
    if reserve.member.shape != (cars.stay_count,) or reserve.member.dtype != np.bool_:
        rule = f"must be {cars.stay_count} times yes or no"
        return [*found, InputFault("member", rule, reserve.member.shape)]
    rule = "must have no least power and arrive between floor and maximum"
    wrong = np.flatnonzero(reserve.member & ~can_hold_back(cars))[:FAULTS_MAX]
    return found + [InputFault(f"member[{row}]", rule, True) for row in wrong]


class Battery(NamedTuple):
    """What decides what one stay holds back, once for all its steps. ``asked_kwh``: minus infinity where nothing is asked;
    ``pace_kw``: what charging is sure to add to the battery; ``up_per_h``, ``down_per_h``: kW for a kWh in the battery.
    """

    floor_kwh: float
    asked_kwh: float
    most_kwh: float
    pace_kw: float
    leaves_h: float
    up_per_h: float
    down_per_h: float


@inlined
def battery_of(row: int, cars: CarStays, terms: HeldTerms) -> Battery:
    """Of a stay."""
    asked_kwh, into = cars.energy_kwh_at_departure[row], cars.charge_efficiency[row]
    taper_from_kwh, maximum_kwh = cars.taper_from_kwh[row], cars.energy_kwh_max[row]
    pace_kw = cars.charge_kw_max[row]
    if taper_from_kwh < maximum_kwh:
        # What tapers is sure of no more than of the power at the maximum.
        pace_kw = min(pace_kw, cars.taper_kw_at_max[row])
    return Battery(
        cars.energy_kwh_min[row],
        asked_kwh if asked_kwh >= 0.0 else -np.inf,
        min(maximum_kwh, taper_from_kwh),
        pace_kw * into,
        terms.edge_h[cars.to_step[row]] - terms.hours_h,
        cars.discharge_efficiency[row] / terms.hours_h,
        1.0 / (into * terms.hours_h),
    )


@inlined
def _needed_kwh(
    floor_kwh: float, asked_kwh: float, pace_kw: float, leaves_h: float, now_h: float
) -> float:
    """What has to be in the battery after the reserve that begins now was given."""
    return max(floor_kwh, asked_kwh - pace_kw * max(leaves_h - now_h, 0.0))


@inlined
def _can(
    battery: Battery, charge_kw: float, discharge_kw: float, energy_kwh: float, now_h: float
) -> tuple[float, float]:
    """What a stay could give, and take, from now on: what it holds back up and down where its power is 0."""
    floor, asked, most, pace, leaves_h, up_per_h, down_per_h = battery
    above = energy_kwh - _needed_kwh(floor, asked, pace, leaves_h, now_h)
    gives = min(discharge_kw, above * up_per_h, above * down_per_h)
    return gives, min(charge_kw, (most - energy_kwh) * down_per_h)


@compiled
def held_back(
    row: int,
    cars: CarStays,
    terms: HeldTerms,
    duration_h: FloatArray,
    power_kw: NDArray[Any],
    up_kw: FloatArray,
    down_kw: FloatArray,
) -> None:
    """Write what a stay holds back in each of its steps, at powers [T]."""
    battery = battery_of(row, cars, terms)
    into, per_out, edge_h = (
        cars.charge_efficiency[row],
        1.0 / cars.discharge_efficiency[row],
        terms[1],
    )
    charge_kw, discharge_kw = cars.charge_kw_max[row], cars.discharge_kw_max[row]
    energy_kwh = cars.energy_kwh_at_arrival[row]
    for step in range(cars.from_step[row], cars.to_step[row]):
        power = float(power_kw[step])
        gives, takes = _can(battery, charge_kw, discharge_kw, energy_kwh, edge_h[step])
        up_kw[step], down_kw[step] = power + gives, takes - power
        energy_kwh += duration_h[step] * power * (into if power >= 0.0 else per_out)


@compiled
def held_worth(
    row: int,
    cars: CarStays,
    terms: HeldTerms,
    duration_h: FloatArray,
    power_kw: NDArray[Any],
    up_per_kwh: FloatArray,
    down_per_kwh: FloatArray,
) -> float:
    """What that is worth at prices [T] of both, without writing it."""
    battery = battery_of(row, cars, terms)
    into, per_out, edge_h = (
        cars.charge_efficiency[row],
        1.0 / cars.discharge_efficiency[row],
        terms[1],
    )
    charge_kw, discharge_kw = cars.charge_kw_max[row], cars.discharge_kw_max[row]
    energy_kwh, worth = cars.energy_kwh_at_arrival[row], 0.0
    for step in range(cars.from_step[row], cars.to_step[row]):
        power, hours = float(power_kw[step]), duration_h[step]
        gives, takes = _can(battery, charge_kw, discharge_kw, energy_kwh, edge_h[step])
        paid = up_per_kwh[step] * (power + gives) + down_per_kwh[step] * (takes - power)
        worth += hours * paid
        energy_kwh += hours * power * (into if power >= 0.0 else per_out)
    return worth


@compiled
def sums_held_back(
    rows: NDArray[np.int64],
    weight: FloatArray,
    cars: CarStays,
    terms: HeldTerms,
    duration_h: FloatArray,
    power_kw: NDArray[np.float32],
) -> FloatArray:
    """[2, T] what ``rows`` hold back together, up and down, at powers [N, T]; ``weight``: [N] for how many cars each stands."""
    steps = len(duration_h)
    found, up_kw, down_kw = np.zeros((2, steps)), np.zeros(steps), np.zeros(steps)
    for row in rows:
        held_back(row, cars, terms, duration_h, power_kw[row], up_kw, down_kw)
        for step in range(cars.from_step[row], cars.to_step[row]):
            found[0, step] += weight[row] * up_kw[step]
            found[1, step] += weight[row] * down_kw[step]
    return found


class Tilts(NamedTuple):
    """What energies at the end of each step cost, per kWh: below ``low_kwh``, more below ``needed_kwh``, above ``high_kwh``.

    [T] each.
    """

    low_kwh: FloatArray
    low_per_kwh: FloatArray
    needed_kwh: FloatArray
    needed_per_kwh: FloatArray
    high_kwh: FloatArray
    high_per_kwh: FloatArray


@compiled
def new_tilts(steps: int) -> Tilts:
    """T ``steps`` in which nothing is held back; none where there are no steps."""
    return Tilts(
        np.zeros(steps),
        np.zeros(steps),
        np.zeros(steps),
        np.zeros(steps),
        np.zeros(steps),
        np.zeros(steps),
    )


@compiled
def tilt(
    row: int,
    cars: CarStays,
    terms: HeldTerms,
    duration_h: FloatArray,
    up_per_kwh: FloatArray,
    down_per_kwh: FloatArray,
    tilts: Tilts,
) -> None:
    """Write what a member's energies cost at prices [T] of what it holds back: the end of a step is the next's beginning."""
    floor, asked, most, pace, leaves_h, up_per_h, down_per_h = battery_of(row, cars, terms)
    first, last, edge_h = cars.from_step[row], cars.to_step[row], terms[1]
    discharge_kw = cars.discharge_kw_max[row]
    most_up_kwh, most_down_kwh = discharge_kw / up_per_h, cars.charge_kw_max[row] / down_per_h
    low_kwh, low_per_kwh, needed_kwh, needed_per_kwh, high_kwh, high_per_kwh = tilts
    for step in range(first, last):
        after = step + 1
        low_per_kwh[step] = needed_per_kwh[step] = high_per_kwh[step] = 0.0
        if after < last:
            needed = _needed_kwh(floor, asked, pace, leaves_h, edge_h[after])
            needed_kwh[step], low_kwh[step] = needed, needed + most_up_kwh
            high_kwh[step] = most - most_down_kwh
            paid = up_per_kwh[after] * duration_h[after]
            low_per_kwh[step] = paid * up_per_h if discharge_kw > 0.0 else 0.0
            needed_per_kwh[step] = paid * down_per_h - low_per_kwh[step]
            high_per_kwh[step] = down_per_kwh[after] * duration_h[after] * down_per_h


@compiled
def paid_for_energy(
    row: int,
    cars: CarStays,
    terms: HeldTerms,
    duration_h: FloatArray,
    up_per_kwh: FloatArray,
    down_per_kwh: FloatArray,
    gain_kwh: FloatArray,
) -> float:
    """What is paid for what a stay holds back, but for the part of its power. ``gain_kwh``: [T] what each step adds."""
    battery = battery_of(row, cars, terms)
    charge_kw, discharge_kw = cars.charge_kw_max[row], cars.discharge_kw_max[row]
    energy_kwh, paid, edge_h = cars.energy_kwh_at_arrival[row], 0.0, terms[1]
    for step in range(cars.from_step[row], cars.to_step[row]):
        gives, takes = _can(battery, charge_kw, discharge_kw, energy_kwh, edge_h[step])
        paid += duration_h[step] * (up_per_kwh[step] * gives + down_per_kwh[step] * takes)
        energy_kwh += gain_kwh[step]
    return paid
