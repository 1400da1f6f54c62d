"""What a home's backup looks at in one step: gateway, circuits, the cars' batteries, the sun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from parkwatt.domain.home.circuit import CircuitReading
from parkwatt.domain.home.gateway import GatewayReading

SOLAR_STEP_S: Final = 900
SOLAR_PAST_DAYS: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeCar:
    """A car's battery as the site's control knows it. Energies in the battery in kWh, powers at the charger in kW.

    ``energy_kwh``: None where nobody tells it. ``here``: plugged in, as far as is known: an outage takes its link, too.
    ``leaves_unix_s``, ``returns_unix_s``: of its next trip, None: none is known; ``trip_kwh``: what that takes.
    """

    car_id: str
    here: bool
    energy_kwh: float | None
    capacity_kwh: float
    floor_kwh: float
    discharge_kw_max: float
    discharge_efficiency: float
    leaves_unix_s: int | None = None
    returns_unix_s: int | None = None
    trip_kwh: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarAhead:
    """What is known of the sun to come.

    ``power_kw`` [T]: as it is forecast between ``edges_unix_s`` [T+1]; both empty where it is not. ``past_kw``: what it gave in
    steps of `SOLAR_STEP_S` up to ``past_end_unix_s``, None where unknown; the last `SOLAR_PAST_DAYS` days count.
    """

    edges_unix_s: tuple[int, ...] = ()
    power_kw: tuple[float, ...] = ()
    past_kw: tuple[float | None, ...] = ()
    past_end_unix_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeObservation:
    """All of it at one moment. ``gateway``: its last reading, however old. ``battery_soc``: the stationary one's, None unknown.

    ``generator``: its switch as last told. ``load_kw``: what the house uses, without its cars; ``solar_kw``: what the sun
    gives; None where no fresh meter tells it.
    """

    gateway: GatewayReading | None = None
    circuits: Mapping[str, CircuitReading] = field(default_factory=dict)
    cars: tuple[HomeCar, ...] = ()
    battery_soc: float | None = None
    generator: CircuitReading | None = None
    load_kw: float | None = None
    solar_kw: float | None = None
    solar_ahead: SolarAhead | None = None

    def car(self, car_id: str | None) -> HomeCar | None:
        """A car; None where there is none of that name."""
        return next((car for car in self.cars if car.car_id == car_id), None)
