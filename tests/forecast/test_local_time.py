"""Local time in arrays agrees with zoneinfo, also on days of 23 and 25 hours."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.series import unix_s, utc
from parkwatt.forecast.local_time import DAY_S, SATURDAY, SUNDAY, WEEKDAY, LocalClock, weekday

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/Sao_Paulo",
)


@given(
    zone=st.sampled_from(ZONES),
    time=st.datetimes(datetime(1971, 1, 1), datetime(2099, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_local_time_is_that_of_zoneinfo(zone: str, time: datetime) -> None:
    clock = LocalClock.of(zone)
    now = unix_s(time)
    there = datetime.fromtimestamp(now, ZoneInfo(zone))
    local = int(clock.local_s(np.array([now]))[0])
    assert local == unix_s(there.replace(tzinfo=UTC))
    assert clock.scalar_local_s(now) == local
    day = np.array([local // DAY_S])
    assert weekday(day)[0] == there.weekday()
    expected = {5: SATURDAY, 6: SUNDAY}.get(there.weekday(), WEEKDAY)
    assert clock.kind_of_day(day)[0] == expected


@given(
    zone=st.sampled_from(ZONES),
    time=st.datetimes(datetime(1971, 1, 1), datetime(2099, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_unix_time_of_a_local_time_leads_back_to_it(zone: str, time: datetime) -> None:
    clock = LocalClock.of(zone)
    local = clock.scalar_local_s(unix_s(time))
    back = clock.unix_s(local)
    assert clock.scalar_local_s(back) == local
    assert back in (unix_s(time), unix_s(time) - 3600, unix_s(time) - 1800)


@pytest.mark.parametrize(("day", "hours"), [(date(2024, 3, 31), 23), (date(2024, 10, 27), 25)])
def test_days_of_23_and_25_hours(day: date, hours: int) -> None:
    clock = LocalClock.of("Europe/Berlin")
    midnight = datetime.combine(day, datetime.min.time(), tzinfo=UTC)
    start = clock.unix_s(unix_s(midnight))
    end = clock.unix_s(unix_s(midnight + timedelta(days=1)))
    assert end - start == hours * 3600
    assert utc(start).astimezone(ZoneInfo("Europe/Berlin")).hour == 0


def test_a_skipped_local_time_counts_on_and_a_repeated_one_is_the_first() -> None:
    clock = LocalClock.of("Europe/Berlin")
    skipped = clock.unix_s(unix_s(datetime(2024, 3, 31, 2, 30, tzinfo=UTC)))
    assert utc(skipped) == datetime(2024, 3, 31, 1, 30, tzinfo=UTC)
    repeated = clock.unix_s(unix_s(datetime(2024, 10, 27, 2, 30, tzinfo=UTC)))
    assert utc(repeated) == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)


def test_a_holiday_counts_as_a_sunday() -> None:
    wednesday = date(2024, 5, 1)
    day = np.array([wednesday.toordinal() - date(1970, 1, 1).toordinal()])
    assert LocalClock.of("Europe/Berlin").kind_of_day(day)[0] == WEEKDAY
    assert LocalClock.of("Europe/Berlin", [wednesday]).kind_of_day(day)[0] == SUNDAY


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "", "../etc/passwd"])
def test_an_unknown_zone_is_an_error_that_names_it(zone: str) -> None:
    with pytest.raises(ValueError, match="time_zone"):
        LocalClock.of(zone)
