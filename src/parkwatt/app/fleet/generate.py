"""A fleet that does not exist, drawn from the statistics of recorded sessions. Pure: chance comes from a seed.

Every car plugs in within the first day, and on each later day with the statistics' share if it is not plugged in still. An
hour of arrival is drawn from the counts of that day, how long it stays from the quantiles of its part of the day, what it
needs from the quantiles of energy. What was charged was possible, so what is asked for always is. A stay that goes on after the
end of the span is cut there, and asks for the share of its energy that falls within.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from parkwatt.app.demo.local_time import local_time
from parkwatt.app.demo.market import day_ahead_price_per_mwh
from parkwatt.app.demo.sky import daily_clearness
from parkwatt.app.fleet.session_statistics import (
    PART_BEGINS,
    SHARES,
    STATISTICS,
    DayStatistics,
    SessionStatistics,
)
from parkwatt.app.set_up.catalogue import CatalogueCar, catalogue
from parkwatt.domain.calendar import read_local
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid

Columns = dict[str, NDArray[Any]]
IntArray = NDArray[np.int64]

_HOUR_S: Final = 3600
_DAY_S: Final = 86_400
_EFFICIENCY: Final = 0.93  # each way, as in the settings of a site (docs/reference/settings.md)
# Assumptions of ours: what a driver keeps, asks for, and is paid for wear.
_SOC_LEAST: Final = 0.1
_SOC_FLOOR_V2G: Final = 0.2
_SOC_ASKED: Final = 0.9
_WEAR_PRICE_PER_KWH: Final = 0.03
# A stay may be stretched to a whole step at both ends; a car is away for longer than that.
_AWAY_STEPS_MIN: Final = 3
# IEC 61851-1: a car charges with 6 A or more, or not at all.
_LEAST_CURRENT_A: Final = 6.0
_VOLTAGE_V: Final = 230.0
# Grid charges and taxes on what is imported and not given back: an assumption, low, so that giving back can pay.
_SURCHARGE_PER_KWH: Final = 0.03


@dataclass(frozen=True, slots=True)
class Wanted:
    """What fleet is wanted. ``v2g_share``: of the cars whose model can give energy back. ``least_power``: whether chargers
    take nothing below 6 A.
    """

    car_count: int
    sessions: Literal["homes", "workplaces"]
    start: date
    days: int
    step_s: int
    zone: ZoneInfo
    v2g_share: float
    least_power: bool
    seed: int

    @property
    def statistics(self) -> SessionStatistics:
        """Of the sessions that the fleet is like."""
        return STATISTICS[self.sessions]

    def day_begins_unix_s(self, day: int) -> int:
        """When a day of the span begins, at the hour that cuts the fewest stays."""
        hour = self.statistics.begins_hour
        midnight = (self.start + timedelta(days=day)).toordinal() - date(1970, 1, 1).toordinal()
        return int(_unix_s(np.array([midnight * _DAY_S + hour * _HOUR_S]), self.zone)[0])

    @property
    def grid(self) -> TimeGrid:
        """The steps of the span: its days may have 23 or 25 hours."""
        first, end = self.day_begins_unix_s(0), self.day_begins_unix_s(self.days)
        return TimeGrid(first, self.step_s, (end - first) // self.step_s)


@dataclass(frozen=True, slots=True, eq=False)
class _Cars:
    """N cars: the model of each, its charger's power and whether it gives energy back."""

    battery_kwh: FloatArray
    power_kw: FloatArray
    power_kw_min: FloatArray
    soc_floor: FloatArray
    gives_back: NDArray[np.bool_]


def fleet_columns(wanted: Wanted) -> Columns:
    """The fleet's file by columns, stays by car and time; times in seconds since 1970."""
    chance = np.random.default_rng([wanted.seed, 0])
    cars = _drawn_cars(chance, wanted)
    grid = wanted.grid
    free_unix_s = np.full(wanted.car_count, grid.start_unix_s, dtype=np.int64)
    stays: list[tuple[IntArray, TimeArray, TimeArray, FloatArray]] = []
    for day in range(wanted.days):
        arrival, leaving, charged_kwh, comes = _drawn_day(chance, wanted, day)
        comes &= arrival >= free_unix_s
        here = np.flatnonzero(comes)
        free_unix_s[here] = leaving[here] + _AWAY_STEPS_MIN * wanted.step_s
        stays.append((here, arrival[here], leaving[here], charged_kwh[here]))
    car, arrival, leaving, charged_kwh = (
        np.concatenate(parts) for parts in zip(*stays, strict=True)
    )
    order = np.lexsort((arrival, car))
    return _columns(
        cars, wanted, grid, car[order], arrival[order], leaving[order], charged_kwh[order]
    )


