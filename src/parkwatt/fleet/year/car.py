"""The car that all drivers of a year have, and their stays as the planner takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from parkwatt.domain.record import FloatArray
from parkwatt.fleet.year.drivers import MINUTES_OF_DAY, DrawnStays, YearDays
from parkwatt.plan.batch import BatchPrices, CarStays

# A stay is planned over the steps from its first day on. One that is longer is taken to rest after it.
WINDOW_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class YearCar:
    """``energy_kwh_max``: of the battery; ``power_kw_max``: of charger and car, both ways; ``efficiency``: of each way;
    ``floor_soc``: below which it is not discharged; ``asked_soc``: at each departure; ``wear_price_per_kwh``: that a plan
    counts for what leaves the battery; ``holding_price_per_kwh_h`` above ``holding_from_kwh``.
    """

    energy_kwh_max: float
    power_kw_max: float
    efficiency: float
    floor_soc: float
    asked_soc: float
    wear_price_per_kwh: float
    holding_price_per_kwh_h: float
    holding_from_kwh: float

    @property
    def asked_kwh(self) -> float:
        """At departure."""
        return self.asked_soc * self.energy_kwh_max

    def arrival_kwh(self, charged_kwh: FloatArray) -> FloatArray:
        """[N] what a car comes with that has driven what is charged again (at the charger), at least 0."""
        return np.asarray(np.maximum(self.asked_kwh - charged_kwh * self.efficiency, 0.0))


def window_steps(days: YearDays) -> int:
    """T, of what a stay can be planned over."""
    return WINDOW_DAYS * MINUTES_OF_DAY // days.step_minutes


def car_stays(stays: DrawnStays, days: YearDays, car: YearCar) -> CarStays:
    """Each stay from the first step of its day on, with that day's row of prices; it asks for what it is to leave with."""
    count = len(stays.driver)
    origin = days.first_step[stays.day]

    def same(value: float) -> FloatArray:
        return np.full(count, value)

    return CarStays(
        from_step=stays.from_step - origin,
        to_step=np.minimum(stays.to_step - origin, window_steps(days)),
        energy_kwh_at_arrival=car.arrival_kwh(stays.energy_kwh),
        energy_kwh_at_departure=same(car.asked_kwh),
        energy_kwh_min=same(car.floor_soc * car.energy_kwh_max),
        energy_kwh_max=same(car.energy_kwh_max),
        charge_kw_max=same(car.power_kw_max),
        discharge_kw_max=same(car.power_kw_max),
        charge_kw_min=same(0.0),
        discharge_kw_min=same(0.0),
        charge_efficiency=same(car.efficiency),
        discharge_efficiency=same(car.efficiency),
        wear_price_per_kwh=same(car.wear_price_per_kwh),
        energy_value_per_kwh=same(0.0),
        price_row=stays.day.astype(np.int64),
        taper_from_kwh=same(np.inf),
        taper_kw_at_max=same(0.0),
        holding_price_per_kwh_h=same(car.holding_price_per_kwh_h),
        holding_from_kwh=same(car.holding_from_kwh),
    )


def day_prices(
    import_per_kwh: FloatArray, export_per_kwh: FloatArray, days: YearDays
) -> BatchPrices:
    """[D, T] prices from each day's first step on, of [S] of the year; after the year's end the last one stands."""
    steps, begins = window_steps(days), days.first_step[:-1]

    def rows(series: FloatArray) -> FloatArray:
        longer = np.concatenate((series, np.full(steps, series[-1])))
        return np.ascontiguousarray(sliding_window_view(longer, steps)[begins])

    duration_h = np.full(steps, days.step_minutes / 60.0)
    return BatchPrices(rows(import_per_kwh), rows(export_per_kwh), duration_h)
