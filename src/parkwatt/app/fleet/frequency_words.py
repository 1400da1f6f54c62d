"""What `parkwatt fleet frequency` found, in words and as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from parkwatt.app.fleet.frequency_play import Played
from parkwatt.domain.fleet.programme import Programme
from parkwatt.domain.fleet.record import BlockPerformed
from parkwatt.fleet.frequency.curve import Curve
from parkwatt.fleet.frequency.score import EnergyTest, PerformanceScore, StepTest
from parkwatt.io.fleet_files.frequency import FrequencyRecord


@dataclass(frozen=True, slots=True)
class FrequencyOptions:
    """What the command line says, checked."""

    record: Path | None
    programme: Programme
    curve: Curve
    hours: int
    cars: int
    reserve_kw: float | None
    local_share: float
    leave: float
    refuse: float
    seed: int
    output: Path | None
    report: Path | None


class FrequencyShown(NamedTuple):
    """All that was found. ``steps``, ``energies``: below nominal and above; ``scores``: of each hour."""

    options: FrequencyOptions
    record: FrequencyRecord
    reserve_kw: float
    holdable_kw: float
    local_count: int
    steps: tuple[StepTest, StepTest]
    energies: tuple[EnergyTest, EnergyTest]
    played: Played
    scores: list[PerformanceScore]
    block: BlockPerformed

    @property
    def score(self) -> PerformanceScore:
        """The mean of all hours."""
        return PerformanceScore(*np.mean(np.array(self.scores), axis=0).tolist())


def told(shown: FrequencyShown) -> list[str]:
    """The figures in words, a line each."""
    options, played, score = shown.options, shown.played, shown.score
    source = "a generated" if options.record is None else "the"
    worst = min(one.score for one in shown.scores)
    gained_kwh = played.energy_kwh[-1] - played.energy_kwh[0]
    kept = f"{shown.block.available_s:,} of {len(played.share):,} s"
    tests = [
        _told_tests(name, step, energy)
        for name, step, energy in zip(("below", "above"), shown.steps, shown.energies, strict=True)
    ]
    cars = f"{options.cars:,} cars, {shown.local_count:,} of them with chargers that answer of their own"
    parts = f"delay {score.delay:.3f}, correlation {score.correlation:.3f}, precision {score.precision:.3f}"
    hours = f"{options.hours} h of {source} frequency"
    in_time = f"in time {100 * float(shown.block.score):.2f} % of the seconds"
    moved = f"{played.moved_kwh:,.0f} kWh went through chargers for it"
    return [
        f"{cars}; reserve {shown.reserve_kw:,.0f} kW of {shown.holdable_kw:,.0f} kW that they can hold both ways",
        *tests,
        f"{hours}: score {score.score:.4f} ({parts}; worst hour {worst:.4f})",
        f"{in_time}; reserve there in full {kept}",
        f"{moved}; batteries hold {gained_kwh:+,.0f} kWh against the beginning, charging for drivers included",
        f"floors broken: {played.below_floor}; departures missed: {played.not_ready}",
    ]


def _told_tests(name: str, step: StepTest, energy: EnergyTest) -> str:
    full = "never" if step.full_s is None else f"after {step.full_s:.0f} s"
    passed, held = ("passed" if one.passed else "not passed" for one in (step, energy))
    range_ = f"{100 * step.least:.1f} to {100 * step.most:.1f} %"
    return f"step {name}: all of it {full}, then {range_} ({passed}); held {energy.held_s / 60:.0f} minutes ({held})"


def figures(shown: FrequencyShown) -> dict[str, Any]:
    """The same as data."""
    options = shown.options
    return {
        "programme": options.programme.name,
        "cars": options.cars,
        "local_cars": shown.local_count,
        "seed": options.seed,
        "reserve_kw": shown.reserve_kw,
        "holdable_kw": shown.holdable_kw,
        "step_tests": [one._asdict() for one in shown.steps],
        "energy_tests": [one._asdict() for one in shown.energies],
        "score": shown.score._asdict(),
        "hours": [one._asdict() for one in shown.scores],
        "in_time_share": float(shown.block.score),
        "available_s": shown.block.available_s,
        "seconds": len(shown.played.share),
        "moved_kwh": shown.played.moved_kwh,
        "floors_broken": shown.played.below_floor,
        "departures_missed": shown.played.not_ready,
    }
