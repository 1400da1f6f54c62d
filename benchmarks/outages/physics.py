"""What physically happens to a home in an outage, in steps of ten minutes; it knows nothing of how Parkwatt decides.

The car runs the circuits that are on, less what the roof gives; what the roof gives beyond that is lost, since no car
charges from an island unless asked. Inverter and gateway take 0.1 kW at the home while they run, and each kWh there takes
1 / 0.93 kWh from the battery. At the floor, or at what the policy keeps for the driver, the inverter stops in the midst of
a step, and the home stays dark until the car comes home with more. While the car is away the home is dark. More than 9.6
kW trips the inverter for the step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.outages.cars import (
    DISCHARGE_EFFICIENCY,
    DISCHARGE_KW_MAX,
    STANDBY_KW,
    TOLD_TRIPS,
    Car,
    Trip,
)
from benchmarks.outages.pairs import Pair
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeGrid

ENOUGH_KWH = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a policy is told at the beginning of a step.

    ``power_kw``: [C] of the last step, NaN where a circuit was off then. ``trips``: the next two, whether the outage is over
    before them or not.
    """

    now_unix_s: int
    energy_kwh: float
    power_kw: FloatArray
    solar_kw: float
    trips: tuple[Trip, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """``on``: [C] which circuits are on. ``keep_kwh``: the battery's energy at which the inverter stops."""

    on: NDArray[np.bool_]
    keep_kwh: float


class Policy(Protocol):
    """Decides at each step in which the car is at home."""

    def decide(self, seen: Seen) -> Decision:
        """What is on in the step that begins."""


@dataclass(frozen=True, slots=True)
class Departure:
    """Whether the car had at a departure what its driver needs, and whether it could have had it at all."""

    kept: bool
    possible: bool


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """``served``: [C, T] share of each step in which a circuit had power. ``energy_kwh``: [T+1] in the battery.

    ``switchings``: how often a circuit was told something else than before. ``tripped_steps``: with more than the inverter
    gives.
    """

    served: FloatArray
    energy_kwh: FloatArray
    departures: tuple[Departure, ...]
    switchings: int
    tripped_steps: int


@dataclass(slots=True)
class _Running:
    energy_kwh: float
    is_dark: bool = False
    departures: list[Departure] = field(default_factory=list)
    switchings: int = 0
    tripped_steps: int = 0


def away_steps(grid: TimeGrid, trips: tuple[Trip, ...]) -> list[tuple[int, int]]:
    """For each trip the step in which the car leaves, and the first in which it is back; at most the end."""
    return [
        (
            min(grid.index(trip.leaves_unix_s), grid.step_count),
            min(-(-(trip.returns_unix_s - grid.start_unix_s) // grid.step_s), grid.step_count),
        )
        for trip in trips
    ]


def possible(car: Car) -> list[bool]:
    """For each trip whether its driver could have what they need, were the home to take nothing."""
    energy_kwh, found = car.energy_kwh, []
    for trip in car.trips:
        found.append(energy_kwh >= car.floor_kwh + trip.trip_kwh - ENOUGH_KWH)
        energy_kwh = after_trip_kwh(car, trip, energy_kwh)
    return found


def after_trip_kwh(car: Car, trip: Trip, energy_kwh: float) -> float:
    """What the car comes home with. A driver who lacks something charges it on the way."""
    return max(energy_kwh - trip.trip_kwh, trip.public_kwh, min(energy_kwh, car.floor_kwh))


def drain_kwh(grid: TimeGrid, load_kw: float, solar_kw: float) -> float:
    """What a step takes from the battery while the inverter runs."""
    return grid.step_h * max(load_kw + STANDBY_KW - solar_kw, 0.0) / DISCHARGE_EFFICIENCY


def simulate(pair: Pair, policy: Policy) -> Course:
    """Lives through the outage."""
    grid, car = pair.grid, pair.car
    power_kw, solar_kw = pair.power_kw, pair.solar_kw
    leaves = {steps[0]: place for place, steps in enumerate(away_steps(grid, car.trips))}
    returns = {steps[1]: place for place, steps in enumerate(away_steps(grid, car.trips))}
    can = possible(car)
    count = len(pair.home.circuits)
    served = np.zeros((count, grid.step_count))
    energy_kwh = np.empty(grid.step_count + 1)
    state = _Running(car.energy_kwh)
    on = np.ones(count, dtype=np.bool_)
    is_away, trips_begun = False, 0
    for step in range(grid.step_count):
        energy_kwh[step] = state.energy_kwh
        if step in returns and is_away:
            trip = car.trips[returns[step]]
            state.energy_kwh = after_trip_kwh(car, trip, state.energy_kwh)
            is_away = state.is_dark = False
        if step in leaves:
            trip = car.trips[leaves[step]]
            kept = state.energy_kwh >= car.floor_kwh + trip.trip_kwh - ENOUGH_KWH
            state.departures.append(Departure(kept, can[leaves[step]]))
            is_away, trips_begun = True, leaves[step] + 1
        if is_away:
            continue
        before = max(step - 1, 0)
        shown_kw = np.where(served[:, before] > 0.0, power_kw[:, before], np.nan)
        decision = policy.decide(
            Seen(
                grid.start_unix_s + step * grid.step_s,
                state.energy_kwh,
                shown_kw,
                float(solar_kw[before]),
                car.trips[trips_begun : trips_begun + TOLD_TRIPS],
            )
        )
        state.switchings += int((decision.on != on).sum()) if step else 0
        on = decision.on
        _pass(state, decision, power_kw[:, step], float(solar_kw[step]), grid, car, served[:, step])
    energy_kwh[-1] = state.energy_kwh
    return Course(
        served, energy_kwh, tuple(state.departures), state.switchings, state.tripped_steps
    )


def _pass(
    state: _Running,
    decision: Decision,
    power_kw: FloatArray,
    solar_kw: float,
    grid: TimeGrid,
    car: Car,
    served: FloatArray,
) -> None:
    """One step with the car at home; what is served is written into ``served`` [C]."""
    usable_kwh = state.energy_kwh - max(decision.keep_kwh, car.floor_kwh)
    state.is_dark = state.is_dark or usable_kwh <= ENOUGH_KWH
    if state.is_dark:
        return
    load_kw = float(power_kw[decision.on].sum())
    if load_kw - solar_kw > DISCHARGE_KW_MAX:
        state.tripped_steps += 1
        state.energy_kwh -= min(drain_kwh(grid, 0.0, solar_kw), usable_kwh)
        return
    needed_kwh = drain_kwh(grid, load_kw, solar_kw)
    share = 1.0 if needed_kwh <= usable_kwh else usable_kwh / needed_kwh
    served[decision.on] = share
    state.energy_kwh -= share * needed_kwh
    state.is_dark = share < 1.0
