"""A pool's coming day before the gate closes: its envelope with probabilities, and what each block can be sold with."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.fleet.flexibility.behaviour import KINDS_OF_DAY, Behaviour
from parkwatt.fleet.flexibility.envelope import Shares
from parkwatt.fleet.flexibility.played import QUANTITIES, STEPS_OF_DAY, DayHeld, Fleet

FloatArray = NDArray[np.float64]
PROBABILITIES: Final = (0.05, 0.5, 0.95)


class DayForecast(NamedTuple):
    """``quantiles``: by quantity [3, 96], that it is below with a probability of 5, 50 and 95 %. ``block_kw``: [B] reserve
    that can be held over all of each block at the confidence that was asked for; ``block_expected_kw``: [B] what is expected;
    ``block_past_kw``: [n, B] what it would be, were the share of each day before to come again.
    """

    quantiles: dict[str, FloatArray]
    block_kw: FloatArray
    block_expected_kw: FloatArray
    block_past_kw: FloatArray


class Forecaster:
    """Learns day by day, in order, and forecasts a day that lies ``ahead_days`` after the last one it knows."""

    def __init__(
        self, fleet: Fleet, block_steps: tuple[int, ...], *, confidence: float, ahead_days: int
    ) -> None:
        self._behaviour = Behaviour(fleet)
        self._edges = np.array(block_steps[:-1])
        self._ahead = ahead_days
        # Workdays are judged by workdays, and the others by the others: they are not alike.
        self._blocks = [Shares(len(self._edges), 1.0 - confidence) for _ in range(KINDS_OF_DAY)]
        self._steps = [
            {name: Shares(STEPS_OF_DAY, PROBABILITIES[0]) for name in QUANTITIES}
            for _ in range(KINDS_OF_DAY)
        ]
        self._expected: dict[int, dict[str, FloatArray]] = {}

    def forecast(self, day: int, kind: int) -> DayForecast | None:
        """The day; None where too little is known. ``kind``: 0 a workday, 1 a weekend or holiday."""
        expected = self._expect(day, kind)
        factors, past = self._blocks[kind].factors(), self._blocks[kind].past()
        if factors is None or past is None:
            return None
        quantiles = {}
        for name, shares in self._steps[kind].items():
            found = [shares.quantiles(one) for one in PROBABILITIES]
            quantiles[name] = np.array([expected[name] * one for one in found if one is not None])
        block_kw = np.minimum.reduceat(expected["reserve_kw"], self._edges)
        return DayForecast(quantiles, block_kw * factors, block_kw, block_kw * past)

    def learn(self, day: int, kind: int, held: DayHeld) -> None:
        """Take in a day that is over. What had been expected of it is what was known ``ahead_days`` before."""
        expected = self._expected.pop(day, None)
        came = {name: value.sum(axis=1, dtype=np.float64) for name, value in held._asdict().items()}
        if expected is not None:
            for name, shares in self._steps[kind].items():
                shares.learn(expected[name], came[name])
            self._blocks[kind].learn(
                np.minimum.reduceat(expected["reserve_kw"], self._edges),
                np.minimum.reduceat(came["reserve_kw"], self._edges),
            )
        self._behaviour.learn(day, kind, held)

    def expect(self, day: int, kind: int) -> None:
        """Note what is expected of a day, so that it can be judged when it is over."""
        self._expect(day, kind)

    def _expect(self, day: int, kind: int) -> dict[str, FloatArray]:
        if day not in self._expected:
            found = self._behaviour.expected(kind)
            self._expected[day] = {name: one.astype(float) for name, one in found.items()}
        return self._expected[day]
