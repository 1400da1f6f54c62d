"""The site's devices and their entities: what Home Assistant is shown, and what it may change.

Device classes, state classes and units are those that Home Assistant's energy dashboard and statistics ask for: energy as
`total_increasing` in kWh, what is in a battery as `energy_storage`, prices in the currency per kWh.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, get_args

from parkwatt.app.api.site_views import DAYS, ModeName
from parkwatt.app.api.site_words import ActivityKind
from parkwatt.app.live_settings import LiveSettings
from parkwatt.app.live_settings.backup import BackupCircuit, BackupSettings
from parkwatt.app.up.home_assistant.words import circuit_name, name
from parkwatt.domain.home.event import Choice, IslandPhase
from parkwatt.io.mqtt.home_assistant import Device, Entity, HomeAssistantSettings, slug
from parkwatt.io.mqtt.home_assistant.entity import Between, Matching, OneOf, OnOff, Press
from parkwatt.io.mqtt.home_assistant.settings import Language
from parkwatt.site.live.settings import CarSettings

SITE: Final = "site"
BACKUP: Final = "backup"
NO_TIME: Final = "-"
_CLOCK: Final = Matching(rf"{NO_TIME}|([01]\d|2[0-3]):[0-5]\d", f"07:30, or {NO_TIME} for none")
_CONFIG: Final = {"entity_category": "config"}
_DIAGNOSTIC: Final = {"entity_category": "diagnostic"}
_PER_CENT: Final = Between(0.0, 100.0)


def car_path(car_id: str) -> str:
    """A car's device."""
    return f"car/{slug(car_id)}"


def circuit_key(circuit_id: str) -> str:
    """What a circuit's entity is called."""
    return f"circuit_{slug(circuit_id)}"


def devices(settings: LiveSettings, shown: HomeAssistantSettings) -> tuple[Device, ...]:
    """All devices of the site, as its file stands."""
    found = [_site(settings, shown.language)]
    found += [_car(car, shown.language) for car in settings.site.cars]
    if settings.backup is not None:
        found.append(_backup(settings.backup, settings.site.name, shown.language))
    if shown.commands:
        return tuple(found)
    return tuple(_without_commands(device) for device in found)


def _without_commands(device: Device) -> Device:
    entities = tuple(one for one in device.entities if one.accepts is None)
    return Device(
        path=device.path, name=device.name, model=device.model, entities=entities, via=device.via
    )


# The kinds of entities.


def _power(key: str, title: str, **more: Any) -> Entity:
    return _measured(key, title, "power", "kW", 2, **more)


def _measured(
    key: str, title: str, device_class: str | None, unit: str, decimals: int, **more: Any
) -> Entity:
    """Something that is so much now."""
    options: dict[str, object] = {
        "state_class": "measurement",
        "unit_of_measurement": unit,
        "suggested_display_precision": decimals,
        **more.pop("options", {}),
    }
    if device_class is not None:
        options["device_class"] = device_class
    return Entity(
        key=key, platform="sensor", name=title, options=options, decimals=decimals, **more
    )


def _energy(key: str, title: str, **more: Any) -> Entity:
    """Energy that only grows; where it begins anew, Home Assistant goes on from there."""
    options = {
        "device_class": "energy",
        "state_class": "total_increasing",
        "unit_of_measurement": "kWh",
        "suggested_display_precision": 1,
    }
    return Entity(key=key, platform="sensor", name=title, options=options, decimals=3, **more)


def _time(key: str, title: str, options: dict[str, object]) -> Entity:
    return Entity(
        key=key,
        platform="sensor",
        name=title,
        options={"device_class": "timestamp", **options},
    )


def _words(key: str, title: str, icon: str, **options: object) -> Entity:
    return Entity(key=key, platform="sensor", name=title, options={"icon": icon, **options})


def _enum(key: str, title: str, icon: str, words: tuple[str, ...]) -> Entity:
    options = {"device_class": "enum", "options": list(words), "icon": icon}
    return Entity(key=key, platform="sensor", name=title, options=options)


def _yes_no(key: str, title: str, device_class: str | None, **more: Any) -> Entity:
    options: dict[str, object] = {**more.pop("options", {})}
    if device_class is not None:
        options["device_class"] = device_class
    return Entity(key=key, platform="binary_sensor", name=title, options=options, **more)


def _button(key: str, title: str, icon: str) -> Entity:
    return Entity(key=key, platform="button", name=title, options={"icon": icon}, accepts=Press())


def _select(key: str, title: str, icon: str, words: tuple[str, ...], **options: object) -> Entity:
    return Entity(
        key=key,
        platform="select",
        name=title,
        options={"icon": icon, **options},
        accepts=OneOf(words),
    )


def _share(key: str, title: str, icon: str) -> Entity:
    """A state of charge that is asked for."""
    options = {"unit_of_measurement": "%", "step": 1, "mode": "slider", "icon": icon}
    return Entity(key=key, platform="number", name=title, options=options, accepts=_PER_CENT)


def _clock_text(key: str, title: str, **options: object) -> Entity:
    """A local time."""
    return Entity(
        key=key,
        platform="text",
        name=title,
        options={"min": 1, "max": 5, "icon": "mdi:clock-end", **options},
        accepts=_CLOCK,
    )


# The devices.


def _site(settings: LiveSettings, language: Language) -> Device:
    return Device(
        path=SITE,
        name=settings.site.name,
        model="Site",
        entities=tuple(_site_entities(settings, language)),
    )


