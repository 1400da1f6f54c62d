"""What devices say of themselves by Home Assistant's discovery, as four kinds of them say it, and what makes no sense."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.mqtt.discovery import Entity, Sensor, Switch, entities
from parkwatt.io.mqtt.settings import Place


def read(topic: str, config: Any) -> list[Entity]:
    return list(entities(topic, json.dumps(config).encode(), "homeassistant"))


def test_a_switch_and_its_power_with_topics_in_full() -> None:
    (switch,) = read(
        "homeassistant/switch/panel/fridge/config",
        {
            "unique_id": "panel_fridge",
            "name": "Fridge",
            "state_topic": "home/fridge/state",
            "command_topic": "home/fridge/set",
            "device": {"identifiers": ["panel"], "name": "Panel"},
        },
    )
    assert isinstance(switch, Switch)
    assert (switch.state, switch.on, switch.off) == (Place("home/fridge/state"), "ON", "OFF")
    assert (switch.command_topic, switch.payload_off) == ("home/fridge/set", "OFF")
    assert (switch.name, switch.device_name) == ("Fridge", "Panel")


def test_abbreviations_and_the_base_topic() -> None:
    (switch,) = read(
        "homeassistant/switch/1A2B_RL_1/config",
        {
            "name": None,
            "stat_t": "~/tele/STATE",
            "val_tpl": "{{value_json.POWER}}",
            "cmd_t": "~/cmnd/POWER",
            "pl_on": "ON",
            "pl_off": "OFF",
            "uniq_id": "1A2B_RL_1",
            "dev": {"ids": "1A2B", "name": "Boiler"},
            "~": "tasmota",
        },
    )
    assert isinstance(switch, Switch)
    assert switch.state == Place("tasmota/tele/STATE", ("POWER",))
    assert switch.command_topic == "tasmota/cmnd/POWER"
    assert (switch.name, switch.device_name) == ("", "Boiler")


def test_one_message_for_a_whole_device() -> None:
    found = read(
        "homeassistant/device/plug/config",
        {
            "dev": {"ids": ["plug"], "name": "Plug"},
            "state_topic": "plug/state",
            "cmps": {
                "relay": {
                    "p": "switch",
                    "cmd_t": "plug/set",
                    "val_tpl": "{{ value_json['relay'][0].on }}",
                    "stat_on": True,
                    "stat_off": False,
                },
                "power": {
                    "p": "sensor",
                    "dev_cla": "power",
                    "unit_of_meas": "W",
                    "val_tpl": "{{ value_json.apower | float(0) | round(1) }}",
                },
                "gone": {"p": "sensor"},
                "temperature": {"p": "sensor", "dev_cla": "temperature", "val_tpl": "{{ value }}"},
            },
        },
    )
    switch, power = found
    assert isinstance(switch, Switch)
    assert isinstance(power, Sensor)
    assert switch.state == Place("plug/state", ("relay", "0", "on"))
    assert (switch.on, switch.off) == ("true", "false")
    assert power.place == Place("plug/state", ("apower",))
    assert switch.device == power.device


@pytest.mark.parametrize(
    ("topic", "config"),
    [
        ("homeassistant/light/a/config", {"command_topic": "a/set"}),
        ("homeassistant/switch/a/config", {"state_topic": "a"}),
        ("homeassistant/switch/a/state", {"command_topic": "a/set"}),
        ("homeassistant/sensor/a/config", {"device_class": "power"}),
        (
            "homeassistant/sensor/a/config",
            {
                "device_class": "power",
                "state_topic": "a",
                "value_template": "{{ value_json.a * 1000 }}",
            },
        ),
        (
            "homeassistant/sensor/a/config",
            {
                "device_class": "power",
                "state_topic": "a",
                "value_template": "{{ value_json['a.b'] }}",
            },
        ),
        ("homeassistant/switch/a/config", []),
        ("homeassistant/device/a/config", {"components": [1]}),
        ("homeassistant/device/a/config", {"components": {"x": 1}}),
    ],
)
def test_what_is_none_or_not_understood_is_left_out(topic: str, config: Any) -> None:
    assert read(topic, config) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["~", "stat_t", "cmd_t", "device", "ids", "cmps", "p", "val_tpl", "name", "dev_cla"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(
    st.sampled_from(["switch/a", "sensor/a/b", "device/a", "device/a/b/c"]),
    _JSON.map(json.dumps).map(str.encode) | st.binary(max_size=40),
)
def test_nothing_that_is_said_breaks_it(place: str, payload: bytes) -> None:
    for one in entities(f"homeassistant/{place}/config", payload, "homeassistant"):
        assert isinstance(one, Switch | Sensor)


def test_what_parkwatt_tells_itself_is_no_device_of_the_home() -> None:
    device = {
        "device": {"identifiers": ["parkwatt_backup"], "name": "Backup"},
        "origin": {"name": "Parkwatt"},
        "components": {
            "sauna": {"platform": "switch", "unique_id": "a", "command_topic": "parkwatt/sauna/set"}
        },
    }
    assert read("homeassistant/device/parkwatt_backup/config", device) == []
    others = {**device, "origin": {"name": "Another"}}
    assert len(read("homeassistant/device/parkwatt_backup/config", others)) == 1
