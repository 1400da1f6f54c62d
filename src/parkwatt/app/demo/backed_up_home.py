"""The demo's virtual home with a gateway: its car can run it, its circuits can be switched, and its grid fails once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from parkwatt.app.demo.circuits import DemoCircuit
from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.sim.backup.appliance import Use
from parkwatt.io.sim.backup.circuit import VirtualCircuit
from parkwatt.io.sim.backup.gateway import VirtualGateway
from parkwatt.io.sim.backup.grid import VirtualGrid
from parkwatt.io.sim.backup.home import BackupHome
from parkwatt.io.sim.backup.life import Life
from parkwatt.io.sim.backup.modbus_device import ModbusDevice
from parkwatt.io.sim.backup.parts import Parts
from parkwatt.io.sim.backup.registers import Bank
from parkwatt.io.sim.backup.shared_car import share_car
from parkwatt.io.sim.backup.solar import SolarInverter, SolarSettings
from parkwatt.io.sim.backup.source import IslandSource, SourceSettings
from parkwatt.io.sim.home.profile import StepProfile
from parkwatt.io.sim.home.virtual_home import VirtualHome
from parkwatt.io.sim.sunspec_meter import MeterShown

_US = 1_000_000
_STEP_S = 2.0


@dataclass(frozen=True, slots=True)
class Outage:
    """The grid is gone over [start, end)."""

    start_unix_s: int
    end_unix_s: int


class BackedUpHome:
    """The wires of a home around its charger. ``home``: who comes and goes; its clock is the physics' as well."""

    def __init__(
        self,
        home: VirtualHome,
        circuits: tuple[DemoCircuit, ...],
        grid_steps: tuple[int, int],
        solar: StepProfile,
        outage: Outage | None,
        clock: SimClock,
    ) -> None:
        start_unix_s, step_s = grid_steps
        cars = [share_car(station) for station in home.stations]
        parts = Parts(
            gateway=VirtualGateway(clock()),
            grid=VirtualGrid(50.0, 3),
            circuits=[
                VirtualCircuit(one.circuit, [Use(StepProfile(start_unix_s, step_s, one.power_kw))])
                for one in circuits
            ],
            source=IslandSource(SourceSettings(), cars[0]),
            solar=SolarInverter(SolarSettings()),
            solar_kw=solar,
            stations=home.stations,
        )
        self.physics = BackupHome(clock(), parts, keeps_seconds=False)
        self.life = Life(self.physics, clock)
        self.device = ModbusDevice(bank=Bank(self.life))
        if outage is not None:
            lasts_s = outage.end_unix_s - outage.start_unix_s
            grid = self.physics.grid
            grid.plan(grid.outage(outage.start_unix_s * _US, lasts_s))

    def meter(self) -> MeterShown:
        """The meter at the grid's connection."""
        self.life.now_us()
        return MeterShown(power_kw=self.physics.grid_kw)

    def solar_kw(self) -> float:
        """What the roof gives."""
        self.life.now_us()
        return self.physics.parts.solar.power_kw

    async def run(self, stop: asyncio.Event) -> None:
        """Let its physics follow the clock until ``stop`` is set."""
        while not stop.is_set():
            self.life.now_us()
            await asyncio.sleep(_STEP_S)
