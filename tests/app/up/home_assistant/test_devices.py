"""All devices of a full site, in both languages, by Home Assistant's rules; ids that stay."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from parkwatt.app.live_settings import LiveSettings, load_live_settings
from parkwatt.app.up.home_assistant import devices
from parkwatt.domain.errors import InputError
from parkwatt.io.mqtt.home_assistant import HomeAssistantSettings, Naming
from parkwatt.io.mqtt.home_assistant.payload import device_config, encode
from parkwatt.io.mqtt.home_assistant.settings import Language
from tests.app.up.home_assistant.hass_home import SECOND_CAR, SITE_TOML, backed_site
from tests.io.mqtt.home_assistant.schema import faults

NAMING = Naming("homeassistant", "parkwatt")


@pytest.fixture
def full(tmp_path: Path) -> LiveSettings:
    """A site with a car and all that backs it up."""
    return load_live_settings(backed_site(tmp_path, 1883))


def _all(settings: LiveSettings, language: Language = "en") -> dict[str, dict[str, object]]:
    shown = HomeAssistantSettings(language=language)
    return {
        NAMING.config(one.path): device_config(one, NAMING, "1") for one in devices(settings, shown)
    }


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_device_is_valid(full: LiveSettings, language: Language) -> None:
    found = _all(full, language)
    assert sorted(found) == [
        "homeassistant/device/parkwatt_backup/config",
        "homeassistant/device/parkwatt_car_car/config",
        "homeassistant/device/parkwatt_site/config",
    ]
    for topic, config in found.items():
        assert faults(topic, encode(config)) == []


def test_names_differ_by_language_and_ids_do_not(full: LiveSettings) -> None:
    english, german = _all(full), _all(full, "de")
    differing = 0
    for topic, config in english.items():
        theirs = german[topic]["components"]
        assert isinstance(config["components"], dict)
        assert isinstance(theirs, dict)
        for key, part in config["components"].items():
            assert theirs[key]["unique_id"] == part["unique_id"]
            assert theirs[key]["default_entity_id"] == part["default_entity_id"]
            differing += theirs[key]["name"] != part["name"]
    assert differing > 40


def test_ids_are_each_somebodys_own(full: LiveSettings) -> None:
    parts = [
        part
        for config in _all(full).values()
        if isinstance(config["components"], dict)
        for part in config["components"].values()
    ]
    for name in ("unique_id", "default_entity_id"):
        ids = [part[name] for part in parts]
        assert len(set(ids)) == len(ids)


def test_the_energy_dashboard_finds_what_it_asks_for(full: LiveSettings) -> None:
    """homeassistant/components/energy/validate.py: energy in kWh that only grows, and a price in the currency per kWh."""
    site = _all(full)["homeassistant/device/parkwatt_site/config"]["components"]
    assert isinstance(site, dict)
    for key in ("grid_import_energy", "grid_export_energy"):
        energy = site[key]
        assert energy["device_class"] == "energy"
        assert energy["state_class"] == "total_increasing"
        assert energy["unit_of_measurement"] == "kWh"
    assert site["import_price"]["unit_of_measurement"] == "USD/kWh"


def test_the_guide_tells_every_entity(full: LiveSettings) -> None:
    guide = (Path(__file__).parents[4] / "docs" / "guides" / "home-assistant.md").read_text("utf-8")
    circuits = r"circuit_[a-z]+"
    for device in devices(full, HomeAssistantSettings()):
        for entity in device.entities:
            key = re.sub(circuits, "circuit_<id>", entity.key)
            weekly = key.startswith("ready_by_")
            assert weekly or re.search(rf"[`…]{re.escape(key)}`", guide), key


def test_medical_circuits_have_no_switch(full: LiveSettings) -> None:
    assert full.backup is not None
    backup = _all(full)["homeassistant/device/parkwatt_backup/config"]["components"]
    assert isinstance(backup, dict)
    for one in full.backup.circuits:
        circuit = one.circuit
        part = backup.get(f"circuit_{circuit.circuit_id}")
        is_switch = part is not None and part["platform"] == "switch"
        assert is_switch == (circuit.switchable and not circuit.medical)


def test_without_commands_nothing_can_be_told(full: LiveSettings) -> None:
    for device in devices(full, HomeAssistantSettings(commands=False)):
        assert all(one.accepts is None for one in device.entities)


def test_names_that_become_one_id_are_a_fault(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    more = SECOND_CAR.replace("Zoé", "ID 4")
    site.write_text(SITE_TOML.format(port=1883, table="", more=more), encoding="utf-8")
    with pytest.raises(InputError, match=r"must differ from 'ID\.4'"):
        load_live_settings(site)


def test_a_broker_is_needed(tmp_path: Path) -> None:
    text = SITE_TOML.format(port=1883, table="", more="")
    start, end = text.index("[meter.grid]"), text.index("[home_assistant]")
    site = tmp_path / "site.toml"
    site.write_text(text[:start] + text[end:], encoding="utf-8")
    with pytest.raises(InputError, match="needs \\[mqtt\\]"):
        load_live_settings(site)
