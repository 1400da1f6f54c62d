"""What a site's file says of its backup: whole files, and each rule by the name of its key, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from parkwatt.app.live_settings.backup import BackupSettings
from parkwatt.io.gateway.modbus_settings import (
    ModbusBattery,
    ModbusCircuit,
    ModbusDevice,
    ModbusGateway,
    PointPlace,
    RegisterPlace,
    Write,
)
from parkwatt.io.gateway.mqtt_settings import MqttCircuit, MqttGateway, Publication
from parkwatt.io.mqtt.settings import Availability, Place
from tests.app.live_settings.test_settings import CAR, CHARGER, TARIFF, read, settings_of
from tests.io.documented import blocks

SITE = f"""
{TARIFF}
{CHARGER}
{CAR}
name = "leaf"
[mqtt]
host = "broker.local"
"""
BY_LAYOUT = """
[backup]
grid_code = "ieee1547-2018"
source = "car:leaf"
continuous_kw = 7.4
surge_kw = 11
[backup.gateway]
source = "mqtt"
base_topic = "home/gateway"
reports_bond = true
reports_output_voltage = true
[[backup.circuit]]
id = "fridge"
tier = "must_have"
power_kw_rated = 0.2
inrush_kw = 1.2
source = "mqtt"
base_topic = "home/circuit/fridge"
[[backup.circuit]]
id = "oxygen"
name = "Oxygen concentrator"
tier = "must_have"
medical = true
power_kw_rated = 0.35
"""
ON_MODBUS = """
[backup]
source = "battery"
continuous_kw = 5
[backup.grid_code]
voltage_pu_min = 0.85
voltage_pu_max = 1.1
frequency_hz_min = 49.5
frequency_hz_max = 50.1
nominal_hz = 50
delay_s = 60
ramp_s = 600
source = "the letter of my grid operator"
[backup.gateway]
source = "modbus"
host = "192.168.1.40"
port = 1502
grid_voltage = { register = 120, scale = 0.1 }
grid_frequency = { sunspec = "701.Hz" }
grid_pole = { function = "discrete", register = 1, opposite = 0 }
island_source = { register = 111, bit = 3, closed = 0, open = 1 }
alive = { register = 115 }
lease = { register = 103 }
[backup.gateway.commands]
open_grid_pole = { function = "coil", register = 0, value = 0 }
close_grid_pole = { function = "coil", register = 0 }
open_island_source = { register = 101, value = 0 }
close_island_source = { register = 101, value = 2 }
[[backup.circuit]]
id = "dryer"
tier = "not_needed"
power_kw_rated = 2.5
source = "modbus"
unit = 4
switch = { function = "coil", register = 10 }
state = { function = "discrete", register = 10 }
power = { register = 202 }
[backup.battery]
source = "modbus"
host = "192.168.1.41"
capacity_kwh = 13.5
discharge_kw_max = 5
[backup.generator]
power_kw_max = 3
fuel_kwh = 40
source = "modbus"
switch = { function = "coil", register = 50 }
"""


def backup_of(tmp_path: Path, text: str) -> BackupSettings:
    """The backup of a site without a fault."""
    backup = settings_of(tmp_path, SITE + text).backup
    assert backup is not None
    return backup


def test_a_home_without_one_has_none(tmp_path: Path) -> None:
    assert settings_of(tmp_path, SITE).backup is None


def test_a_gateway_by_the_layout_needs_its_base_alone(tmp_path: Path) -> None:
    backup = backup_of(tmp_path, BY_LAYOUT)
    gateway = backup.gateway
    assert isinstance(gateway, MqttGateway)
    assert gateway.points.missing() == ()
    assert [one.where.topic for one in gateway.points.grid_voltage] == [
        f"home/gateway/grid_voltage/l{phase}" for phase in (1, 2, 3)
    ]
    assert gateway.points.nominal_voltage_v == 230.0
    assert gateway.commands["close_bond"] == Publication("home/gateway/close_bond/set", "ON")
    assert gateway.lease == Publication("home/gateway/lease/set", "{lease_s}")
    assert gateway.presence.availability == Availability("home/gateway/availability")
    assert gateway.presence.alive_topic == "home/gateway/heartbeat"
    assert (backup.abilities.reports_bond, backup.abilities.reports_output_voltage) == (True, True)
    assert (backup.car_id, backup.grid_code.name) == ("leaf", "ieee1547-2018")
    assert (backup.continuous_kw, backup.surge_kw, backup.standby_kw) == (7.4, 11.0, 0.1)
    assert backup.broker is not None


def test_circuits_have_their_rank_and_device(tmp_path: Path) -> None:
    fridge, oxygen = backup_of(tmp_path, BY_LAYOUT).circuits
    assert isinstance(fridge.device, MqttCircuit)
    assert fridge.device.points.state is not None
    assert fridge.device.points.state.where == Place("home/circuit/fridge/state")
    assert (fridge.circuit.name, fridge.circuit.switchable) == ("fridge", True)
    assert (fridge.circuit.inrush_kw, fridge.circuit.off_s_min) == (1.2, 300)
    assert oxygen.device is None
    assert (oxygen.circuit.medical, oxygen.circuit.switchable) == (True, False)
    assert oxygen.circuit.inrush_kw == oxygen.circuit.power_kw_rated


def test_everything_on_modbus(tmp_path: Path) -> None:
    backup = backup_of(tmp_path, ON_MODBUS)
    gateway = backup.gateway
    assert isinstance(gateway, ModbusGateway)
    assert gateway.device == ModbusDevice("192.168.1.40", 1502)
    pole = gateway.points.flags["grid_pole"]
    assert pole.where == RegisterPlace(1, "discrete", opposite=0)
    source = gateway.points.flags["island_source"]
    assert (source.where, source.yes, source.no) == (RegisterPlace(111, bit=3), "0", "1")
    assert gateway.points.grid_frequency is not None
    assert gateway.points.grid_frequency.where == PointPlace(701, "Hz")
    assert gateway.commands["close_grid_pole"] == Write(0, "coil", 1)
    assert gateway.commands["close_island_source"] == Write(101, "holding", 2)
    assert (gateway.lease, gateway.alive) == (Write(103), RegisterPlace(115))
    (dryer,) = backup.circuits
    assert isinstance(dryer.device, ModbusCircuit)
    assert dryer.device.device == ModbusDevice("192.168.1.40", 1502, unit=4)
    assert backup.battery is not None
    assert isinstance(backup.battery.device, ModbusBattery)
    assert backup.battery.device.soc.where == PointPlace(713, "SoC")
    assert backup.generator is not None
    assert (backup.generator.fuel_kwh, backup.generator.cool_down_s) == (40.0, 60)
    assert isinstance(backup.generator.device, ModbusCircuit)
    assert backup.generator.device.device == ModbusDevice("192.168.1.40", 1502)
    assert (backup.car_id, backup.broker) == (None, None)
    assert (backup.grid_code.name, backup.grid_code.delay_s) == ("own", 60.0)
    assert (backup.abilities.reports_bond, backup.abilities.reports_output_voltage) == (
        False,
        False,
    )


def test_a_generator_needs_a_switch_of_its_own(tmp_path: Path) -> None:
    rest = """
    [backup]
    grid_code = "california-rule21-2022-sb"
    source = "car:leaf"
    continuous_kw = 9.6
    [backup.gateway]
    source = "mqtt"
    base_topic = "home/gateway"
    [[backup.circuit]]
    id = "generator"
    tier = "must_have"
    power_kw_rated = 1
    [backup.generator]
    power_kw_max = 3
    """
    backup = backup_of(tmp_path, rest)
    assert backup.generator is not None
    assert backup.generator.device is None
    told = f'{rest}\nsource = "mqtt"\npower = {{ topic = "generator/power" }}\n'
    _, faults = read(tmp_path, SITE + told)
    assert [fault.split(",")[0] for fault in faults] == [
        "backup.generator.source: needs what starts and stops it: command_topic",
        "backup.generator.source: needs that no circuit is called generator: that is the generator's switch",
    ]


def test_a_switch_that_transfers_itself_is_only_watched(tmp_path: Path) -> None:
    text = """
    [backup]
    grid_code = "california-rule21-2022-sb"
    source = "car:leaf"
    continuous_kw = 9.6
    [backup.gateway]
    source = "mqtt"
    transfers_itself = true
    grid_present = { topic = "ats/status", path = "utility", present = "1", absent = "0" }
    """
    backup = backup_of(tmp_path, text)
    assert backup.abilities.transfers_itself
    assert backup.gateway.commands == {}


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = """
    [backup]
    grid_code = "vde"
    source = "car:tesla"
    continuous_kw = 7
    surge_kw = 5
    restart_waits_s = [60, 30]
    colour = "red"
    [backup.gateway]
    source = "modbus"
    host = "gateway"
    grid_pole = { register = 1, closed = 1, open = 1 }
    island_source = { sunspec = "701.Nonsense", register = 4 }
    output_voltage = { function = "coil", register = 2 }
    reports_bond = true
    [backup.gateway.commands]
    open_grid_pole = { register = 70000 }
    close_everything = { register = 1 }
    [[backup.circuit]]
    id = "a"
    tier = "nice_to_have"
    medical = true
    power_kw_rated = 2
    inrush_kw = 1
    source = "modbus"
    [[backup.circuit]]
    id = "a"
    tier = "luxury"
    power_kw_rated = 2
    """
    _, faults = read(tmp_path, SITE + text)
    for words in (
        "backup.grid_code: must be one of ieee1547-2018",
        "backup.source: must be a car of this site (known: leaf), got 'car:tesla'",
        "backup.surge_kw: must be at least continuous_kw, 7, got 5",
        "backup.restart_waits_s: must hold at least one wait",
        "backup.colour: is not a known field",
        "backup.gateway.grid_pole.open: must differ from closed, got 1",
        "backup.gateway.island_source.register: must be absent with sunspec",
        "backup.gateway.island_source.sunspec: must be one of 701.ConnSt",
        "backup.gateway.output_voltage.function: must be holding or input for a number, got 'coil'",
        "backup.gateway.reports_bond: must be true where bond is told, and only there",
        "backup.gateway.grid_voltage: is required with grid_frequency, or grid_present",
        "backup.gateway.commands.open_grid_pole.register: must be at most 65535, got 70000",
        "backup.gateway.commands.close_everything: is not a known field",
        "backup.gateway.commands.close_grid_pole: is required, unless",
        "backup.gateway.commands.close_island_source: is required, unless",
        "backup.gateway.commands.open_island_source: is required, unless",
        "backup.circuit[0].tier: must be must_have for a medical circuit, got 'nice_to_have'",
        "backup.circuit[0].inrush_kw: must be at least power_kw_rated, 2, got 1",
        "backup.circuit[0].source: needs state, power or a switch",
        "backup.circuit[1].id: must be given once, got 'a'",
        "backup.circuit[1].tier: must be one of must_have, nice_to_have, not_needed, got 'luxury'",
    ):
        assert any(fault.startswith(words) for fault in faults), (words, faults)
    assert len(faults) == 21


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("car:leaf", "battery", "backup.source: needs the table [backup.battery], got 'battery'"),
        (
            "car:leaf",
            "sun",
            'backup.source: must be "battery", or "car:" with a car\'s name, got \'sun\'',
        ),
        (
            'base_topic = "home/gateway"',
            'base_topic = "home/+"',
            "backup.gateway.base_topic: must be one topic",
        ),
        (
            'source = "mqtt"\nbase',
            'source = "zigbee"\nbase',
            "backup.gateway.source: must be one of mqtt, modbus",
        ),
        (
            '[mqtt]\nhost = "broker.local"\n',
            "",
            "backup.gateway: needs [mqtt], as all that speaks MQTT",
        ),
        ("continuous_kw = 7.4", "", "backup.continuous_kw: is required"),
        (
            "reports_bond = true",
            'grid_pole = { topic = "a", closed = "x", open = "X" }',
            "backup.gateway.grid_pole.open: must differ from closed, got 'X'",
        ),
        (
            "reports_bond = true",
            "grid_voltage = []",
            "backup.gateway.grid_voltage: must be a table, or 1 to 3",
        ),
        (
            "reports_bond = true",
            "transfers_itself = true",
            "backup.gateway.commands: must be empty where the gateway transfers itself",
        ),
        (
            'base_topic = "home/circuit/fridge"',
            'payload_on = "1"',
            "backup.circuit[0].payload_on: needs command_topic",
        ),
    ],
)
def test_each_rule_names_its_key(tmp_path: Path, old: str, new: str, fault: str) -> None:
    text = SITE + BY_LAYOUT
    assert old in text
    _, faults = read(tmp_path, text.replace(old, new, 1))
    assert any(found.startswith(fault) for found in faults), faults


def test_alerts_are_read_with_it(tmp_path: Path) -> None:
    alerts = '[backup.alerts]\nurl = "https://alerts.example/ca.atom"\nareas = ["CAZ506"]\n'
    backup = backup_of(tmp_path, BY_LAYOUT + alerts)
    assert backup.alerts is not None
    assert backup.alerts.areas == ("caz506",)
    _, faults = read(tmp_path, SITE + BY_LAYOUT + alerts.replace("https://alerts", "ftp://alerts"))
    assert [fault.partition(":")[0] for fault in faults] == ["backup.alerts.url"]


def test_own_numbers_of_a_grid_code_are_checked(tmp_path: Path) -> None:
    _, faults = read(tmp_path, SITE + ON_MODBUS.replace("= 0.85", "= 195"))
    assert faults == ["backup.grid_code.voltage_pu_min: must be 0.8 to 0.99, got 195.0"]


PAGES = blocks("guides/backup-devices.md", "toml")


def test_the_guide_has_site_files() -> None:
    assert len(PAGES) >= 3


@pytest.mark.parametrize("text", [pytest.param(text, id=title) for title, text in PAGES])
def test_a_site_file_of_the_guide_is_read_without_a_fault(tmp_path: Path, text: str) -> None:
    site = SITE if "[mqtt]" not in text else SITE.replace('[mqtt]\nhost = "broker.local"\n', "")
    assert backup_of_site(tmp_path, site + text) is not None


def backup_of_site(tmp_path: Path, text: str) -> BackupSettings | None:
    """The backup of a whole file without a fault."""
    return settings_of(tmp_path, text).backup
