"""A study's inputs from real parts: a price zone, a home with a roof, a car with its sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.real_data.sources import TIME_ZONE, Sessions, homes, hours_at, prices
from parkwatt.domain.problem import Storage
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import IntervalSeries, TimeArray, TimeGrid, unix_s
from parkwatt.domain.tariff import DayAheadPublication
from parkwatt.forecast.load import LoadForecaster
from parkwatt.forecast.local_time import DAY_S, LocalClock
from parkwatt.forecast.power import GivenForecaster, PowerForecaster
from parkwatt.forecast.presence import PresenceModel
from parkwatt.forecast.solar import SolarForecaster
from parkwatt.site.study.inputs import PlugIn, StudyInputs

STEP_S = 900
HISTORY_DAYS = 28
BATTERY_KWH = 60.0
# Taxes as a Dutch bill of 2024 has them, about: an energy tax, and 21 % on all.
_ADDER_PER_KWH, _FACTOR = 0.12, 1.21
_TRIP_SHARE = 0.93  # of what was charged reached the battery
_TRIP_KWH_MAX = 0.7 * BATTERY_KWH


@dataclass(frozen=True)
class Span:
    """Days of a price zone: what a study walks through."""

    name: str
    zone: str
    start: str
    days: int


def site(
    span: Span, home_index: int, car_sessions: Sessions, *, know_load: bool = False
) -> StudyInputs:
    """The inputs of a study: 60 kWh, 11 kW both ways, four fifths asked at each departure, the exchange's price for export.

    The home and the car have four weeks of history before the span. ``know_load``: load and sun are known ahead.
    """
    zone = ZoneInfo(TIME_ZONE)
    clock = LocalClock.of(TIME_ZONE)
    start_unix_s = unix_s(datetime.fromisoformat(span.start).replace(tzinfo=zone))
    grid = TimeGrid(start_unix_s, STEP_S, span.days * DAY_S // STEP_S)
    history = TimeGrid(
        start_unix_s - HISTORY_DAYS * DAY_S,
        STEP_S,
        grid.step_count + HISTORY_DAYS * DAY_S // STEP_S,
    )
    home = homes()[home_index]
    place = hours_at(home, clock.local_s(history.starts_unix_s()))
    load, sun = home.load_kw[place], home.solar_kw[place]
    spot = _spot_per_kwh(span, grid)
    arrival, departure = _moved(car_sessions, clock, history.start_unix_s)
    forecasters: tuple[PowerForecaster, PowerForecaster]
    if know_load:
        forecasters = GivenForecaster(history, load), GivenForecaster(history, sun)
    else:
        forecasters = (
            LoadForecaster(history, load, TIME_ZONE),
            SolarForecaster(history, sun, TIME_ZONE),
        )
    return StudyInputs(
        site_name=f"{span.name}, home {home_index}, {car_sessions.user}",
        currency="EUR",
        time_zone=zone,
        grid=grid,
        import_price_per_kwh=(spot + _ADDER_PER_KWH) * _FACTOR,
        export_price_per_kwh=spot,
        prices_known_until=DayAheadPublication(13 * 3600, zone).known_until_unix_s,
        load_kw=load[-grid.step_count :],
        solar_kw=sun[-grid.step_count :],
        load_forecaster=forecasters[0],
        solar_forecaster=forecasters[1],
        car=_car(),
        energy_kwh_at_start=0.8 * BATTERY_KWH,
        plug_ins=_plug_ins(grid, arrival, departure, car_sessions.energy_kwh),
        import_limit_kw=17.25,
        energy_kwh_on_road_min=0.05 * BATTERY_KWH,
        presence=PresenceModel(
            arrival, departure, car_sessions.energy_kwh * _TRIP_SHARE, TIME_ZONE
        ),
    )


def _car() -> Storage:
    return Storage(
        id="car",
        energy_kwh_min=0.2 * BATTERY_KWH,
        energy_kwh_max=0.95 * BATTERY_KWH,
        charge_kw_max=11.0,
        discharge_kw_max=11.0,
        charge_efficiency=0.93,
        discharge_efficiency=0.93,
        wear_price_per_kwh=0.03,
    )


def _spot_per_kwh(span: Span, grid: TimeGrid) -> FloatArray:
    known = prices(span.zone)
    spot = IntervalSeries(known.start_unix_s, known.start_unix_s + 3600, known.price_per_kwh)
    values = spot.on(grid)
    unknown = ~np.isfinite(values)
    steps = np.arange(len(values))
    return np.where(unknown, np.interp(steps, steps[~unknown], values[~unknown]), values)


def _moved(
    car_sessions: Sessions, clock: LocalClock, first_unix_s: int
) -> tuple[TimeArray, TimeArray]:
    """UTC times of the sessions, moved by whole weeks so that the record begins in the week of ``first_unix_s``."""
    week_s = 7 * DAY_S
    first_local_s = clock.scalar_local_s(first_unix_s)
    shift_s = -(-(first_local_s - int(car_sessions.arrival_local_s[0])) // week_s) * week_s
    arrival = [clock.unix_s(int(time) + shift_s) for time in car_sessions.arrival_local_s]
    departure = [clock.unix_s(int(time) + shift_s) for time in car_sessions.departure_local_s]
    return np.array(arrival, dtype=np.int64), np.array(departure, dtype=np.int64)


def _plug_ins(
    grid: TimeGrid, arrival: TimeArray, departure: TimeArray, energy_kwh: FloatArray
) -> tuple[PlugIn, ...]:
    """The sessions within the span, in whole steps."""
    found: list[PlugIn] = []
    free_from = 0
    for arrived_s, left_s, kwh in zip(
        arrival.tolist(), departure.tolist(), np.nan_to_num(energy_kwh).tolist(), strict=True
    ):
        first = max(-(-(arrived_s - grid.start_unix_s) // STEP_S), free_from)
        end = (left_s - grid.start_unix_s) // STEP_S
        if arrived_s < grid.start_unix_s or end > grid.step_count or end <= first:
            continue
        used_kwh = min(kwh * _TRIP_SHARE, _TRIP_KWH_MAX)
        found.append(PlugIn(first, end, used_kwh, 0.8 * BATTERY_KWH))
        free_from = end
    return tuple(found)
