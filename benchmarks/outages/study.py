"""Lives each pair through with each strategy, and holds it against perfect foresight."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.outages.bands import BandCheck
from benchmarks.outages.baselines import FixedThresholds, Unmanaged
from benchmarks.outages.bound import Bound, bound
from benchmarks.outages.managed import Managed
from benchmarks.outages.pairs import Pair
from benchmarks.outages.physics import Course, Policy, simulate

Strategy = Literal["unmanaged", "fixed thresholds", "parkwatt"]
STRATEGIES: tuple[Strategy, ...] = ("unmanaged", "fixed thresholds", "parkwatt")
_POLICIES: Mapping[Strategy, Callable[[Pair], Policy]] = {
    "unmanaged": Unmanaged,
    "fixed thresholds": FixedThresholds,
    "parkwatt": Managed,
}


@dataclass(frozen=True, slots=True)
class Lived:
    """What a strategy reached in one pair; ``dark_h`` without must-have while the car was there."""

    must_h: float
    nice_h: float
    dark_h: float
    departures_kept: int
    switchings: int
    tripped_h: float


@dataclass(frozen=True, slots=True)
class Result:
    """One pair: what was possible, and what each strategy made of it."""

    pair: Pair
    bound: Bound
    departures_possible: int
    lived: Mapping[Strategy, Lived]
    bands: tuple[BandCheck, ...]


# What a result holds beside its pair.
_Made = tuple[Bound, int, Mapping[Strategy, Lived], tuple[BandCheck, ...]]
_shared: list[Pair] = []


def run(
    pairs: Sequence[Pair],
    strategies: Sequence[Strategy] = STRATEGIES,
    processes: int = 1,
    show: Callable[[Iterable[_Made]], Iterable[_Made]] = iter,
) -> list[Result]:
    """All pairs, in their order. ``show``: passes on what is done, to show how far it is."""
    if processes == 1:
        done = show(_make(pair, strategies) for pair in pairs)
        return [Result(pair, *made) for pair, made in zip(pairs, done, strict=True)]
    # Forked, so that the homes' data need not be sent; nothing of the database runs in the children.
    _shared.extend(pairs)
    tasks = [(number, strategies) for number in range(len(pairs))]
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        done = show(pool.imap(_make_shared, tasks, chunksize=1))
        found = [Result(pair, *made) for pair, made in zip(pairs, done, strict=True)]
    _shared.clear()
    return found


def _make_shared(task: tuple[int, Sequence[Strategy]]) -> _Made:
    return _make(_shared[task[0]], task[1])


def _make(pair: Pair, strategies: Sequence[Strategy]) -> _Made:
    best = bound(pair)
    policies = {name: _POLICIES[name](pair) for name in strategies}
    courses = {name: simulate(pair, policy) for name, policy in policies.items()}
    lived = {name: _lived(pair, best, course) for name, course in courses.items()}
    departures = next(iter(courses.values())).departures
    can = sum(one.possible for one in departures)
    bands = [band for one in policies.values() if isinstance(one, Managed) for band in one.bands]
    return best, can, lived, tuple(bands)


def _lived(pair: Pair, best: Bound, course: Course) -> Lived:
    step_h = pair.grid.step_h
    must, nice = (pair.home.tier(tier) for tier in ("must_have", "nice_to_have"))
    must_h = step_h * float(course.served[must].min(axis=0).sum())
    return Lived(
        must_h=must_h,
        nice_h=step_h * float(course.served[nice].mean(axis=0).sum()),
        dark_h=best.can_serve_h - must_h,
        departures_kept=sum(one.kept and one.possible for one in course.departures),
        switchings=course.switchings,
        tripped_h=step_h * course.tripped_steps,
    )
