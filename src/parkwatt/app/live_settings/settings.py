"""The whole file as a running site needs it: what it is, where readings and prices come from, what chargers fall back to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from parkwatt.app.car_settings import car_tables
from parkwatt.app.live_settings.backup import BackupSettings, read_backup
from parkwatt.app.live_settings.cars import CarTable, read_cars
from parkwatt.app.live_settings.home_assistant import read_shown
from parkwatt.app.live_settings.household import HouseholdGuess, read_household
from parkwatt.app.live_settings.limits import (
    CircuitSettings,
    ConnectionSettings,
    Plug,
    default_powers_kw,
    read_circuits,
    read_connection,
)
from parkwatt.app.live_settings.notify import NotifySettings, read_notify
from parkwatt.app.serve_settings import ServeSettings, read_serve_settings
from parkwatt.app.web_settings import WebSettings, read_web
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import Faults, Record
from parkwatt.domain.series import IntervalSeries
from parkwatt.domain.tariff import Tariff
from parkwatt.home.grid_code import GridCode
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.meter_settings import Metering, read_metering
from parkwatt.io.mqtt.home_assistant.settings import HomeAssistantSettings
from parkwatt.io.mqtt.settings import SocTopic
from parkwatt.io.ocpp.session.settings import ChargerSettings, EnterService
from parkwatt.io.prices.settings import FeedSettings
from parkwatt.io.series_source import SeriesSource
from parkwatt.io.tariff_toml import read_tariff
from parkwatt.io.toml_file import read_toml
from parkwatt.site.guard.settings import GuardSettings
from parkwatt.site.live.settings import CarSettings, ControlSettings, SiteSettings

# Where a car runs the house, load and sun cross each other many times a day. A bidirectional charger rests with its
# contactors closed, so that this wears nothing; for one that opens them the site's file sets less.
_SWITCHINGS_DISCHARGING: Final = 200


@dataclass(frozen=True, slots=True)
class CarSources:
    """Where a car's state of charge and trips come from beside its charger.

    ``trips``: a file or an address; ``trips_match``: only events that hold this text are trips.
    """

    soc: SocTopic | None = None
    trips: str | None = None
    trips_match: str | None = None


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """``serve``: the back end, its chargers with the power that they fall back to. ``folder``: what file names are relative to.

    ``car_sources``: by the car's name. ``feeds``: the prices that the tariff asks for. ``backup``: None where there is none;
    ``notify``: None where nobody is told anything; ``home_assistant``: None where it is told nothing.
    """

    path: Path
    serve: ServeSettings
    site: SiteSettings
    connection: ConnectionSettings
    circuits: tuple[CircuitSettings, ...]
    car_sources: Mapping[str, CarSources]
    feeds: tuple[FeedSettings, ...]
    metering: Metering
    web: WebSettings
    backup: BackupSettings | None = None
    notify: NotifySettings | None = None
    home_assistant: HomeAssistantSettings | None = None

    @property
    def folder(self) -> Path:
        """Where the file lies."""
        return self.path.parent


def read_live_settings(path: Path, faults: Faults) -> LiveSettings | None:
    """The settings in the TOML file at ``path``; None where it is no TOML. After faults they must not be used."""
    serve = read_serve_settings(path, faults)
    if serve is None:
        return None
    table = read_toml(path, Faults())
    record = Record({} if table is None else table, "", faults)
    connection = read_connection(record.record("connection", required=False))
    announced = _announced(serve)
    cars = read_cars(car_tables(record), serve.chargers, announced)
    known = {*serve.chargers, *(announced or ()), *(car.charger_id for car in cars)}
    circuits = read_circuits(record.records("circuit"), connection, known)
    tariff, feeds = _read_tariff(record)
    metering = read_metering(record, path.parent)
    _check_broker(record, metering, cars)
    backup = _read_backup(record, connection, metering, cars)
    home_assistant = _read_home_assistant(record, metering, cars, backup)
    discharges = any(serve.charger(car.charger_id).discharge for car in cars)
    control, guard = _read_control(record.record("control", required=False), discharges=discharges)
    curtailable = _read_curtailable(record)
    web = read_web(record.record("web", required=False))
    notify = None
    if record.has("notify"):
        car_ids = [car.car_id for car in cars]
        table_of_it = record.record("notify")
        notify = read_notify(table_of_it, path.parent, car_ids, tariff.time_zone)
    guess = _read_guess(record, tariff, metering)
    serve = _with_default_powers(serve, connection, circuits, cars)
    if backup is not None:
        serve = _with_grid_code(serve, backup.grid_code)
    first = cars[0]
    site = SiteSettings(
        name=serve.name,
        time_zone=tariff.time_zone,
        tariff=tariff,
        cars=tuple(_site_car(car, serve, connection, circuits) for car in cars),
        control=control,
        guard=guard,
        import_limit_kw=connection.import_limit_kw,
        household_kw_max=connection.household_kw_max,
        export_limit_kw=connection.export_limit_kw,
        fuse_a=connection.fuse_a,
        phase_count=connection.phase_count,
        interconnection=connection.interconnection,
        circuits=tuple(one.circuit for one in circuits),
        has_meter=metering.has("grid", "load"),
        has_solar=metering.has("solar"),
        load_guess=guess.load,
        solar_guess=guess.solar,
        solar_curtailable=curtailable,
        public_price_per_kwh=first.public_price_per_kwh,
    )
    sources = {car.car_id: CarSources(car.soc, car.trips, car.trips_match) for car in cars}
    return LiveSettings(
        path,
        serve,
        site,
        connection,
        circuits,
        sources,
        feeds,
        metering,
        web,
        backup,
        notify,
        home_assistant,
    )


def load_live_settings(site: Path) -> LiveSettings:
    """The settings in the TOML file ``site``; raises InputError with every fault."""
    faults = Faults()
    settings = read_live_settings(site, faults)
    faults.raise_if_any()
    if settings is None:
        raise InputError([InputFault(str(site), "must be a TOML file")])
    return settings


def _check_broker(record: Record, metering: Metering, cars: tuple[CarTable, ...]) -> None:
    for car in cars:
        if car.soc is not None and metering.broker is None and not record.has("mqtt"):
            record.fault("mqtt", f"is required by {car.field}.soc_topic: name the broker's host")


def _read_backup(
    record: Record,
    connection: ConnectionSettings,
    metering: Metering,
    cars: tuple[CarTable, ...],
) -> BackupSettings | None:
    if not record.has("backup"):
        return None
    return read_backup(
        record.record("backup"),
        car_ids=[car.car_id for car in cars],
        nominal_voltage_v=connection.voltage_v,
        phase_count=connection.phase_count,
        broker=metering.broker,
    )


def _read_home_assistant(
    record: Record,
    metering: Metering,
    cars: tuple[CarTable, ...],
    backup: BackupSettings | None,
) -> HomeAssistantSettings | None:
    circuits = () if backup is None else backup.circuits
    names = (
        ("car.name", [car.car_id for car in cars]),
        ("car.charger", [car.charger_id for car in cars]),
        ("backup.circuit.id", [one.circuit.circuit_id for one in circuits]),
    )
    return read_shown(record, has_broker=metering.broker is not None, names=names)


def _read_guess(record: Record, tariff: Tariff, metering: Metering) -> HouseholdGuess:
    if not record.has("household"):
        return HouseholdGuess()
    return read_household(
        record.record("household"),
        tariff.time_zone,
        measures_load=metering.has("grid", "load"),
        measures_sun=metering.has("solar"),
    )


def _announced(serve: ServeSettings) -> set[str] | None:
    """The chargers that have a credential; None where any may connect."""
    if serve.ocpp.admit_unknown:
        return None
    if not serve.store.credentials.exists():
        return set()
    with CredentialStore(serve.store.credentials) as store:
        return {known.charger_id for known in store.chargers()}


def _read_tariff(record: Record) -> tuple[Tariff, tuple[FeedSettings, ...]]:
    """The tariff without the prices of its feeds, and the feeds."""
    feeds: list[FeedSettings] = []

    def no_series(_: SeriesSource) -> IntervalSeries | None:
        raise AssertionError("a running site's series are feeds")

    tariff = read_tariff(record.record("tariff"), no_series, feeds.append)
    return tariff, tuple(feeds)


def _read_control(record: Record, *, discharges: bool) -> tuple[ControlSettings, GuardSettings]:
    control, guard = ControlSettings(), GuardSettings()
    switchings = _SWITCHINGS_DISCHARGING if discharges else guard.switchings_per_day_max
    control = replace(
        control,
        step_s=record.number("step_s", control.step_s, minimum=1.0, maximum=5.0),
        replan_s=60
        * record.integer("replan_minutes", control.replan_s // 60, minimum=1, maximum=15),
        keep_plan_gain=record.number(
            "keep_plan_gain", control.keep_plan_gain, minimum=0.0, maximum=1e6
        ),
    )
    guard = replace(
        guard,
        lease_charge_s=record.integer(
            "lease_charge_s", guard.lease_charge_s, minimum=10, maximum=900
        ),
        lease_discharge_s=record.integer(
            "lease_discharge_s", guard.lease_discharge_s, minimum=10, maximum=300
        ),
        ramp_kw_per_s=record.number(
            "ramp_kw_per_s", guard.ramp_kw_per_s, above=0.0, maximum=1000.0
        ),
        switchings_per_day_max=record.integer(
            "switchings_per_day_max", switchings, minimum=6, maximum=1000
        ),
    )
    record.finish()
    return control, guard


def _read_curtailable(record: Record) -> bool:
    """The study's table [solar] says whether sun may be left unused; the rest of it is the study's."""
    if not record.has("solar"):
        return True
    return record.record("solar").boolean("curtailable", default=True)


def _with_default_powers(
    serve: ServeSettings,
    connection: ConnectionSettings,
    circuits: tuple[CircuitSettings, ...],
    cars: tuple[CarTable, ...],
) -> ServeSettings:
    """The back end's settings with a default power for each charger that has none of its own."""
    charger_ids = dict.fromkeys((*(car.charger_id for car in cars), *serve.chargers))
    settings = {charger_id: serve.charger(charger_id) for charger_id in charger_ids}
    plugs = [Plug(one, known.power_kw_max, known.phase_count) for one, known in settings.items()]
    powers_kw = default_powers_kw(connection, circuits, plugs)
    chargers = {
        charger_id: _with_default(known, powers_kw[charger_id])
        for charger_id, known in settings.items()
    }
    return replace(serve, chargers=chargers)


