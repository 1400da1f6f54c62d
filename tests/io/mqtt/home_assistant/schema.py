"""Home Assistant's rules for device discovery over MQTT, written down anew: what it would refuse, warn of or leave out.

The rules are facts from Home Assistant's own source, release 2026.2.3, under homeassistant/components: mqtt/schemas.py (device,
origin, availability, components), mqtt/discovery.py (topics, shared options), mqtt/abbreviations.py, mqtt/util.py (topics),
mqtt/config.py and mqtt/{sensor,binary_sensor,number,select,switch,button,text}.py (each platform's schema), sensor/const.py
(DEVICE_CLASS_UNITS, DEVICE_CLASS_STATE_CLASSES), number/const.py, binary_sensor/__init__.py, button/__init__.py, and core.py
(VALID_ENTITY_ID). Where it drops an option that it does not know, this is a fault here: it is misspelt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

TOPIC: Final = re.compile(r"device/(?:([a-zA-Z0-9_-]+)/)?([a-zA-Z0-9_-]+)/config")
ENTITY_ID: Final = re.compile(r"(?!.+__)(?!_)[\da-z_]+(?<!_)\.(?!_)[\da-z_]+(?<!_)")
ICON: Final = re.compile(r"[a-z0-9-]+:[a-z0-9-]+")
URL: Final = re.compile(r"(?:https?|homeassistant)://\S+")
STATE_LENGTH_MAX: Final = 255
SHARED: Final = (
    "availability",
    "availability_mode",
    "availability_template",
    "availability_topic",
    "command_topic",
    "payload_available",
    "payload_not_available",
    "state_topic",
)
ROOT_ABBREVIATIONS: Final = {"dev": "device", "o": "origin", "cmps": "components"}
ORIGIN_ABBREVIATIONS: Final = {"sw": "sw_version", "url": "support_url"}
DEVICE_ABBREVIATIONS: Final = {
    "cns": "connections",
    "cu": "configuration_url",
    "ids": "identifiers",
    "mf": "manufacturer",
    "mdl": "model",
    "mdl_id": "model_id",
    "hw": "hw_version",
    "sw": "sw_version",
    "sa": "suggested_area",
    "sn": "serial_number",
}
ENERGY: Final = {
    *("J", "kJ", "MJ", "GJ", "mWh", "Wh", "kWh", "MWh", "GWh", "TWh"),
    *("cal", "kcal", "Mcal", "Gcal"),
}
POWER: Final = {"mW", "W", "kW", "MW", "GW", "TW"}
# Those that this project uses; another one is unknown to this table and so a fault.
UNITS: Final[dict[str, set[str | None]]] = {
    "battery": {"%"},
    "duration": {"d", "h", "min", "s", "ms", "μs"},
    "energy": set(ENERGY),
    "energy_storage": set(ENERGY),
    "power": set(POWER),
}
STATE_CLASSES: Final = {
    "battery": {"measurement"},
    "duration": {"measurement", "total", "total_increasing"},
    "energy": {"total", "total_increasing"},
    "energy_storage": {"measurement"},
    "enum": set[str](),
    "monetary": {"total"},
    "power": {"measurement"},
    "timestamp": set[str](),
}
BINARY_CLASSES: Final = {
    "battery",
    "battery_charging",
    "carbon_monoxide",
    "cold",
    "connectivity",
    "door",
    "garage_door",
    "gas",
    "heat",
    "light",
    "lock",
    "moisture",
    "motion",
    "moving",
    "occupancy",
    "opening",
    "plug",
    "power",
    "presence",
    "problem",
    "running",
    "safety",
    "smoke",
    "sound",
    "tamper",
    "update",
    "vibration",
    "window",
}
CATEGORIES: Final = {"config", "diagnostic"}


Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _subscribed(value: Any) -> bool:
    """mqtt/util.py, valid_topic and valid_subscribe_topic; a state's topic has no wildcard in any sane payload."""
    return _published(value)


def _published(value: Any) -> bool:
    if not _text(value) or len(value.encode()) > 65_535:
        return False
    return not any(
        character in "+#" or character <= "\x1f" or "\x7f" <= character <= "\x9f"
        for character in value
    )


def _pattern(value: Any) -> bool:
    try:
        re.compile(value)
    except (re.error, TypeError):
        return False
    return True


def _template(value: Any) -> bool:
    """Those that the client beside this can render."""
    return isinstance(value, str) and PLAIN_TEMPLATE.fullmatch(value) is not None


PLAIN_TEMPLATE: Final = re.compile(r"\{\{ value_json\.([a-z_]+) \}\}")


def _one_of(*words: str) -> Check:
    return lambda value: value in words


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_text(one) for one in value)


