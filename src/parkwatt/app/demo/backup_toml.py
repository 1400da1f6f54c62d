"""The demo home's table [backup]: a gateway and circuits on Modbus TCP, as a user would describe them."""

from __future__ import annotations

from typing import Final

from parkwatt.app.demo.circuits import CIRCUITS

# The gateway's layout: docs/reference/virtual-home.md.
_GATEWAY: Final = """
[backup]                            # the car runs the house when the grid fails
source = "car:car"
continuous_kw = 7.4
surge_kw = 12.0
standby_w = 50
reading_age_s = 20                  # on a clock that runs faster the gateway is read less often
lease_s = 30
forecast_s = 300

[backup.grid_code]                  # when the grid counts as back: your own numbers are in your grid operator's letter
voltage_pu_min = 0.85
voltage_pu_max = 1.10
frequency_hz_min = 49.5
frequency_hz_max = 50.1
nominal_hz = 50
delay_s = 300
ramp_s = 300
source = "made up for the demo home"

[backup.gateway]
source = "modbus"
host = "127.0.0.1"
port = {port}
poll_s = {poll_s}
grid_voltage = [{{ register = 120, scale = 0.1 }}, {{ register = 121, scale = 0.1 }}, {{ register = 122, scale = 0.1 }}]
grid_frequency = {{ register = 123, scale = 0.01 }}
grid_pole = {{ register = 110 }}
island_source = {{ register = 111 }}
bond = {{ register = 112 }}
output_voltage = {{ register = 124, scale = 0.1 }}
alive = {{ register = 115 }}
lease = {{ register = 103 }}

[backup.gateway.commands]
open_grid_pole = {{ register = 100, value = 0 }}
close_grid_pole = {{ register = 100, value = 1 }}
open_island_source = {{ register = 101, value = 0 }}
close_island_source = {{ register = 101, value = 1 }}
open_bond = {{ register = 102, value = 0 }}
close_bond = {{ register = 102, value = 1 }}
"""

_CIRCUIT: Final = """
[[backup.circuit]]
id = "{circuit_id}"
name = "{name}"
tier = "{tier}"
power_kw_rated = {power_kw_rated}
source = "modbus"
poll_s = 60
state = {{ register = {state} }}
power = {{ register = {power}, scale = 0.001 }}
switch = {{ register = {switch} }}
lease = {{ register = {lease} }}
"""

_POLL_S: Final = 5


def backup_toml(port: int) -> str:
    """The text of the table, for a gateway that answers at ``port``."""
    circuits = (
        _CIRCUIT.format(
            circuit_id=one.circuit_id,
            name=one.name,
            tier=one.tier,
            power_kw_rated=one.power_kw_rated,
            switch=200 + 10 * number,
            state=201 + 10 * number,
            power=202 + 10 * number,
            lease=205 + 10 * number,
        )
        for number, one in enumerate(CIRCUITS)
    )
    return _GATEWAY.format(port=port, poll_s=_POLL_S) + "".join(circuits)
