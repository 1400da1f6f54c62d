"""Times as chargers write them: RFC 3339 as the standard asks, and what is sent instead.

A clock that was never set stands in 1970 or at its firmware's date, and some stand years ahead: such a time is told as a
deviation and not used. A charger's skew of minutes or hours is no matter here: the journal keeps the time of receipt beside it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US = 86_400_000_000
# A clock that shows an older time was never set: it runs from 1970, 2000 or the date of its firmware.
_EARLIEST_UNIX_US = (datetime(2020, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_TEXT_MAX = 40
_LOOSE = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)[Tt ]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?"
    r"\s*(?:([Zz]|UTC|GMT)|([+-])(\d\d):?(\d\d)?)?",
    re.ASCII,
)


class DeviceTime(msgspec.Struct, frozen=True, gc=False):
    """A charger's time. ``unix_us``: None where it cannot be used; ``deviation``: the rule it breaks, None for none."""

    unix_us: int | None
    deviation: str | None = None


_ABSENT = DeviceTime(None)
_NO_TIME = DeviceTime(None, "must be a time by RFC 3339")
_NOT_SET = DeviceTime(
    None, "must be of 2020 or later, else the charger's clock is not set; not used"
)
_AHEAD = DeviceTime(None, "must not lie more than a day ahead of the time of receipt; not used")


def parse_device_time(text: str | None, received_unix_us: int) -> DeviceTime:
    """The time a charger wrote, in microseconds since 1970 UTC.

    ``text`` None: the charger wrote none, which is no deviation. A time without a zone is taken as UTC. Times before 2020 or
    more than a day after ``received_unix_us`` are not used. Nothing raises: what is no time is told as a deviation.
    """
    if text is None:
        return _ABSENT
    try:
        moment = datetime.fromisoformat(text)
        delta = moment - _EPOCH
    except (ValueError, TypeError, OverflowError):
        return _loose(text, received_unix_us)
    if text[10:11] != "T":
        return _loose(text, received_unix_us)
    unix_us = delta.days * _DAY_US + delta.seconds * 1_000_000 + delta.microseconds
    if _EARLIEST_UNIX_US <= unix_us <= received_unix_us + _DAY_US:
        return DeviceTime(unix_us)
    return _in_range(unix_us, received_unix_us, None)


def rfc3339(unix_us: int) -> str:
    """The time as OCPP writes it: UTC, milliseconds (cut off, not rounded), ``Z``."""
    moment = _EPOCH + timedelta(milliseconds=unix_us // 1000)
    return moment.isoformat(timespec="milliseconds")[:23] + "Z"


def _loose(text: str, received_unix_us: int) -> DeviceTime:
    """A time that the fast path does not know: without a zone, with another form, with hour 24 or second 60, or none at all."""
    match = _LOOSE.fullmatch(text.strip()) if len(text) <= _TEXT_MAX else None
    if match is None:
        return _NO_TIME
    year, month, day, hour, minute, second, fraction, utc, sign, off_hours, off_minutes = (
        match.groups()
    )
    try:
        begin = datetime(int(year), int(month), int(day), tzinfo=UTC)
    except ValueError:
        return _NO_TIME
    hours, minutes, seconds = int(hour), int(minute), int(second or 0)
    if hours > 24 or (hours == 24 and (minutes or seconds)) or minutes > 59 or seconds > 60:
        return _NO_TIME
    offset_s = (int(off_hours or 0) * 3600 + int(off_minutes or 0) * 60) * (
        -1 if sign == "-" else 1
    )
    of_day_s = hours * 3600 + minutes * 60 + seconds - offset_s
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    unix_us = ((begin - _EPOCH).days * 86_400 + of_day_s) * 1_000_000 + micros
    rule = "must be a time by RFC 3339; understood all the same"
    if not (utc or sign):
        rule = "must have a zone; taken as UTC"
    return _in_range(unix_us, received_unix_us, rule)


def _in_range(unix_us: int, received_unix_us: int, rule: str | None) -> DeviceTime:
    if unix_us < _EARLIEST_UNIX_US:
        return _NOT_SET
    if unix_us > received_unix_us + _DAY_US:
        return _AHEAD
    return DeviceTime(unix_us, rule)
