"""How much of what perfect foresight could earn the rolling horizon keeps, on real prices, homes and cars.

`python -m benchmarks closed_loop` measures a few sites, within minutes; `python -m benchmarks.closed_loop --all` prints all
tables that stand in docs/concepts/closed-loop.md. Cars and spans are split in two halves: choices were made on one, figures
come from the other. The year's study runs the command line as a user would, on the demo home.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.harness import Figure
from benchmarks.real_data.sites import Span, site
from benchmarks.real_data.sources import half, homes, prices, users
from parkwatt.site.outcome import StrategyName, StrategyResult
from parkwatt.site.study.account import account
from parkwatt.site.study.foresight import with_foresight
from parkwatt.site.study.inputs import StudyInputs
from parkwatt.site.study.replay import Replay, ReplayState

DAYS = 45
CHOSEN_ON = (
    Span("NL 2022 spring", "NL_2021_2022", "2022-03-01", DAYS),
    Span("NL 2022 autumn", "NL_2021_2022", "2022-10-01", DAYS),
    Span("DE-LU 2024 winter", "DELU_2024", "2024-02-05", DAYS),
    Span("DE-LU 2024 summer", "DELU_2024", "2024-07-01", DAYS),
)
HELD_OUT = (
    Span("NL 2022 summer", "NL_2021_2022", "2022-06-01", DAYS),
    Span("NL 2021 autumn", "NL_2021_2022", "2021-11-01", DAYS),
    Span("DE-LU 2024 spring", "DELU_2024", "2024-04-15", DAYS),
    Span("DE-LU 2024 autumn", "DELU_2024", "2024-10-01", DAYS),
)


def _all_prices(now_unix_s: int) -> int | None:  # noqa: ARG001
    """Every price is known at any time."""
    return None


# What is known beyond the declared departure. `load`: load and sun ahead; `all`: every price ahead.
KNOWN: dict[str, dict[str, Any]] = {
    "declared": {},
    "declared, no later trips expected": {"presence": None},
    "declared, replanned each step": {"replan_steps": 1},
    "declared, load and sun known": {"load": True},
    "declared, all prices known": {"prices_known_until": _all_prices},
    "declared, load, sun, all prices": {"load": True, "prices_known_until": _all_prices},
    "calendar": {"trips_known": True},
    "calendar, load and sun known": {"trips_known": True, "load": True},
    "calendar, all prices known": {"trips_known": True, "prices_known_until": _all_prices},
    "calendar, load, sun, all prices": {
        "trips_known": True,
        "load": True,
        "prices_known_until": _all_prices,
    },
}
RESERVES = (0.5, 0.1, 0.02)


@dataclass(frozen=True)
class Case:
    """One site: a span, a home by its place, a car by its user's name."""

    span: Span
    home_index: int
    user: str

    def inputs(self, *, know_load: bool = False) -> StudyInputs:
        """The study's inputs."""
        car_sessions = next(found for found in users() if found.user == self.user)
        return site(self.span, self.home_index, car_sessions, know_load=know_load)


@dataclass(frozen=True)
class Kept:
    """What one way to drive a site earned over charging at once, in EUR, and its promises."""

    case: Case
    gain: float
    bound: float
    missed: int
    departures: int
    below_floor_kwh_h: float
    shortfall_kwh: float


def cases(*, held_out: bool, per_span: int) -> list[Case]:
    """``per_span`` sites for each span, homes and cars in turn."""
    cars = half(users(), held_out=held_out)
    found = []
    for place, span in enumerate(HELD_OUT if held_out else CHOSEN_ON):
        for turn in range(per_span):
            car = cars[(5 * place + 7 * turn) % len(cars)]
            home_index = (2 * (place * per_span + turn) + held_out) % len(homes())
            found.append(Case(span, home_index, car.user))
    return found


def result(inputs: StudyInputs, strategy: StrategyName) -> StrategyResult:
    """One strategy replayed and accounted for."""
    if strategy == "foresight":
        state = with_foresight(inputs)
    else:
        state = ReplayState.at_start(inputs)
        Replay(inputs, strategy).run(state)
    return account(inputs, strategy, state.power_kw, state.energy_kwh, state.departures)


def _references(case: Case) -> tuple[float, float]:
    inputs = case.inputs()
    return result(inputs, "charge_at_once").net_cost, result(inputs, "foresight").net_cost


def _kept(task: tuple[Case, StrategyName, str, float | None, tuple[float, float]]) -> Kept:
    case, strategy, known, early, (at_once, bound) = task
    change = dict(KNOWN[known])
    inputs = case.inputs(know_load=bool(change.pop("load", False)))
    inputs = replace(inputs, early_probability=early, **change)
    found = result(inputs, strategy)
    return Kept(
        case,
        at_once - found.net_cost,
        at_once - bound,
        found.missed_count,
        found.departure_count,
        found.below_floor_kwh_h,
        found.shortfall_kwh,
    )


Way = tuple[StrategyName, str, float | None]


def measure(chosen: Sequence[Case], ways: Sequence[Way]) -> list[list[Kept]]:
    """For each way the results of all sites, worked on by all cores."""
    _read_all()
    # Forked, so that the children find the data read; nothing of the database runs in them.
    with multiprocessing.get_context("fork").Pool() as pool:
        references = pool.map(_references, chosen, chunksize=1)
        tasks = [
            (case, *way, reference)
            for way in ways
            for case, reference in zip(chosen, references, strict=True)
        ]
        found = pool.map(_kept, tasks, chunksize=1)
    return [found[first : first + len(chosen)] for first in range(0, len(found), len(chosen))]


def _read_all() -> None:
    users(), homes()
    for span in (*CHOSEN_ON, *HELD_OUT):
        prices(span.zone)


