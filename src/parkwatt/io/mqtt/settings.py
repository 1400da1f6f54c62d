"""What the settings say of MQTT: the broker in `[mqtt]`, meters in `[meter.*]` with `source = "mqtt"`.

[mqtt]
host = "homeassistant.local"
port = 1883                      8883 with tls
username = "parkwatt"
password_file = "mqtt.password"  beside the settings
tls = true                       ca_file = "ca.pem" for a broker with a certificate of its own authority
client_id = "parkwatt"           where the broker asks for a certain one

[meter.grid]
topic = "home/sensor/grid_power/state"
value_path = "power"             where in the JSON the value stands ("a.b", "a.0.b"); absent: the message is the number
unit = "W"                       or "kW"
sign = "import_positive"         what a positive value means
export_topic = "…"               what is fed in, where it has a topic of its own; export_path
current_topics = ["…", "…"]      amperes of the phases; current_paths
import_energy_topic = "…"        registers; import_energy_path, export_energy_topic, export_energy_path
energy_unit = "kWh"              or "Wh"
availability_topic = "…"         tells online or offline; payload_available, payload_not_available
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from parkwatt.domain.record import Record
from parkwatt.io.host_name import read_host
from parkwatt.io.meter_reading import SIGNS, Role, Sign

SocUnit = Literal["percent", "fraction"]

_PORT: Final = 1883
_PORT_TLS: Final = 8883
_PORT_MAX: Final = 65_535
_PHASES_MAX: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """The broker. ``password_file``: read anew at each connection. ``ca_file``: PEM, None for the system's authorities."""

    host: str
    port: int = _PORT
    username: str | None = None
    password_file: Path | None = None
    tls: bool = False
    ca_file: Path | None = None
    client_id: str | None = None

    @property
    def address(self) -> str:
        """Where the broker is, for words."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is told. ``path``: keys and numbers within JSON, none where the message is the number itself."""

    topic: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Availability:
    """The topic on which a device says whether it is there."""

    topic: str
    available: str = "online"
    not_available: str = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttMeter:
    """One meter. ``watts``: of one of its units of power; ``kwh``: of one of its units of energy.

    ``export``: what flows the other way, where ``power`` only tells one direction.
    """

    role: Role
    power: Place
    watts: float = 1.0
    sign: Sign = "import_positive"
    export: Place | None = None
    currents: tuple[Place, ...] = ()
    import_energy: Place | None = None
    export_energy: Place | None = None
    kwh: float = 1.0
    availability: Availability | None = None

    @property
    def source(self) -> str:
        """What the meter is called where its health is told."""
        return f"meter.{self.role}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SocTopic:
    """Where a car's state of charge is told."""

    car_id: str
    place: Place
    unit: SocUnit = "percent"


def soc_topic(
    car_id: str, topic: str, path: str | None = None, unit: SocUnit = "percent"
) -> SocTopic:
    """A car's topic from its settings (`soc_topic`, `soc_path`, `soc_unit`)."""
    return SocTopic(car_id=car_id, place=Place(topic, split_path(path)), unit=unit)


def split_path(path: str | None) -> tuple[str, ...]:
    """The keys of a path such as `StatusSNS.ENERGY.Power` or `emeters.0.power`."""
    return () if path is None else tuple(path.split("."))


def read_mqtt(record: Record, folder: Path) -> MqttSettings:
    """The broker in the table ``record``; ``folder``: what file names are relative to. After faults it must not be used."""
    tls = record.boolean("tls", record.has("ca_file"))
    username = record.optional_text("username")
    settings = MqttSettings(
        host=read_host(record),
        port=record.integer("port", _PORT_TLS if tls else _PORT, minimum=1, maximum=_PORT_MAX),
        username=username,
        password_file=_read_file(record, "password_file", folder),
        tls=tls,
        ca_file=_read_file(record, "ca_file", folder),
        client_id=record.optional_text("client_id"),
    )
    if settings.password_file is not None and username is None:
        record.fault("username", "is required with password_file")
    if settings.ca_file is not None and not tls:
        record.fault("tls", "must be true where ca_file is given", False)
    record.finish()
    return settings


