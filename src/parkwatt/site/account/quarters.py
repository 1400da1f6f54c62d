"""The site's quarters of an hour as they were closed: prices, exchange, load and sun, and each car's energies.

Kept in columns, in order of time. A quarter that is closed twice (a clock that was put back) counts once: as it was told when
more of it was metered. Quarters in which the program did not run are filled in with their prices alone, as soon as it runs
again: the chargers' registers tell later what the cars did in them.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from typing import Final

import msgspec
import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray
from parkwatt.domain.site.event import CarInterval, IntervalClosed
from parkwatt.domain.tariff import Tariff

QUARTER_S: Final = 900
# A longer stop of the program is not filled in.
_FILLED_S_MAX: Final = 31 * 86_400
_SITE_COLUMNS: Final = (
    "import_price_per_kwh",
    "export_price_per_kwh",
    "import_kwh",
    "export_kwh",
    "load_kwh",
    "solar_kwh",
)
_CAR_COLUMNS: Final = ("in_kwh", "out_kwh", "energy_kwh", "plugged_s")


class QuartersState(msgspec.Struct):
    """The columns as bytes, for a snapshot."""

    start_unix_s: bytes = b""
    duration_s: bytes = b""
    coverage: bytes = b""
    site: dict[str, bytes] = msgspec.field(default_factory=dict)
    cars: dict[str, dict[str, bytes]] = msgspec.field(default_factory=dict)


class Quarters:
    """All quarters that were told of; NaN is unknown."""

    def __init__(self, state: QuartersState | None = None) -> None:
        told = QuartersState() if state is None else state
        self._start = array("q", told.start_unix_s)
        self._duration = array("q", told.duration_s)
        self._coverage = array("d", told.coverage)
        self._site = {name: array("d", told.site.get(name, b"")) for name in _SITE_COLUMNS}
        self._cars = {
            car_id: {name: array("d", columns[name]) for name in _CAR_COLUMNS}
            for car_id, columns in told.cars.items()
        }

    def state(self) -> QuartersState:
        """All of it, for a snapshot."""
        return QuartersState(
            self._start.tobytes(),
            self._duration.tobytes(),
            self._coverage.tobytes(),
            {name: column.tobytes() for name, column in self._site.items()},
            {
                car_id: {name: column.tobytes() for name, column in columns.items()}
                for car_id, columns in self._cars.items()
            },
        )

    def __len__(self) -> int:
        return len(self._start)

    @property
    def end_unix_s(self) -> int:
        """Where the last one ends; 0 where there is none."""
        return self._start[-1] + self._duration[-1] if self._start else 0

    @property
    def start_unix_s(self) -> TimeArray:
        """[R] where each begins."""
        return np.array(self._start, dtype=np.int64)

    @property
    def duration_s(self) -> TimeArray:
        """[R] how long each is."""
        return np.array(self._duration, dtype=np.int64)

    def site(self, name: str) -> FloatArray:
        """[R] a column of the site."""
        return np.array(self._site[name], dtype=np.float64)

    def car(self, car_id: str, name: str) -> FloatArray:
        """[R] a column of a car; NaN where it was not there."""
        columns = self._cars.get(car_id)
        if columns is None:
            return np.full(len(self._start), np.nan)
        return np.array(columns[name], dtype=np.float64)

    @property
    def car_ids(self) -> tuple[str, ...]:
        """The cars that were told of."""
        return tuple(self._cars)

    def add(self, event: IntervalClosed, tariff: Tariff) -> None:
        """Note a quarter that was closed, and fill in those before it that were not; ``tariff``: with all known prices."""
        self._fill_until(event.start_unix_s, tariff)
        index = bisect_left(self._start, event.start_unix_s)
        if index == len(self._start) or self._start[index] != event.start_unix_s:
            self._insert(index, event.start_unix_s, event.duration_s)
        elif self._coverage[index] > event.coverage:
            return
        self._coverage[index] = event.coverage
        for name in _SITE_COLUMNS:
            value = getattr(event, name)
            if value is not None:
                self._site[name][index] = value
        for car_id, car in event.cars.items():
            self._set_car(index, car_id, car)

    def fill_prices(self, tariff: Tariff, from_unix_s: int, until_unix_s: int) -> None:
        """Put in prices that were not known when the quarters were closed."""
        first = bisect_left(self._start, from_unix_s - QUARTER_S + 1)
        last = bisect_left(self._start, until_unix_s)
        for name, price in (
            ("import_price_per_kwh", tariff.import_price),
            ("export_price_per_kwh", tariff.export_price),
        ):
            column = self._site[name]
            for index in range(first, last):
                if math.isnan(column[index]):
                    start = self._start[index]
                    edges = np.array([start, start + self._duration[index]], dtype=np.int64)
                    column[index] = float(price.over(edges)[0])

    def _fill_until(self, until_unix_s: int, tariff: Tariff) -> None:
        missing_s = until_unix_s - self.end_unix_s
        if not self._start or not QUARTER_S <= missing_s <= _FILLED_S_MAX:
            return
        edges = np.arange(self.end_unix_s, until_unix_s + 1, QUARTER_S, dtype=np.int64)
        bought = tariff.import_price.over(edges).tolist()
        sold = tariff.export_price.over(edges).tolist()
        for start, buy, sell in zip(edges[:-1].tolist(), bought, sold, strict=True):
            index = len(self._start)
            self._insert(index, start, QUARTER_S)
            self._site["import_price_per_kwh"][index] = buy
            self._site["export_price_per_kwh"][index] = sell

    def _insert(self, index: int, start_unix_s: int, duration_s: int) -> None:
        self._start.insert(index, start_unix_s)
        self._duration.insert(index, duration_s)
        self._coverage.insert(index, 0.0)
        for column in self._site.values():
            column.insert(index, math.nan)
        for columns in self._cars.values():
            for column in columns.values():
                column.insert(index, math.nan)

    def _set_car(self, index: int, car_id: str, car: CarInterval) -> None:
        columns = self._cars.get(car_id)
        if columns is None:
            columns = self._cars[car_id] = {
                name: array("d", [math.nan]) * len(self._start) for name in _CAR_COLUMNS
            }
        columns["in_kwh"][index] = car.in_kwh
        columns["out_kwh"][index] = car.out_kwh
        columns["energy_kwh"][index] = math.nan if car.energy_kwh is None else car.energy_kwh
        columns["plugged_s"][index] = car.plugged_s
