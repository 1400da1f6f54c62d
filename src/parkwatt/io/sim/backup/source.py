"""The island's source: an inverter that makes the voltage, from the car's battery, and a stationary one beside it.

It begins to form a voltage some seconds after its contact closed on a dead bus, and stops when the contact opens. It carries a
surge above its continuous power for a while, and nothing above the surge; what it cannot carry trips it. When too much sun
comes it raises the frequency: by as much as needed while the batteries take the rest, and all the way once they are full, until
they have given some of their energy again. To start from dark it needs energy of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from parkwatt.io.sim.backup.shared_car import SharedCar, floor_kwh, give, take
from parkwatt.io.sim.backup.solar import shift_hz
from parkwatt.io.sim.car import Car

SourceState = Literal["off", "starting", "forming", "tripped", "empty", "dead"]
STATES: tuple[SourceState, ...] = ("off", "starting", "forming", "tripped", "empty", "dead")
_RECHARGE_KW = 0.5


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """``surge_kw`` is carried for ``surge_s``, more for ``trip_s``. ``retry_s``: how long it stays off after a trip.

    ``floor_soc``: below it nothing is given. ``dark_start_kwh``: for its own electronics while there is no voltage anywhere,
    drained by ``standby_kw``. ``full_soc``, ``resume_soc``: where sun is pushed off, and let on again.
    """

    continuous_kw: float = 7.4
    surge_kw: float = 12.0
    surge_s: float = 10.0
    trip_s: float = 0.1
    start_s: float = 5.0
    retry_s: float = 60.0
    standby_kw: float = 0.05
    dark_start_kwh: float = 0.5
    floor_soc: float = 0.1
    full_soc: float = 0.97
    resume_soc: float = 0.94
    nominal_hz: float = 50.0


class IslandSource:
    """``car`` gives while ``is_plugged``; ``battery``, if there is one, gives first. ``power_kw``: what both give or (-) take.

    ``trips``: how often it tripped. ``because``: why it last did.
    """

    def __init__(
        self, settings: SourceSettings, car: SharedCar | None, battery: Car | None = None
    ) -> None:
        self.settings = settings
        self.car, self.battery = car, battery
        self.is_plugged = car is not None
        self.state: SourceState = "off"
        self.dark_kwh = settings.dark_start_kwh
        self.power_kw = self.car_kw = self.battery_kw = 0.0
        self.trips = 0
        self.because = ""
        self._left_s = 0.0
        self._strained_s = self._overrun_s = 0.0
        self._is_full = False

    @property
    def batteries(self) -> list[Car]:
        """What there is to give, in the order in which it gives."""
        car = [self.car] if self.car is not None and self.is_plugged else []
        return ([self.battery] if self.battery is not None else []) + list(car)

    def left_kwh(self) -> float:
        """Energy above the floors."""
        return sum(
            max(one.energy_kwh - floor_kwh(one, self.settings.floor_soc), 0.0)
            for one in self.batteries
        )

    @property
    def is_forming(self) -> bool:
        """Whether there is voltage at its terminals."""
        return self.state == "forming"

    # How it decides, before time passes.

    def frequency_hz(self, load_kw: float, solar_kw_available: float) -> float:
        """The frequency that it makes, for a load and what the sun would give."""
        least_soc = min((one.soc for one in self.batteries), default=1.0)
        if least_soc >= self.settings.full_soc:
            self._is_full = True
        elif least_soc < self.settings.resume_soc:
            self._is_full = False
        if self._is_full:
            return self.settings.nominal_hz + 2.0
        usable_kw = load_kw + self._acceptance_kw()
        if solar_kw_available <= usable_kw:
            return self.settings.nominal_hz
        return self.settings.nominal_hz + shift_hz(usable_kw / solar_kw_available)

    def _acceptance_kw(self) -> float:
        return min(sum(one.charge_kw_max for one in self.batteries), self.settings.continuous_kw)

    def holds_for_s(self, power_kw: float) -> float:
        """How long until it changes by itself, at that power."""
        settings = self.settings
        if self.state in ("starting", "tripped"):
            return self._left_s or math.inf
        if self.state != "forming" or power_kw <= settings.continuous_kw:
            return math.inf
        strained_s = settings.surge_s - self._strained_s
        if power_kw > settings.surge_kw:
            return min(settings.trip_s - self._overrun_s, strained_s)
        return strained_s

    # How it lives.

    def pass_time(
        self, duration_s: float, *, power_kw: float, contact: bool, bus_live: bool
    ) -> None:
        """Live for at most a second. ``power_kw``: what the home asks of it. ``bus_live``: there is voltage from elsewhere."""
        self._keep_awake(duration_s, bus_live=bus_live)
        self.power_kw = self.car_kw = self.battery_kw = 0.0
        if self.state == "forming" and contact and not bus_live:
            self._carry(power_kw, duration_s)
        self._left_s = max(self._left_s - duration_s, 0.0)
        self._change(contact=contact, bus_live=bus_live)
        if self.car is not None and self.is_plugged and self.state == "forming":
            self.car.power_kw = -self.car_kw

    def _keep_awake(self, duration_s: float, *, bus_live: bool) -> None:
        hours = duration_s / 3600.0
        if bus_live or self.state == "forming":
            full_kwh = self.settings.dark_start_kwh
            self.dark_kwh = min(self.dark_kwh + _RECHARGE_KW * hours, full_kwh)
        else:
            self.dark_kwh = max(self.dark_kwh - self.settings.standby_kw * hours, 0.0)

    def _carry(self, power_kw: float, duration_s: float) -> None:
        settings = self.settings
        if power_kw > settings.continuous_kw:
            self._strained_s += duration_s
        else:
            self._strained_s = max(self._strained_s - duration_s, 0.0)
        self._overrun_s = self._overrun_s + duration_s if power_kw > settings.surge_kw else 0.0
        if power_kw >= 0.0:
            missing_kw = self._give(power_kw + settings.standby_kw, duration_s)
        else:
            self._take(-power_kw, duration_s)
            missing_kw = 0.0
        self.power_kw = power_kw
        if missing_kw > 1e-6:
            self._enter("empty", "no energy above the floor")
        elif self._overrun_s >= settings.trip_s - 1e-9:
            self.trip(f"{power_kw:.1f} kW, more than its surge of {settings.surge_kw:g} kW")
        elif self._strained_s >= settings.surge_s - 1e-9:
            self.trip(
                f"above {settings.continuous_kw:g} kW for {settings.surge_s:g} s, {power_kw:.1f} kW"
            )

    def _give(self, power_kw: float, duration_s: float) -> float:
        """Returns what could not be given."""
        for battery in self.batteries:
            most_kw = battery.settings.discharge_kw_max if battery is self.battery else power_kw
            given_kw = give(battery, min(power_kw, most_kw), duration_s, self.settings.floor_soc)
            self._count(battery, given_kw)
            power_kw -= given_kw
        return power_kw

    def _take(self, power_kw: float, duration_s: float) -> None:
        for battery in self.batteries:
            taken_kw = take(battery, power_kw, duration_s)
            self._count(battery, -taken_kw)
            power_kw -= taken_kw

    def _count(self, battery: Car, power_kw: float) -> None:
        if battery is self.battery:
            self.battery_kw += power_kw
        else:
            self.car_kw += power_kw

    def _change(self, *, contact: bool, bus_live: bool) -> None:
        if not contact:
            if self.state not in ("off", "tripped", "dead") or (
                self.state == "tripped" and self._left_s <= 0.0
            ):
                self._enter("off")
        elif self.state == "off" or (self.state == "tripped" and self._left_s <= 0.0):
            self._enter("starting", lasts_s=self.settings.start_s)
        elif self.state == "starting" and self._left_s <= 0.0 and not bus_live:
            self._enter("forming" if self.left_kwh() > 0.0 else "empty")
        elif self.state == "empty" and self.left_kwh() > 0.02:
            self._enter("starting", lasts_s=self.settings.start_s)
        if self.dark_kwh <= 0.0 and self.state != "forming":
            self._enter("dead", "its own battery is flat")
        elif self.state == "dead" and self.dark_kwh > 0.0:
            self._enter("off")

    def trip(self, because: str) -> None:
        """Stop at once; it stays off for a while."""
        self.trips += 1
        self._enter("tripped", because, lasts_s=self.settings.retry_s)

    def wake(self) -> None:
        """A person starts it by hand, with energy from elsewhere."""
        self.dark_kwh = max(self.dark_kwh, 0.1 * self.settings.dark_start_kwh)

    def _enter(self, state: SourceState, because: str = "", lasts_s: float = 0.0) -> None:
        self.state, self._left_s = state, lasts_s
        self.because = because or self.because
        self._strained_s = self._overrun_s = 0.0