COMMON: Final[dict[str, Check]] = {
    "platform": _text,
    "availability": lambda value: isinstance(value, list),
    "availability_mode": _one_of("all", "any", "latest"),
    "availability_topic": _subscribed,
    "availability_template": _template,
    "payload_available": _text,
    "payload_not_available": _text,
    "enabled_by_default": _flag,
    "entity_category": lambda value: value in CATEGORIES,
    "icon": lambda value: _text(value) and ICON.fullmatch(value) is not None,
    "json_attributes_topic": _subscribed,
    "json_attributes_template": _template,
    "default_entity_id": lambda value: _text(value) and ENTITY_ID.fullmatch(value) is not None,
    "unique_id": _text,
    "qos": lambda value: value in (0, 1, 2),
    "encoding": _text,
    "name": lambda value: value is None or _text(value),
}
READ: Final[dict[str, Check]] = {"state_topic": _subscribed, "value_template": _template}
WRITE: Final[dict[str, Check]] = {
    "command_topic": _published,
    "command_template": _template,
    "optimistic": _flag,
    "retain": _flag,
    "state_topic": _subscribed,
    "value_template": _template,
}
PLATFORMS: Final[dict[str, dict[str, Check]]] = {
    "sensor": READ
    | {
        "device_class": lambda value: value in STATE_CLASSES,
        "expire_after": _count,
        "force_update": _flag,
        "last_reset_value_template": _template,
        "options": _texts,
        "suggested_display_precision": _count,
        "state_class": _one_of("measurement", "total", "total_increasing"),
        "unit_of_measurement": _text,
    },
    "binary_sensor": READ
    | {
        "device_class": lambda value: value in BINARY_CLASSES,
        "expire_after": _count,
        "force_update": _flag,
        "off_delay": _count,
        "payload_off": _text,
        "payload_on": _text,
    },
    "number": WRITE
    | {
        "device_class": lambda value: value in UNITS,
        "max": _number,
        "min": _number,
        "mode": _one_of("auto", "box", "slider"),
        "payload_reset": _text,
        "step": lambda value: _number(value) and value >= 1e-3,
        "unit_of_measurement": _text,
    },
    "select": WRITE | {"options": _texts},
    "switch": WRITE
    | {
        "payload_off": _text,
        "payload_on": _text,
        "state_off": _text,
        "state_on": _text,
        "device_class": _one_of("outlet", "switch"),
    },
    "button": {
        "command_topic": _published,
        "command_template": _template,
        "device_class": _one_of("identify", "restart", "update"),
        "payload_press": _text,
        "retain": _flag,
    },
    "text": WRITE
    | {"max": _count, "min": _count, "mode": _one_of("text", "password"), "pattern": _pattern},
}
REQUIRED: Final = {
    "sensor": ("state_topic",),
    "binary_sensor": ("state_topic",),
    "number": ("command_topic",),
    "select": ("command_topic", "options"),
    "switch": ("command_topic",),
    "button": ("command_topic",),
    "text": ("command_topic",),
}
DEVICE: Final[dict[str, Check]] = {
    "identifiers": lambda value: _text(value) or _texts(value),
    "connections": lambda value: isinstance(value, list),
    "manufacturer": _text,
    "model": _text,
    "model_id": _text,
    "name": _text,
    "hw_version": _text,
    "serial_number": _text,
    "sw_version": _text,
    "via_device": _text,
    "suggested_area": _text,
    "configuration_url": lambda value: _text(value) and URL.fullmatch(value) is not None,
}
ORIGIN: Final[dict[str, Check]] = {
    "name": _text,
    "sw_version": _text,
    "support_url": DEVICE["configuration_url"],
}
# At the top there is no `~`: DEVICE_DISCOVERY_SCHEMA allows no other key.
ROOT: Final = {
    *("availability", "availability_mode", "availability_template", "availability_topic"),
    *("payload_available", "payload_not_available"),
    *("device", "components", "origin", "state_topic", "command_topic", "qos", "encoding"),
}


def expanded(payload: bytes) -> dict[str, Any]:
    """A message with the abbreviations of its outer parts in full. Raises ValueError where it is no JSON object."""
    config = json.loads(payload)
    if not isinstance(config, dict):
        raise TypeError("no JSON object")
    config = {ROOT_ABBREVIATIONS.get(key, key): value for key, value in config.items()}
    for name, words in (("device", DEVICE_ABBREVIATIONS), ("origin", ORIGIN_ABBREVIATIONS)):
        if isinstance(config.get(name), dict):
            config[name] = {words.get(key, key): value for key, value in config[name].items()}
    return config


