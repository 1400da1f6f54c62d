"""Local clocks against the standard library, one time at a time."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.calendar import (
    clock_change_times_unix_s,
    day_number,
    local_clock,
    local_time_unix_s,
    read_local,
)
from parkwatt.domain.series import unix_s

# Half-hour shifts, midnight shifts, southern summers, Ramadan pauses, and zones that never change.
ZONES = [
    "Europe/Amsterdam",
    "America/Los_Angeles",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "Europe/Dublin",
    "UTC",
]
zones = st.sampled_from([ZoneInfo(key) for key in ZONES])
times_unix_s = st.integers(unix_s(datetime(1990, 1, 1, tzinfo=UTC)), 2_000_000_000)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@given(st.lists(times_unix_s, min_size=1, max_size=20), zones)
def test_the_clock_agrees_with_the_standard_library(times: list[int], zone: ZoneInfo) -> None:
    clock = local_clock(np.array(times, dtype=np.int64), zone)
    for index, time in enumerate(times):
        local = datetime.fromtimestamp(time, tz=zone)
        assert clock.day[index] == day_number(local.date())
        second = local.hour * 3600 + local.minute * 60 + local.second
        assert clock.second_of_day[index] == second
        assert clock.weekday[index] == local.weekday()
        assert str(clock.month[index]) == f"{local:%Y-%m}"
        assert clock.month_day[index] == local.month * 100 + local.day


@given(st.lists(times_unix_s, min_size=1, max_size=20), zones)
def test_a_reading_leads_back_to_its_time(times: list[int], zone: ZoneInfo) -> None:
    time_unix_s = np.array(times, dtype=np.int64)
    clock = local_clock(time_unix_s, zone)
    readings = read_local(clock.day * 86_400 + clock.second_of_day, zone)
    assert readings.exists.all()
    is_one = (readings.first_unix_s == time_unix_s) | (readings.second_unix_s == time_unix_s)
    assert is_one.all()
    assert (readings.first_unix_s <= readings.second_unix_s).all()


def test_the_hour_that_the_clock_skips_does_not_exist_and_the_repeated_one_is_two_times() -> None:
    def local(day: date, hour: float) -> int:
        return day_number(day) * 86_400 + int(hour * 3600)

    spring, autumn = date(2024, 3, 31), date(2024, 10, 27)
    stamps = [local(spring, 1.75), local(spring, 2), local(spring, 2.75), local(spring, 3)]
    stamps += [local(autumn, 1.75), local(autumn, 2), local(autumn, 2.75), local(autumn, 3)]
    readings = read_local(np.array(stamps, dtype=np.int64), AMSTERDAM)
    assert readings.exists.tolist() == [True, False, False, True, True, True, True, True]
    apart = readings.second_unix_s - readings.first_unix_s
    assert apart[[0, 3, 4, 5, 6, 7]].tolist() == [0, 0, 0, 3600, 3600, 0]


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2024, 3, 31), 23), (date(2024, 10, 27), 25), (date(2024, 6, 1), 24)],
)
def test_days_have_23_24_or_25_hours(day: date, hours: int) -> None:
    number = day_number(day)
    start = local_time_unix_s(number, 0, AMSTERDAM)
    assert local_time_unix_s(number + 1, 0, AMSTERDAM) - start == hours * 3600
    assert local_time_unix_s(number, 86_400, AMSTERDAM) - start == hours * 3600


@given(st.integers(10_000, 20_000), zones)
def test_a_local_day_begins_where_its_date_first_shows(day: int, zone: ZoneInfo) -> None:
    start = local_time_unix_s(day, 0, zone)
    clock = local_clock(np.array([start - 1, start], dtype=np.int64), zone)
    assert clock.day.tolist() == [day - 1, day]


@given(times_unix_s, st.integers(1, 40), zones)
def test_between_changes_the_clock_reaches_no_reading(
    start: int, days: int, zone: ZoneInfo
) -> None:
    readings = (0, 2 * 3600 + 1800, 16 * 3600)
    end = start + days * 86_400
    changes = clock_change_times_unix_s(start, end, readings, zone)
    assert ((changes > start) & (changes < end)).all()
    edges = [start, *changes.tolist(), end]
    for left, right in pairwise(edges):
        first = datetime.fromtimestamp(left, tz=zone)
        last = datetime.fromtimestamp(right - 1, tz=zone)
        assert first.utcoffset() == last.utcoffset()
        assert last.replace(tzinfo=None) - first.replace(tzinfo=None) == timedelta(
            seconds=right - 1 - left
        )
        reached = first.hour * 3600 + first.minute * 60 + first.second
        inside = range(reached + 1, reached + right - left)
        assert not any(reading in inside or reading + 86_400 in inside for reading in readings)


def test_no_times_have_no_clock() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    assert len(local_clock(nothing, AMSTERDAM).day) == 0
    assert len(read_local(nothing, AMSTERDAM).exists) == 0
