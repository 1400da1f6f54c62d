"""What a study's TOML file says (docs/guides/study.md): read, checked, and nothing loaded yet but the tariff's own series."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from parkwatt.app.car_settings import CarSettings, car_tables, read_car
from parkwatt.app.site_file import (
    LIVE_CAR_KEYS,
    LIVE_CONNECTION_KEYS,
    LIVE_TABLES,
    SERVE_TABLES,
    skip,
)
from parkwatt.domain.errors import Description
from parkwatt.domain.record import Faults, Record
from parkwatt.domain.series import IntervalSeries
from parkwatt.domain.tariff import Tariff
from parkwatt.forecast.irradiance import SolarPlant
from parkwatt.io.raw_table import Condition
from parkwatt.io.series_source import (
    SeriesSource,
    read_series_source,
    read_time_format,
    read_time_zone,
    read_where,
)
from parkwatt.io.tables import read_series
from parkwatt.io.tariff_toml import read_tariff
from parkwatt.io.toml_file import read_toml
from parkwatt.site.outcome import STRATEGY_TITLES, StrategyName

Knowledge = Literal["declared", "calendar", "learned"]

# Beyond it a number is a slip, and the solver's arithmetic would suffer.
_POWER_KW_MAX = 1e6


@dataclass(frozen=True, slots=True)
class SpanSettings:
    """``start``, ``end``: local dates, half-open; None = as far as all data reach. ``departures``: what is known of them:
    declared when plugging in, from a calendar of all trips, or learned.
    """

    start: date | None
    end: date | None
    step_s: int
    replan_minutes: float
    horizon_h: float
    departures: Knowledge
    early_probability: float
    strategies: tuple[StrategyName, ...]


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Where the plug-in sessions stand. Energy is what the trip before used, or what the session charged (AC)."""

    file: str
    arrival_column: str
    departure_column: str
    energy_used_column: str | None
    energy_charged_column: str | None
    energy_asked_column: str | None
    time_zone: ZoneInfo | None
    time_format: str | None
    where: tuple[tuple[str, Condition], ...]
    shift_s: int


@dataclass(frozen=True, slots=True)
class SolarSettings:
    """Solar from a series of power, or from irradiance through a plant. ``given``: the series is also the forecast."""

    power: SeriesSource | None
    irradiance: dict[str, SeriesSource]
    plant: SolarPlant | None
    curtailable: bool
    given: bool


@dataclass(frozen=True, slots=True)
class StudySettings:
    """The whole file. ``folder``: what its file names are relative to."""

    name: str
    folder: Path
    span: SpanSettings
    tariff: Tariff
    load: SeriesSource
    solar: SolarSettings | None
    sessions: SessionSettings
    car: CarSettings
    import_limit_kw: float | None
    export_limit_kw: float | None


def read_settings(path: Path, faults: Faults) -> StudySettings | None:
    """The settings in the TOML file at ``path``; None where it is no TOML.

    After faults, tables that have one hold stand-ins that must not be used.
    """
    table = read_toml(path, faults)
    if table is None:
        return None
    record = Record(table, "", faults)
    skip(record, (*SERVE_TABLES, *LIVE_TABLES))
    folder = path.parent

    def load_series(source: SeriesSource) -> IntervalSeries | None:
        return read_series(source, folder, faults)

    name = record.text("name", path.stem)
    span = _read_span(record.record("study", required=False))
    tariff = read_tariff(record.record("tariff"), load_series)
    load_record = record.record("load")
    load = read_series_source(load_record, "power")
    load_record.finish()
    solar = _read_solar(record.record("solar")) if record.has("solar") else None
    connection = record.record("connection", required=False)
    import_limit_kw = connection.optional_number(
        "import_limit_kw", minimum=0.0, maximum=_POWER_KW_MAX
    )
    export_limit_kw = connection.optional_number(
        "export_limit_kw", minimum=0.0, maximum=_POWER_KW_MAX
    )
    skip(connection, LIVE_CONNECTION_KEYS)
    connection.finish()
    sessions = _read_sessions(record.record("sessions"))
    car = _read_car(record)
    record.finish()
    return StudySettings(
        name, folder, span, tariff, load, solar, sessions, car, import_limit_kw, export_limit_kw
    )


