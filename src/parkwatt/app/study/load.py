"""From settings to `StudyInputs`: read the files, lay them on the study's grid, and say what was missing or dropped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from parkwatt.app.car_settings import car_storage
from parkwatt.app.study.sessions import Sessions, load_sessions
from parkwatt.app.study.settings import SolarSettings, StudySettings
from parkwatt.app.study.span import study_grid
from parkwatt.domain.record import Faults, FloatArray
from parkwatt.domain.series import IntervalSeries, TimeGrid, utc
from parkwatt.domain.tariff import Tariff
from parkwatt.forecast.irradiance import solar_power_from_irradiance
from parkwatt.forecast.load import LoadForecaster
from parkwatt.forecast.power import GivenForecaster, PowerForecaster
from parkwatt.forecast.presence import PresenceModel
from parkwatt.forecast.solar import SolarForecaster
from parkwatt.io.series_source import SeriesSource
from parkwatt.io.tables import read_series
from parkwatt.site.study.inputs import StudyInputs

# Measurements before the span teach the forecasts; more than this would change nothing.
_HISTORY_DAYS_MAX = 60
# A span with more unknown load than this is no study of the load.
_UNKNOWN_SHARE_MAX = 0.1
# The battery never arrives emptier than this: the driver charged on the road before.
_ON_ROAD_SOC_MIN = 0.05
_DAY_S = 86_400

# What lies outside of these is a wrong unit or a broken file, and would only be found out by odd results.
_POWER_KW_RANGE = (0.0, 1e6)
_TEMPERATURE_C_RANGE = (-60.0, 100.0)
# A little below zero at night is an inverter's own use, or a sensor's offset, and counts as no sun.
_SOLAR_KW_RANGE = (-0.1, 1e6)
_IRRADIANCE_RANGE = (-20.0, 2000.0)
_WEATHER_RANGES = {
    "global_horizontal": _IRRADIANCE_RANGE,
    "direct_normal": _IRRADIANCE_RANGE,
    "diffuse_horizontal": _IRRADIANCE_RANGE,
    "temperature": _TEMPERATURE_C_RANGE,
    "wind": (0.0, 150.0),
}
_PRICE_MAX = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class LoadedStudy:
    """``temperature_c``: [T] of the cell."""

    settings: StudySettings
    inputs: StudyInputs
    temperature_c: FloatArray


def load_study(settings: StudySettings, faults: Faults) -> LoadedStudy | None:
    """All that the study needs, from the files that the settings name; None after a fault.

    Where ``faults`` holds faults of the settings already, the files are still read whose tables are sound: a user sees
    the faults of both at once.
    """
    load = solar = sessions = temperature = None
    if _is_sound("load", faults):
        load = _read(settings.load, settings.folder, _POWER_KW_RANGE, faults)
    if _is_sound("solar", faults):
        solar = _read_solar(settings.solar, settings.folder, faults)
    if _is_sound("sessions", faults):
        efficiency = float(
            np.nan_to_num(settings.car.charge_efficiency, nan=1.0)
        )  # NaN: a fault already
        sessions = load_sessions(settings.sessions, settings.folder, efficiency, faults)
    if settings.car.temperature is not None and _is_sound("car.temperature", faults):
        temperature = _read(settings.car.temperature, settings.folder, _TEMPERATURE_C_RANGE, faults)
    if load is None or solar is None or sessions is None or faults.found:
        return None
    grid = study_grid(settings, load, solar, sessions, faults)
    if grid is None:
        return None
    return _assemble(settings, grid, load, solar, sessions, temperature, faults)


def _is_sound(table: str, faults: Faults) -> bool:
    """Whether no fault of the settings lies in this table."""
    return not any(
        fault.field == table or fault.field.startswith(f"{table}.") for fault in faults.found
    )


def _read(
    source: SeriesSource, folder: Path, values_range: tuple[float, float], faults: Faults
) -> IntervalSeries | None:
    """The series of ``source``, with a fault where a value lies outside of ``values_range``."""
    series = read_series(source, folder, faults)
    if series is None:
        return None
    lowest, highest = values_range
    for broken, rule in (
        (series.values < lowest, f"must be at least {lowest:g}"),
        (series.values > highest, f"must be at most {highest:g}"),
    ):
        at = np.flatnonzero(broken)
        if len(at):
            first = f"{utc(int(series.start_unix_s[at[0]])):%Y-%m-%d %H:%M}"
            faults.add(
                source.field, f"{rule}; values that are not: {len(at)}, the first at {first} UTC"
            )
    return series


def _read_solar(
    solar: SolarSettings | None, folder: Path, faults: Faults
) -> dict[str, IntervalSeries] | None:
    """The series behind the solar power: one of power, or several of weather; none without solar; None after a fault."""
    if solar is None:
        return {}
    if solar.power is not None:
        power = _read(solar.power, folder, _SOLAR_KW_RANGE, faults)
        return None if power is None else {"power": power}
    weather = {
        name: _read(source, folder, _WEATHER_RANGES[name], faults)
        for name, source in solar.irradiance.items()
    }
    found = {name: series for name, series in weather.items() if series is not None}
    return found if len(found) == len(weather) else None


def _assemble(
    settings: StudySettings,
    grid: TimeGrid,
    load: IntervalSeries,
    solar: dict[str, IntervalSeries],
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
    _tell_unknown("solar", solar_kw[lead:], grid, faults)
    temperature_c = np.full(grid.step_count, settings.car.temperature_c)
    if temperature is not None:
        temperature_c = temperature.on(grid)
        _tell_unknown("car.temperature", temperature_c, grid, faults)
    buy = settings.tariff.import_price_on(grid)
    sell = settings.tariff.export_price_on(grid)
    _check_prices(settings.tariff, grid, buy, sell, faults)
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
        load_forecaster=LoadForecaster(history, measured_kw, zone),
        solar_forecaster=_solar_forecaster(settings.solar, history, solar_kw, zone),
        car=car_storage(settings.car, float(temperature_c.mean())),
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
    solar: SolarSettings | None, grid: TimeGrid, series: dict[str, IntervalSeries]
) -> FloatArray:
    if solar is None:
        return np.zeros(grid.step_count)
    if solar.plant is None:
        return np.maximum(series["power"].on(grid), 0.0)
    weather = {name: values.on(grid) for name, values in series.items()}
    for name in ("global_horizontal", "direct_normal", "diffuse_horizontal"):
        weather[name] = np.maximum(weather[name], 0.0)
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


def _check_prices(
    tariff: Tariff,
    grid: TimeGrid,
    import_price_per_kwh: FloatArray,
    export_price_per_kwh: FloatArray,
    faults: Faults,
) -> None:
    """Each price known in every step of the grid, and none so high that the solver's arithmetic would suffer."""
    for field, price in (
        ("tariff.import", import_price_per_kwh),
        ("tariff.export", export_price_per_kwh),
    ):
        _tell_unknown(field, price, grid, faults)
        highest = float(np.nanmax(np.abs(price), initial=0.0))
        if highest > _PRICE_MAX:
            faults.add(field, f"must be from {-_PRICE_MAX:g} to {_PRICE_MAX:g} a kWh", highest)
    charge = tariff.demand_charge
    if charge is not None and charge.price_per_kw_month > _PRICE_MAX:
        rule = f"must be at most {_PRICE_MAX:g}"
        faults.add("tariff.demand_charge.price_per_kw_month", rule, charge.price_per_kw_month)


def _tell_unknown(field: str, values: FloatArray, grid: TimeGrid, faults: Faults) -> None:
    unknown = np.flatnonzero(np.isnan(values))
    if len(unknown):
        first = utc(grid.start_unix_s + int(unknown[0]) * grid.step_s)
        hours = len(unknown) * grid.step_h
        faults.add(
            field,
            f"must be known throughout the span; unknown: {hours:g} h, "
            f"the first at {first:%Y-%m-%d %H:%M} UTC",
        )
