"""What a home's backup is, as far as its control needs to know: facts that stay while the program runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from parkwatt.domain.home.circuit import Circuit
from parkwatt.home.announced import AnnouncedSettings
from parkwatt.home.island import IslandSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeBattery:
    """A stationary battery that joins the island. ``floor_kwh``: it is not discharged below."""

    battery_id: str
    capacity_kwh: float
    floor_kwh: float
    discharge_kw_max: float
    discharge_efficiency: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeGenerator:
    """A generator. ``fuel_kwh``: what its fuel gives; None: as long as anybody asks.

    ``switchable``: whether Parkwatt starts and stops it; without it, it counts in the forecast alone.
    """

    power_kw_max: float
    fuel_kwh: float | None
    warm_up_s: int
    cool_down_s: int
    switchable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeSettings:
    """``source_car_id``: the car whose inverter carries the house in an outage; None: the stationary battery's does.

    ``floor_soc``: how low that car may be discharged then; None: its own floor. ``continuous_kw``, ``surge_kw``: what the
    inverter gives steadily, and for a second. ``standby_kw``: what gateway and inverter use themselves; ``restart_kwh``: what
    they need to start again. ``return_kw_max``: of all chargers together, for the ramp when the grid is back.
    ``expected_outage_s``: how long an outage is taken to last of which no end is known. ``test_s_max``: of an off-grid test.
    ``forecast_s``: how often it is reckoned anew how long the home lasts.
    """

    time_zone: ZoneInfo
    island: IslandSettings
    source_car_id: str | None
    floor_soc: float | None
    continuous_kw: float
    surge_kw: float
    spacing_s: float
    standby_kw: float
    restart_kwh: float
    return_kw_max: float
    circuits: tuple[Circuit, ...] = ()
    battery: HomeBattery | None = None
    generator: HomeGenerator | None = None
    announced: AnnouncedSettings = field(default_factory=AnnouncedSettings)
    expected_outage_s: float = 24 * 3600.0
    test_s_max: int = 1800
    forecast_s: float = 60.0

    def circuit(self, circuit_id: str) -> Circuit | None:
        """A circuit; None where the home has none of that name."""
        return next((one for one in self.circuits if one.circuit_id == circuit_id), None)
