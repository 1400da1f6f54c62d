"""A virtual home with backup beside a real `parkwatt up`: the grid fails when the test says so, all in real time."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import numpy as np

from parkwatt.domain.home.circuit import Circuit
from parkwatt.io.sim.backup.build import family_circuits
from tests.app.web.browsing import PATIENCE_S, WebSite, free_port, web_site

_SITE = """\
name = "Home"
[tariff]
currency = "EUR"
time_zone = "Europe/Berlin"
[tariff.import]
price_per_kwh = 0.3
[connection]
fuse_a = 35
[ocpp]
listen = "127.0.0.1:0"
admit_unknown = true
[api]
listen = "127.0.0.1:0"
[control]
step_s = 1
[[charger]]
id = "GARAGE"
discharge = true
[car]
name = "ID.4"
battery_kwh = 60
charge_kw_max = 11
discharge_kw_max = 11
discharge = true
mode = "home"
[backup]
source = "car:ID.4"
continuous_kw = 7.4
surge_kw = 12.0
spacing_s = 1
forecast_s = 60
[backup.grid_code]
voltage_pu_min = 0.85
voltage_pu_max = 1.10
frequency_hz_min = 49.5
frequency_hz_max = 50.5
nominal_hz = 50
delay_s = 6
ramp_s = 10
source = "made up for a test"
[backup.gateway]
source = "modbus"
host = "127.0.0.1"
port = {port}
poll_s = 0.5
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
_CIRCUIT = """
[[backup.circuit]]
id = "{circuit_id}"
name = "{name}"
tier = "{tier}"
medical = {medical}
power_kw_rated = {rated_kw}
on_s_min = 0
off_s_min = 0
source = "modbus"
poll_s = 0.5
state = {{ register = {first1} }}
power = {{ register = {first2}, scale = 0.001 }}
switch = {{ register = {first} }}
lease = {{ register = {first5} }}
"""


def circuits() -> list[Circuit]:
    """The virtual home's circuits, in the order of its registers."""
    return [one.circuit for one in family_circuits(np.random.default_rng(1), 0)]


def site_toml(port: int) -> str:
    """The settings of a home whose devices answer at ``port``."""
    tables = [
        _CIRCUIT.format(
            circuit_id=one.circuit_id,
            name=one.name,
            tier=one.tier,
            medical=str(one.medical).lower(),
            rated_kw=one.power_kw_rated,
            first=200 + 10 * number,
            first1=201 + 10 * number,
            first2=202 + 10 * number,
            first5=205 + 10 * number,
        )
        for number, one in enumerate(circuits())
    ]
    return _SITE.format(port=port) + "".join(tables)


class VirtualHome:
    """The home's grid in the test's hand."""

    def __init__(self, control_port: int) -> None:
        self._url = f"http://127.0.0.1:{control_port}/control"

    def do(self, line: str) -> None:
        """As `parkwatt outage do` does."""
        httpx.post(self._url, json={"line": line}, timeout=10.0).raise_for_status()


@contextmanager
def backed_up_site(folder: Path) -> Iterator[tuple[WebSite, VirtualHome]]:
    """The site with its pages, a car that is plugged in, and the home around it."""
    port, control_port = free_port(), free_port()
    with ExitStack() as stack:
        stack.enter_context(
            _process(
                *("virtual-home", "--quiet", "--modbus-port", str(port)),
                *("--control-port", str(control_port)),
            )
        )
        site = stack.enter_context(web_site(folder, site_toml(port)))
        stack.enter_context(
            _process(
                *("virtual", "--url", site.server.ocpp_url, "--id", "GARAGE", "--quiet"),
                *("--protocol", "2.1", "--soc", "0.8", "--capacity", "60"),
            )
        )
        yield site, VirtualHome(control_port)


@contextmanager
def _process(*arguments: str) -> Iterator[None]:
    """A command of Parkwatt as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "parkwatt.app.cli", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
