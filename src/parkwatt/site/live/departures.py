"""When a car is wanted next, and what it must hold then.

What the driver says for this stay goes before everything. Else the earliest of trips and the weekly times counts; the
time that
a car tells through its charger only where there is neither. A driver may be late: for `LATE_S` after a departure the energy
stays in the car, then the next one counts; one that comes up within that time counts at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from parkwatt.domain.calendar import day_number, local_time_unix_s
from parkwatt.domain.site.wish import DAYS_A_WEEK, Departure, Trip, Wishes

LATE_S: Final = 2 * 3600
# Kept in the battery beyond what a trip of known length needs.
_TRIP_SPARE_SHARE: Final = 0.15


def next_departure(
    wishes: Wishes,
    now_unix_s: int,
    time_zone: ZoneInfo,
    *,
    since_unix_s: int,
    asked: Departure | None = None,
    trips: Sequence[Trip] = (),
    told_unix_s: int | None = None,
) -> Departure | None:
    """The departure that counts now; None where nothing is asked.

    ``since_unix_s``: plugged in since; a departure before then belongs to another stay. ``asked``: named by the driver
    for this
    stay. ``told_unix_s``: by the car. It may lie up to `LATE_S` in the past.
    """
    earliest_unix_s = max(now_unix_s - LATE_S, since_unix_s)
    if asked is not None and asked.departs_unix_s > earliest_unix_s:
        return asked
    found = [
        Departure(trip.departs_unix_s, "trip", target_soc=trip.target_soc, title=trip.title)
        for trip in trips
        if trip.departs_unix_s > earliest_unix_s
    ]
    weekly = next(_weekly(wishes, earliest_unix_s, time_zone), None)
    if weekly is not None:
        found.append(Departure(weekly, "ready_by"))
    if not found and told_unix_s is not None and told_unix_s > earliest_unix_s:
        found.append(Departure(told_unix_s, "car"))
    found.sort(key=lambda departure: departure.departs_unix_s)
    coming = next((known for known in found if known.departs_unix_s > now_unix_s), None)
    if coming is not None and coming.departs_unix_s <= found[0].departs_unix_s + LATE_S:
        return coming  # one that was not taken does not hide one that comes up soon
    return found[0] if found else None


def _weekly(wishes: Wishes, after_unix_s: int, time_zone: ZoneInfo) -> Iterator[int]:
    """The times after ``after_unix_s`` at which the week wants the car ready, of the next eight days."""
    today = datetime.fromtimestamp(after_unix_s, tz=time_zone).date()
    for ahead in range(DAYS_A_WEEK + 1):
        day = today + timedelta(days=ahead)
        second = wishes.ready_by_s[day.weekday()]
        if second is None:
            continue
        at_unix_s = local_time_unix_s(day_number(day), second, time_zone)
        if at_unix_s > after_unix_s:
            yield at_unix_s


def energy_kwh_asked(
    departure: Departure,
    wishes: Wishes,
    capacity_kwh: float,
    trip: Trip | None = None,
    consumption_kwh_per_km: float = 0.18,
) -> float:
    """What the battery must hold: the departure's own target, else what its trip needs beyond the floor, else the wish's."""
    if departure.target_soc is not None:
        return min(max(departure.target_soc, 0.0), 1.0) * capacity_kwh
    target_kwh = wishes.target_soc * capacity_kwh
    if trip is not None and trip.distance_km is not None:
        needs_kwh = trip.distance_km * consumption_kwh_per_km * (1.0 + _TRIP_SPARE_SHARE)
        target_kwh = max(target_kwh, wishes.floor_soc * capacity_kwh + needs_kwh)
    return min(target_kwh, capacity_kwh)
