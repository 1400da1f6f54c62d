"""The rules by which payloads are judged find what is broken: one thing at a time."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.io.mqtt.home_assistant.schema import faults

TOPIC = "homeassistant/device/house/config"
AVAILABILITY = [{"topic": "house/there"}]
GOOD: dict[str, Any] = {
    "device": {"identifiers": ["house"], "name": "House"},
    "origin": {"name": "A program"},
    "availability": AVAILABILITY,
    "components": {
        "power": {
            "platform": "sensor",
            "name": "Power",
            "unique_id": "house_power",
            "default_entity_id": "sensor.house_power",
            "device_class": "power",
            "state_class": "measurement",
            "unit_of_measurement": "kW",
            "suggested_display_precision": 2,
            "state_topic": "house/power",
        },
        "mode": {
            "platform": "select",
            "unique_id": "house_mode",
            "options": ["a", "b"],
            "command_topic": "house/mode/set",
        },
        "text": {
            "platform": "text",
            "unique_id": "house_text",
            "command_topic": "house/text/set",
            "pattern": "a+",
        },
        "plug": {
            "platform": "binary_sensor",
            "unique_id": "house_plug",
            "state_topic": "house/plug",
        },
        "gone": {"platform": "switch"},
    },
}


def _at(*path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(config: dict[str, Any]) -> None:
        inner = config
        for key in path[:-1]:
            inner = inner[key]
        if value is None:
            inner.pop(path[-1], None)
        else:
            inner[path[-1]] = value

    return change


POWER = ("components", "power")
BROKEN = {
    "no origin": _at("origin", value=None),
    "no origin's name": _at("origin", value={"sw": "1"}),
    "no device": _at("device", value=None),
    "no identifiers": _at("device", "identifiers", value=[]),
    "unknown about the device": _at("device", "colour", value="red"),
    "a link that is none": _at("device", "configuration_url", value="house"),
    "a base topic": _at("~", value="house"),
    "no components": _at("components", value=[]),
    "two availabilities": _at(*POWER, "availability_topic", value="house/there"),
    "an unknown platform": _at(*POWER, "platform", value="thermometer"),
    "no unique_id": _at(*POWER, "unique_id", value=None),
    "no state_topic": _at(*POWER, "state_topic", value=None),
    "a wildcard": _at(*POWER, "state_topic", value="house/+"),
    "a misspelt option": _at(*POWER, "stateclass", value="measurement"),
    "another unit": _at(*POWER, "unit_of_measurement", value="kWh"),
    "another state class": _at(*POWER, "state_class", value="total_increasing"),
    "an unknown class": _at(*POWER, "device_class", value="might"),
    "of category config": _at(*POWER, "entity_category", value="config"),
    "options without enum": _at(*POWER, "options", value=["a"]),
    "a reset of what is no total": _at(
        *POWER, "last_reset_value_template", value="{{ value_json.a }}"
    ),
    "another platform's entity_id": _at(*POWER, "default_entity_id", value="number.house_power"),
    "no entity_id": _at(*POWER, "default_entity_id", value="sensor.House-Power"),
    "a key with spaces": _at("components", "a b", value=GOOD["components"]["power"]),
    "no options": _at("components", "mode", "options", value=None),
    "no command_topic": _at("components", "mode", "command_topic", value=None),
    "a pattern that is none": _at("components", "text", "pattern", value="("),
    "too long": _at("components", "text", "max", value=300),
    "a unit of yes and no": _at("components", "plug", "unit_of_measurement", value="kW"),
}


def _faults(config: dict[str, Any], topic: str = TOPIC) -> list[str]:
    return faults(topic, json.dumps(config).encode())


def test_a_good_one_has_no_fault() -> None:
    assert _faults(GOOD) == []


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_found(what: str) -> None:
    config = copy.deepcopy(GOOD)
    BROKEN[what](config)
    assert len(_faults(config)) >= 1


def test_topics_and_messages_are_looked_at() -> None:
    assert _faults(GOOD, "homeassistant/device/my house/config")
    assert faults(TOPIC, b"{")
    assert faults(TOPIC, b"[]")


def test_abbreviations_are_understood() -> None:
    short = {
        "dev": {"ids": "house", "name": "House", "mf": "Somebody"},
        "o": {"name": "A program", "sw": "1"},
        "availability": AVAILABILITY,
        "cmps": GOOD["components"],
    }
    assert _faults(short) == []
