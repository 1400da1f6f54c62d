"""What was discovered on a broker, as tables of a site's TOML file: circuits to complete, and sensors to choose from.

Nobody tells how much a switch matters and what it draws at most: `power_kw_rated = 0.0` is not accepted until it is filled in.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from parkwatt.io.mqtt.discovery import Entity, Sensor, Switch
from parkwatt.io.mqtt.settings import Place

_SCALES: Final = {"w": 1.0, "kw": 1000.0, "mw": 1e6}
_ENERGY_SCALES: Final = {"kwh": 1.0, "wh": 0.001, "mwh": 1000.0}
_METER_UNITS: Final = {"w": "W", "kw": "kW"}


def tables(entities: Sequence[Entity], source: str) -> Iterator[str]:
    """The lines. ``source``: where they were found, in words."""
    switches = [one for one in entities if isinstance(one, Switch)]
    sensors = [one for one in entities if isinstance(one, Sensor)]
    yield f"# {len(entities)} entities at {source}, {len(switches)} of them switches."
    if switches:
        yield "# Keep what is a circuit of the house. Say of each how much it matters (tier) and what it draws at most."
    paired: set[str] = set()
    names: set[str] = set()
    for switch in switches:
        power, energy = (_beside(switch, sensors, switches, kind) for kind in ("power", "energy"))
        paired |= {one.entity_id for one in (power, energy) if one is not None}
        yield ""
        yield from _circuit(switch, power, energy, _unused(switch, names))
    left = [line for one in sensors if one.entity_id not in paired for line in _sensor(one)]
    if left:
        yield ""
        yield "# Sensors that belong to no switch. Make one a meter with [meter.grid], [meter.solar], … above it:"
    yield from left


def _unused(switch: Switch, names: set[str]) -> str:
    """A name for the circuit that no other has."""
    words = re.sub(r"[^a-z0-9]+", "_", (_title(switch)).lower()).strip("_") or "circuit"
    name, number = words, 2
    while name in names:
        name, number = f"{words}_{number}", number + 1
    names.add(name)
    return name


def _title(entity: Entity) -> str:
    """What people call it: its own name, or the device's where it has none or a generic one."""
    own = entity.name
    if entity.device_name and own.lower() in ("", "switch", "relay", "output", "none"):
        return entity.device_name
    return own or entity.entity_id


def _circuit(
    switch: Switch, power: Sensor | None, energy: Sensor | None, name: str
) -> Iterator[str]:
    yield "[[backup.circuit]]"
    yield f"id = {_quoted(name)}"
    yield f"name = {_quoted(_title(switch))}"
    yield 'tier = "nice_to_have"        # or must_have, not_needed'
    yield "power_kw_rated = 0.0          # kW: look at its plate"
    yield 'source = "mqtt"'
    if switch.state is not None:
        words = f"on = {_quoted(switch.on)}, off = {_quoted(switch.off)}"
        yield f"state = {{ {_placed(switch.state)}, {words} }}"
    if power is not None:
        yield _value("power", power, _SCALES)
    if energy is not None:
        yield _value("energy", energy, _ENERGY_SCALES)
    yield f"command_topic = {_quoted(switch.command_topic)}"
    yield f"payload_on = {_quoted(switch.payload_on)}"
    yield f"payload_off = {_quoted(switch.payload_off)}"


def _value(key: str, sensor: Sensor, scales: dict[str, float]) -> str:
    scale = scales[sensor.unit.lower()]
    scaled = "" if scale == 1.0 else f", scale = {scale:g}"
    return f"{key} = {{ {_placed(sensor.place)}{scaled} }}"


def _sensor(entity: Sensor) -> Iterator[str]:
    path = ".".join(entity.place.path)
    if entity.kind == "power" and entity.unit.lower() in _METER_UNITS:
        within = f", value_path = {_quoted(path)}" if path else ""
        unit = _METER_UNITS[entity.unit.lower()]
        yield f"# {_shown(entity)}: topic = {_quoted(entity.place.topic)}{within}, unit = {_quoted(unit)}"
    elif entity.kind == "battery":
        within = f", soc_path = {_quoted(path)}" if path else ""
        yield f"# {_shown(entity)} (of a car?): soc_topic = {_quoted(entity.place.topic)}{within}"


def _shown(entity: Entity) -> str:
    """Its name on one line: what a device calls itself is not to be trusted."""
    parts = [part for part in (entity.device_name, entity.name or entity.entity_id) if part]
    return " ".join("".join(c if c.isprintable() else "?" for c in part) for part in parts)


def _beside(
    switch: Switch, sensors: Sequence[Sensor], switches: Sequence[Switch], kind: str
) -> Sensor | None:
    """The device's sensor that measures what the switch switches; None where that is not plain.

    A device with one switch and one such sensor; else the one whose topic shares most with the switch's, where no other
    sensor does, and with no other switch more.
    """
    units = _SCALES if kind == "power" else _ENERGY_SCALES
    own = [
        one
        for one in sensors
        if one.kind == kind and one.device == switch.device and one.unit.lower() in units
    ]
    siblings = [one for one in switches if one.device == switch.device]
    if len(siblings) == 1 and len(own) == 1:
        return own[0]
    ranked = sorted(own, key=lambda one: _shared(switch, one), reverse=True)
    if not ranked or (len(ranked) > 1 and _shared(switch, ranked[0]) == _shared(switch, ranked[1])):
        return None
    best = ranked[0]
    others = [_shared(other, best) for other in siblings if other is not switch]
    return best if all(_shared(switch, best) > other for other in others) else None


def _shared(switch: Switch, sensor: Sensor) -> tuple[int, int]:
    """How many levels of their topics, and characters of their ids, are the same from the start."""
    own = switch.command_topic if switch.state is None else switch.state.topic
    return (
        _same_from_start(own.split("/"), sensor.place.topic.split("/")),
        _same_from_start(switch.entity_id, sensor.entity_id),
    )


def _same_from_start(one: Sequence[str], other: Sequence[str]) -> int:
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _placed(place: Place) -> str:
    path = f", path = {_quoted('.'.join(place.path))}" if place.path else ""
    return f"topic = {_quoted(place.topic)}{path}"


def _quoted(text: str) -> str:
    """As a basic string of TOML, with all that cannot be printed as an escape."""
    return "".join(
        one if one.isprintable() else f"\\U{ord(one):08x}"
        for one in json.dumps(text, ensure_ascii=False)
    )
