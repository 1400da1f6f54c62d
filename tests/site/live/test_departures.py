"""Which departure counts, over changes of the clock, for drivers who are late, and what the battery must hold for it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.site.wish import Departure, Trip, Wishes
from parkwatt.site.live.departures import LATE_S, energy_kwh_asked, next_departure

ZONE = ZoneInfo("Europe/Amsterdam")
_HALF_PAST_SEVEN = Wishes(ready_by_s=(27_000,) * 7)
_NOTHING = Wishes()


def _local(day: date, hour: int, minute: int = 0) -> int:
    at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE)
    return int(at.astimezone(UTC).timestamp())


def _next(
    wishes: Wishes,
    now_unix_s: int,
    *,
    since_unix_s: int = 0,
    asked: Departure | None = None,
    trips: tuple[Trip, ...] = (),
    told_unix_s: int | None = None,
) -> Departure | None:
    return next_departure(
        wishes,
        now_unix_s,
        ZONE,
        since_unix_s=since_unix_s,
        asked=asked,
        trips=trips,
        told_unix_s=told_unix_s,
    )


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2024, 3, 31), 23), (date(2024, 10, 27), 25), (date(2024, 6, 3), 24)],
)
def test_ready_by_is_local_time_on_days_of_any_length(day: date, hours: int) -> None:
    before = day - timedelta(days=1)
    late_in_the_evening = _local(before, 22)
    found = _next(_HALF_PAST_SEVEN, late_in_the_evening)
    assert found == Departure(_local(day, 7, 30), "ready_by")
    assert found.departs_unix_s - _local(before, 7, 30) == hours * 3600


def test_a_time_that_the_clock_skips_is_one_that_there_is() -> None:
    # On that night 02:00 to 03:00 does not exist.
    half_past_two = Wishes(ready_by_s=(9000,) * 7)
    found = _next(half_past_two, _local(date(2024, 3, 30), 23))
    assert found is not None
    assert abs(found.departs_unix_s - _local(date(2024, 3, 31), 3)) <= 1800


@given(
    now_unix_s=st.integers(1_704_067_200, 1_767_225_600),
    ready_by_s=st.tuples(*[st.none() | st.integers(0, 86_399)] * 7),
)
def test_the_week_is_followed(now_unix_s: int, ready_by_s: tuple[int | None, ...]) -> None:
    found = _next(Wishes(ready_by_s=ready_by_s), now_unix_s)
    if all(second is None for second in ready_by_s):
        assert found is None
        return
    assert found is not None
    assert now_unix_s - LATE_S < found.departs_unix_s <= now_unix_s + 8 * 86_400
    local = datetime.fromtimestamp(found.departs_unix_s, tz=ZONE)
    second = ready_by_s[local.weekday()]
    told_s = local.hour * 3600 + local.minute * 60 + local.second
    # But in the hour that a clock skips, the clock shows what was wished.
    if datetime.fromtimestamp(found.departs_unix_s, UTC).month not in (3, 10):
        assert second == told_s
    # Nothing that is wanted lies between.
    again = _next(Wishes(ready_by_s=ready_by_s), found.departs_unix_s - 1)
    assert again is not None
    assert again.departs_unix_s <= found.departs_unix_s


def test_a_driver_who_is_late_is_waited_for_two_hours() -> None:
    departs = _local(date(2024, 6, 3), 7, 30)
    for late_s in (1, 3600, LATE_S - 1):
        found = _next(_HALF_PAST_SEVEN, departs + late_s)
        assert found == Departure(departs, "ready_by")
    found = _next(_HALF_PAST_SEVEN, departs + LATE_S)
    assert found == Departure(departs + 86_400, "ready_by")


def test_a_departure_before_the_car_came_is_another_stays() -> None:
    departs = _local(date(2024, 6, 3), 7, 30)
    found = _next(_HALF_PAST_SEVEN, departs + 600, since_unix_s=departs + 300)
    assert found == Departure(departs + 86_400, "ready_by")


def test_what_the_driver_says_for_this_stay_goes_before_the_week() -> None:
    now = _local(date(2024, 6, 3), 6)
    later = Departure(now + 10 * 3600, "asked", target_soc=0.5)
    assert _next(_HALF_PAST_SEVEN, now, asked=later) == later
    over = Departure(now - LATE_S, "asked")
    found = _next(_HALF_PAST_SEVEN, now, asked=over)
    assert found is not None
    assert found.source == "ready_by"


def test_the_earliest_of_trips_and_week_counts() -> None:
    now = _local(date(2024, 6, 3), 6)
    early = Trip(now + 1800, now + 7200, "dentist", target_soc=0.6)
    late = Trip(now + 30_000, now + 40_000, "mountains", target_soc=1.0)
    found = _next(_HALF_PAST_SEVEN, now, trips=(late, early))
    assert found == Departure(early.departs_unix_s, "trip", target_soc=0.6, title="dentist")
    assert _next(_HALF_PAST_SEVEN, now, trips=(late,)) == Departure(
        _local(date(2024, 6, 3), 7, 30), "ready_by"
    )
    assert _next(_NOTHING, now, trips=(late,)) == Departure(
        late.departs_unix_s, "trip", target_soc=1.0, title="mountains"
    )


def test_a_trip_that_comes_up_is_not_hidden_by_one_that_was_not_taken() -> None:
    now = _local(date(2024, 6, 3), 8)
    missed = Trip(now - 600, now + 7200, "school")
    coming = Trip(now + 3600, now + 9000, "airport", target_soc=1.0)
    found = _next(_NOTHING, now, trips=(missed, coming))
    assert found is not None
    assert found.title == "airport"


def test_what_the_car_tells_counts_where_nobody_else_says_anything() -> None:
    now = _local(date(2024, 6, 3), 6)
    assert _next(_NOTHING, now, told_unix_s=now + 3600) == Departure(now + 3600, "car")
    found = _next(_HALF_PAST_SEVEN, now, told_unix_s=now + 3600)
    assert found is not None
    assert found.source == "ready_by"
    assert _next(_NOTHING, now, told_unix_s=now - LATE_S - 1) is None


@given(
    floor_soc=st.floats(0.0, 0.6),
    target_soc=st.floats(0.0, 1.0),
    of_departure=st.none() | st.floats(0.0, 1.0),
    distance_km=st.none() | st.floats(0.0, 900.0),
    capacity_kwh=st.floats(10.0, 120.0),
)
def test_what_is_asked_lies_between_nothing_and_full(
    floor_soc: float,
    target_soc: float,
    of_departure: float | None,
    distance_km: float | None,
    capacity_kwh: float,
) -> None:
    wishes = Wishes(floor_soc=floor_soc, target_soc=target_soc)
    trip = Trip(1000, 2000, distance_km=distance_km)
    departure = Departure(1000, "trip", target_soc=of_departure)
    asked_kwh = energy_kwh_asked(departure, wishes, capacity_kwh, trip)
    assert 0.0 <= asked_kwh <= capacity_kwh
    if of_departure is not None:
        assert asked_kwh == pytest.approx(of_departure * capacity_kwh)
    else:
        assert asked_kwh >= target_soc * capacity_kwh - 1e-9
        assert asked_kwh >= min((distance_km or 0.0) * 0.18, capacity_kwh * (1 - 1e-12)) or (
            floor_soc * capacity_kwh + (distance_km or 0.0) * 0.18 * 1.15 >= capacity_kwh
        )


def test_a_trip_of_known_length_asks_for_what_it_needs_beyond_the_floor() -> None:
    wishes = Wishes(floor_soc=0.2, target_soc=0.3)
    trip = Trip(1000, 2000, distance_km=100.0)
    asked_kwh = energy_kwh_asked(Departure(1000, "trip"), wishes, 60.0, trip, 0.2)
    assert asked_kwh == pytest.approx(12.0 + 20.0 * 1.15)
