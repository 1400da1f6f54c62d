"""What describes a device, and what takes it away again."""

from __future__ import annotations

import json

from parkwatt.io.mqtt.home_assistant.entity import Between, Device, Entity, OnOff
from parkwatt.io.mqtt.home_assistant.naming import Naming
from parkwatt.io.mqtt.home_assistant.payload import (
    device_config,
    encode,
    read_own,
    topics_gone,
    without_gone,
)
from tests.io.mqtt.home_assistant.schema import faults

NAMING = Naming("homeassistant", "parkwatt")
POWER = Entity(key="power", platform="sensor", name="Leistung", charger="garage")
ALARM = Entity(key="alarm", platform="binary_sensor", name="Alarm", attributes=True)
TARGET = Entity(key="target", platform="number", name="Ziel", accepts=Between(0.0, 100.0))


def _config(*entities: Entity, naming: Naming = NAMING) -> dict[str, object]:
    device = Device(path="car/a", name="Ä", model="Car", entities=entities, via="site")
    return device_config(device, naming, "1.2")


def test_a_device_is_valid_and_behind_the_site() -> None:
    config = _config(POWER, ALARM, TARGET)
    assert faults(NAMING.config("car/a"), encode(config)) == []
    assert config["device"] == {
        "identifiers": ["parkwatt_car_a"],
        "name": "Ä",
        "manufacturer": "Parkwatt",
        "model": "Car",
        "sw_version": "1.2",
        "via_device": "parkwatt_site",
    }
    components = config["components"]
    assert isinstance(components, dict)
    assert components["power"]["availability_mode"] == "all"
    assert [one["topic"] for one in components["power"]["availability"]] == [
        "parkwatt/availability",
        "parkwatt/charger/garage/availability",
    ]
    assert "availability" not in components["target"]
    assert components["target"]["command_topic"] == "parkwatt/car/a/target/set"
    assert components["target"]["default_entity_id"] == "number.parkwatt_car_a_target"


def test_what_is_gone_is_named_by_its_platform_alone() -> None:
    before, now = _config(POWER, ALARM, TARGET), _config(POWER)
    taking = without_gone(before, now)
    assert taking is not None
    assert taking["components"]["target"] == {"platform": "number"}
    assert taking["components"]["power"] == _config(POWER)["components"]["power"]  # type: ignore[index]
    assert faults(NAMING.config("car/a"), encode(taking)) == []
    assert without_gone(now, before) is None
    assert topics_gone(before, [now]) == [
        "parkwatt/car/a/alarm",
        "parkwatt/car/a/alarm/attributes",
        "parkwatt/car/a/target",
    ]
    # Another car's charger is told of still, and so is the program.
    assert "parkwatt/charger/garage/availability" not in topics_gone(before, [now])
    assert set(topics_gone(now, [])) == {
        "parkwatt/availability",
        "parkwatt/charger/garage/availability",
        "parkwatt/car/a/power",
    }


def test_what_became_another_platform_is_taken_away_first() -> None:
    switch = Entity(key="alarm", platform="switch", name="Alarm", accepts=OnOff())
    taking = without_gone(_config(ALARM), _config(switch))
    assert taking is not None
    assert taking["components"]["alarm"] == {"platform": "binary_sensor"}


def test_only_what_is_of_this_site_is_read_as_its_own() -> None:
    own = encode(_config(POWER))
    assert read_own(own, NAMING) is not None
    assert read_own(own, Naming("homeassistant", "other")) is None
    assert read_own(own.replace(b'"name":"Parkwatt"', b'"name":"Other"'), NAMING) is None
    for payload in (b"", b"{", b"[]", b"1", json.dumps({"components": 1}).encode()):
        assert read_own(payload, NAMING) is None