def _site_entities(settings: LiveSettings, language: Language) -> Iterator[Entity]:
    site, currency = settings.site, settings.site.tariff.currency

    def called(key: str) -> tuple[str, str]:
        return key, name(key, language)

    if site.has_meter:
        yield _power(*called("grid_power"))
        yield _power(*called("load_power"))
        yield _energy(*called("grid_import_energy"))
        yield _energy(*called("grid_export_energy"))
        yield _energy(*called("load_energy"))
    if site.has_solar:
        yield _power(*called("solar_power"))
        yield _energy(*called("solar_energy"))
    for key in ("import_price", "export_price"):
        cash = {"icon": "mdi:cash"}
        yield _measured(*called(key), None, f"{currency}/kWh", 4, options=cash)
    yield _money(*called("saved_today"), currency)
    yield _words(*called("next_action"), "mdi:calendar-arrow-right")
    yield _time(*called("next_action_at"), {})
    yield _time(*called("plan_made"), dict(_DIAGNOSTIC))
    yield _yes_no(*called("alarm"), "problem", attributes=True)
    yield _yes_no(*called("sources"), "problem", attributes=True, options=_DIAGNOSTIC)
    yield _words(*called("refused"), "mdi:cancel", **_DIAGNOSTIC)
    yield _button(*called("plan_again"), "mdi:refresh")


def _money(key: str, title: str, currency: str) -> Entity:
    """Money of a day: it begins anew at midnight."""
    options = {
        "device_class": "monetary",
        "state_class": "total",
        "unit_of_measurement": currency,
        "suggested_display_precision": 2,
        "value_template": "{{ value_json.value }}",
        "last_reset_value_template": "{{ value_json.last_reset }}",
    }
    return Entity(key=key, platform="sensor", name=title, options=options, attributes=True)


def _car(car: CarSettings, language: Language) -> Device:
    return Device(
        path=car_path(car.car_id),
        name=car.car_id,
        model="Car",
        via=SITE,
        entities=(
            *_car_sensors(car, language),
            *_car_controls(language),
        ),
    )


def _car_sensors(car: CarSettings, language: Language) -> Iterator[Entity]:
    charger = slug(car.charger_id)

    def called(key: str) -> tuple[str, str]:
        return key, name(key, language)

    yield _power(*called("power"), charger=charger)
    yield _measured(*called("soc"), "battery", "%", 0)
    yield _measured(*called("energy"), "energy_storage", "kWh", 1)
    yield _energy(*called("charged_energy"), charger=charger)
    if car.charger_discharges:
        yield _energy(*called("discharged_energy"), charger=charger)
    yield _enum(*called("activity"), "mdi:car-electric", get_args(ActivityKind))
    yield _words(*called("next_action"), "mdi:calendar-arrow-right")
    yield _time(*called("next_action_at"), {})
    yield _time(*called("departure"), {"icon": "mdi:car-clock"})
    ready = {"icon": "mdi:check-circle-outline"}
    yield _yes_no(*called("ready"), None, attributes=True, options=ready)
    yield _yes_no(*called("plugged_in"), "plug", charger=charger)
    yield _yes_no(*called("charger"), "connectivity", options=_DIAGNOSTIC)


def _car_controls(language: Language) -> Iterator[Entity]:
    def called(key: str) -> tuple[str, str]:
        return key, name(key, language)

    yield _select(*called("mode"), "mdi:ev-station", get_args(ModeName))
    yield _share(*called("floor"), "mdi:battery-low")
    yield _share(*called("target"), "mdi:battery-charging-high")
    discharge = {"icon": "mdi:home-battery", **_CONFIG}
    yield Entity(
        key="discharge",
        platform="switch",
        name=name("discharge", language),
        options=discharge,
        accepts=OnOff(),
    )
    yield _button(*called("leave_now"), "mdi:car-arrow-right")
    yield _button(*called("fill_up_now"), "mdi:battery-charging-100")
    yield _clock_text(*called("ready_by"))
    for day in DAYS:
        yield _clock_text(*called(f"ready_by_{day}"), enabled_by_default=False, **_CONFIG)


def _backup(backup: BackupSettings, site: str, language: Language) -> Device:
    return Device(
        path=BACKUP,
        name=f"{site} {name('backup', language)}",
        model="Backup",
        via=SITE,
        entities=tuple(_backup_entities(backup, language)),
    )


def _backup_entities(backup: BackupSettings, language: Language) -> Iterator[Entity]:
    def called(key: str) -> tuple[str, str]:
        return key, name(key, language)

    yield _enum(*called("phase"), "mdi:transmission-tower", get_args(IslandPhase))
    yield _yes_no(*called("grid"), "power")
    yield _yes_no(*called("islanded"), "running")
    for key in ("hours_p50", "hours_p10", "hours_p90"):
        yield _measured(*called(key), "duration", "h", 1)
    yield _measured(*called("usable_energy"), "energy_storage", "kWh", 1)
    yield _yes_no(*called("alarm"), "problem", attributes=True)
    if backup.generator is not None and backup.generator.device is not None:
        yield _yes_no(*called("generator"), "running")
    for circuit in backup.circuits:
        yield from _circuit_entities(circuit, language)


def _circuit_entities(one: BackupCircuit, language: Language) -> Iterator[Entity]:
    """A circuit that may be switched is one; others tell only. What is medical is never switched off."""
    circuit, points = one.circuit, None if one.device is None else one.device.points
    key = circuit_key(circuit.circuit_id)
    if circuit.switchable and not circuit.medical:
        yield Entity(
            key=key,
            platform="switch",
            name=circuit.name,
            options={"icon": "mdi:electric-switch"},
            accepts=OnOff(),
        )
        title = circuit_name("choice", circuit.name, language)
        yield _select(f"{key}_choice", title, "mdi:hand-back-right", get_args(Choice), **_CONFIG)
    elif points is not None and points.state is not None:
        yield _yes_no(key, circuit.name, "power")
    if points is not None and points.power is not None:
        yield _power(f"{key}_power", circuit_name("power", circuit.name, language))
