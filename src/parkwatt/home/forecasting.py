"""How long a home would last, or lasts: what is asked, and the reckoning, which may run in a thread of its own.

What circuits use is learned anew once an hour, everything else is reckoned anew each minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from parkwatt.domain.home.circuit import Circuit
from parkwatt.domain.home.event import BackupForecast
from parkwatt.domain.record import FloatArray
from parkwatt.forecast.local_time import DAY_S
from parkwatt.home.announced import Demand
from parkwatt.home.learning import CircuitHistory, LearnedUse
from parkwatt.home.observation import SOLAR_STEP_S, SolarAhead
from parkwatt.home.runtime import (
    EnergyVerdict,
    Generator,
    IslandBattery,
    Mobility,
    Runtime,
    RuntimeRequest,
    energy_verdicts,
    forecast_runtime,
)
from parkwatt.home.sun import solar_courses

_COURSES: Final = 100
_SOLAR_STEPS: Final = 7 * DAY_S // SOLAR_STEP_S


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRequest:
    """All that is known. ``history``: where use is to be learned anew, else ``use`` counts. ``until_unix_s``: how far the
    demand of announced outages is wanted; None: none is. ``end_unix_s``: the outage's, where that was told;
    ``since_unix_s``: when it began, None: it has not. ``running_kw``: what circuits that could run drew in the last hour.
    """

    at_unix_s: int
    circuits: tuple[Circuit, ...]
    time_zone: str
    history: CircuitHistory | None
    use: LearnedUse | None
    batteries: tuple[IslandBattery, ...]
    solar: SolarAhead | None
    standby_kw: float
    restart_kwh: float
    mobility: Mobility | None = None
    generator: Generator | None = None
    off: frozenset[str] = frozenset()
    running_kw: Mapping[str, float] = field(default_factory=dict)
    since_unix_s: int | None = None
    end_unix_s: int | None = None
    until_unix_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeForecast:
    """What came of it. ``runtime``: None where no battery is there. ``demand``: of announced outages, None: not asked for."""

    at_unix_s: int
    use: LearnedUse
    learned_unix_s: int
    runtime: Runtime | None
    verdicts: dict[str, EnergyVerdict]
    demand: Demand | None

    def event(self, *, islanded: bool) -> BackupForecast | None:
        """For the journal; None where nothing can be told."""
        if self.runtime is None:
            return None
        return BackupForecast(
            at_unix_s=self.at_unix_s,
            islanded=islanded,
            usable_kwh=round(self.runtime.usable_kwh, 3),
            hours_p10=round(self.runtime.hours_p10, 2),
            hours_p50=round(self.runtime.hours_p50, 2),
            hours_p90=round(self.runtime.hours_p90, 2),
        )


def make_forecast(request: ForecastRequest) -> HomeForecast:
    """Reckon. Raises ValueError where the request is none."""
    use = request.use
    if use is None or request.history is not None:
        history = CircuitHistory() if request.history is None else request.history
        use = LearnedUse.of(history, request.circuits, request.time_zone, request.at_unix_s)
    runtime, verdicts = None, dict[str, EnergyVerdict]()
    asked = runtime_request(request, use)
    if asked is not None:
        runtime = forecast_runtime(asked)
        if request.since_unix_s is not None:
            verdicts = energy_verdicts(asked, request.end_unix_s, since_unix_s=request.since_unix_s)
    return HomeForecast(
        at_unix_s=request.at_unix_s,
        use=use,
        learned_unix_s=use.now_unix_s,
        runtime=runtime,
        verdicts=verdicts,
        demand=_demand(request, use),
    )


def runtime_request(request: ForecastRequest, use: LearnedUse) -> RuntimeRequest | None:
    """What hours are reckoned from; None where no battery or no circuit is there. Raises ValueError where it is none."""
    if not request.batteries or not request.circuits:
        return None
    return RuntimeRequest(
        at_unix_s=request.at_unix_s,
        batteries=request.batteries,
        use=use,
        solar_kw=_solar_kw(request.solar, request.at_unix_s, _SOLAR_STEPS),
        solar_step_s=SOLAR_STEP_S,
        standby_kw=request.standby_kw,
        restart_kwh=request.restart_kwh,
        mobility=request.mobility,
        off=request.off,
        generator=request.generator,
        running_kw=request.running_kw,
    )


def _solar_kw(solar: SolarAhead | None, start_unix_s: int, step_count: int) -> FloatArray | None:
    """[S, step_count] courses from a time on."""
    return None if solar is None else solar_courses(solar, start_unix_s, step_count, _COURSES)


def _demand(request: ForecastRequest, use: LearnedUse) -> Demand | None:
    """What the house would use in an announced outage, without what is not needed; None where nothing is known of it."""
    until_unix_s = request.until_unix_s
    wanted = [one.tier != "not_needed" for one in request.circuits]
    known = [use.knows(one.circuit_id) for one in request.circuits]
    if until_unix_s is None or not any(wanted):
        return None
    if not all(knows for wants, knows in zip(wanted, known, strict=True) if wants):
        return None
    start_unix_s = request.at_unix_s - request.at_unix_s % SOLAR_STEP_S
    count = -((start_unix_s - until_unix_s) // SOLAR_STEP_S) + 1
    courses = use.scenarios(start_unix_s, SOLAR_STEP_S, count, _COURSES, 0, request.running_kw)
    load_kw = np.asarray(courses[:, np.array(wanted), :].sum(axis=1), dtype=np.float64)
    solar_kw = _solar_kw(request.solar, start_unix_s, count)
    if solar_kw is not None:
        solar_kw = np.broadcast_to(solar_kw, load_kw.shape)
    return Demand(start_unix_s, SOLAR_STEP_S, load_kw, solar_kw)
