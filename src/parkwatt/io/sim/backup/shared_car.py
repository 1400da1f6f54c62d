"""A car that a charger's simulation and an island's source share: one battery, and whoever has the say over its power."""

from __future__ import annotations

from typing import Literal

from parkwatt.io.sim.car import Car, interpolate
from parkwatt.io.sim.station import VirtualStation

# What the charger stands on: the grid or another's island; nothing; or its own inverter makes the island's voltage.
Supply = Literal["mains", "none", "forming"]


class SharedCar(Car):
    """``supply``: set by the home. Only on mains does the charger decide on the power."""

    supply: Supply = "mains"

    def step(self, asked_kw: float, duration_s: float) -> float:
        """As any car on mains; nothing without; in its own island the power that the home takes, counted there."""
        if self.supply == "mains":
            return super().step(asked_kw, duration_s)
        if self.supply == "none":
            self.rest()
        return self.power_kw


def share_car(station: VirtualStation) -> SharedCar:
    """Let a charger's car be one that a home shares; returns it."""
    car = SharedCar(station.settings.car)
    car.energy_kwh = station.car.energy_kwh
    station.car = car
    return car


def floor_kwh(battery: Car, floor_soc: float) -> float:
    """The energy below which a battery gives nothing to an island."""
    return max(floor_soc, battery.settings.soc_floor) * battery.settings.capacity_kwh


def give(battery: Car, power_kw: float, duration_s: float, floor_soc: float) -> float:
    """Take power at the terminals out of a battery; returns what it could give on average."""
    if power_kw <= 0.0 or duration_s <= 0.0:
        return 0.0
    hours = duration_s / 3600.0
    efficiency = interpolate(battery.settings.discharge_efficiency, power_kw)
    left_kwh = max(battery.energy_kwh - floor_kwh(battery, floor_soc), 0.0)
    given_kw = min(power_kw, left_kwh * efficiency / hours)
    battery.energy_kwh -= given_kw / efficiency * hours
    return given_kw


def take(battery: Car, power_kw: float, duration_s: float) -> float:
    """Put power into a battery; returns what it took on average."""
    wanted_kw = min(power_kw, battery.charge_kw_max)
    if wanted_kw <= 0.0 or duration_s <= 0.0:
        return 0.0
    hours = duration_s / 3600.0
    efficiency = interpolate(battery.settings.charge_efficiency, wanted_kw)
    room_kwh = max(battery.settings.capacity_kwh - battery.energy_kwh, 0.0)
    taken_kw = min(wanted_kw, room_kwh / (efficiency * hours))
    battery.energy_kwh += taken_kw * efficiency * hours
    return taken_kw
