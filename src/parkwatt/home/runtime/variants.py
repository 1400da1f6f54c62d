"""Running the same courses of load and sun with other circuits on, all at once and with the same chances.

Since all variants see the same courses, their differences are the circuits' and not the dice's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.forecast.local_time import HOUR_S
from parkwatt.home.runtime.balance import Balance, Courses
from parkwatt.home.runtime.request import RuntimeRequest
from parkwatt.home.runtime.supply import Supply, step_edges, supplies

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Variants:
    """The courses of a request: ``power_kw`` [T, C, N] of all circuits, ``solar_kw`` [T, N]."""

    request: RuntimeRequest
    edges_unix_s: NDArray[np.int64]
    supplies: list[Supply]
    power_kw: FloatArray
    solar_kw: FloatArray

    @classmethod
    def of(cls, request: RuntimeRequest, count: int, seed: int) -> Self:
        """Draws ``count`` courses. Raises ValueError for less than one."""
        if count < 1:
            raise ValueError(f"count must be at least 1, got {count}")
        edges = step_edges(request)
        middles = (edges[:-1] + edges[1:]) // 2
        drawn = request.use.courses_kw(
            middles, request.at_unix_s, count, seed, running_kw=request.running_kw
        )
        power_kw = np.ascontiguousarray(drawn.transpose(2, 1, 0))
        solar_kw = _solar_kw(request, edges, count, seed)
        return cls(request, edges, supplies(request, edges), power_kw, solar_kw)

    @property
    def step_h(self) -> FloatArray:
        """[T] the steps' lengths."""
        return np.asarray(np.diff(self.edges_unix_s) / HOUR_S, dtype=np.float64)

    def usable_kwh(self) -> float:
        """At the home's side now: in the batteries that are there, above what is kept."""
        found = 0.0
        for one in self.supplies:
            if one.is_here[0]:
                above_kwh = max(one.battery.energy_kwh - float(one.kept_kwh[0]), 0.0)
                found += above_kwh * one.battery.discharge_efficiency
        return found

    def drivers_need(self) -> bool:
        """Whether anything is kept for a driver."""
        return any(bool((one.kept_kwh > one.free_kwh).any()) for one in self.supplies)

    def run(self, on: BoolArray, keeps: BoolArray, *, until_dark: bool = False) -> Courses:
        """``on`` [V, C]: the circuits that are on throughout; ``keeps`` [V]: whether drivers get what they need."""
        load_kw = np.matmul(on.astype(np.float64), self.power_kw)
        return self._run(load_kw, keeps, until_dark=until_dark)

    def run_for_now(
        self, on: BoolArray, now_on: BoolArray, ahead_s: int, keeps: BoolArray
    ) -> Courses:
        """``now_on`` [V, C] for ``ahead_s``, and ``on`` [C] after that."""
        first = self.edges_unix_s[:-1] < self.request.at_unix_s + ahead_s
        load_kw = np.empty((len(first), len(now_on), self.power_kw.shape[2]))
        load_kw[first] = np.matmul(now_on.astype(np.float64), self.power_kw[first])
        later = np.matmul(on.astype(np.float64)[np.newaxis], self.power_kw[~first])
        load_kw[~first] = later
        return self._run(load_kw, keeps, until_dark=False)

    def _run(self, load_kw: FloatArray, keeps: BoolArray, *, until_dark: bool) -> Courses:
        balance = Balance(
            self.supplies,
            self.step_h,
            self.request.standby_kw,
            keeps,
            self.power_kw.shape[2],
            self.request.generator,
        )
        return balance.run(load_kw, self.solar_kw, until_dark=until_dark)


def _solar_kw(
    request: RuntimeRequest, edges_unix_s: NDArray[np.int64], count: int, seed: int
) -> FloatArray:
    """[T, N] mean power over the steps; courses of load and sun are paired by chance."""
    if request.solar_kw is None:
        return np.zeros((len(edges_unix_s) - 1, count))
    step_h = request.solar_step_s / HOUR_S
    begin = np.zeros((len(request.solar_kw), 1))
    energy_kwh = np.concatenate((begin, np.cumsum(request.solar_kw, axis=1) * step_h), axis=1)
    own = request.at_unix_s + request.solar_step_s * np.arange(energy_kwh.shape[1])
    rows = np.arange(count) % len(energy_kwh)
    chosen = np.random.default_rng([seed, 1]).permutation(rows)
    at_edges = np.array([np.interp(edges_unix_s, own, row) for row in energy_kwh])
    mean_kw = np.diff(at_edges, axis=1) / (np.diff(edges_unix_s) / HOUR_S)
    return np.ascontiguousarray(mean_kw[chosen].T)