def _with_grid_code(serve: ServeSettings, code: GridCode) -> ServeSettings:
    """The back end's settings with the home's grid code for every charger's inverter."""
    wanted = EnterService(
        grid_code=code.name,
        voltage_pu_min=code.voltage_pu_min,
        voltage_pu_max=code.voltage_pu_max,
        frequency_hz_min=code.frequency_hz_min,
        frequency_hz_max=code.frequency_hz_max,
        delay_s=code.delay_s,
        ramp_s=code.ramp_s,
    )
    chargers = {
        charger_id: replace(known, enter_service=wanted)
        for charger_id, known in serve.chargers.items()
    }
    return replace(serve, chargers=chargers, defaults=replace(serve.defaults, enter_service=wanted))


def _with_default(charger: ChargerSettings, share_kw: float) -> ChargerSettings:
    """A share below the least that the charger can do is none."""
    if charger.default_kw is not None:
        return charger
    return replace(
        charger, default_kw=0.0 if share_kw < (charger.power_kw_min or 0.0) else share_kw
    )


def _site_car(
    car: CarTable,
    serve: ServeSettings,
    connection: ConnectionSettings,
    circuits: tuple[CircuitSettings, ...],
) -> CarSettings:
    charger = serve.charger(car.charger_id)
    circuit = next((one for one in circuits if car.charger_id in one.charger_ids), None)
    least_kw = max(car.storage.charge_kw_min, charger.power_kw_min or 0.0)
    return CarSettings(
        storage=replace(car.storage, charge_kw_min=min(least_kw, car.storage.charge_kw_max)),
        charger_id=car.charger_id,
        evse_id=car.evse_id,
        wishes=car.wishes,
        charger_discharges=charger.discharge,
        phases=_phases(car, charger, connection),
        voltage_v=charger.voltage_v,
        circuit=None if circuit is None else circuit.circuit.name,
        default_kw=charger.default_limit_kw,
        consumption_kwh_per_km=car.consumption_kwh_per_km,
        cell_id=car.cell_id,
        temperature_c=car.temperature_c,
    )


def _phases(
    car: CarTable, charger: ChargerSettings, connection: ConnectionSettings
) -> tuple[int, ...]:
    if car.phases is not None:
        return car.phases
    return tuple(range(min(charger.phase_count, connection.phase_count)))
