"""The year of some drivers, played by one way of charging: powers and energies of each step, and what was held back."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.fleet.year.car import YearCar, car_stays
from parkwatt.fleet.year.drivers import DrawnStays, YearDays
from parkwatt.plan.batch import BatchPrices, CarStays, ReservePrices, plan_batch
from parkwatt.plan.batch.cars import IntArray
from parkwatt.plan.batch.compiled import compiled
from parkwatt.plan.batch.reserve import HeldTerms, can_hold_back, held_back, terms_of

Way = Literal["at once", "smart", "both ways"]


class Played(NamedTuple):
    """Of n drivers over the S steps of a year. ``power_kw``: [n, S] at the chargers; ``energy_kwh``: [n, S + 1] in the
    batteries, falling evenly while a car is away; ``shortfall_kwh``: [N] of each stay; ``up_kw``, ``down_kw``: [S] what all
    hold back together; ``held_kw``: [n, S] half of what each holds back up and down ([n, 0] where nothing is asked for).
    """

    power_kw: NDArray[np.float32]
    energy_kwh: NDArray[np.float32]
    shortfall_kwh: FloatArray
    up_kw: FloatArray
    down_kw: FloatArray
    held_kw: NDArray[np.float32]


def play(
    stays: DrawnStays,
    driver_count: int,
    days: YearDays,
    car: YearCar,
    prices: BatchPrices,
    way: Way,
    *,
    reserve_per_kwh: float = 0.0,
    free_share: float = 0.0,
    hours_h: float = 0.5,
    threads: int = 1,
) -> Played:
    """Plan each stay at ``prices`` [D, T] and lay the plans into the year.

    *At once* charges with full power from arrival on, whatever the price; *smart* charges when it is cheapest; *both ways*
    discharges too, and is paid ``reserve_per_kwh`` for each kW and hour of a symmetric reserve that lasts ``hours_h``. It
    plans with all but ``free_share`` of its power, which is left for the reserve, where a departure does not need more.
    """
    cars = car_stays(stays, days, car)
    if way != "both ways":
        cars = cars._replace(discharge_kw_max=np.zeros(cars.stay_count))
    if way == "at once":
        none = np.zeros(cars.stay_count)
        cars = cars._replace(holding_price_per_kwh_h=none, price_row=none.astype(np.int64))
        flat = np.ones((1, prices.step_count))
        prices = BatchPrices(flat, np.zeros_like(flat), prices.duration_h)
    reserve = None
    planned_cars = cars
    if reserve_per_kwh > 0.0:
        each = np.full(prices.step_count, reserve_per_kwh / 2.0)
        reserve = ReservePrices(each, each, hours_h, can_hold_back(cars))
        planned_cars = _with_less_power(cars, prices.duration_h, free_share)
    planned = plan_batch(planned_cars, prices, threads=threads, reserve=reserve)
    powers = planned.power_kw
    if powers is None:  # cannot be: they were asked for
        raise AssertionError("plan_batch gave no powers")
    power_kw, energy_kwh = _laid(stays, cars, powers, driver_count, days, car)
    shape = (driver_count, days.step_count) if reserve is not None else (driver_count, 0)
    held_kw = np.zeros(shape, np.float32)
    up_kw, down_kw = np.zeros(days.step_count), np.zeros(days.step_count)
    if reserve is not None:
        terms = terms_of(hours_h, prices.duration_h)
        members = np.flatnonzero(reserve.member)
        origin = days.first_step[stays.day]
        _held(
            members,
            stays.driver,
            origin,
            cars.as_kernels_take(),
            terms,
            prices.duration_h,
            powers,
            up_kw,
            down_kw,
            held_kw,
        )
    return Played(power_kw, energy_kwh, planned.shortfall_kwh, up_kw, down_kw, held_kw)


def _with_less_power(cars: CarStays, duration_h: FloatArray, free_share: float) -> CarStays:
    """Leave a share of the power free, but for what a departure needs in a stay that is hardly long enough."""
    wanted_kwh = np.maximum(cars.energy_kwh_at_departure - cars.energy_kwh_at_arrival, 0.0)
    hours = (cars.to_step - cars.from_step) * float(duration_h[0])
    needed_kw = wanted_kwh / cars.charge_efficiency / hours
    left_kw = (1.0 - free_share) * cars.charge_kw_max
    enough = needed_kw < left_kw
    return cars._replace(
        charge_kw_max=np.where(enough, left_kw, cars.charge_kw_max),
        discharge_kw_max=(1.0 - free_share) * cars.discharge_kw_max,
    )


def _laid(
    stays: DrawnStays,
    cars: CarStays,
    powers: NDArray[np.float32],
    driver_count: int,
    days: YearDays,
    car: YearCar,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """[n, S] powers and [n, S + 1] energies of a year."""
    column = np.arange(powers.shape[1])
    within = (column >= cars.from_step[:, None]) & (column < cars.to_step[:, None])
    row, step = np.nonzero(within)
    power = powers[row, step].astype(np.float64)
    gain = np.where(power >= 0.0, power * car.efficiency, power / car.efficiency)
    gain *= days.step_minutes / 60.0
    so_far = np.cumsum(gain)
    first = np.searchsorted(row, np.arange(cars.stay_count))
    before = so_far[first] - gain[first]
    energy = cars.energy_kwh_at_arrival[row] + so_far - before[row]
    at = days.first_step[stays.day[row]] + step
    power_kw = np.zeros((driver_count, days.step_count), np.float32)
    power_kw[stays.driver[row], at] = power
    energy_kwh = np.empty((driver_count, days.step_count + 1), np.float32)
    edges = np.arange(days.step_count + 1)
    bounds = np.searchsorted(stays.driver, np.arange(driver_count + 1))
    ends = np.append(first, len(row))
    for driver in range(driver_count):
        own = slice(int(bounds[driver]), int(bounds[driver + 1]))
        cells = slice(int(ends[own.start]), int(ends[own.stop]))
        known = np.concatenate((stays.from_step[own], at[cells] + 1))
        levels = np.concatenate((cars.energy_kwh_at_arrival[own], energy[cells]))
        order = np.argsort(known, kind="stable")
        if not len(known):
            known, levels, order = (
                np.zeros(1, np.int64),
                np.array([car.asked_kwh]),
                np.zeros(1, int),
            )
        energy_kwh[driver] = np.interp(edges, known[order], levels[order])
    return power_kw, np.clip(energy_kwh, 0.0, car.energy_kwh_max)


@compiled
def _held(
    rows: IntArray,
    driver: IntArray,
    origin: IntArray,
    cars: CarStays,
    terms: HeldTerms,
    duration_h: FloatArray,
    power_kw: NDArray[np.float32],
    up_kw: FloatArray,
    down_kw: FloatArray,
    held_kw: NDArray[np.float32],
) -> None:
    """Add what ``rows`` hold back to the year's sums, and write the mean of both directions to the driver's own steps."""
    steps = len(duration_h)
    up, down = np.zeros(steps), np.zeros(steps)
    for row in rows:
        held_back(row, cars, terms, duration_h, power_kw[row], up, down)
        for step in range(cars.from_step[row], cars.to_step[row]):
            at = origin[row] + step
            up_kw[at] += up[step]
            down_kw[at] += down[step]
            held_kw[driver[row], at] = (up[step] + down[step]) / 2.0
