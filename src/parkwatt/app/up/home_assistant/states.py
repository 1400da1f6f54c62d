"""What the devices' entities tell now, from the site's and the backup's snapshots."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from parkwatt.app.api.live import LiveCar, LiveSnapshot
from parkwatt.app.api.live_backup import BackupSnapshot
from parkwatt.app.api.site_views import DAYS, car_view, wishes_view
from parkwatt.app.api.site_words import local, next_change
from parkwatt.app.api.views import moment
from parkwatt.app.up.home_assistant.devices import BACKUP, NO_TIME, SITE, car_path, circuit_key
from parkwatt.app.up.home_assistant.energy import EnergyCounters
from parkwatt.app.up.home_assistant.words import action, nothing_planned
from parkwatt.domain.series import TimeGrid
from parkwatt.io.mqtt.home_assistant import Look, Value, slug
from parkwatt.io.mqtt.home_assistant.settings import Language

_US: Final = 1_000_000
_QUARTER_S: Final = 900
_DAY_S: Final = 86_400
_PER_CENT: Final = 100.0

States = dict[tuple[str, str], Value]
Attributes = dict[tuple[str, str], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Saved:
    """What was saved since ``since``, a day's begin: against charging at once, after wear. Money in the site's currency."""

    since: datetime
    net: float
    gross: float
    wear: float


@dataclass(slots=True)
class Beside:
    """What is told beside the snapshots: energies counted, money accounted, the command that was refused last."""

    energy: EnergyCounters = field(default_factory=EnergyCounters)
    saved: Saved | None = None
    refused: str = ""


def look(
    site: LiveSnapshot, backup: BackupSnapshot | None, beside: Beside, language: Language
) -> Look:
    """All states."""
    values: States = {}
    attributes: Attributes = {}
    _look_at_site(site, beside, language, values, attributes)
    for car in site.cars:
        _look_at_car(car, site, language, values, attributes)
    if backup is not None:
        _look_at_backup(backup, values, attributes)
    linked = {slug(car.view.settings.charger_id): car.view.seen.connected for car in site.cars}
    return Look(values, attributes, linked)


def _look_at_site(
    site: LiveSnapshot, beside: Beside, language: Language, values: States, attributes: Attributes
) -> None:
    now_unix_s = site.now_unix_us // _US
    import_price, export_price = _prices(site, now_unix_s)
    alarms = list(site.alarms)
    troubles = {one.source: one.reason for one in site.sources.values() if not one.ok}
    told: dict[str, Value] = {
        "grid_power": site.grid_kw,
        "load_power": site.load_kw,
        "solar_power": site.solar_kw,
        "grid_import_energy": beside.energy.import_kwh(site.reading),
        "grid_export_energy": beside.energy.export_kwh(site.reading),
        "load_energy": beside.energy.load_kwh,
        "solar_energy": beside.energy.solar_kwh,
        "import_price": import_price,
        "export_price": export_price,
        "plan_made": None if site.plan is None else moment(site.plan.made_unix_s * _US),
        "alarm": bool(alarms),
        "sources": bool(troubles),
        "refused": beside.refused or NO_TIME,
        "saved_today": _saved_text(beside.saved),
        **_next_of_site(site, language),
    }
    values.update({(SITE, key): value for key, value in told.items()})
    attributes[SITE, "alarm"] = {"alarms": alarms}
    attributes[SITE, "sources"] = {"troubles": troubles}
    if beside.saved is not None:
        attributes[SITE, "saved_today"] = {
            "before_wear": round(beside.saved.gross, 2),
            "wear": round(beside.saved.wear, 2),
        }


def _saved_text(saved: Saved | None) -> str:
    """The value and its day in one message; null where it is not known."""
    value = None if saved is None else round(saved.net, 2)
    since = None if saved is None else saved.since.isoformat()
    return json.dumps({"value": value, "last_reset": since})


def _prices(site: LiveSnapshot, now_unix_s: int) -> tuple[float | None, float | None]:
    grid = TimeGrid(now_unix_s - now_unix_s % _QUARTER_S, _QUARTER_S, 1)
    buy = float(site.tariff.import_price_on(grid)[0])
    sell = float(site.tariff.export_price_on(grid)[0])
    return (buy if math.isfinite(buy) else None, sell if math.isfinite(sell) else None)


def _next(car: LiveCar, site: LiveSnapshot) -> tuple[int, int] | None:
    """When the plan changes what a car does, and to what; None where it does not."""
    if site.plan is None or not car.view.is_planned:
        return None
    change = next_change(site.plan, car.view.car_id, site.now_unix_us // _US)
    return None if change is None else (change[0], change[2])


def _next_of_site(site: LiveSnapshot, language: Language) -> dict[str, Value]:
    found = [(change, car) for car in site.cars if (change := _next(car, site)) is not None]
    if not found:
        return {"next_action": nothing_planned(language), "next_action_at": None}
    (at_unix_s, then), car = min(found, key=lambda one: one[0])
    words = action(then, at_unix_s, site.now_unix_us // _US, site.settings.time_zone, language)
    return {
        "next_action": f"{car.view.car_id} {words}",
        "next_action_at": moment(at_unix_s * _US),
    }


def _look_at_car(
    car: LiveCar, site: LiveSnapshot, language: Language, values: States, attributes: Attributes
) -> None:
    view, path = car_view(car, site), car_path(car.view.car_id)
    seen, change, departure = car.view.seen, _next(car, site), view.departure
    zone, now_unix_s = site.settings.time_zone, site.now_unix_us // _US
    told: dict[str, Value] = {
        "power": car.power_kw,
        "soc": None if view.soc is None else view.soc * _PER_CENT,
        "energy": view.energy_kwh,
        "charged_energy": seen.import_kwh,
        "discharged_energy": seen.export_kwh,
        "activity": view.activity.kind,
        "next_action": nothing_planned(language)
        if change is None
        else action(change[1], change[0], now_unix_s, zone, language),
        "next_action_at": None if change is None else moment(change[0] * _US),
        "departure": None if departure is None else departure.departs_at,
        "ready": None if departure is None else departure.ready,
        "plugged_in": view.plugged_in,
        "charger": view.connected,
        "mode": view.wishes.mode,
        "floor": view.wishes.floor_soc * _PER_CENT,
        "target": view.wishes.target_soc * _PER_CENT,
        "discharge": view.wishes.discharge,
        "ready_by": _ready_by(car, site),
    }
    values.update({(path, key): value for key, value in told.items()})
    values.update({(path, key): value for key, value in _weekly(car)})
    attributes[path, "ready"] = {"message": "" if departure is None else departure.message}


def _ready_by(car: LiveCar, site: LiveSnapshot) -> str:
    """The local time of the departure that was named, where it is within a day."""
    asked, now_unix_s = car.view.state.asked, site.now_unix_us // _US
    if asked is None or not 0 < asked.departs_unix_s - now_unix_s <= _DAY_S:
        return NO_TIME
    return f"{local(asked.departs_unix_s, site.settings.time_zone):%H:%M}"


def _weekly(car: LiveCar) -> Iterator[tuple[str, str]]:
    wishes = wishes_view(car.view.wishes, until_departure=False)
    for day in DAYS:
        yield f"ready_by_{day}", wishes.ready_by[day] or NO_TIME


def _look_at_backup(backup: BackupSnapshot, values: States, attributes: Attributes) -> None:
    controller = backup.controller
    settings, grid = controller.settings, controller.grid
    runtime = None if controller.forecast is None else controller.forecast.runtime
    alarms = [*backup.alarms, *controller.troubles]
    generator = controller.observation.generator
    told: dict[str, Value] = {
        "phase": controller.state.island.phase,
        "grid": None if grid.condition == "unknown" else grid.condition == "present",
        "islanded": grid.is_island,
        "hours_p10": None if runtime is None else runtime.hours_p10,
        "hours_p50": None if runtime is None else runtime.hours_p50,
        "hours_p90": None if runtime is None else runtime.hours_p90,
        "usable_energy": None if runtime is None else runtime.usable_kwh,
        "alarm": bool(alarms),
        "generator": None if generator is None else generator.on,
    }
    for circuit in settings.circuits:
        key = circuit_key(circuit.circuit_id)
        reading = controller.observation.circuits.get(circuit.circuit_id)
        chosen = controller.state.choice(circuit.circuit_id, backup.now_unix_us // _US)
        told[key] = None if reading is None else reading.on
        told[f"{key}_power"] = None if reading is None else reading.power_kw
        told[f"{key}_choice"] = "automatic" if chosen is None else chosen.choice
    values.update({(BACKUP, key): value for key, value in told.items()})
    attributes[BACKUP, "alarm"] = {"alarms": alarms}
