"""The messages of Home Assistant's device discovery, written; `parkwatt.io.mqtt.discovery` reads those of others.

One message describes a device with all its entities (`device`, `origin`, `components`). An entity that is gone is taken away by
naming its platform alone, and then leaving it out; a device by an empty message. Topics are written in full: the abbreviation
`~` is not allowed at the top of a device's message. Source: Home Assistant's documentation of its MQTT integration ("Device
discovery payload") and the schemas in its source (homeassistant/components/mqtt, 2026.2).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from parkwatt.io.mqtt.home_assistant.entity import Between, Device, Entity, Matching, OneOf
from parkwatt.io.mqtt.home_assistant.naming import Naming

ORIGIN: Final = "Parkwatt"
ONLINE: Final = "online"
OFFLINE: Final = "offline"
_ATTRIBUTES: Final = "json_attributes_topic"

Config = Mapping[str, Any]


def device_config(device: Device, naming: Naming, version: str) -> dict[str, Any]:
    """What describes a device."""
    about: dict[str, Any] = {
        "identifiers": [naming.device_id(device.path)],
        "name": device.name,
        "manufacturer": ORIGIN,
        "model": device.model,
        "sw_version": version,
    }
    if device.via is not None:
        about["via_device"] = naming.device_id(device.via)
    return {
        "device": about,
        "origin": {"name": ORIGIN, "sw_version": version},
        "availability": [_availability(naming.availability)],
        "components": {one.key: _component(device, one, naming) for one in device.entities},
    }


def _availability(topic: str) -> dict[str, str]:
    return {"topic": topic, "payload_available": ONLINE, "payload_not_available": OFFLINE}


def _component(device: Device, entity: Entity, naming: Naming) -> dict[str, Any]:
    path, key = device.path, entity.key
    unique_id = naming.unique_id(path, key)
    config: dict[str, Any] = {
        "platform": entity.platform,
        "name": entity.name,
        "unique_id": unique_id,
        "default_entity_id": f"{entity.platform}.{unique_id}".lower().replace("-", "_"),
        **entity.options,
        **_accepted(entity),
    }
    if entity.has_state:
        config["state_topic"] = naming.state(path, key)
    if entity.attributes:
        config[_ATTRIBUTES] = naming.attributes(path, key)
    if entity.accepts is not None:
        config["command_topic"] = naming.command(path, key)
    if entity.charger is not None:
        topics = (naming.availability, naming.charger_availability(entity.charger))
        config["availability"] = [_availability(topic) for topic in topics]
        config["availability_mode"] = "all"
    return config


def _accepted(entity: Entity) -> dict[str, Any]:
    accepts = entity.accepts
    if isinstance(accepts, Between):
        return {"min": accepts.lowest, "max": accepts.highest}
    if isinstance(accepts, OneOf):
        return {"options": list(accepts.words)}
    if isinstance(accepts, Matching):
        return {"pattern": f"^(?:{accepts.pattern})$"}
    return {}


def encode(config: Config) -> bytes:
    """The message."""
    return json.dumps(config, ensure_ascii=False, separators=(",", ":")).encode()


def read_own(payload: bytes, naming: Naming) -> dict[str, Any] | None:
    """What was told before of a device of this site; None where it is another's."""
    try:
        config = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(config, dict) or not isinstance(config.get("components"), dict):
        return None
    origin, availability = config.get("origin"), config.get("availability")
    is_ours = isinstance(origin, dict) and origin.get("name") == ORIGIN
    told_on = [one.get("topic") for one in availability or () if isinstance(one, dict)]
    return config if is_ours and naming.availability in told_on else None


def without_gone(before: Config, now: Config) -> dict[str, Any] | None:
    """What takes away the entities that ``before`` had and ``now`` has not; None where there are none."""
    gone = {
        key: {"platform": part["platform"]}
        for key, part in _parts(before)
        if now["components"].get(key, {}).get("platform") != part["platform"]
    }
    return {**now, "components": {**now["components"], **gone}} if gone else None


def topics_gone(before: Config, now: Iterable[Config]) -> list[str]:
    """Topics on which something was told for ``before``, and nothing is for any device of ``now``."""
    kept = {topic for config in now for topic in _told_on(config)}
    return [topic for topic in dict.fromkeys(_told_on(before)) if topic not in kept]


def _told_on(config: Config) -> Iterator[str]:
    for part in (config, *(part for _, part in _parts(config))):
        told = [part.get("state_topic"), part.get(_ATTRIBUTES)]
        told += [one.get("topic") for one in part.get("availability", ()) if isinstance(one, dict)]
        yield from (topic for topic in told if isinstance(topic, str))


def _parts(config: Config) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, part in config["components"].items():
        if isinstance(part, dict) and isinstance(part.get("platform"), str):
            yield key, part
