"""Parkwatt in the outage: the program's own learning, forecast, verdicts on energy and load shedding, as it runs them.

It is told what a home can know: the circuits' hours before the outage and those that had power in it, the sun of past
days, the battery's energy, whether the outage was announced, and when the driver leaves, how far, and whether they charge
on the way. Nobody tells it when the outage ends, and nobody answers its questions. It looks anew every two hours and when
the car is back; load shedding steps every fifteen seconds while it switches.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from benchmarks.outages.bands import EVERY_S, BandCheck, hours_lived
from benchmarks.outages.cars import DISCHARGE_EFFICIENCY, DISCHARGE_KW_MAX, STANDBY_KW, Trip
from benchmarks.outages.homes import STEP_S
from benchmarks.outages.learned import circuit_hours, solar_scenarios
from benchmarks.outages.pairs import HISTORY_DAYS, Pair
from benchmarks.outages.physics import Decision, Seen
from parkwatt.domain.home.circuit import CircuitReading
from parkwatt.domain.home.event import CircuitSwitched
from parkwatt.domain.record import FloatArray
from parkwatt.forecast.local_time import DAY_S, HOUR_S
from parkwatt.home import shedding
from parkwatt.home.learning import CircuitHistory, LearnedUse
from parkwatt.home.learning.days import CircuitDays
from parkwatt.home.runtime import (
    PLANNED,
    UNPLANNED,
    Absence,
    EnergyVerdict,
    IslandBattery,
    RuntimeRequest,
    energy_verdicts,
    forecast_runtime,
)

_US: Final = 1_000_000
_LOOKS_S: Final = 2 * HOUR_S
_COURSES: Final = 100
_SOLAR_STEP_S: Final = 900
_HORIZON_S: Final = 7 * DAY_S
_SURGE_FACTOR: Final = 2.0
_SHED_EVERY_S: Final = 15
_SHED_STEPS: Final = 40
_CALM_STEPS: Final = 2
_RECENT_STEPS: Final = HOUR_S // STEP_S
_BEYOND: Final = 1.25  # of the 90th percentile: how far the data must go on for an outcome to count
_CAR: Final = "car"


class Managed:
    """One home with Parkwatt. ``bands``: how its forecasts of hours left came out."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        begin_s = pair.grid.start_unix_s
        past = circuit_hours(pair.home, begin_s - HISTORY_DAYS * DAY_S, begin_s)
        self._history = CircuitHistory.of(past)
        self._told_until_s = begin_s // HOUR_S * HOUR_S
        self._had_power = np.zeros((len(pair.home.circuits), pair.grid.step_count), dtype=np.bool_)
        self._place = {one.circuit_id: place for place, one in enumerate(pair.home.circuits)}
        before = pair.home.power_kw[:, pair.first - _RECENT_STEPS : pair.first]
        self._recent_kw = deque(before.T, maxlen=_RECENT_STEPS)
        self._state = shedding.SheddingState()
        self._settings = shedding.SheddingSettings(
            continuous_kw=DISCHARGE_KW_MAX, surge_kw=_SURGE_FACTOR * DISCHARGE_KW_MAX
        )
        self._on = np.ones(len(pair.home.circuits), dtype=np.bool_)
        self._verdicts: Mapping[str, EnergyVerdict] = {}
        self._looked_s: int | None = None
        self._trips_left = -1
        self._checked_s: int | None = None
        self._keep_kwh = pair.car.floor_kwh
        self._use: LearnedUse | None = None
        self._learned_s = begin_s
        self.bands: list[BandCheck] = []

    def decide(self, seen: Seen) -> Decision:
        """What load shedding comes to with the newest verdicts."""
        step = self._pair.grid.index(seen.now_unix_s)
        if step:
            self._had_power[:, step - 1] = np.isfinite(seen.power_kw)
            self._recent_kw.append(seen.power_kw)
        is_back = len(seen.trips) != self._trips_left
        if is_back or self._looked_s is None or seen.now_unix_s - self._looked_s >= _LOOKS_S:
            self._look(seen)
        self._shed(seen)
        self._check(seen)
        return Decision(self._on.copy(), self._keep_kwh)

    # Energy.

    def _look(self, seen: Seen) -> None:
        """Learn what came since, and judge anew how long it lasts and what may be on."""
        now_s, pair = seen.now_unix_s, self._pair
        self._looked_s, self._trips_left = now_s, len(seen.trips)
        self._learn(now_s)
        use = self._learned(now_s)
        request = self._request(seen, use, seen.trips)
        self._verdicts = energy_verdicts(
            request,
            None,
            since_unix_s=pair.grid.start_unix_s,
            lengths=PLANNED if pair.outage.planned else UNPLANNED,
            count=_COURSES,
            seed=pair.number,
        )
        # What is usable now does not depend on the courses: one is enough.
        usable_kwh = forecast_runtime(request, count=1).usable_kwh
        self._keep_kwh = seen.energy_kwh - usable_kwh / DISCHARGE_EFFICIENCY
        self._use = use

    def _learned(self, now_s: int) -> LearnedUse:
        """What is known now. How wide the courses are is learned anew once a day: it takes most of the time."""
        home, use = self._pair.home, self._use
        if use is None or now_s - self._learned_s >= DAY_S:
            self._learned_s = now_s
            return LearnedUse.of(self._history, home.circuits, home.time_zone, now_s)
        ids = [one.circuit_id for one in home.circuits]
        days = CircuitDays.of(self._history, ids, use.days.clock, now_s)
        return replace(use, days=days, now_unix_s=now_s)

    def _learn(self, now_s: int) -> None:
        """The hours that ended, as far as a circuit had power all the time."""
        grid = self._pair.grid
        while self._told_until_s + HOUR_S <= now_s:
            first = grid.index(self._told_until_s)
            hour = self._had_power[:, max(first, 0) : first + HOUR_S // STEP_S]
            had_power = np.asarray(hour.all(axis=1), dtype=np.bool_)
            end_s = self._told_until_s + HOUR_S
            for told in circuit_hours(self._pair.home, self._told_until_s, end_s, had_power):
                self._history.add(told)
            self._told_until_s = end_s

    def _request(self, seen: Seen, use: LearnedUse, trips: tuple[Trip, ...]) -> RuntimeRequest:
        pair, car = self._pair, self._pair.car
        battery = IslandBattery(
            battery_id=_CAR,
            energy_kwh=seen.energy_kwh,
            floor_kwh=car.floor_kwh,
            capacity_kwh=car.capacity_kwh,
            discharge_efficiency=DISCHARGE_EFFICIENCY,
            discharge_kw_max=DISCHARGE_KW_MAX,
            absences=tuple(
                Absence(
                    leaves_unix_s=trip.leaves_unix_s,
                    returns_unix_s=trip.returns_unix_s,
                    trip_kwh=trip.trip_kwh,
                    returns_kwh=trip.public_kwh or None,
                )
                for trip in trips
            ),
        )
        solar_kw = solar_scenarios(
            pair.home,
            seen.now_unix_s,
            _SOLAR_STEP_S,
            _HORIZON_S // _SOLAR_STEP_S,
            _COURSES,
            pair.number,
        )
        return RuntimeRequest(
            at_unix_s=seen.now_unix_s,
            batteries=(battery,),
            use=use,
            solar_kw=solar_kw,
            solar_step_s=_SOLAR_STEP_S,
            standby_kw=STANDBY_KW,
            off=frozenset(
                one.circuit_id
                for one, is_on in zip(pair.home.circuits, self._on, strict=True)
                if not is_on
            ),
            running_kw=self._running_kw(),
            horizon_s=_HORIZON_S,
        )

    def _running_kw(self) -> dict[str, float]:
        """What circuits drew in the last hour, those that had power in all of it."""
        mean_kw = np.mean(self._recent_kw, axis=0)
        told = zip(self._pair.home.circuits, mean_kw, strict=True)
        return {one.circuit_id: float(kw) for one, kw in told if np.isfinite(kw)}

    # Shedding.

    def _shed(self, seen: Seen) -> None:
        """Steps of load shedding until nothing moves any more, within the ten minutes."""
        calm = 0
        for number in range(_SHED_STEPS):
            now_us = seen.now_unix_s * _US + number * _SHED_EVERY_S * _US
            inputs = shedding.SheddingInputs(
                mode="islanded",
                circuits=self._pair.home.circuits,
                readings=self._readings(seen.power_kw, now_us),
                verdicts=self._verdicts,
            )
            stepped = shedding.step(self._state, inputs, self._settings, now_us)
            for event in stepped.events:
                if isinstance(event, CircuitSwitched):
                    self._on[self._place[event.circuit_id]] = event.on
            calm = 0 if stepped.events else calm + 1
            if calm > _CALM_STEPS:
                return

    def _readings(self, power_kw: FloatArray, now_us: int) -> dict[str, CircuitReading]:
        """What switches and meters tell; a circuit that was off before has no power to tell yet."""
        return {
            one.circuit_id: CircuitReading(
                circuit_id=one.circuit_id,
                measured_unix_us=now_us,
                on=bool(is_on),
                power_kw=0.0 if not is_on else (float(kw) if np.isfinite(kw) else None),
            )
            for one, is_on, kw in zip(self._pair.home.circuits, self._on, power_kw, strict=True)
        }

    # The bands.

    def _check(self, seen: Seen) -> None:
        """Forecast for a car that stays, and hold it against what comes with these circuits on."""
        pair = self._pair
        use, checked_s = self._use, self._checked_s
        if use is None or (checked_s is not None and seen.now_unix_s - checked_s < EVERY_S):
            return
        self._checked_s = seen.now_unix_s
        request = self._request(seen, use, ())
        told = forecast_runtime(request, count=_COURSES, seed=pair.number)
        usable_kwh = seen.energy_kwh - pair.car.floor_kwh
        horizon_h = _HORIZON_S / HOUR_S
        if usable_kwh <= 0.0 or told.hours_p10 >= horizon_h:
            return
        until_h = min(_BEYOND * told.hours_p90, horizon_h)
        outcome_h = hours_lived(pair.home, seen.now_unix_s, self._on, usable_kwh, until_h)
        if outcome_h is not None:
            ahead_s = seen.now_unix_s - pair.grid.start_unix_s
            self.bands.append(
                BandCheck(ahead_s, told.hours_p10, told.hours_p50, told.hours_p90, outcome_h)
            )
