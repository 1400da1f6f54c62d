"""Which outage befalls which home: a seeded sample, each outage laid onto the span that a home's data cover.

Half of the pairs are of sub-metered homes, half of homes with a meter for the whole; half of the outages are planned; and
half are *scarce*: everything on for the whole outage would take more than the car holds above its floor. Within these a
home's turn comes in order, and outage and car are drawn at random until they fit. The outage begins at its own time of day
and weekday, in the week nearest to its own season for which the home's data have no gap while it lasts and at least three
weeks of the eight before are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.outages.cars import DISCHARGE_EFFICIENCY, STANDBY_KW, Car, Stay, car
from benchmarks.outages.events import Outage
from benchmarks.outages.homes import STEP_S, Home, HomeKind
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeGrid
from parkwatt.forecast.local_time import DAY_S, LocalClock

HISTORY_DAYS: Final = 56
_KNOWN_DAYS_MIN: Final = 21
_WEEK_S: Final = 7 * DAY_S
_SEASONS_S: Final = 364 * DAY_S
_DRAWS_MAX: Final = 200


@dataclass(frozen=True, eq=False)
class Pair:
    """A home in an outage, with its car: ``grid`` holds the outage's steps; ``weeks_moved`` from its own season."""

    home: Home
    outage: Outage
    car: Car
    grid: TimeGrid
    weeks_moved: int
    number: int

    @property
    def first(self) -> int:
        """The place of the first step in the home's record."""
        return self.home.grid.index(self.grid.start_unix_s)

    @property
    def power_kw(self) -> FloatArray:
        """[C, T] what the circuits would draw."""
        return self.home.power_kw[:, self.first : self.first + self.grid.step_count]

    @property
    def solar_kw(self) -> FloatArray:
        """[T] what the roof would give."""
        return self.home.solar_kw[self.first : self.first + self.grid.step_count]

    @property
    def is_scarce(self) -> bool:
        """Whether everything on for the whole outage takes more than the car has above its floor."""
        net_kw = np.maximum(self.power_kw.sum(axis=0) + STANDBY_KW - self.solar_kw, 0.0)
        needed_kwh = self.grid.step_h * float(net_kw.sum()) / DISCHARGE_EFFICIENCY
        return needed_kwh > self.car.energy_kwh - self.car.floor_kwh


def sample(
    count: int,
    seed: int,
    homes: Sequence[Home],
    outages: Sequence[Outage],
    stays: Sequence[Stay],
) -> list[Pair]:
    """``count`` pairs; the same for the same seed.

    Raises ValueError where a home's data have room for none of many outages.
    """
    random = np.random.default_rng(seed)
    kinds: tuple[HomeKind, ...] = ("sub-metered", "whole home")
    found: list[Pair] = []
    for number in range(count):
        of_kind = [home for home in homes if home.kind == kinds[number % 2]]
        home = of_kind[number // 8 % len(of_kind)]
        befall = [outage for outage in outages if outage.planned == (number // 2 % 2 == 0)]
        draws = _draws(number, home, befall, stays, random)
        found.append(_chosen(draws, home, scarce=number // 4 % 2 == 0))
    return found


def _chosen(draws: Iterator[Pair], home: Home, *, scarce: bool) -> Pair:
    """The first that is as wanted; the last of many where none is."""
    pair = None
    for pair in draws:
        if pair.is_scarce == scarce:
            return pair
    if pair is None:
        raise ValueError(f"{home.name}: none of {_DRAWS_MAX} outages fits into its data")
    return pair


def _draws(
    number: int,
    home: Home,
    befall: Sequence[Outage],
    stays: Sequence[Stay],
    random: np.random.Generator,
) -> Iterator[Pair]:
    clock = LocalClock.of(home.time_zone)
    known = np.concatenate(([0], np.cumsum(np.isfinite(home.power_kw.sum(axis=0) + home.solar_kw))))
    for _ in range(_DRAWS_MAX):
        outage = befall[int(random.integers(len(befall)))]
        stay = stays[int(random.integers(len(stays)))]
        draw = int(random.integers(2**16))
        laid = _laid(home, outage, clock, known)
        if laid is not None:
            grid, weeks = laid
            its_car = car(stay, clock, grid.start_unix_s, grid.end_unix_s, draw)
            yield Pair(home, outage, its_car, grid, weeks, number)


def _laid(
    home: Home, outage: Outage, clock: LocalClock, known: np.typing.NDArray[np.int64]
) -> tuple[TimeGrid, int] | None:
    """The outage's steps in the nearest week that the data cover, and by how many weeks the season is off."""
    grid = home.grid
    middle_s = (grid.start_unix_s + grid.end_unix_s) // 2
    years = round((middle_s - outage.start_local_s) / _SEASONS_S)
    steps = -(-outage.duration_s // STEP_S)
    history = HISTORY_DAYS * DAY_S // STEP_S
    for weeks in sorted(range(-26, 27), key=lambda week: (abs(week), week)):
        local_s = outage.start_local_s + years * _SEASONS_S + weeks * _WEEK_S
        first = grid.index(clock.unix_s(local_s))
        if first < 0 or first + steps > grid.step_count:
            continue
        before = known[first] - known[max(first - history, 0)]
        during = known[first + steps] - known[first]
        if during == steps and before >= _KNOWN_DAYS_MIN * DAY_S // STEP_S:
            start_unix_s = grid.start_unix_s + first * STEP_S
            return TimeGrid(start_unix_s, STEP_S, steps), weeks
    return None
