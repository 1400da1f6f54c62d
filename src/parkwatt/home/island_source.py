"""What carries the house in an outage, how much of it stays, and whether it may be asked to.

A car keeps its floor. What its driver asked for (`MobilityAsked`) stays in it as well, until its time has come: an explicit
word is firm, and the house goes dark before it is broken. The source stops a minute of full power above it, for it must not
be below when the gateway has answered, and begins again only well above it: what is in a battery is told in steps and rises a
little at rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from parkwatt.domain.home.event import MobilityAsked
from parkwatt.home.observation import HomeCar, HomeObservation
from parkwatt.home.settings import HomeSettings
from parkwatt.home.state import HomeState

# How long the source may go on after it was found to be spent.
_STOPPING_H: Final = 60.0 / 3600.0
# A way needs so much more than its mean: cold, wind, a detour. As the site's planning of trips has it.
_SPARE_SHARE: Final = 0.15
# Above what is kept for driving the source begins again with so much of the battery.
_BEGINS_SHARE: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class IslandSource:
    """``energy_kwh``, ``floor_kwh``: in the battery, and what stays; None: unknown. ``ready``: it is there and has energy.

    ``kept``: in words, what of the floor is kept for driving; empty: nothing is.
    """

    energy_kwh: float | None = None
    floor_kwh: float | None = None
    ready: bool = False
    kept: str = ""


def island_source(
    settings: HomeSettings, state: HomeState, observation: HomeObservation, now_unix_s: int
) -> IslandSource:
    """The source now: ready where it has energy beyond its floor, and to begin also what a restart takes."""
    begin_kwh = settings.restart_kwh
    if settings.source_car_id is None:
        battery, soc = settings.battery, observation.battery_soc
        if battery is None:
            return IslandSource()
        energy_kwh = None if soc is None else soc * battery.capacity_kwh
        floor_kwh, here, kept = battery.floor_kwh, True, ""
    else:
        car = observation.car(settings.source_car_id)
        if car is None:
            return IslandSource()
        energy_kwh, here = car.energy_kwh, car.here
        floor_kwh, kept = car_floor_kwh(settings, state, car, now_unix_s), ""
        asked = asked_for_driving(state, car.car_id, now_unix_s)
        if asked is not None and floor_kwh > least_kwh(settings, car):
            begin_kwh = max(begin_kwh, _BEGINS_SHARE * car.capacity_kwh)
            kept = _kept_words(settings, asked)
    spare_kwh = -1.0 if energy_kwh is None or not here else energy_kwh - floor_kwh
    return IslandSource(
        energy_kwh=energy_kwh,
        floor_kwh=floor_kwh,
        ready=spare_kwh > (0.0 if state.island.lit else begin_kwh),
        kept=kept,
    )


def usable_now(
    settings: HomeSettings, source: IslandSource, observation: HomeObservation
) -> tuple[float | None, float]:
    """What source and stationary battery have left for the home, at its side, and what they hold when full, kWh.

    None: what one of them holds is unknown.
    """
    car, battery = observation.car(settings.source_car_id), settings.battery
    held: list[tuple[float | None, float, float, float]] = []
    if car is not None:
        energy_kwh = source.energy_kwh if car.here else source.floor_kwh
        held.append(
            (energy_kwh, source.floor_kwh or 0.0, car.discharge_efficiency, car.capacity_kwh)
        )
    if battery is not None:
        soc = observation.battery_soc
        energy_kwh = None if soc is None else soc * battery.capacity_kwh
        held.append(
            (energy_kwh, battery.floor_kwh, battery.discharge_efficiency, battery.capacity_kwh)
        )
    capacity_kwh = sum(one[3] for one in held)
    usable_kwh = 0.0
    for energy_kwh, floor_kwh, efficiency, _ in held:
        if energy_kwh is None:
            return None, capacity_kwh
        usable_kwh += max(energy_kwh - floor_kwh, 0.0) * efficiency
    return usable_kwh, capacity_kwh


def least_kwh(settings: HomeSettings, car: HomeCar) -> float:
    """What stays in a car in an outage, whatever its driver asked for."""
    return car.floor_kwh if settings.floor_soc is None else settings.floor_soc * car.capacity_kwh


def energy_kwh_for(
    settings: HomeSettings, car: HomeCar, distance_km: float, consumption_kwh_per_km: float
) -> float:
    """What has to be in a car's battery for a way beyond what stays in it anyway; at most what it can hold."""
    way_kwh = distance_km * consumption_kwh_per_km * (1.0 + _SPARE_SHARE)
    return min(least_kwh(settings, car) + way_kwh, car.capacity_kwh)


def distance_km_with(
    settings: HomeSettings, car: HomeCar, energy_kwh: float, consumption_kwh_per_km: float
) -> float:
    """How far a car gets with an energy in its battery, down to what stays in it anyway: `energy_kwh_for` the other way."""
    beyond_kwh = max(energy_kwh - least_kwh(settings, car), 0.0)
    return beyond_kwh / (consumption_kwh_per_km * (1.0 + _SPARE_SHARE))


def asked_for_driving(state: HomeState, car_id: str, now_unix_s: int) -> MobilityAsked | None:
    """What a driver asked for whose time has not come yet."""
    asked = state.mobility.get(car_id)
    if asked is None or asked.energy_kwh is None or asked.ready_unix_s is None:
        return None
    return asked if now_unix_s < asked.ready_unix_s else None


def driving_kwh(settings: HomeSettings, asked: MobilityAsked, car: HomeCar) -> float:
    """What is kept in a car so that what was asked for is not undercut while the source stops."""
    stopping_kwh = settings.surge_kw * _STOPPING_H / car.discharge_efficiency
    return min((asked.energy_kwh or 0.0) + stopping_kwh, car.capacity_kwh)


def car_floor_kwh(settings: HomeSettings, state: HomeState, car: HomeCar, now_unix_s: int) -> float:
    """What stays in a car in an outage: its floor, and what its driver asked for."""
    floor_kwh = least_kwh(settings, car)
    asked = asked_for_driving(state, car.car_id, now_unix_s)
    return floor_kwh if asked is None else max(floor_kwh, driving_kwh(settings, asked, car))


def _kept_words(settings: HomeSettings, asked: MobilityAsked) -> str:
    until = datetime.fromtimestamp(asked.ready_unix_s or 0, settings.time_zone)
    return f"{asked.energy_kwh:.1f} kWh are kept for driving until {until:%a %H:%M}, as {asked.car_id}'s driver asked"
