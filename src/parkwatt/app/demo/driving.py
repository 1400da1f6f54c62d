"""Where the car is: commuting on working days, errands, and weekends that differ.

A *session* is a span plugged in at home, [arrival, departure), with the energy that was driven since the session before.
Now and then the driver forgets to plug in; the car is then simply not there to be used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

_CONSUMPTION_KWH_PER_KM = 0.18
_WINTER_EXTRA = 0.18  # more in mid January, less in mid July
_COMMUTE_KM = 35.0
_AT_HOME_CHANCE = 0.15  # home office, holiday or illness on a working day
_ERRAND_CHANCE = 0.18
_SATURDAY_CHANCE, _SUNDAY_CHANCE = 0.78, 0.55
_LONG_TRIP_CHANCE = 0.12
_PLUG_IN_CHANCE = 0.95
_ENERGY_KWH_MAX = 38.0  # beyond that the car charges on the way


@dataclass(frozen=True, slots=True)
class Session:
    """Plugged in over [arrival, departure), aware local times; ``energy_used_kwh`` was driven before arrival."""

    arrival: datetime
    departure: datetime
    energy_used_kwh: float


@dataclass(frozen=True, slots=True)
class _Trip:
    leaves: datetime
    returns: datetime
    energy_kwh: float


def sessions(
    random: np.random.Generator, start: date, days: int, zone: ZoneInfo
) -> tuple[Session, ...]:
    """The sessions of ``days`` local days from ``start``, in order and apart.

    The car is plugged in when the span begins; the last session goes on to the first trip after the span.
    """
    trips = [
        trip for day in range(days) for trip in _trips(random, start + timedelta(days=day), zone)
    ]
    next_morning = _at(start + timedelta(days=days), 7.5, zone)
    found: list[Session] = []
    arrival, used_kwh, is_plugged_in = _at(start, 0.0, zone), 0.0, True
    for trip in trips:
        if is_plugged_in:
            found.append(Session(arrival, trip.leaves, round(used_kwh, 2)))
            used_kwh = 0.0
        used_kwh = min(used_kwh + trip.energy_kwh, _ENERGY_KWH_MAX)
        arrival = trip.returns
        # Nobody forgets after a long way: the car would not make the next.
        is_plugged_in = random.random() < _PLUG_IN_CHANCE or used_kwh > _ENERGY_KWH_MAX / 3
    if is_plugged_in:
        found.append(Session(arrival, next_morning, round(used_kwh, 2)))
    return tuple(found)


def _trips(random: np.random.Generator, day: date, zone: ZoneInfo) -> list[_Trip]:
    """The trips of one local day, in order and at least half an hour apart."""
    # All of a day's chance is drawn at once: one choice does not shift the days after it.
    chance, errand_chance, long_chance = random.random(3)
    leaving, staying, distance, errand_time = random.standard_normal(4)
    if day.weekday() < 5:
        trips = []
        if chance >= _AT_HOME_CHANCE:
            leaves_h = 7.6 + 0.35 * float(np.clip(leaving, -2.5, 2.5))
            away_h = 9.6 + 0.6 * float(np.clip(staying, -2.5, 2.5))
            km = max(_COMMUTE_KM + 3.0 * float(distance), 10.0)
            trips.append(_trip(day, leaves_h, away_h, km, zone))
        if errand_chance < _ERRAND_CHANCE:
            start_h = 20.0 + 0.4 * float(np.clip(errand_time, -2.0, 2.0))
            trips.append(_trip(day, start_h, 1.2, 12.0, zone))
        return trips
    if chance >= (_SATURDAY_CHANCE if day.weekday() == 5 else _SUNDAY_CHANCE):
        return []
    is_long = long_chance < _LONG_TRIP_CHANCE
    leaves_h = (9.0 if is_long else 11.0) + 1.2 * float(np.clip(leaving, -2.0, 2.0))
    away_h = (9.0 if is_long else 3.0) * float(np.exp(0.3 * np.clip(staying, -2.0, 1.0)))
    km = (180.0 if is_long else 32.0) * float(np.exp(0.35 * np.clip(distance, -2.0, 2.0)))
    return [_trip(day, leaves_h, away_h, km, zone)]


def _trip(day: date, leaves_h: float, away_h: float, km: float, zone: ZoneInfo) -> _Trip:
    winter = float(np.cos(2.0 * np.pi * (day.timetuple().tm_yday - 15) / 365.25))
    energy_kwh = km * _CONSUMPTION_KWH_PER_KM * (1.0 + _WINTER_EXTRA * winter)
    return _Trip(_at(day, leaves_h, zone), _at(day, leaves_h + away_h, zone), energy_kwh)


def _at(day: date, hour: float, zone: ZoneInfo) -> datetime:
    """The local time ``hour`` (whole minutes) on the clock of ``day``; 24 and more is the next day."""
    minutes = round(hour * 60)
    day += timedelta(days=minutes // 1440)
    return datetime(day.year, day.month, day.day, minutes % 1440 // 60, minutes % 60, tzinfo=zone)
