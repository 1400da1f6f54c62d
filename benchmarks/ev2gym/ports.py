"""What a charger's controller would know of the car at each port of EV2Gym, and how such a car takes power.

EV2Gym counts energy and power in the battery, for money and for limits alike, so that all powers here are the battery's: losses
make charging slower, and cost nothing. A car takes what is set until it is nearly full; then a fixed share of what is missing
in each step, its *taper*.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from parkwatt.domain.record import FloatArray

LEAST_ACTION: Final = 1e-3
"""EV2Gym rounds a battery up to 0.01 kWh after each step in which it moves: nearly nothing would charge for nothing."""
_ACTION_DIGITS: Final = 5
_FULL_KWH: Final = 0.015
"""What may be missing at departure: with the rounding above, nothing of what EV2Gym counts to a thousandth."""


@dataclass(frozen=True, slots=True)
class Port:
    """A car at a port: ``place`` among the actions, ``transformer`` above it, ``steps_left`` with this one and its last.

    Energies are the battery's. ``full_kw``: of the charger at action 1. ``efficiency_*``: by whole amperes, or one for all.
    ``taper_from_fraction``: of the state of charge from which full power falls; ``taper_rate``: how fast.
    """

    place: int
    transformer: int
    steps_left: int
    step_h: float
    energy_kwh: float
    floor_kwh: float
    capacity_kwh: float
    wanted_kwh: float
    car_charge_kw: float
    car_discharge_kw: float
    full_kw: float
    full_discharge_kw: float
    full_a: float
    full_discharge_a: float
    charge_efficiency: dict[int, float] | float
    discharge_efficiency: dict[int, float] | float
    taper_from_fraction: float
    taper_rate: float

    @property
    def charge_kw(self) -> float:
        """The most that reaches the battery, far from full."""
        return self.charged_kwh(0.0, 1.0) / self.step_h

    @property
    def discharge_kw(self) -> float:
        """The most that leaves the battery."""
        if self.full_discharge_kw <= 0.0:
            return 0.0
        return self._discharged_kw(1.0)

    @property
    def taper_share(self) -> float:
        """Of what is missing, the most that one step brings."""
        return self.share_at(self._gain(1.0))

    def charged_kwh(self, energy_kwh: float, action: float) -> float:
        """What a step brings at an action in [0, 1], from ``energy_kwh`` on."""
        if action <= 0.0:
            return 0.0
        gain = self._gain(action)
        missing = 1.0 - energy_kwh / self.capacity_kwh
        if self.taper_from_fraction >= 1.0:
            return min(gain, missing) * self.capacity_kwh
        most = self._gain(1.0, action)
        # Below full power the taper begins later, and takes the same share of what is missing.
        begins = (1.0 - self.taper_from_fraction) * gain / most
        if missing <= begins:
            taken = missing * self.share_at(most)
        elif missing - gain >= begins:
            taken = gain
        else:
            into = gain - (missing - begins)
            taken = missing - begins * math.exp(-self.taper_rate * into / begins)
        return min(gain, taken) * self.capacity_kwh

    def needed_kwh(self) -> FloatArray:
        """[steps_left + 1] the least energy from which full power in so many steps fills the car."""
        share, most_kwh = self.taper_share, self.charge_kw * self.step_h
        missing_kwh = np.empty(self.steps_left + 1)
        missing_kwh[0] = _FULL_KWH
        for step in range(self.steps_left):
            by_taper_kwh = missing_kwh[step] / (1.0 - share) if share < 1.0 else np.inf
            missing_kwh[step + 1] = min(by_taper_kwh, missing_kwh[step] + most_kwh)
        return self.wanted_kwh - missing_kwh

    def brought_kw(self, action: float) -> float:
        """What an action in [-1, 1] brings to the battery in the coming step; below 0 where it takes from it."""
        if action < 0.0:
            return -self._discharged_kw(-action)
        return self.charged_kwh(self.energy_kwh, action) / self.step_h

    def action_for(self, power_kw: float) -> float:
        """The action that brings ``power_kw`` to or from the battery, or as near below as there is one. Positive charges."""
        sign = 1.0 if power_kw >= 0.0 else -1.0
        wanted_kw = abs(power_kw)
        most_a = self.full_a if sign > 0.0 else self.full_discharge_a
        if wanted_kw <= 0.0 or most_a <= 0.0:
            return 0.0
        best, best_kw = 0.0, 0.0
        for whole_a in range(math.ceil(most_a), -1, -1):
            action = self._within(whole_a, wanted_kw, most_a, sign)
            if action < LEAST_ACTION:
                continue
            brought_kw = abs(self.brought_kw(sign * action))
            if best_kw < brought_kw <= wanted_kw + 1e-9:
                best, best_kw = action, brought_kw
        return sign * best

    def _within(self, whole_a: int, wanted_kw: float, most_a: float, sign: float) -> float:
        """The action at currents that round to ``whole_a`` which brings at most ``wanted_kw``; 0 where there is none."""
        full_kw = self.full_kw if sign > 0.0 else self.full_discharge_kw
        table = self.charge_efficiency if sign > 0.0 else self.discharge_efficiency
        action = wanted_kw / (full_kw * _at(table, whole_a))
        highest = min(whole_a + 0.499, most_a) / most_a
        if action * most_a < whole_a - 0.499:
            return 0.0
        digits = 10.0**_ACTION_DIGITS
        return float(math.floor(min(action, highest) * digits) / digits)

    def _discharged_kw(self, action: float) -> float:
        efficiency = _at(self.discharge_efficiency, round(action * self.full_discharge_a))
        return min(action * self.full_discharge_kw, self.car_discharge_kw) * efficiency

    def _gain(self, action: float, efficiency_at: float | None = None) -> float:
        """Of the capacity, what a step brings far from full. ``efficiency_at``: the action whose efficiency counts."""
        at = action if efficiency_at is None else efficiency_at
        efficiency = _at(self.charge_efficiency, round(at * self.full_a))
        power_kw = min(action * self.full_kw, self.car_charge_kw)
        if efficiency_at is not None:
            power_kw = self.car_charge_kw
        return efficiency * power_kw * self.step_h / self.capacity_kwh

    def share_at(self, most: float) -> float:
        """Of what is missing, the most that one step brings where full power would bring ``most`` of the capacity."""
        if self.taper_from_fraction >= 1.0:
            return 1.0
        return 1.0 - math.exp(-self.taper_rate * most / (1.0 - self.taper_from_fraction))


def _at(efficiency: dict[int, float] | float, current_a: int) -> float:
    """An efficiency at a current. EV2Gym's tables hold percent."""
    return efficiency[current_a] / 100.0 if isinstance(efficiency, dict) else efficiency


