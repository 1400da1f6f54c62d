"""What carries a home without the grid: batteries that stay, cars that leave and come back, a generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A car is away from ``leaves_unix_s`` until ``returns_unix_s``; None: nobody knows when it is back.

    ``trip_kwh``: what the trip takes from the battery. ``returns_kwh``: the driver charges on the way, and comes back with at
    least that in the battery; None: charges nowhere.
    """

    leaves_unix_s: int
    returns_unix_s: int | None = None
    trip_kwh: float = 0.0
    returns_kwh: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IslandBattery:
    """A battery that can carry the home; energies are in the battery, powers at the home's side.

    ``floor_kwh``: below it nothing is taken, whatever comes. ``charge_kw_max``: from the sun or a generator; the default
    0 is for a car, for no car charges from an island unless asked. ``absences`` in order of time.
    """

    battery_id: str
    energy_kwh: float
    floor_kwh: float
    capacity_kwh: float
    discharge_efficiency: float
    discharge_kw_max: float
    charge_kw_max: float = 0.0
    charge_efficiency: float = 0.95
    absences: tuple[Absence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """A generator with ``fuel_kwh`` of electricity left in its tank.

    It starts when the batteries hold less than ``starts_below_kwh`` for the home, gives up to ``power_kw_max`` after
    ``warm_up_s``, and stops above ``stops_above_kwh``, or when its fuel is spent.
    """

    power_kw_max: float
    fuel_kwh: float
    starts_below_kwh: float
    stops_above_kwh: float
    warm_up_s: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Mobility:
    """What the driver asks for: ``energy_kwh`` in a car's battery by ``ready_unix_s``.

    ``firm``: nothing of the home outranks it. Otherwise circuits that must stay on may take it, all others may not.
    """

    battery_id: str
    energy_kwh: float
    ready_unix_s: int
    firm: bool = True


def battery_faults(batteries: Sequence[IslandBattery]) -> list[str]:
    """What is wrong with some batteries, a sentence each."""
    found = []
    for one in batteries:
        checks = (
            (one.capacity_kwh > 0, "capacity_kwh must be above 0", one.capacity_kwh),
            (one.energy_kwh >= 0, "energy_kwh must be at least 0", one.energy_kwh),
            (
                0 <= one.floor_kwh <= one.capacity_kwh,
                "floor_kwh must be within the capacity",
                one.floor_kwh,
            ),
            (
                0 < one.discharge_efficiency <= 1,
                "discharge_efficiency must be above 0 and at most 1",
                one.discharge_efficiency,
            ),
            (
                0 < one.charge_efficiency <= 1,
                "charge_efficiency must be above 0 and at most 1",
                one.charge_efficiency,
            ),
            (
                one.discharge_kw_max >= 0,
                "discharge_kw_max must be at least 0",
                one.discharge_kw_max,
            ),
            (one.charge_kw_max >= 0, "charge_kw_max must be at least 0", one.charge_kw_max),
        )
        found += [
            f"{one.battery_id}.{rule}, got {value}" for good, rule, value in checks if not good
        ]
        found += _absence_faults(one)
    return found


def _absence_faults(battery: IslandBattery) -> list[str]:
    found = []
    before: int | None = None
    for number, one in enumerate(battery.absences):
        where = f"{battery.battery_id}.absences[{number}]"
        if before is not None and one.leaves_unix_s < before:
            found.append(f"{where}.leaves_unix_s must not lie before the car is back")
        if one.returns_unix_s is None:
            if number + 1 < len(battery.absences):
                found.append(f"{where}.returns_unix_s must be known where the car leaves again")
        elif one.returns_unix_s <= one.leaves_unix_s:
            found.append(f"{where}.returns_unix_s must be after leaves_unix_s")
        if one.trip_kwh < 0:
            found.append(f"{where}.trip_kwh must be at least 0, got {one.trip_kwh}")
        before = one.returns_unix_s
    return found
