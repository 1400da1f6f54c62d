"""What stands in `[mqtt]`, and in `[meter.*]` with `source = "mqtt"`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from parkwatt.domain.record import Faults, Record
from parkwatt.io.meter_reading import Role
from parkwatt.io.mqtt.settings import (
    Availability,
    MqttMeter,
    MqttSettings,
    Place,
    read_mqtt,
    read_mqtt_meter,
)


def read_broker(folder: Path, **fields: Any) -> tuple[MqttSettings, list[str]]:
    """The broker, and what was wrong."""
    faults = Faults()
    broker = read_mqtt(Record(fields, "mqtt", faults), folder)
    return broker, [str(fault) for fault in faults.found]


def read_meter(role: Role = "grid", **fields: Any) -> tuple[MqttMeter, list[str]]:
    """The meter, and what was wrong."""
    faults = Faults()
    record = Record(fields, f"meter.{role}", faults)
    meter = read_mqtt_meter(record, role)
    record.finish()
    return meter, [str(fault) for fault in faults.found]


def test_a_host_is_enough(tmp_path: Path) -> None:
    assert read_broker(tmp_path, host="ha.local") == (MqttSettings(host="ha.local"), [])


def test_everything_of_a_broker(tmp_path: Path) -> None:
    for name in ("secret", "ca.pem"):
        (tmp_path / name).touch()
    broker, faults = read_broker(
        tmp_path,
        host="ha.local",
        username="p",
        password_file="secret",  # noqa: S106 the name of a file
        ca_file="ca.pem",
        client_id="me",
    )
    assert not faults
    assert broker == MqttSettings(
        host="ha.local",
        port=8883,
        username="p",
        password_file=tmp_path / "secret",
        tls=True,
        ca_file=tmp_path / "ca.pem",
        client_id="me",
    )
    assert broker.address == "ha.local:8883"


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({}, "mqtt.host: is required"),
        ({"host": "mqtt://ha"}, "mqtt.host: must be a name or an address alone"),
        ({"host": "h", "port": 70_000}, "mqtt.port: must be at most 65535"),
        ({"host": "h", "username": "u", "password_file": "gone"}, "must name a file"),
        ({"host": "h", "password_file": "here"}, "mqtt.username: is required with password_file"),
        ({"host": "h", "tls": False, "ca_file": "here"}, "mqtt.tls: must be true"),
        ({"host": "h", "password": "x"}, "mqtt.password: is not a known field"),
    ],
)
def test_each_fault_of_a_broker_is_told(tmp_path: Path, fields: dict[str, Any], fault: str) -> None:
    (tmp_path / "here").touch()
    _, faults = read_broker(tmp_path, **fields)
    assert len(faults) == 1
    assert fault in faults[0]


def test_a_topic_is_enough() -> None:
    assert read_meter(topic="g") == (MqttMeter(role="grid", power=Place("g")), [])
    sun, faults = read_meter("solar", topic="s", value_path="a.0.b")
    assert (sun.power, sun.sign) == (Place("s", ("a", "0", "b")), "export_positive")
    assert not faults


def test_everything_of_a_meter() -> None:
    meter, faults = read_meter(
        topic="g",
        value_path="p",
        unit="kW",
        sign="export_positive",
        export_topic="e",
        export_path="q",
        current_topics=["i"],
        current_paths=["a", "b.1"],
        import_energy_topic="in",
        import_energy_path="x",
        export_energy_topic="out",
        energy_unit="Wh",
        availability_topic="lwt",
        payload_available="1",
        payload_not_available="0",
    )
    assert not faults
    assert meter == MqttMeter(
        role="grid",
        power=Place("g", ("p",)),
        watts=1000.0,
        sign="export_positive",
        export=Place("e", ("q",)),
        currents=(Place("i", ("a",)), Place("i", ("b", "1"))),
        import_energy=Place("in", ("x",)),
        export_energy=Place("out"),
        kwh=0.001,
        availability=Availability("lwt", "1", "0"),
    )


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({}, "meter.grid.topic: is required"),
        ({"topic": "a/+/b"}, "meter.grid.topic: must be one topic, without the wildcards"),
        ({"topic": "g", "value_path": "a..b"}, "meter.grid.value_path: must be keys"),
        ({"topic": "g", "unit": "MW"}, "meter.grid.unit: must be one of W, kW"),
        ({"topic": "g", "sign": "minus"}, "meter.grid.sign: must be one of"),
        ({"topic": "g", "export_path": "a"}, "meter.grid.export_path: needs export_topic"),
        ({"topic": "g", "current_paths": ["a"]}, "current_paths: needs current_topics"),
        (
            {"topic": "g", "current_topics": ["a", "b"], "current_paths": ["x"]},
            "current_paths: must be as many as current_topics",
        ),
        ({"topic": "g", "current_topics": ["a"] * 4}, "current_topics: must name 1 to 3"),
        ({"topic": "g", "current_topics": ["#"]}, "current_topics: must be one topic"),
        ({"topic": "g", "energy_unit": "J"}, "energy_unit: must be one of kWh, Wh"),
        ({"topic": "g", "payload_available": "1"}, "payload_available: needs availability_topic"),
        ({"topic": "g", "tpic": "x"}, "meter.grid.tpic: is not a known field"),
    ],
)
def test_each_fault_of_a_meter_is_told(fields: dict[str, Any], fault: str) -> None:
    _, faults = read_meter(**fields)
    assert len(faults) == 1
    assert fault in faults[0]


def test_what_only_the_grid_tells_is_unknown_elsewhere() -> None:
    _, faults = read_meter("solar", topic="s", current_topics=["i"])
    assert "meter.solar.current_topics: is not a known field" in faults[0]
