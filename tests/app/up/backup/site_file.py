"""The settings' file of a home with backup, over MQTT or Modbus TCP, as docs/reference/virtual-home.md tells its places."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from parkwatt.domain.home.circuit import Circuit

Wire = Literal["mqtt", "modbus"]
CHARGER_ID = "GARAGE"

_SITE = """\
name = "Home"
{more}
[tariff]
currency = "USD"
time_zone = "America/Los_Angeles"
[tariff.import]
price_per_kwh = 0.3
[tariff.export]
price_per_kwh = 0.08
[connection]
household_kw_max = 12.0
{connection}
[car]
name = "car"
battery_kwh = 60.0
floor_soc = 0.2
ready_soc = 0.8
charge_kw_max = 11.0
discharge_kw_max = 11.0
charge_efficiency = 0.93
discharge_efficiency = 0.93
charger = "{charger_id}"
mode = "{mode}"
discharge = true
ready_by = {{ weekdays = "07:30", saturday = "09:00", sunday = "09:00" }}
[[charger]]
id = "{charger_id}"
discharge = true
power_kw_max = 11.0
default_kw = 3.0
[meter.grid]
source = "modbus"
host = "127.0.0.1"
port = {ports.meter}
[meter.solar]
source = "none"
[ocpp]
listen = "127.0.0.1:{ports.ocpp}"
admit_unknown = true
[api]
listen = "127.0.0.1:{ports.api}"
[control]
step_s = 5
[log]
level = "error"
[mqtt]
host = "127.0.0.1"
port = {ports.broker}
[backup]
grid_code = "{grid_code}"
source = "{source}"
floor_soc = 0.1
continuous_kw = 7.4
surge_kw = 12.0
restart_kwh = 0.5
{gateway}
{circuits}
"""
_CAR_SOURCE = "car:car"
_BATTERY = """\
[backup.battery]
source = "modbus"
host = "127.0.0.1"
port = {ports.modbus}
soc = {{ register = 139, scale = 0.001 }}
poll_s = 5
capacity_kwh = 13.5
floor_soc = 0.1
discharge_kw_max = 7.4
"""
_GENERATOR = """\
[backup.generator]
power_kw_max = 5.0
fuel_kwh = 50.0
warm_up_s = 5
cool_down_s = 30
"""
_GENERATOR_MQTT = """\
source = "mqtt"
command_topic = "home/generator/set"
state = { topic = "home/generator/state", on = "running", off = "off" }
power = { topic = "home/generator/power" }
"""
_GENERATOR_MODBUS = """\
source = "modbus"
switch = { function = "coil", register = 50 }
"""
_ON_MQTT = """\
[backup.gateway]
source = "mqtt"
base_topic = "home/gateway"
reports_bond = true
reports_output_voltage = true
"""
_ON_MODBUS = """\
[backup.gateway]
source = "modbus"
host = "127.0.0.1"
port = {ports.modbus}
grid_voltage = [
    {{ register = 120, scale = 0.1 }}, {{ register = 121, scale = 0.1 }}, {{ register = 122, scale = 0.1 }},
]
grid_frequency = {{ register = 123, scale = 0.01 }}
grid_pole = {{ function = "discrete", register = 1, opposite = 0 }}
island_source = {{ function = "discrete", register = 3, opposite = 2 }}
bond = {{ function = "discrete", register = 5, opposite = 4 }}
output_voltage = {{ register = 124, scale = 0.1 }}
alive = {{ register = 115 }}
lease = {{ register = 103 }}
reports_bond = true
reports_output_voltage = true
poll_s = 0.5
timeout_s = 1
[backup.gateway.commands]
open_grid_pole = {{ function = "coil", register = 0, value = 0 }}
close_grid_pole = {{ function = "coil", register = 0, value = 1 }}
close_bond = {{ function = "coil", register = 2, value = 1 }}
open_bond = {{ function = "coil", register = 2, value = 0 }}
open_island_source = {{ function = "coil", register = 1, value = 0 }}
close_island_source = {{ function = "coil", register = 1, value = 1 }}
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where on this machine things listen."""

    meter: int
    modbus: int
    ocpp: int
    api: int
    broker: int

    @classmethod
    def free(cls, broker: int | None) -> Ports:
        """Ports that nobody listens on now. ``broker``: that of one which runs."""
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(5)]
            for each in sockets:
                each.bind(("127.0.0.1", 0))
            meter, modbus, ocpp, api, last = (int(each.getsockname()[1]) for each in sockets)
        return cls(meter, modbus, ocpp, api, broker or last)


def write_site(
    directory: Path,
    ports: Ports,
    circuits: Sequence[Circuit],
    *,
    wire: Wire,
    source: str,
    grid_code: str,
    mode: str,
    connection: str,
    more: str,
    has_generator: bool = False,
) -> Path:
    """Write the site's settings; returns where they are."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "site.toml"
    gateway = _ON_MQTT if wire == "mqtt" else _ON_MODBUS
    tables = [_circuit(circuit, number, wire) for number, circuit in enumerate(circuits)]
    if source == "battery":
        tables.append(_BATTERY.format(ports=ports))
    if has_generator:
        tables.append(_GENERATOR + (_GENERATOR_MQTT if wire == "mqtt" else _GENERATOR_MODBUS))
    text = _SITE.format(
        ports=ports,
        charger_id=CHARGER_ID,
        mode=mode,
        grid_code=grid_code,
        source="battery" if source == "battery" else _CAR_SOURCE,
        gateway=gateway.format(ports=ports),
        circuits="\n".join(tables),
        connection=connection,
        more=more,
    )
    path.write_text(text, encoding="utf-8")
    return path


def _circuit(circuit: Circuit, number: int, wire: Wire) -> str:
    """The table of one circuit; ``number``: its place in the virtual home's registers."""
    table = (
        f'[[backup.circuit]]\nid = "{circuit.circuit_id}"\nname = "{circuit.name}"\ntier = "{circuit.tier}"\n'
        f"medical = {str(circuit.medical).lower()}\npower_kw_rated = {circuit.power_kw_rated}\n"
        f"inrush_kw = {circuit.inrush_kw}\n"
    )
    if wire == "mqtt":
        return f'{table}source = "mqtt"\nbase_topic = "home/circuit/{circuit.circuit_id}"\n'
    register = 200 + 10 * number
    return (
        f'{table}source = "modbus"\n'
        f'switch = {{ function = "coil", register = {10 + number} }}\n'
        f'state = {{ function = "discrete", register = {10 + number} }}\n'
        f"power = {{ register = {register + 2} }}\nlease = {{ register = {register + 5} }}\n"
    )
