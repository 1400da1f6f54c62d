"""Home Assistant's MQTT discovery, read: what devices on a broker say of themselves.

A device publishes, retained, a message for each entity at `<prefix>/<component>/[<node>/]<object>/config`, or one for all of
its entities at `<prefix>/device/[<node>/]<object>/config` with the entities in `components`. Keys may be abbreviated, and `~`
in a topic stands for the base topic of the message. Source: Home Assistant's documentation of its MQTT integration ("MQTT
Discovery", abbreviations of 2024.12). Read are switches, and sensors of power, energy and a battery's charge.

A value within JSON is told by a template. Plain paths (`{{ value_json.a.b }}`, with filters that make or round a number) are
understood; an entity with any other template is left out, for a wrong guess would be a wrong measurement.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from parkwatt.io.mqtt.connection import USUAL, connected
from parkwatt.io.mqtt.home_assistant.payload import ORIGIN
from parkwatt.io.mqtt.settings import MqttSettings, Place

_ENTITIES_MAX: Final = 5000
_PAYLOAD_MAX: Final = 262_144
_ABBREVIATIONS: Final = {
    "cmd_t": "command_topic",
    "cmps": "components",
    "dev": "device",
    "dev_cla": "device_class",
    "ids": "identifiers",
    "o": "origin",
    "p": "platform",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "stat_off": "state_off",
    "stat_on": "state_on",
    "stat_t": "state_topic",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
    "cns": "connections",
}
_KINDS: Final = ("power", "energy", "battery")
_STEP: Final = r"(?:\.[A-Za-z_]\w*|\[\s*(?:'[^'\]]+'|\"[^\"\]]+\"|\d+)\s*\])"
_TEMPLATE: Final = re.compile(
    rf"^\s*\{{\{{-?\s*value(?:_json((?:{_STEP})*))?\s*(?:\|\s*(?:float|int|round|is_defined)\s*(?:\([^)]*\))?\s*)*-?\}}\}}\s*$"
)
_PART: Final = re.compile(r"\.([A-Za-z_]\w*)|\[\s*(?:'([^']+)'|\"([^\"]+)\"|(\d+))\s*\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A switch. ``device``: what all entities of its device have in common. ``state``: where it is told; None: nowhere.

    ``on``, ``off``: the words of its state; ``command_topic``, ``payload_on``, ``payload_off``: what it is told.
    """

    entity_id: str
    name: str
    device: str
    device_name: str
    state: Place | None
    on: str
    off: str
    command_topic: str
    payload_on: str
    payload_off: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A sensor. ``device``: as a switch's. ``kind``: power, energy, battery. ``unit``: in which ``place`` tells it."""

    entity_id: str
    name: str
    device: str
    device_name: str
    kind: str
    place: Place
    unit: str


Entity = Switch | Sensor


async def listen(broker: MqttSettings, prefix: str, seconds: float) -> tuple[Entity, ...]:
    """What is on the broker, as its retained messages and those of the next ``seconds`` tell it. Raises BrokerError."""
    found: dict[str, bytes] = {}
    client_id = f"{broker.client_id or f'parkwatt-{secrets.token_hex(4)}'}-discover"
    async with connected(broker, [f"{prefix}/#"], client_id, USUAL) as client:
        messages = aiter(client.messages)
        deadline_s = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(deadline_s):
                while len(found) < _ENTITIES_MAX:
                    message = await anext(messages)
                    topic = str(message.topic)
                    if topic.endswith("/config"):
                        found[topic] = message.payload
        except TimeoutError:
            pass
    read = [one for topic in sorted(found) for one in entities(topic, found[topic], prefix)]
    return tuple(read)


def entities(topic: str, payload: bytes, prefix: str) -> Iterator[Entity]:
    """What one message says; nothing where it is none that is understood, or takes an entity away."""
    levels = topic.removeprefix(f"{prefix}/").split("/")
    if len(levels) not in (3, 4) or levels[-1] != "config" or len(payload) > _PAYLOAD_MAX:
        return
    try:
        told = json.loads(payload)
    except ValueError:
        return
    if not isinstance(told, dict):
        return
    config = _long(told)
    origin = config.get("origin")
    if isinstance(origin, dict) and origin.get("name") == ORIGIN:
        return  # what Parkwatt itself tells Home Assistant
    object_id = "_".join(levels[1:-1])
    if levels[0] != "device":
        one = _entity(levels[0], object_id, config, config)
        if one is not None:
            yield one
        return
    parts = config.get("components")
    for key, part in parts.items() if isinstance(parts, dict) else ():
        if isinstance(part, dict):
            own = _long(part)
            platform = own.get("platform")
            one = _entity(str(platform), f"{object_id}_{key}", {**config, **own}, config)
            if one is not None:
                yield one


def _long(config: Mapping[str, Any]) -> dict[str, Any]:
    """The keys in full, `~` in topics replaced."""
    found = {_ABBREVIATIONS.get(key, key): value for key, value in config.items()}
    base = found.get("~")
    if isinstance(base, str):
        for key, value in found.items():
            if key.endswith("_topic") and isinstance(value, str):
                found[key] = re.sub(r"^~|~$", lambda _: base, value)
    if isinstance(found.get("device"), dict):
        found["device"] = {_ABBREVIATIONS.get(k, k): v for k, v in found["device"].items()}
    return found


def _entity(
    component: str, object_id: str, config: Mapping[str, Any], whole: Mapping[str, Any]
) -> Entity | None:
    place, is_plain = _place(config)
    told_device = whole.get("device")
    device: Mapping[str, Any] = told_device if isinstance(told_device, dict) else {}
    entity_id = _text(config, "unique_id") or object_id
    identity = json.dumps(device.get("identifiers") or device.get("connections") or object_id)
    kind, command_topic = _text(config, "device_class"), _text(config, "command_topic")
    if component == "switch" and is_plain and command_topic:
        payload_on = _text(config, "payload_on", "ON")
        payload_off = _text(config, "payload_off", "OFF")
        return Switch(
            entity_id=entity_id,
            name=_text(config, "name"),
            device=identity,
            device_name=_text(device, "name"),
            state=place,
            on=_text(config, "state_on", payload_on),
            off=_text(config, "state_off", payload_off),
            command_topic=command_topic,
            payload_on=payload_on,
            payload_off=payload_off,
        )
    if component == "sensor" and is_plain and place is not None and kind in _KINDS:
        return Sensor(
            entity_id=entity_id,
            name=_text(config, "name"),
            device=identity,
            device_name=_text(device, "name"),
            kind=kind,
            place=place,
            unit=_text(config, "unit_of_measurement"),
        )
    return None


def _place(config: Mapping[str, Any]) -> tuple[Place | None, bool]:
    """Where the state is told, and whether its template was understood."""
    topic, template = _text(config, "state_topic"), _text(config, "value_template")
    if not topic:
        return None, True
    if not template:
        return Place(topic), True
    plain = _TEMPLATE.match(template)
    if plain is None:
        return None, False
    parts = [next(filter(None, groups)) for groups in _PART.findall(plain.group(1) or "")]
    if any("." in part for part in parts):  # the settings' paths have dots between keys
        return None, False
    return Place(topic, tuple(parts)), True


def _text(config: Mapping[str, Any], key: str, default: str = "") -> str:
    value = config.get(key)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else default
