"""From settings to `StudyInputs`: read the files, lay them on the study's grid, and say what was missing or dropped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np

from parkwatt.app.study.sessions import Sessions, load_sessions
from parkwatt.app.study.settings import CarSettings, SolarSettings, StudySettings
from parkwatt.domain.problem import Storage
from parkwatt.domain.record import Faults, FloatArray
from parkwatt.domain.series import IntervalSeries, TimeGrid, unix_s, utc
from parkwatt.forecast.irradiance import solar_power_from_irradiance
from parkwatt.forecast.load import LoadForecaster
from parkwatt.forecast.power import GivenForecaster, PowerForecaster
from parkwatt.forecast.presence import PresenceModel
from parkwatt.forecast.solar import SolarForecaster
from parkwatt.io.tables import read_series
from parkwatt.plan.wear import CELLS, holding_price, wear_price
from parkwatt.site.study.inputs import StudyInputs

# Measurements before the span teach the forecasts; more than this would change nothing.
_HISTORY_DAYS_MAX = 60
# A span with more unknown load than this is no study of the load.
_UNKNOWN_SHARE_MAX = 0.1
# The battery never arrives emptier than this: the driver charged on the road before.
_ON_ROAD_SOC_MIN = 0.05
_DAY_S = 86_400


@dataclass(frozen=True, slots=True, eq=False)
class LoadedStudy:
    """``temperature_c``: [T] of the cell."""

    settings: StudySettings
    inputs: StudyInputs
    temperature_c: FloatArray


def load_study(settings: StudySettings, faults: Faults) -> LoadedStudy | None:
    """All that the study needs, from the files that the settings name; None after a fault."""
    load = read_series(settings.load, settings.folder, faults)
    solar = _read_solar(settings.solar, settings.folder, faults)
    sessions = load_sessions(
        settings.sessions, settings.folder, settings.car.charge_efficiency, faults
    )
    temperature = None
    if settings.car.temperature is not None:
        temperature = read_series(settings.car.temperature, settings.folder, faults)
    if load is None or sessions is None or faults.found:
        return None
    grid = _grid(settings, load, solar, sessions, faults)
    if grid is None:
        return None
    return _assemble(settings, grid, load, solar, sessions, temperature, faults)


def _read_solar(
    solar: SolarSettings | None, folder: Path, faults: Faults
) -> dict[str, IntervalSeries] | None:
    """The series behind the solar power: one of power, or several of weather."""
    if solar is None:
        return None
    sources = solar.irradiance if solar.power is None else {"power": solar.power}
    series = {name: read_series(source, folder, faults) for name, source in sources.items()}
    return {name: values for name, values in series.items() if values is not None}


def _grid(
    settings: StudySettings,
    load: IntervalSeries,
    solar: dict[str, IntervalSeries] | None,
    sessions: Sessions,
    faults: Faults,
) -> TimeGrid | None:
    """The span of whole local days that load, sun, prices and sessions cover, or the part of it that was asked for."""
    zone = settings.tariff.time_zone
    known = np.isfinite(load.values)
    if not known.any():
        faults.add("load.file", "holds no known value")
        return None
    first_s = max(int(load.start_unix_s[known][0]), sessions.first_unix_s)
    last_s = min(int(load.end_unix_s[known][-1]), sessions.last_unix_s)
    for series in (solar or {}).values():
        first_s = max(first_s, int(series.start_unix_s[0]))
        last_s = min(last_s, int(series.end_unix_s[-1]))
    first_s, last_s = _within_prices(settings, first_s, last_s)

    def midnight(day: date) -> int:
        return unix_s(datetime.combine(day, time(), tzinfo=zone))

    first_day = utc(first_s).astimezone(zone).date()
    if midnight(first_day) < first_s:
        first_day += timedelta(days=1)
    start = first_day if settings.span.start is None else settings.span.start
    end = utc(last_s).astimezone(zone).date() if settings.span.end is None else settings.span.end
    if end <= start:
        faults.add(
            "study",
            "must span at least one whole local day that load, sun, prices and sessions cover; together they cover",
            _covered(first_s, last_s),
        )
        return None
    start_s, end_s = midnight(start), midnight(end)
    step_s = settings.span.step_s
    return TimeGrid(start_s, step_s, (end_s - start_s) // step_s)


def _within_prices(settings: StudySettings, first_s: int, last_s: int) -> tuple[int, int]:
    """The part of a span in which both prices are known, from the first to the last known hour."""
    if last_s <= first_s:
        return first_s, last_s
    hours = TimeGrid(first_s, 3600, max((last_s - first_s) // 3600, 1))
    known = np.isfinite(settings.tariff.import_price_on(hours))
    known &= np.isfinite(settings.tariff.export_price_on(hours))
    if not known.any():
        return first_s, first_s
    at = np.flatnonzero(known)
    return first_s + int(at[0]) * 3600, first_s + (int(at[-1]) + 1) * 3600


def _covered(first_s: int, last_s: int) -> str:
    if last_s <= first_s:
        return "no common time"
    return f"{utc(first_s):%Y-%m-%d %H:%M} to {utc(last_s):%Y-%m-%d %H:%M} UTC"


def _assemble(
    settings: StudySettings,
    grid: TimeGrid,
    load: IntervalSeries,
    solar: dict[str, IntervalSeries] | None,
    sessions: Sessions,
    temperature: IntervalSeries | None,
    faults: Faults,
) -> LoadedStudy | None:
    history = _history_grid(grid, int(load.start_unix_s[0]))
    lead = history.step_count - grid.step_count
    notes: list[str] = []
    measured_kw = load.on(history)
    load_kw = _filled(grid, measured_kw[lead:], notes, faults)
    solar_kw = _solar_power(settings.solar, history, solar)
    unknown_sun = int(np.isnan(solar_kw[lead:]).sum())
    if unknown_sun:
        faults.add(
            "solar", "must be known throughout the span; unknown are", f"{unknown_sun} steps"
        )
    temperature_c = np.full(grid.step_count, settings.car.temperature_c)
    if temperature is not None:
        temperature_c = temperature.on(grid)
        if np.isnan(temperature_c).any():
            faults.add("car.temperature", "must be known throughout the span")
    buy = _prices(settings, grid, "import", faults)
    sell = _prices(settings, grid, "export", faults)
    if (load_kw < 0).any():
        faults.add("load", "must be at least 0", float(load_kw.min()))
    if (solar_kw[lead:] < 0).any():
        faults.add("solar", "must be at least 0", float(solar_kw[lead:].min()))
    if faults.found:
        return None
    asked_kwh = settings.car.ready_soc * settings.car.battery_kwh
    plug_ins = sessions.plug_ins(grid, asked_kwh, notes)
    if not plug_ins:
        faults.add("sessions.file", "must hold at least one session within the span")
        return None
    zone = str(settings.tariff.time_zone)
    inputs = StudyInputs(
        site_name=settings.name,
        currency=settings.tariff.currency,
        time_zone=settings.tariff.time_zone,
        grid=grid,
        import_price_per_kwh=buy,
        export_price_per_kwh=sell,
        prices_known_until=settings.tariff.known_until_unix_s,
        load_kw=load_kw,
        solar_kw=solar_kw[lead:],
        load_forecaster=LoadForecaster(
            history, np.where(measured_kw < 0, np.nan, measured_kw), zone
        ),
        solar_forecaster=_solar_forecaster(settings.solar, history, solar_kw, zone),
        car=_storage(settings.car, float(temperature_c.mean())),
        energy_kwh_at_start=settings.car.start_soc * settings.car.battery_kwh,
        plug_ins=tuple(plug_ins),
        solar_curtailable=settings.solar is None or settings.solar.curtailable,
        import_limit_kw=settings.import_limit_kw,
        export_limit_kw=settings.export_limit_kw,
        demand_charge=settings.tariff.demand_charge,
        public_price_per_kwh=settings.car.public_price_per_kwh,
        energy_kwh_on_road_min=_ON_ROAD_SOC_MIN * settings.car.battery_kwh,
        presence=PresenceModel(
            sessions.arrival_unix_s, sessions.departure_unix_s, sessions.energy_kwh_used, zone
        ),
        early_probability=settings.span.early_probability
        if settings.span.departures == "learned"
        else None,
        trips_known=settings.span.departures == "calendar",
        replan_steps=round(settings.span.replan_minutes * 60 / grid.step_s),
        near_steps=max(round(7200 / grid.step_s), 2),
        horizon_h=settings.span.horizon_h,
        notes=tuple(notes),
    )
    return LoadedStudy(settings, inputs, temperature_c)


def _history_grid(grid: TimeGrid, first_s: int) -> TimeGrid:
    """The grid run back over the measurements before the span, in whole days."""
    days = min(max((grid.start_unix_s - first_s) // _DAY_S, 0), _HISTORY_DAYS_MAX)
    lead = days * _DAY_S // grid.step_s
    return TimeGrid(grid.start_unix_s - lead * grid.step_s, grid.step_s, grid.step_count + lead)


def _filled(grid: TimeGrid, load_kw: FloatArray, notes: list[str], faults: Faults) -> FloatArray:
    """The load with its gaps filled from the nearest days at the same time; the forecasts see the gaps, the accounts do not."""
    unknown = np.isnan(load_kw)
    share = float(unknown.mean())
    if share == 0:
        return load_kw
    if share > _UNKNOWN_SHARE_MAX:
        rule = f"must be known for at least {1 - _UNKNOWN_SHARE_MAX:.0%} of the span; known is"
        faults.add("load", rule, f"{1 - share:.1%}")
        return np.zeros_like(load_kw)
    filled = load_kw.copy()
    per_day = _DAY_S // grid.step_s
    for days in (7, -7, 1, -1, 2, -2, 3, -3, 14, -14, 21, -21, 28, -28):
        source = np.flatnonzero(np.isnan(filled)) - days * per_day
        inside = (source >= 0) & (source < len(filled))
        at = source[inside] + days * per_day
        filled[at] = load_kw[source[inside]]
    filled[np.isnan(filled)] = float(np.nanmean(load_kw))
    notes.append(
        f"{share:.1%} of the load was unknown and was taken from the same time on nearby days."
    )
    return filled


def _solar_power(
    solar: SolarSettings | None, grid: TimeGrid, series: dict[str, IntervalSeries] | None
) -> FloatArray:
    if solar is None or series is None:
        return np.zeros(grid.step_count)
    if solar.plant is None:
        return series["power"].on(grid)
    weather = {name: values.on(grid) for name, values in series.items()}
    return solar_power_from_irradiance(
        grid,
        solar.plant,
        weather["global_horizontal"],
        weather["direct_normal"],
        weather["diffuse_horizontal"],
        temperature_c=weather.get("temperature", 20.0),
        wind_speed_m_s=weather.get("wind", 1.0),
    )


def _solar_forecaster(
    solar: SolarSettings | None, grid: TimeGrid, solar_kw: FloatArray, zone: str
) -> PowerForecaster:
    if solar is None or solar.given:
        return GivenForecaster(grid, solar_kw)
    return SolarForecaster(grid, solar_kw, zone)


def _prices(settings: StudySettings, grid: TimeGrid, side: str, faults: Faults) -> FloatArray:
    tariff = settings.tariff
    price = tariff.import_price_on(grid) if side == "import" else tariff.export_price_on(grid)
    unknown = np.flatnonzero(np.isnan(price))
    if len(unknown):
        first = utc(grid.start_unix_s + int(unknown[0]) * grid.step_s)
        hours = len(unknown) * grid.step_h
        faults.add(
            f"tariff.{side}",
            f"must be known throughout the span; unknown are {hours:g} hours, the first at",
            f"{first:%Y-%m-%d %H:%M} UTC",
        )
    return price


def _storage(car: CarSettings, temperature_c: float) -> Storage:
    """The car as the planner sees it, with the cell's own prices for wear where none was given."""
    cell = CELLS[car.cell]
    wear = car.wear_price_per_kwh
    holding_per_kwh_h, holding_from = 0.0, 0.0
    if wear is None:
        wear = wear_price(
            cell, car.battery_kwh, car.pack_price_per_kwh, car.grid_use_depth, temperature_c
        )
        held = holding_price(cell, car.battery_kwh, car.pack_price_per_kwh, temperature_c)
        holding_per_kwh_h, holding_from = held.holding_price_per_kwh_h, held.holding_from_kwh
    return Storage(
        id=car.name,
        energy_kwh_min=car.floor_soc * car.battery_kwh,
        energy_kwh_max=car.highest_soc * car.battery_kwh,
        charge_kw_max=car.charge_kw_max,
        discharge_kw_max=car.discharge_kw_max,
        charge_kw_min=car.charge_kw_min,
        discharge_kw_min=car.discharge_kw_min,
        charge_efficiency=car.charge_efficiency,
        discharge_efficiency=car.discharge_efficiency,
        wear_price_per_kwh=wear,
        holding_price_per_kwh_h=holding_per_kwh_h,
        holding_from_kwh=holding_from,
    )
