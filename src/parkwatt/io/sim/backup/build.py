"""A made-up home with backup: the circuits of a family's house, a roof, a car that can back it up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from parkwatt.domain.home.circuit import Circuit, Tier
from parkwatt.io.sim.backup.appliance import Appliance, Compressor, Steady, Use
from parkwatt.io.sim.backup.circuit import VirtualCircuit
from parkwatt.io.sim.backup.gateway import GatewaySettings, VirtualGateway
from parkwatt.io.sim.backup.generator import Generator, GeneratorSettings
from parkwatt.io.sim.backup.grid import VirtualGrid
from parkwatt.io.sim.backup.parts import Parts
from parkwatt.io.sim.backup.pole import SECOND_US
from parkwatt.io.sim.backup.shared_car import SharedCar, share_car
from parkwatt.io.sim.backup.solar import SolarInverter, SolarSettings
from parkwatt.io.sim.backup.source import IslandSource, SourceSettings
from parkwatt.io.sim.car import Car
from parkwatt.io.sim.home.profile import StepProfile
from parkwatt.io.sim.settings import CarSettings
from parkwatt.io.sim.station import VirtualStation

_DAY_S = 86_400
_STEP_S = 60


@dataclass(frozen=True, slots=True)
class HomeSettings:
    """``nominal_hz``: 50 or 60. ``car``: None for a home without one. ``battery_kwh``: of a stationary battery, 0 without."""

    gateway: GatewaySettings = field(default_factory=GatewaySettings)
    source: SourceSettings = field(default_factory=SourceSettings)
    car: CarSettings | None = field(default_factory=CarSettings)
    battery_kwh: float = 0.0
    battery_kw: float = 5.0
    solar_kw_peak: float = 5.0
    generator: GeneratorSettings | None = None
    nominal_hz: float = 50.0
    nominal_v: float = 230.0
    phases: int = 3
    seed: int = 1


def build_parts(
    settings: HomeSettings, now_us: int, stations: Sequence[VirtualStation] = ()
) -> Parts:
    """All parts of a home that begins at a time, on the grid.

    ``stations``: chargers behind its bus, at that time too. The first one's car feeds the home in place of the settings' one.
    """
    cars = [share_car(station) for station in stations]
    if not cars and settings.car is not None:
        cars = [SharedCar(settings.car)]
    random = np.random.default_rng(settings.seed)
    start_unix_s = now_us // SECOND_US
    midnight_unix_s = start_unix_s - start_unix_s % _DAY_S
    return Parts(
        gateway=VirtualGateway(now_us, settings.gateway),
        grid=VirtualGrid(settings.nominal_hz, settings.phases),
        circuits=family_circuits(random, midnight_unix_s),
        source=IslandSource(
            settings.source,
            cars[0] if cars else None,
            _battery(settings),
        ),
        solar=SolarInverter(SolarSettings(nominal_hz=settings.nominal_hz)),
        solar_kw=clear_days(midnight_unix_s, settings.solar_kw_peak),
        generator=None if settings.generator is None else Generator(settings.generator),
        stations=tuple(stations),
    )


def _battery(settings: HomeSettings) -> Car | None:
    if settings.battery_kwh <= 0.0:
        return None
    return Car(
        CarSettings(
            capacity_kwh=settings.battery_kwh,
            charge_kw_max=settings.battery_kw,
            discharge_kw_max=settings.battery_kw,
            taper_from_soc=0.95,
        )
    )


def clear_days(midnight_unix_s: int, power_kw_peak: float, days: int = 60) -> StepProfile:
    """A sun that shines from 6 to 18 h by UTC, on every day alike."""
    hour = (np.arange(_DAY_S // _STEP_S) + 0.5) * _STEP_S / 3600.0
    day_kw = power_kw_peak * np.clip(np.sin((hour - 6.0) / 12.0 * np.pi), 0.0, None)
    return StepProfile(midnight_unix_s, _STEP_S, np.tile(day_kw, days))


def family_circuits(
    random: np.random.Generator, midnight_unix_s: int, days: int = 14
) -> list[VirtualCircuit]:
    """Ten circuits as in a family's panel, with usual powers and hours; after ``days`` people are away."""

    def uses(power_kw: float, hours: tuple[float, float], minutes: int, often: float) -> Use:
        return Use(_uses(random, midnight_unix_s, days, power_kw, hours, minutes, often))

    return [
        _circuit("medical", "Medical device", "must_have", 0.15, Steady(0.06), medical=True),
        _circuit("network", "Internet and heating control", "must_have", 0.1, Steady(0.04)),
        _circuit("fridge", "Fridge and freezer", "must_have", 0.2, Compressor(0.12, 0.9)),
        _circuit("lights", "Lights", "must_have", 0.6, uses(0.25, (17.0, 23.0), 180, 2.0)),
        _circuit("heating", "Heat pump", "nice_to_have", 2.5, Compressor(2.0, 5.0, 1200.0, 2400.0)),
        _circuit("kitchen", "Kitchen sockets", "nice_to_have", 2.4, uses(2.2, (6.5, 20.0), 4, 6.0)),
        _circuit("living", "Living room", "nice_to_have", 0.5, uses(0.25, (17.0, 23.0), 150, 1.2)),
        _circuit("hob", "Hob and oven", "not_needed", 7.0, uses(2.5, (11.5, 19.5), 35, 1.4)),
        _circuit("dryer", "Washing and drying", "not_needed", 2.5, uses(2.3, (8.0, 21.0), 60, 0.6)),
        _circuit(
            "hot_water", "Water heater", "not_needed", 3.0, Compressor(3.0, 0.0, 3600.0, 5 * 3600.0)
        ),
    ]


def _circuit(
    circuit_id: str,
    name: str,
    tier: Tier,
    power_kw_rated: float,
    appliance: Appliance,
    *,
    medical: bool = False,
) -> VirtualCircuit:
    circuit = Circuit(
        circuit_id=circuit_id,
        name=name,
        tier=tier,
        power_kw_rated=power_kw_rated,
        inrush_kw=max(appliance.inrush_kw, power_kw_rated),
        medical=medical,
    )
    return VirtualCircuit(circuit, [appliance])


def _uses(
    random: np.random.Generator,
    midnight_unix_s: int,
    days: int,
    power_kw: float,
    hours: tuple[float, float],
    minutes: int,
    often: float,
) -> StepProfile:
    """Uses of some minutes within the hours of each day, ``often`` a day in the mean."""
    steps_a_day = _DAY_S // _STEP_S
    profile_kw = np.zeros(days * steps_a_day)
    for day in range(days):
        for _ in range(int(random.poisson(often))):
            first = day * steps_a_day + int(random.uniform(*hours) * 3600 / _STEP_S)
            profile_kw[first : first + minutes] = power_kw
    profile_kw[-1] = 0.0
    return StepProfile(midnight_unix_s, _STEP_S, profile_kw)