def price_columns(wanted: Wanted) -> Columns:
    """The prices' file by columns: a day-ahead market, with a surcharge on import."""
    chance = np.random.default_rng([wanted.seed, 1])
    grid = wanted.grid
    hours = np.arange(grid.start_unix_s // _HOUR_S, -(-grid.end_unix_s // _HOUR_S)) * _HOUR_S
    local = local_time(hours, wanted.zone)
    clearness = daily_clearness(chance, wanted.start.timetuple().tm_yday, int(local.day[-1]) + 1)
    hourly = day_ahead_price_per_mwh(chance, local, clearness) / 1000.0
    starts = grid.starts_unix_s()
    market = np.round(hourly[(starts - hours[0]) // _HOUR_S], 5)
    return {
        "start": starts,
        "import_price_per_kwh": np.round(market + _SURCHARGE_PER_KWH, 5),
        "export_price_per_kwh": market,
    }


def _drawn_cars(chance: np.random.Generator, wanted: Wanted) -> _Cars:
    models = catalogue().car
    model = chance.integers(len(models), size=wanted.car_count)
    powers_kw, counts = zip(*wanted.statistics.charger_kw, strict=True)
    share = np.array(counts) / sum(counts)
    charger_kw = np.array(powers_kw)[chance.choice(len(counts), size=wanted.car_count, p=share)]
    power_kw = np.minimum(_of_models(models, "ac_kw")[model], charger_kw)
    can = np.array([one.v2x is not None for one in models])[model]
    gives_back = can & (chance.random(wanted.car_count) < wanted.v2g_share)
    least_soc = np.array([one.least_soc or 0.0 for one in models])[model]
    # A charger of up to 7.4 kW has one phase.
    phases = np.where(power_kw <= 7.5, 1.0, 3.0)
    least_kw = _LEAST_CURRENT_A * _VOLTAGE_V * phases / 1000.0
    return _Cars(
        battery_kwh=_of_models(models, "battery_kwh")[model],
        power_kw=power_kw,
        power_kw_min=least_kw if wanted.least_power else np.zeros(wanted.car_count),
        soc_floor=np.where(gives_back, np.maximum(least_soc, _SOC_FLOOR_V2G), 0.0),
        gives_back=gives_back,
    )


def _of_models(models: tuple[CatalogueCar, ...], name: str) -> FloatArray:
    return np.array([getattr(model, name) for model in models], dtype=np.float64)


def _drawn_day(
    chance: np.random.Generator, wanted: Wanted, day: int
) -> tuple[TimeArray, TimeArray, FloatArray, NDArray[np.bool_]]:
    """Of each car: when it arrives and leaves if it comes on that day, what it charges, and whether it comes."""
    statistics, count = wanted.statistics, wanted.car_count
    begins = statistics.begins_hour
    dates = [wanted.start + timedelta(days=day + later) for later in (0, 1)]
    kinds = [statistics.weekend if one.weekday() >= 5 else statistics.weekday for one in dates]
    # From the hour at which the span is cut to the same hour of the next day.
    weights = np.array(kinds[0].arrivals[begins:] + kinds[1].arrivals[:begins], dtype=np.float64)
    since_h = chance.choice(24, size=count, p=weights / weights.sum())
    place, share = chance.random(count), chance.random(count)
    stay_h, charged_kwh = np.zeros(count), np.zeros(count)
    hour = (begins + since_h) % 24
    for later, kind in enumerate(kinds):
        of_kind = (begins + since_h >= 24) == bool(later)
        charged_kwh[of_kind] = np.interp(share[of_kind], SHARES, kind.charged_kwh)
        for part, first in enumerate(PART_BEGINS):
            length = (PART_BEGINS[(part + 1) % 4] - first) % 24
            chosen = of_kind & ((hour - first) % 24 < length)
            stay_h[chosen] = np.interp(place[chosen], SHARES, kind.stay_h[part])
    midnight = dates[0].toordinal() - date(1970, 1, 1).toordinal()
    minutes = chance.integers(60, size=count)
    local_s = midnight * _DAY_S + (begins + since_h) * _HOUR_S + minutes * 60
    arrival = _unix_s(local_s, wanted.zone)
    leaving = arrival + np.round(stay_h * 60.0).astype(np.int64) * 60
    comes = np.ones(count, dtype=np.bool_) if day == 0 else _comes(chance, kinds[0], count)
    return arrival, leaving, charged_kwh, comes


def _comes(chance: np.random.Generator, kind: DayStatistics, count: int) -> NDArray[np.bool_]:
    comes: NDArray[np.bool_] = chance.random(count) < kind.plug_in_share
    return comes


def _unix_s(local_s: IntArray, zone: ZoneInfo) -> TimeArray:
    """Of readings of the local clock; one that it skips is taken as the time before, one shown twice as the first."""
    return read_local(local_s, zone).first_unix_s


def _columns(
    cars: _Cars,
    wanted: Wanted,
    grid: TimeGrid,
    car: IntArray,
    arrival_unix_s: TimeArray,
    leaving_unix_s: TimeArray,
    charged_kwh: FloatArray,
) -> Columns:
    """The stays that hold a whole step within the span."""
    ends_unix_s = np.minimum(leaving_unix_s, grid.end_unix_s)
    from_step = -((grid.start_unix_s - arrival_unix_s) // grid.step_s)
    # A stay shorter than a step has the one step in which it lies: each car has its stay.
    from_step = np.minimum(from_step, grid.step_count - 1)
    to_step = np.maximum((ends_unix_s - grid.start_unix_s) // grid.step_s, from_step + 1)
    begins = np.minimum(arrival_unix_s, grid.start_unix_s + from_step * grid.step_s)
    ends = np.maximum(ends_unix_s, grid.start_unix_s + to_step * grid.step_s)
    within = (ends - begins) / np.maximum(leaving_unix_s - begins, ends - begins)
    battery_kwh, power_kw = cars.battery_kwh[car], cars.power_kw[car]
    possible_kwh = (to_step - from_step) * grid.step_h * power_kw * _EFFICIENCY
    room_kwh = (_SOC_ASKED - _SOC_LEAST) * battery_kwh
    need_kwh = np.minimum(np.minimum(charged_kwh * _EFFICIENCY, room_kwh) * within, possible_kwh)
    full_need_kwh = np.minimum(np.maximum(charged_kwh * _EFFICIENCY, need_kwh), room_kwh)
    at_arrival_kwh = np.round(_SOC_ASKED * battery_kwh - full_need_kwh, 3)
    stays = {
        "car_id": _names(wanted.car_count)[car],
        "from_time": begins,
        "to_time": ends,
        "energy_kwh_at_arrival": at_arrival_kwh,
        "energy_kwh_at_departure": np.floor((at_arrival_kwh + need_kwh) * 1000.0) / 1000.0,
        "energy_kwh_min": np.round(cars.soc_floor[car] * battery_kwh, 3),
        "energy_kwh_max": battery_kwh,
        "charge_kw_max": power_kw,
        "discharge_kw_max": np.where(cars.gives_back[car], power_kw, 0.0),
        "charge_efficiency": np.full(len(car), _EFFICIENCY),
        "discharge_efficiency": np.full(len(car), _EFFICIENCY),
        "wear_price_per_kwh": np.where(cars.gives_back[car], _WEAR_PRICE_PER_KWH, 0.0),
    }
    if wanted.least_power:
        stays["charge_kw_min"] = cars.power_kw_min[car]
        stays["discharge_kw_min"] = np.where(cars.gives_back[car], cars.power_kw_min[car], 0.0)
    return stays


def _names(count: int) -> NDArray[np.object_]:
    return np.array([f"car-{number:07}" for number in range(1, count + 1)], dtype=object)
