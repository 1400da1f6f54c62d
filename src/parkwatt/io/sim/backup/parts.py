"""What a virtual home is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parkwatt.io.sim.backup.circuit import VirtualCircuit
from parkwatt.io.sim.backup.gateway import VirtualGateway
from parkwatt.io.sim.backup.generator import Generator
from parkwatt.io.sim.backup.grid import VirtualGrid
from parkwatt.io.sim.backup.solar import SolarInverter
from parkwatt.io.sim.backup.source import IslandSource
from parkwatt.io.sim.home.profile import StepProfile
from parkwatt.io.sim.station import VirtualStation


@dataclass(slots=True)
class Parts:
    """``solar_kw``: what the sun would give. ``stations``: chargers behind the same bus."""

    gateway: VirtualGateway
    grid: VirtualGrid
    circuits: Sequence[VirtualCircuit]
    source: IslandSource
    solar: SolarInverter
    solar_kw: StepProfile
    generator: Generator | None = None
    stations: Sequence[VirtualStation] = ()
