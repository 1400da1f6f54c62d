"""A car's battery behind a plug: taper, efficiency by power, ramp and floor.

In one step the power is constant, so that the energy at the plug is exactly power times time and the meter and
the battery can be compared to the last bit. A step that would overfill the battery, or draw it below the
floor, gets the power that ends exactly there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from parkwatt.io.sim.settings import CarSettings

Curve = Sequence[tuple[float, float]]


def interpolate(curve: Curve, x: float) -> float:
    """The value at ``x`` of the points (x, y) in ascending x, linear between them and flat beyond the ends."""
    at = bisect_right([point[0] for point in curve], x)
    if at == 0:
        return curve[0][1]
    if at == len(curve):
        return curve[-1][1]
    (x0, y0), (x1, y1) = curve[at - 1], curve[at]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


class Car:
    """One car; ``power_kw`` at the plug is what it draws now, negative when it discharges."""

    def __init__(self, settings: CarSettings) -> None:
        self.settings = settings
        self.energy_kwh = settings.soc * settings.capacity_kwh
        self.power_kw = 0.0
        self.ramp_kw_per_s = settings.ramp_kw_per_s

    @property
    def soc(self) -> float:
        """State of charge, a fraction from 0 to 1."""
        return self.energy_kwh / self.settings.capacity_kwh

    @soc.setter
    def soc(self, soc: float) -> None:
        self.energy_kwh = min(max(soc, 0.0), 1.0) * self.settings.capacity_kwh

    @property
    def charge_kw_max(self) -> float:
        """The most that the car takes at its present state of charge."""
        car, soc = self.settings, self.soc
        if soc >= 1.0:
            return 0.0
        if soc <= car.taper_from_soc:
            return car.charge_kw_max
        beyond = (soc - car.taper_from_soc) / (1.0 - car.taper_from_soc)
        return car.charge_kw_max * (1.0 - beyond * (1.0 - car.taper_end_fraction))

    @property
    def discharge_kw_max(self) -> float:
        """The most that the car gives at its present state of charge, not negative."""
        return self.settings.discharge_kw_max if self.soc > self.settings.soc_floor else 0.0

    def step(self, asked_kw: float, duration_s: float) -> float:
        """Follow ``asked_kw`` as far as the car can for ``duration_s``; returns the power at the plug in kW."""
        wish_kw = min(max(asked_kw, -self.discharge_kw_max), self.charge_kw_max)
        if abs(wish_kw) < self.settings.power_kw_min:
            wish_kw = 0.0
        reach_kw = self.ramp_kw_per_s * duration_s
        power_kw = min(max(wish_kw, self.power_kw - reach_kw), self.power_kw + reach_kw)
        hours = duration_s / 3600.0
        self.power_kw = self._store(power_kw, hours) if hours > 0 else self.power_kw
        return self.power_kw

    def rest(self) -> None:
        """No current flows: unplugged, or the contactor is open."""
        self.power_kw = 0.0

    def drive(self, energy_kwh: float) -> None:
        """Use energy on the road; an empty battery stays empty."""
        self.energy_kwh = max(self.energy_kwh - energy_kwh, 0.0)

    def _store(self, power_kw: float, hours: float) -> float:
        car = self.settings
        if power_kw > 0:
            efficiency = interpolate(car.charge_efficiency, power_kw)
            room_kw = max(car.capacity_kwh - self.energy_kwh, 0.0) / (efficiency * hours)
            if power_kw >= room_kw:
                self.energy_kwh = car.capacity_kwh
                return room_kw
            self.energy_kwh += power_kw * efficiency * hours
        elif power_kw < 0:
            efficiency = interpolate(car.discharge_efficiency, -power_kw)
            floor_kwh = car.soc_floor * car.capacity_kwh
            room_kw = max(self.energy_kwh - floor_kwh, 0.0) * efficiency / hours
            if -power_kw >= room_kw:
                self.energy_kwh = min(self.energy_kwh, floor_kwh)
                return -room_kw
            self.energy_kwh += power_kw / efficiency * hours
        return power_kw
