"""Times of chargers: every form of the standard, and what is sent instead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.ocpp.device_time import DeviceTime, parse_device_time, rfc3339

_NOW = 1_785_850_545_377_000  # 2026-08-04T13:35:45.377Z
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US = 86_400_000_000

moments_us = st.integers(1_577_836_800_000_000, 4_000_000_000_000_000)


@given(moments_us)
def test_what_is_written_is_read_back_to_the_millisecond(unix_us: int) -> None:
    assert parse_device_time(rfc3339(unix_us), unix_us) == DeviceTime(unix_us // 1000 * 1000)


@given(moments_us, st.integers(-14 * 60, 14 * 60))
def test_any_offset_is_the_same_moment(unix_us: int, offset_minutes: int) -> None:
    zone = timezone(timedelta(minutes=offset_minutes))
    text = (_EPOCH + timedelta(microseconds=unix_us)).astimezone(zone).isoformat()
    assert parse_device_time(text, unix_us) == DeviceTime(unix_us)


@given(moments_us, st.text("0123456789", min_size=1, max_size=9))
def test_fractions_of_any_length_are_cut_to_microseconds(unix_us: int, fraction: str) -> None:
    seconds_us = unix_us // 1_000_000 * 1_000_000
    text = rfc3339(seconds_us)[:19] + "." + fraction + "Z"
    expected = seconds_us + int(fraction[:6].ljust(6, "0"))
    assert parse_device_time(text, unix_us) == DeviceTime(expected)


@pytest.mark.parametrize("text", ["2026-08-04T13:35:45.377", "2026-08-04 13:35:45.377"])
def test_without_a_zone_it_is_utc_and_told(text: str) -> None:
    assert parse_device_time(text, _NOW) == DeviceTime(_NOW, "must have a zone; taken as UTC")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("2026-08-03T24:00:00Z", "2026-08-04T00:00:00Z"),
        ("2026-08-04T13:34:60Z", "2026-08-04T13:35:00Z"),
        ("2026-08-04t13:35:45z", "2026-08-04T13:35:45Z"),
        ("2026-8-4T3:35:45Z", "2026-08-04T03:35:45Z"),
        (" 2026-08-04T13:35:45 +02:00 ", "2026-08-04T11:35:45Z"),
        ("2026-08-04 13:35:45 UTC", "2026-08-04T13:35:45Z"),
    ],
)
def test_odd_forms_are_understood_and_told(text: str, plain: str) -> None:
    read = parse_device_time(text, _NOW)
    assert read.unix_us == parse_device_time(plain, _NOW).unix_us
    assert read.unix_us is not None
    assert read.deviation is not None


@pytest.mark.parametrize(
    "text",
    [
        *("", "junk", "2026-08-04", "1785850545", "2026-13-04T00:00:00Z", "2026-02-30T00:00:00Z"),
        *("2026-08-04T24:30:00Z", "2026-08-04T13:61:00Z", "2026-08-04T13:35:61Z", "T13:35:45Z"),
        *("2026-08-04T13:35:45" + "0" * 1000, "٢٠٢٦-08-04T13:35:45Z", "null"),
        *("1970-01-01T00:00:12Z", "2000-01-01T00:00:00Z", "2019-12-31T23:59:59Z"),
        *("1970-01-01T00:00:12", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
        *("2026-08-05T13:35:46Z", "2036-01-01T00:00:00"),
    ],
)
def test_what_cannot_be_used_is_none_and_told(text: str) -> None:
    read = parse_device_time(text, _NOW)
    assert read.unix_us is None
    assert read.deviation is not None


def test_a_skew_of_up_to_a_day_ahead_and_any_age_is_used() -> None:
    assert parse_device_time(rfc3339(_NOW + _DAY_US), _NOW).unix_us == _NOW + _DAY_US
    assert parse_device_time(rfc3339(_NOW - 400 * _DAY_US), _NOW).unix_us == _NOW - 400 * _DAY_US


def test_no_time_is_no_deviation() -> None:
    assert parse_device_time(None, _NOW) == DeviceTime(None)


@given(st.text(max_size=60))
def test_nothing_raises(text: str) -> None:
    read = parse_device_time(text, _NOW)
    assert read.unix_us is not None or read.deviation is not None
