"""What the settings say of a gateway, circuits and a battery on MQTT (docs/guides/backup-devices.md).

A value is a table: ``{ topic = "home/gateway/grid_pole", path = "contact", closed = "closed", open = "open" }``. Within a table
with ``base_topic`` the values and commands have their places by the layout of docs/reference/virtual-home.md, and what is given
beside it takes the place of those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from parkwatt.domain.home.gateway import TransferAction
from parkwatt.domain.record import Record
from parkwatt.io.gateway.points import (
    ACTIONS,
    FLAGS,
    CircuitPoints,
    Flag,
    FlagName,
    GatewayPoints,
    Quantity,
)
from parkwatt.io.mqtt.settings import Availability, Place, check_topic, read_availability, read_path

# The words of a flag: the names of the settings, and what is said where they are absent.
_FLAG_WORDS: Final[Mapping[FlagName, tuple[str, str]]] = {
    "grid_present": ("present", "absent"),
    "grid_pole": ("closed", "open"),
    "island_source": ("closed", "open"),
    "bond": ("closed", "open"),
}
_FLAG_SAID: Final[Mapping[FlagName, tuple[str, str]]] = {
    **_FLAG_WORDS,
    "grid_present": ("ON", "OFF"),
}
_LEASE: Final = "{lease_s}"
_SCALE_MAX: Final = 1e6
_PHASES_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Publication:
    """What to publish. ``payload``: ``{lease_s}`` in it stands for the lease in whole seconds."""

    topic: str
    payload: str

    def text(self, lease_s: int) -> str:
        """The payload with the lease in its place."""
        return self.payload.replace(_LEASE, str(lease_s))


@dataclass(frozen=True, slots=True)
class Presence:
    """How a device shows that it is there.

    ``availability``: says online or offline. ``alive_topic``: whatever is said there anew means that all values hold as they
    were told last; without one a value is as old as its message.
    """

    availability: Availability | None = None
    alive_topic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttGateway:
    """A gateway on MQTT. ``lease``: published before each command."""

    points: GatewayPoints[Place]
    commands: Mapping[TransferAction, Publication] = field(default_factory=dict)
    lease: Publication | None = None
    presence: Presence = Presence()


@dataclass(frozen=True, slots=True)
class MqttCircuit:
    """A circuit on MQTT."""

    points: CircuitPoints[Place, Publication]
    presence: Presence = Presence()


@dataclass(frozen=True, slots=True)
class MqttBattery:
    """A battery on MQTT. ``soc``: its scale gives 0 to 1."""

    soc: Quantity[Place]
    presence: Presence = Presence()


def read_mqtt_gateway(record: Record, nominal_voltage_v: float, phase_count: int) -> MqttGateway:
    """The gateway in the table ``record``, whose own fields remain to be finished. After faults it must not be used.

    ``phase_count``: how many voltages the layout below ``base_topic`` has.
    """
    base = _read_topic(record, "base_topic")
    state = _read_topic(record, "state_topic")
    flags: dict[FlagName, Flag[Place]] = {}
    for name in FLAGS:
        by_layout = base is not None and (name != "bond" or record.value("reports_bond") is True)
        flag = _read_flag(record, name, f"{base}/{name}" if by_layout else None, state)
        if flag is not None:
            flags[name] = flag
    reports_output = record.value("reports_output_voltage") is True
    points: GatewayPoints[Place] = GatewayPoints(
        flags=flags,
        grid_voltage=_read_voltages(record, base, state, phase_count),
        grid_frequency=read_quantity(
            record, "grid_frequency", _below(base, "grid_frequency"), state
        ),
        output_voltage=read_quantity(
            record,
            "output_voltage",
            _below(base if reports_output else None, "output_voltage"),
            state,
        ),
        nominal_voltage_v=nominal_voltage_v,
        fault=_read_place(record, "fault", _below(base, "fault"), state),
        measured_at=read_quantity(record, "measured_at", None, state),
    )
    return MqttGateway(
        points=points,
        commands=_read_commands(record.record("commands", required=False), base),
        lease=read_message(record, "lease", _below(base, "lease/set"), _LEASE),
        presence=read_presence(record, base),
    )


def read_mqtt_circuit(record: Record, circuit_id: str) -> MqttCircuit:
    """The circuit in the table ``record``, whose own fields remain to be finished. After faults it must not be used."""
    base = _read_topic(record, "base_topic")
    state_topic = _read_topic(record, "state_topic")
    state = _read_words(
        record,
        "state",
        _below(base, "state"),
        state_topic,
        ("on", "off"),
        ("ON", "OFF"),
    )
    topic = _read_topic(record, "command_topic") or (_below(base, "set"))
    said_on, said_off = record.text("payload_on", "ON"), record.text("payload_off", "OFF")
    if topic is None:
        for name in ("payload_on", "payload_off"):
            if record.has(name):
                record.fault(name, "needs command_topic")
    points: CircuitPoints[Place, Publication] = CircuitPoints(
        circuit_id=circuit_id,
        state=state,
        power=read_quantity(record, "power", _below(base, "power"), state_topic),
        energy=read_quantity(record, "energy", _below(base, "energy"), state_topic),
        switch_on=None if topic is None else Publication(topic, said_on),
        switch_off=None if topic is None else Publication(topic, said_off),
        lease=read_message(record, "lease", _below(base, "lease/set"), _LEASE),
    )
    return MqttCircuit(points, read_presence(record, None))


def read_mqtt_battery(record: Record) -> MqttBattery:
    """The battery in the table ``record``, whose own fields remain to be finished. After faults it must not be used."""
    soc = read_quantity(record, "soc", None, None, scale=0.01)
    if soc is None:
        record.fault("soc", 'is required: a table such as { topic = "battery/soc" }')
        soc = Quantity(Place(""))
    return MqttBattery(soc, read_presence(record, None))


def read_quantity(
    record: Record, name: str, topic: str | None, state_topic: str | None, scale: float = 1.0
) -> Quantity[Place] | None:
    """The number in the table ``name``; ``topic``: where it is told when the table is absent."""
    if not record.has(name):
        return None if topic is None else Quantity(Place(topic), scale)
    table = record.record(name)
    return _quantity(table, topic, state_topic, scale)


def read_message(record: Record, name: str, topic: str | None, payload: str) -> Publication | None:
    """What to publish, in the table ``name``; ``topic``: where, when the table is absent."""
    if not record.has(name):
        return None if topic is None else Publication(topic, payload)
    table = record.record(name)
    message = Publication(
        _checked(table, "topic", table.text("topic", topic)), table.text("payload", payload)
    )
    table.finish()
    return message


def read_presence(record: Record, base: str | None) -> Presence:
    """``availability_topic`` with its payloads, and ``alive_topic``; ``base``: below which the layout has both."""
    availability = read_availability(record)
    if availability is None and base is not None:
        availability = Availability(f"{base}/availability")
    return Presence(availability, _read_topic(record, "alive_topic") or _below(base, "heartbeat"))


def _read_flag(
    record: Record, name: FlagName, topic: str | None, state_topic: str | None
) -> Flag[Place] | None:
    return _read_words(record, name, topic, state_topic, _FLAG_WORDS[name], _FLAG_SAID[name])


def _read_words(
    record: Record,
    name: str,
    topic: str | None,
    state_topic: str | None,
    names: tuple[str, str],
    said: tuple[str, str],
) -> Flag[Place] | None:
    if not record.has(name):
        return None if topic is None else Flag(Place(topic), *said)
    table = record.record(name)
    place = _place(table, topic, state_topic)
    flag = Flag(place, table.text(names[0], said[0]), table.text(names[1], said[1]))
    if flag.yes.casefold() == flag.no.casefold():
        table.fault(names[1], f"must differ from {names[0]}", flag.no)
    table.finish()
    return flag


def _read_voltages(
    record: Record, base: str | None, state_topic: str | None, phase_count: int
) -> tuple[Quantity[Place], ...]:
    if not record.has("grid_voltage"):
        if base is None:
            return ()
        topics = (f"{base}/grid_voltage/l{phase}" for phase in range(1, phase_count + 1))
        return tuple(Quantity(Place(topic)) for topic in topics)
    if not isinstance(record.value("grid_voltage"), list):
        return (_quantity(record.record("grid_voltage"), None, state_topic, 1.0),)
    tables = record.records("grid_voltage")
    if not 1 <= len(tables) <= _PHASES_MAX:
        record.fault("grid_voltage", "must be a table, or 1 to 3 of them, one for each phase")
    return tuple(_quantity(table, None, state_topic, 1.0) for table in tables)


def _read_place(
    record: Record, name: str, topic: str | None, state_topic: str | None
) -> Place | None:
    if not record.has(name):
        return None if topic is None else Place(topic)
    table = record.record(name)
    place = _place(table, topic, state_topic)
    table.finish()
    return place


def _quantity(
    table: Record, topic: str | None, state_topic: str | None, scale: float
) -> Quantity[Place]:
    place = _place(table, topic, state_topic)
    quantity = Quantity(place, table.number("scale", scale, above=0.0, maximum=_SCALE_MAX))
    table.finish()
    return quantity


def _place(table: Record, topic: str | None, state_topic: str | None) -> Place:
    """``topic`` and ``path``; with a path alone it is within the state's topic, where there is one."""
    path = read_path(table, "path")
    default = state_topic if path and state_topic is not None else topic
    return Place(_checked(table, "topic", table.text("topic", default)), path)


def _read_commands(record: Record, base: str | None) -> Mapping[TransferAction, Publication]:
    commands: dict[TransferAction, Publication] = {}
    for action in ACTIONS:
        topic = None if base is None else f"{base}/{action}/set"
        message = read_message(record, action, topic, "ON")
        if message is not None:
            commands[action] = message
    record.finish()
    return commands


def _below(base: str | None, name: str) -> str | None:
    """The topic of that name below ``base``, where there is one."""
    return None if base is None else f"{base}/{name}"


def _read_topic(record: Record, name: str) -> str | None:
    topic = record.optional_text(name)
    return None if topic is None else _checked(record, name, topic)


def _checked(record: Record, name: str, topic: str) -> str:
    check_topic(record, name, topic)
    return topic