def ports_of(env: Any) -> list[Port]:
    """The ports at which a car is, as they are before the coming step."""
    found, place = [], -1
    for station in env.charging_stations:
        for car in station.evs_connected:
            place += 1
            if car is None:
                continue
            found.append(
                Port(
                    place=place,
                    transformer=int(station.connected_transformer),
                    # A car leaves at the end of the step that is named as its departure.
                    steps_left=int(car.time_of_departure) - int(env.current_step) + 1,
                    step_h=env.timescale / 60.0,
                    energy_kwh=float(car.current_capacity),
                    floor_kwh=float(car.min_battery_capacity),
                    capacity_kwh=float(car.battery_capacity),
                    wanted_kwh=float(car.desired_capacity),
                    car_charge_kw=float(car.max_ac_charge_power),
                    car_discharge_kw=abs(float(car.max_discharge_power)),
                    full_kw=float(station.get_max_power()),
                    full_discharge_kw=abs(float(station.get_min_power())),
                    full_a=float(station.max_charge_current),
                    full_discharge_a=abs(float(station.max_discharge_current)),
                    charge_efficiency=car.charge_efficiency,
                    discharge_efficiency=car.discharge_efficiency,
                    taper_from_fraction=float(car.transition_soc),
                    taper_rate=float(car.transition_soc_multiplier),
                )
            )
    return found
