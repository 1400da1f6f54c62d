"""Holds a month's promises against what physically happened, and tells figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from parkwatt.io.sim.home import judging
from parkwatt.io.sim.home.truth import Truth
from parkwatt.io.sim.settings import StationSettings
from tests.soak.month_home import (
    CAPACITY_KWH,
    FLOOR_SOC,
    IMPORT_LIMIT_KW,
    READY_SOC,
    ZONE,
)

STEP_S = 2
# A step of the control, and the seconds that the truth is told in.
LIMIT_S = STEP_S + 1
SHORT_KWH = 0.01 * CAPACITY_KWH
FEED_IN_KW, FEED_IN_S = 0.2, 5
# While Parkwatt, the meter or the charger's link is away, a car may go on as it was told until its lease ends.
LEASE_S = 30
# After the trouble: until everybody has found back to each other.
AFTER_S = 60
Span = tuple[int, int]


@dataclass
class Verdict:
    """``faults``: a line for each broken promise; ``figures``: by name."""

    faults: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """Figures, then faults."""
        lines = [f"{name}: {value:g}" for name, value in self.figures.items()]
        return "\n".join([*lines, *self.faults])


def judge(truth: Truth, station: StationSettings, troubled: Sequence[Span] = ()) -> Verdict:
    """All promises of one car. ``troubled``: spans (from, until; Unix s) in which something that control needs was away."""
    verdict = Verdict()
    _departures(truth, station, verdict)
    floor = judging.discharge_below(truth, 0, FLOOR_SOC)
    verdict.figures["seconds discharged below the floor"] = floor.total_s
    verdict.faults += _told("discharged below its floor", floor, 0)
    limit = judging.import_excess(truth, IMPORT_LIMIT_KW)
    verdict.figures["longest above the import limit, s"] = limit.longest_s
    verdict.figures["most above the import limit, kW"] = limit.most_kw
    verdict.faults += _told("above the import limit", limit, LIMIT_S)
    _feed_in(truth, troubled, verdict)
    changes = judging.switchings(truth, 0)
    verdict.figures["switchings a day, mean"] = float(changes.mean())
    verdict.figures["switchings a day, most"] = float(changes.max())
    verdict.figures["charged, kWh"] = float(truth.car_kw[0].clip(0).sum(dtype=float)) / 3600
    verdict.figures["discharged, kWh"] = (
        float(-truth.car_kw[0].clip(None, 0).sum(dtype=float)) / 3600
    )
    return verdict


def _departures(truth: Truth, station: StationSettings, verdict: Verdict) -> None:
    asked_kwh = READY_SOC * CAPACITY_KWH
    kept = impossible = 0
    for left in truth.departures:
        if left.energy_kwh >= asked_kwh - SHORT_KWH:
            kept += 1
            continue
        possible_kwh = judging.possible_energy_kwh(
            truth,
            left,
            station,
            begin_unix_s=left.arrived_unix_s,
            energy_kwh=left.arrived_energy_kwh,
            import_limit_kw=IMPORT_LIMIT_KW,
        )
        if left.energy_kwh >= min(possible_kwh, asked_kwh) - SHORT_KWH:
            impossible += 1
            continue
        verdict.faults.append(
            f"{local(left.departed_unix_s)}: left with {left.energy_kwh:.1f} kWh of {asked_kwh:.1f}; "
            f"{possible_kwh:.1f} kWh were possible since {local(left.arrived_unix_s)}"
        )
    verdict.figures["departures"] = len(truth.departures)
    verdict.figures["departures kept"] = kept
    verdict.figures["departures kept as far as possible"] = impossible


def _feed_in(truth: Truth, troubled: Sequence[Span], verdict: Verdict) -> None:
    """Zero export while the house runs from the car: the grid's mean then, and how long the car fed in."""
    discharging = truth.car_kw[0] < -0.05
    grid_kw = truth.grid_kw()
    if discharging.any():
        verdict.figures["grid while discharging, mean W"] = 1000.0 * float(
            grid_kw[discharging].mean()
        )
        fed_kw = judging.feed_in_kw(truth)[discharging]
        verdict.figures["fed in by the car, mean W"] = 1000.0 * float(fed_kw.mean())
        verdict.figures["fed in by the car, kWh"] = float(fed_kw.sum(dtype=float)) / 3600
    fed = judging.feed_in(truth, FEED_IN_KW)
    verdict.figures["longest above 200 W fed in, s"] = fed.longest_s
    verdict.figures["stretches above 200 W fed in"] = len(fed.runs_s)
    for start, length in fed.beyond(FEED_IN_S):
        excused = any(first <= start < last + AFTER_S for first, last in troubled)
        if length > (LEASE_S + FEED_IN_S if excused else 0):
            verdict.faults.append(f"{local(start)}: fed in by the car for {length} s")


def _told(what: str, excess: judging.Excess, most_s: int) -> list[str]:
    return [f"{local(start)}: {what} for {length} s" for start, length in excess.beyond(most_s)]


def local(unix_s: int) -> str:
    """A time as people of the home tell it."""
    return f"{datetime.fromtimestamp(unix_s, ZONE):%a %d %b %H:%M:%S}"


def percentile(values: Sequence[float], share: float) -> float:
    """0 where there is none."""
    return float(np.percentile(values, share)) if len(values) else 0.0