def share(found: Sequence[Kept]) -> float:
    """The share of the bound that is kept, all sites taken together."""
    return sum(one.gain for one in found) / sum(one.bound for one in found)


def figures() -> list[Figure]:
    """The main figures on held-out cars, homes and months, and the year's study."""
    chosen = cases(held_out=True, per_span=2)
    ways: list[Way] = [
        ("v2g", "declared", None),
        ("v2g", "calendar", None),
        ("v2g", "declared", 0.1),
    ]
    declared, calendar, learned = measure(chosen, ways)
    baseline = f"perfect foresight, {len(chosen)} sites of {DAYS} days"
    found = [
        Figure(
            f"V2G net of wear, {name}: bound kept", 100 * share(kept), "%", baseline, share(kept)
        )
        for name, kept in (("declared", declared), ("calendar", calendar))
    ]
    for zone in ("NL", "DE-LU"):
        part = [one for one in declared if one.case.span.name.startswith(zone)]
        name = f"V2G net of wear, declared, {zone}: bound kept"
        found.append(Figure(name, 100 * share(part), "%", baseline, share(part)))
    departures = sum(one.departures for one in declared)
    missed = sum(one.missed for one in (*declared, *calendar))
    below = sum(one.below_floor_kwh_h for one in (*declared, *calendar, *learned))
    kept_share = sum(one.gain for one in learned) / sum(one.gain for one in declared)
    missed_learned = sum(one.missed for one in learned)
    found += [
        Figure(
            "departures missed, declared and calendar", missed, "", f"of {2 * departures}", None
        ),
        Figure("below the floor", below, "kWh h", "", None),
        Figure("V2G, learned: saving of declared kept", 100 * kept_share, "%", "aim 90 %", None),
        Figure(
            "V2G, learned: trips missed", 100 * missed_learned / departures, "%", "aim 2 %", None
        ),
    ]
    return [*found, *_year_figures()]


def _year_figures() -> Iterator[Figure]:
    """A year of the demo home through the command line: four strategies and the bound."""
    with tempfile.TemporaryDirectory() as folder:
        demo = ["demo", "--study", "--folder", str(Path(folder))]
        command = [sys.executable, "-m", "parkwatt.app.cli", *demo]
        started_s = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        took_s = time.perf_counter() - started_s
    # The largest process that this one has waited for: the command, or one of its workers.
    memory_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    yield Figure("a year's study, four strategies and the bound", took_s, "s", "90 s", took_s / 90)
    yield Figure("its largest process", memory_mb, "MB", "500 MB", memory_mb / 500)


def _print_rows(title: str, ways: Sequence[Way], results: Sequence[list[Kept]]) -> None:
    print(f"\n{title}\n\n| known | bound kept | least site | missed | below floor, kWh h |")
    print("|---|---|---|---|---|")
    for (_, known, _early), found in zip(ways, results, strict=True):
        least = min(one.gain / one.bound for one in found)
        missed = sum(one.missed for one in found)
        departures = sum(one.departures for one in found)
        below = sum(one.below_floor_kwh_h for one in found)
        print(
            f"| {known} | {100 * share(found):.1f} % | {100 * least:.1f} % "
            f"| {missed} of {departures} | {below:.2f} |"
        )


def _print_spans(results: Sequence[list[Kept]], ways: Sequence[Way]) -> None:
    print("\n| span | " + " | ".join(known for _, known, _ in ways) + " |")
    print("|---" * (len(ways) + 1) + "|")
    for span in dict.fromkeys(one.case.span.name for one in results[0]):
        shares = (share([one for one in found if one.case.span.name == span]) for found in results)
        print(f"| {span} | " + " | ".join(f"{100 * value:.1f} %" for value in shares) + " |")


def _print_curve(chosen: Sequence[Case]) -> None:
    for strategy in ("smart", "v2g"):
        ways: list[Way] = [(strategy, "declared", early) for early in (None, *RESERVES)]
        results = measure(chosen, ways)
        declared = sum(one.gain for one in results[0])
        print(
            f"\n{strategy}\n\n| reserve covers | trips missed | saving kept | short of asked, kWh |"
        )
        print("|---|---|---|---|")
        for (_, _, early), found in zip(ways, results, strict=True):
            departures = sum(one.departures for one in found)
            missed = sum(one.missed for one in found) / departures
            kept = sum(one.gain for one in found) / declared
            short = sum(one.shortfall_kwh for one in found) / departures
            name = "declared" if early is None else f"{100 * (1 - early):g} %"
            print(
                f"| {name} | {100 * missed:.2f} % | {100 * kept:.1f} % | {short:.2f} |", flush=True
            )


def main(arguments: Sequence[str]) -> None:
    """All tables of the documentation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.closed_loop")
    parser.add_argument("--all", action="store_true", help="all tables, about a quarter of an hour")
    parser.add_argument("--per-span", type=int, default=2, help="sites for each span")
    options = parser.parse_args(arguments)
    if not options.all:
        for figure in figures():
            print(figure)
        return
    every: list[Way] = [("v2g", known, None) for known in KNOWN]
    main_ways: list[Way] = [("v2g", "declared", None), ("v2g", "calendar", None)]
    for held_out, ways in ((False, main_ways), (True, every)):
        chosen = cases(held_out=held_out, per_span=options.per_span)
        found = measure(chosen, ways)
        title = "Held out" if held_out else "Choices were made on"
        _print_rows(f"{title}: {len(chosen)} sites of {DAYS} days", ways, found)
        both = [ways.index(way) for way in main_ways]
        _print_spans([found[place] for place in both], main_ways)
    _print_curve(cases(held_out=True, per_span=options.per_span))


if __name__ == "__main__":
    main(sys.argv[1:])
