"""What physically happened in a virtual home, second by second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray

SECOND_US = 1_000_000
Float32Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TrueDeparture:
    """A car left. ``energy_kwh``: in its battery then; ``arrived_energy_kwh``: when it was plugged in."""

    car: int
    arrived_unix_s: int
    arrived_energy_kwh: float
    departed_unix_s: int
    energy_kwh: float


class Truth:
    """[S] seconds from ``start_unix_s`` on.

    ``house_kw``: [S] load less sun. ``car_kw``: [cars, S] mean power at each charger in that second. ``soc``: [cars, S] at its
    end, NaN where nothing flowed. ``departures``: in order.
    """

    def __init__(self, start_unix_s: int, house_kw: FloatArray, car_count: int) -> None:
        self.start_unix_s = start_unix_s
        self.house_kw: Float32Array = house_kw.astype(np.float32)
        self.car_kw: Float32Array = np.zeros((car_count, len(house_kw)), dtype=np.float32)
        self.soc: Float32Array = np.full((car_count, len(house_kw)), np.nan, dtype=np.float32)
        self.departures: list[TrueDeparture] = []

    def __len__(self) -> int:
        """How many seconds it holds."""
        return len(self.house_kw)

    def index(self, unix_us: int) -> int:
        """The second that holds a time; it may lie outside."""
        return unix_us // SECOND_US - self.start_unix_s

    def flowed(self, car: int, from_us: int, until_us: int, power_kw: float, soc: float) -> None:
        """A charger had constant power over at most a second; ``soc``: at its end."""
        first, last = self.index(from_us), self.index(until_us - 1)
        if not 0 <= first <= last < len(self):
            return
        row = self.car_kw[car]
        if first == last:
            row[first] += power_kw * (until_us - from_us) / SECOND_US
        else:
            border_us = (self.start_unix_s + last) * SECOND_US
            row[first] += power_kw * (border_us - from_us) / SECOND_US
            row[last] += power_kw * (until_us - border_us) / SECOND_US
        self.soc[car, last] = soc

    def grid_kw(self, first: int = 0, last: int | None = None) -> Float32Array:
        """The grid meter's mean power in each second of [first, last)."""
        span = slice(first, last)
        grid_kw: Float32Array = self.house_kw[span] + self.car_kw[:, span].sum(axis=0)
        return grid_kw
