"""All meters of a site's file, and every example of the guide."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from parkwatt.domain.record import Faults, Record
from parkwatt.io.meter_settings import Metering, read_metering
from parkwatt.io.modbus.settings import ModbusMeter
from parkwatt.io.mqtt.settings import MqttMeter
from tests.io import documented

EXAMPLES = [text for _, text in documented.blocks("guides/meters.md", "toml")]


def read(text: str, folder: Path) -> tuple[Metering, list[str]]:
    """The meters in a file, and what was wrong."""
    faults = Faults()
    metering = read_metering(Record(tomllib.loads(text), "", faults), folder)
    return metering, [str(fault) for fault in faults.found]


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_of_the_guide_is_read(text: str, tmp_path: Path) -> None:
    for name in ("mqtt.password", "ca.pem"):
        (tmp_path / name).touch()
    metering, faults = read(text, tmp_path)
    assert not faults
    assert metering.meters or metering.broker


def test_the_guide_has_examples() -> None:
    assert len(EXAMPLES) == 5


def test_a_site_without_meters(tmp_path: Path) -> None:
    assert read("", tmp_path) == (Metering(), [])


def test_each_meter_has_its_role_and_source(tmp_path: Path) -> None:
    metering, faults = read(
        """
        [meter.grid]
        source = "modbus"
        host = "a"
        [meter.solar]
        source = "mqtt"
        topic = "s"
        [meter.load]
        source = "none"
        [mqtt]
        host = "b"
        """,
        tmp_path,
    )
    assert not faults
    assert [(type(meter), meter.source) for meter in metering.meters] == [
        (ModbusMeter, "meter.grid"),
        (MqttMeter, "meter.solar"),
    ]
    assert metering.has("grid", "load")
    assert not metering.has("load", "battery")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[meter.grid]\nsource = "mqtt"\ntopic = "g"', "mqtt: is required by a meter"),
        ('[meter.grid]\nsource = "zigbee"', "meter.grid.source: must be one of modbus, mqtt, none"),
        ("[meter.grid]", "meter.grid.source: is required"),
        ('[meter.wind]\nsource = "none"', "meter.wind: is not a known field"),
        ("meter = 5", "meter: must be a table"),
    ],
)
def test_each_fault_is_told(text: str, fault: str, tmp_path: Path) -> None:
    _, faults = read(text, tmp_path)
    assert len(faults) == 1
    assert fault in faults[0]