def faults(topic: str, payload: bytes, prefix: str = "homeassistant") -> list[str]:
    """All that Home Assistant would object to in one message of device discovery."""
    found = []
    if not TOPIC.fullmatch(topic.removeprefix(f"{prefix}/")):
        found.append(f"{topic} is no discovery topic")
    try:
        config = expanded(payload)
    except (ValueError, TypeError) as error:
        return [*found, f"no JSON object: {error}"]
    found += [f"{key} is unknown" for key in config if key not in ROOT]
    found += _device(config.get("device"))
    found += _table("origin", config.get("origin"), ORIGIN, ("name",))
    found += _availability("", config)
    components = config.get("components")
    if not isinstance(components, dict):
        return [*found, "components must be an object"]
    for key, part in components.items():
        found += [f"{key}: {fault}" for fault in component_faults(key, part, config)]
    return found


def _device(device: Any) -> Iterator[str]:
    yield from _table("device", device, DEVICE, ("name",))
    if isinstance(device, dict) and not device.get("identifiers") and not device.get("connections"):
        yield "device must have identifiers or connections"


def _table(
    name: str, table: Any, known: Mapping[str, Check], required: tuple[str, ...]
) -> Iterator[str]:
    if not isinstance(table, dict):
        yield f"{name} must be an object"
        return
    for key in required:
        if key not in table:
            yield f"{name}.{key} is required"
    for key, value in table.items():
        if key not in known:
            yield f"{name}.{key} is unknown"
        elif not known[key](value):
            yield f"{name}.{key} must not be {value!r}"


def _availability(at: str, config: Mapping[str, Any]) -> Iterator[str]:
    if "availability" in config and "availability_topic" in config:
        yield f"{at}availability and availability_topic exclude each other"
    for one in config.get("availability", ()):
        if not isinstance(one, dict) or not _subscribed(one.get("topic")):
            yield f"{at}availability needs a topic"
        elif unknown := set(one) - {
            *("topic", "payload_available", "payload_not_available", "value_template")
        }:
            yield f"{at}availability: {unknown} is unknown"


def component_faults(key: str, part: Any, config: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with one entity. ``config``: the device's message, whose shared options it takes over."""
    if not re.fullmatch(r"[a-zA-Z0-9_-]+", key) or not isinstance(part, dict):
        yield "must be an object with a plain key"
        return
    platform = part.get("platform")
    if platform not in PLATFORMS:
        yield f"platform {platform!r} is unknown"
        return
    if set(part) == {"platform"}:
        return  # takes the entity away
    if "unique_id" not in part:
        yield "unique_id is required"
    merged = {**{name: config[name] for name in SHARED if name in config}, **part}
    known = COMMON | PLATFORMS[platform]
    for name, value in part.items():
        if name not in known:
            yield f"{name} is unknown to a {platform}"
        elif not known[name](value):
            yield f"{name} must not be {value!r}"
    for name in REQUIRED[platform]:
        if name not in merged:
            yield f"{name} is required"
    yield from _availability("", merged)
    yield from _together(platform, part)


def _together(platform: str, part: Mapping[str, Any]) -> Iterator[str]:
    """Rules about several options."""
    if platform in ("sensor", "binary_sensor") and part.get("entity_category") == "config":
        yield "what only tells must not be of category config"
    if not str(part.get("default_entity_id", f"{platform}.")).startswith(f"{platform}."):
        yield "default_entity_id must begin with the platform"
    if platform == "sensor":
        yield from _sensor(part)
    if platform == "number" and part.get("min", 1) > part.get("max", 100):
        yield "max must be at least min"
    if platform == "text":
        lowest, highest = part.get("min", 0), part.get("max", STATE_LENGTH_MAX)
        if lowest > highest or highest > STATE_LENGTH_MAX:
            yield f"min <= max <= {STATE_LENGTH_MAX}"


def _sensor(part: Mapping[str, Any]) -> Iterator[str]:
    device_class, state_class = part.get("device_class"), part.get("state_class")
    unit = part.get("unit_of_measurement")
    if "options" in part and (state_class or unit or device_class != "enum"):
        yield "options need device_class enum, without unit and state_class"
    if device_class == "enum" and "options" not in part:
        yield "an enum needs options"
    if "last_reset_value_template" in part and state_class != "total":
        yield "last_reset_value_template needs state_class total"
    if device_class in UNITS and unit not in UNITS[device_class]:
        yield f"unit {unit!r} does not fit {device_class}"
    if device_class in ("enum", "timestamp") and unit is not None:
        yield f"{device_class} has no unit"
    if device_class == "monetary" and not re.fullmatch(r"[A-Z]{3}", str(unit)):
        yield "money's unit is an ISO 4217 code"
    if (
        state_class
        and device_class in STATE_CLASSES
        and state_class not in STATE_CLASSES[device_class]
    ):
        yield f"state_class {state_class} does not fit {device_class}"