def _read_span(record: Record) -> SpanSettings:
    start, end = record.optional_date("start"), record.optional_date("end")
    if start is not None and end is not None and end <= start:
        record.fault("end", "must be after start", end.isoformat())
    step_minutes = record.integer("step_minutes", 15, minimum=1, maximum=60)
    if 60 % step_minutes:
        record.fault("step_minutes", "must divide an hour", step_minutes)
        step_minutes = 60
    replan_minutes = record.integer("replan_minutes", 60, minimum=1, maximum=1440)
    if replan_minutes % step_minutes:
        record.fault(
            "replan_minutes", f"must be a multiple of step_minutes, {step_minutes}", replan_minutes
        )
    departures = record.text("departures", "declared", choices=("declared", "calendar", "learned"))
    strategies = _read_strategies(record)
    settings = SpanSettings(
        start=start,
        end=end,
        step_s=step_minutes * 60,
        replan_minutes=replan_minutes,
        horizon_h=record.number("horizon_hours", 168.0, minimum=4.0, maximum=336.0),
        departures="learned"
        if departures == "learned"
        else "calendar"
        if departures == "calendar"
        else "declared",
        early_probability=record.number("early_probability", 0.02, minimum=0.001, maximum=0.5),
        strategies=strategies,
    )
    record.finish()
    return settings


def _read_strategies(record: Record) -> tuple[StrategyName, ...]:
    """The strategies to study, charging at once always first: all others are compared with it."""
    names = record.texts("strategies", choices=tuple(STRATEGY_TITLES))
    if names is None:
        return tuple(STRATEGY_TITLES)
    wanted = {"charge_at_once", *names}
    return tuple(name for name in STRATEGY_TITLES if name in wanted)


def _read_solar(record: Record) -> SolarSettings:
    curtailable = record.boolean("curtailable", default=True)
    given = record.text("forecast", "history", choices=("history", "given")) == "given"
    if not record.has("plant"):
        power = read_series_source(record, "power")
        record.finish()
        return SolarSettings(power, {}, None, curtailable, given)
    plant = _read_plant(record.record("plant"))
    irradiance = _read_irradiance(record.record("irradiance"))
    record.finish()
    return SolarSettings(None, irradiance, plant, curtailable, given)


def _read_plant(record: Record) -> SolarPlant | None:
    numbers = {
        "latitude_deg": record.number("latitude_deg", minimum=-90, maximum=90),
        "longitude_deg": record.number("longitude_deg", minimum=-180, maximum=180),
        "tilt_deg": record.number("tilt_deg", minimum=0, maximum=90),
        "azimuth_deg": record.number("azimuth_deg", minimum=0, maximum=360),
        "peak_kw": record.number("peak_kw", minimum=0, maximum=_POWER_KW_MAX),
        "loss_share": record.number("loss_share", 0.14, minimum=0, maximum=0.9),
    }
    inverter_kw_max = record.optional_number("inverter_kw_max", minimum=0.01, maximum=_POWER_KW_MAX)
    record.finish()
    if any(number != number for number in numbers.values()):  # NaN: already a fault
        return None
    return SolarPlant(**numbers, inverter_kw_max=inverter_kw_max)


def _read_irradiance(record: Record) -> dict[str, SeriesSource]:
    """One source for each column of the weather file; temperature and wind are optional."""
    columns = {
        name: record.text(f"{name}_column")
        for name in ("global_horizontal", "direct_normal", "diffuse_horizontal")
    }
    for name in ("temperature", "wind"):
        column = record.optional_text(f"{name}_column")
        if column is not None:
            columns[name] = column
    for name in ("unit", "value_column"):
        if record.has(name):
            record.fault(name, "has no meaning here: each column has a field of its own")
    sources = {
        name: read_series_source(
            record.with_fields(value_column=column or "missing", unit="raw"), "raw"
        )
        for name, column in columns.items()
    }
    record.finish()
    return sources


def _read_sessions(record: Record) -> SessionSettings:
    used, charged = (
        record.optional_text("energy_used_column"),
        record.optional_text("energy_charged_column"),
    )
    if (used is None) == (charged is None):
        record.fault(
            "energy_used_column", "must be given, or energy_charged_column in its place, not both"
        )
    settings = SessionSettings(
        file=record.text("file"),
        arrival_column=record.text("arrival_column", "arrival"),
        departure_column=record.text("departure_column", "departure"),
        energy_used_column=used,
        energy_charged_column=charged,
        energy_asked_column=record.optional_text("energy_asked_column"),
        time_zone=read_time_zone(record, "time_zone"),
        time_format=read_time_format(record),
        where=read_where(record),
        shift_s=record.integer("shift_days", 0, minimum=-73_000, maximum=73_000) * 86_400
        + record.integer("shift_hours", 0, minimum=-8760, maximum=8760) * 3600,
    )
    record.finish()
    return settings


def _read_car(parent: Record) -> CarSettings:
    """The one car that is studied."""
    tables = car_tables(parent)
    if len(tables) > 1:
        parent.fault("car", "must be a single car for a study", Description(f"{len(tables)} cars"))
    car = read_car(tables[0])
    skip(tables[0], LIVE_CAR_KEYS)
    tables[0].finish()
    return car
