"""The car that runs the home: what it holds when the grid goes, and the trips that its driver needs meanwhile.

From a Norwegian charging session of a seeded draw: the state of charge on arrival (the car has just come home and nobody
has charged it for the outage), the time of day of the departure, the energy of the trip, and how long the car was away
until the next session. Capacity is drawn from 60 to 82 kWh. The driver leaves at the same time every day. On every second
trip they charge at a public charger on the way home, up to 60 %; otherwise they come back with what they left with, less
the trip. They tell of two trips ahead, and what these need is kept, by foresight too, even where the grid is back before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import duckdb
import numpy as np

from benchmarks.outages.homes import DATA, is_real
from parkwatt.forecast.local_time import DAY_S, HOUR_S, LocalClock

FLOOR_SOC: Final = 0.1
DISCHARGE_KW_MAX: Final = 9.6
DISCHARGE_EFFICIENCY: Final = 0.93
STANDBY_KW: Final = 0.1
_CAPACITIES_KWH: Final = (60.0, 64.0, 77.0, 82.0)
_PUBLIC_SOC: Final = 0.6
_CHARGED_TO_BATTERY: Final = 0.93
_TRIP_KWH: Final = (2.0, 20.0)
_AWAY_H: Final = (1.0, 12.0)
_NOTICE_S: Final = 2 * HOUR_S
_EVERY_S: Final = DAY_S
TOLD_TRIPS: Final = 2
_MADE: Final = 200


@dataclass(frozen=True, slots=True)
class Stay:
    """What a session tells: states of charge are fractions, the time of day is in seconds after local midnight."""

    soc: float
    leaves_s_of_day: int
    away_s: int
    trip_kwh: float


@dataclass(frozen=True, slots=True)
class Trip:
    """The car is away from ``leaves_unix_s`` to ``returns_unix_s``; its driver needs ``trip_kwh`` above the floor.

    ``public_kwh``: it comes back with at least that in its battery; 0 where the driver charges nowhere.
    """

    leaves_unix_s: int
    returns_unix_s: int
    trip_kwh: float
    public_kwh: float


@dataclass(frozen=True, slots=True)
class Car:
    """A car of a bidirectional charger; energies in its battery. ``trips``: also those of the two days after the outage."""

    capacity_kwh: float
    energy_kwh: float
    trips: tuple[Trip, ...]

    @property
    def floor_kwh(self) -> float:
        """What the home never takes."""
        return FLOOR_SOC * self.capacity_kwh


@cache
def stays() -> tuple[Stay, ...]:
    """All sessions that can be used, in order of user and arrival."""
    return _real() if is_real() else made_stays()


def _real() -> tuple[Stay, ...]:
    path = DATA / "ev_sessions" / "norway_residential_visible_sites.parquet"
    query = (
        "select est_soc_start_pct / 100, epoch(plugout_utc)::bigint, energy_kwh, "  # noqa: S608
        "epoch(lead(plugin_utc) over (partition by user_id order by plugin_utc))::bigint "
        f"from '{path}' qualify plugout_utc > plugin_utc and est_soc_start_pct is not null "
        "and lead(plugin_utc) over (partition by user_id order by plugin_utc) > plugout_utc "
        "order by user_id, plugin_utc"
    )
    clock = LocalClock.of("Europe/Oslo")
    return tuple(
        Stay(
            min(max(float(soc), 2 * FLOOR_SOC), 0.95),
            clock.scalar_local_s(int(left_s)) % DAY_S,
            _between(next_s - left_s, _AWAY_H[0] * HOUR_S, _AWAY_H[1] * HOUR_S),
            float(np.clip(kwh * _CHARGED_TO_BATTERY, *_TRIP_KWH)),
        )
        for soc, left_s, kwh, next_s in duckdb.execute(query).fetchall()
    )


def made_stays(seed: int = 6) -> tuple[Stay, ...]:
    """Commuters who leave in the morning."""
    random = np.random.default_rng(seed)
    return tuple(
        Stay(
            float(random.uniform(0.2, 0.95)),
            int(random.normal(7.5, 1.0) * HOUR_S),
            int(random.uniform(2.0, 10.0) * HOUR_S),
            float(random.uniform(*_TRIP_KWH)),
        )
        for _ in range(_MADE)
    )


def car(stay: Stay, clock: LocalClock, start_unix_s: int, end_unix_s: int, draw: int) -> Car:
    """The car of a session in an outage. ``draw``: a number that decides on its capacity and where it charges."""
    capacity_kwh = _CAPACITIES_KWH[draw % len(_CAPACITIES_KWH)]
    midnight_s = clock.scalar_local_s(start_unix_s + _NOTICE_S) // DAY_S * DAY_S
    leaves_s = clock.unix_s(midnight_s + stay.leaves_s_of_day)
    if leaves_s < start_unix_s + _NOTICE_S:
        leaves_s += DAY_S
    trips = []
    for number, time_s in enumerate(range(leaves_s, end_unix_s + TOLD_TRIPS * DAY_S, _EVERY_S)):
        charges = (draw // len(_CAPACITIES_KWH) + number) % 2 == 0
        public_kwh = _PUBLIC_SOC * capacity_kwh if charges else 0.0
        trips.append(Trip(time_s, time_s + stay.away_s, stay.trip_kwh, public_kwh))
    return Car(capacity_kwh, stay.soc * capacity_kwh, tuple(trips))


def _between(value: float, low: float, high: float) -> int:
    return int(min(max(value, low), high))