def read_mqtt_meter(record: Record, role: Role) -> MqttMeter:
    """The meter in the table ``record``. After faults it must not be used."""
    sign = record.text(
        "sign", "export_positive" if role == "solar" else "import_positive", choices=SIGNS
    )
    watts = 1000.0 if record.text("unit", "W", choices=("W", "kW")) == "kW" else 1.0
    power = _read_place(record, "topic", "value_path")
    export = _optional_place(record, "export_topic", "export_path")
    currents: tuple[Place, ...] = ()
    import_energy = export_energy = None
    kwh = 1.0
    if role == "grid":
        currents = _read_currents(record)
        import_energy = _optional_place(record, "import_energy_topic", "import_energy_path")
        export_energy = _optional_place(record, "export_energy_topic", "export_energy_path")
        kwh = 0.001 if record.text("energy_unit", "kWh", choices=("kWh", "Wh")) == "Wh" else 1.0
    return MqttMeter(
        role=role,
        power=power,
        watts=watts,
        sign="export_positive" if sign == "export_positive" else "import_positive",
        export=export,
        currents=currents,
        import_energy=import_energy,
        export_energy=export_energy,
        kwh=kwh,
        availability=read_availability(record),
    )


def check_topic(record: Record, name: str, topic: str) -> None:
    """Note a fault where ``topic`` is none to which one value belongs."""
    if any(character in topic for character in "+#\0"):
        record.fault(name, "must be one topic, without the wildcards + and #", topic)


def _read_place(record: Record, topic: str, path: str) -> Place:
    name = record.text(topic)
    check_topic(record, topic, name)
    return Place(name, read_path(record, path))


def _optional_place(record: Record, topic: str, path: str) -> Place | None:
    if record.has(topic):
        return _read_place(record, topic, path)
    if read_path(record, path):
        record.fault(path, f"needs {topic}")
    return None


def read_path(record: Record, name: str) -> tuple[str, ...]:
    """The keys of the path in field ``name``, none where it is absent."""
    return _checked_path(record, name, record.optional_text(name))


def _checked_path(record: Record, name: str, path: str | None) -> tuple[str, ...]:
    keys = split_path(path)
    if not all(keys):
        record.fault(name, "must be keys with dots between them, such as emeter.power", path)
    return keys


def _read_currents(record: Record) -> tuple[Place, ...]:
    """``current_topics``, with ``current_paths``: as many, or several within the JSON of one topic."""
    topics = record.texts("current_topics")
    paths = record.texts("current_paths")
    if topics is None:
        if paths is not None:
            record.fault("current_paths", "needs current_topics")
        return ()
    if paths is not None and len(topics) == 1:
        topics = topics * len(paths)
    if not 1 <= len(topics) <= _PHASES_MAX:
        record.fault("current_topics", "must name 1 to 3 phases")
    if paths is not None and len(paths) != len(topics):
        record.fault("current_paths", "must be as many as current_topics")
        return ()
    for topic in dict.fromkeys(topics):
        check_topic(record, "current_topics", topic)
    keys: list[tuple[str, ...]] = [() for _ in topics]
    if paths is not None:
        keys = [_checked_path(record, "current_paths", path) for path in paths]
    return tuple(Place(topic, path) for topic, path in zip(topics, keys, strict=True))


def read_availability(record: Record) -> Availability | None:
    """``availability_topic`` with its payloads; None where there is none."""
    topic = record.optional_text("availability_topic")
    if topic is None:
        for name in ("payload_available", "payload_not_available"):
            if record.optional_text(name) is not None:
                record.fault(name, "needs availability_topic")
        return None
    check_topic(record, "availability_topic", topic)
    return Availability(
        topic,
        record.text("payload_available", "online"),
        record.text("payload_not_available", "offline"),
    )


def _read_file(record: Record, name: str, folder: Path) -> Path | None:
    text = record.optional_text(name)
    if text is None:
        return None
    path = folder / text
    if not path.is_file():
        record.fault(name, "must name a file", str(path))
    return path
