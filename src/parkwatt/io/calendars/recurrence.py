"""When the events of an iCalendar take place (RFC 5545), within a span of time.

    every instance = (start + rule + added dates − excluded dates), each replaced by its override where there is one

Rules run on the local clock of the event: 08:00 stays 08:00 when the clock changes. An instance in the hour that the clock
skips is taken with the offset before the change, one in the repeated hour as the first. Times without a zone are on the
calendar's own clock, as are those in a zone that nobody knows; names that Windows uses are known. Rules finer than a day
are not followed (nobody departs every minute). An override of "this and all that follow" counts for its own instance only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from dateutil.rrule import rrulestr
from icalendar import Component
from icalendar.prop import vRecur

_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_INSTANCES_MAX: Final = 2000
# What icalendar and dateutil raise for values that are not what their names say.
ODD_VALUES: Final = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class Instance:
    """One time at which an event takes place, [start, end) in UTC. ``event``: with its text."""

    start: datetime
    end: datetime
    is_all_day: bool
    event: Component


def instances(
    events: list[Component], zone: tzinfo, from_time: datetime, until_time: datetime
) -> Iterator[Instance]:
    """All instances that end after ``from_time`` and start before ``until_time``; in no order.

    ``zone``: of times without one. Events whose values make no sense are left out.
    """
    overrides = _overrides(events, zone)
    for event in events:
        try:
            if "RECURRENCE-ID" in event:
                found = [_instance(event, _moment(event, "DTSTART", zone), zone)]
            else:
                found = list(_of_series(event, zone, overrides, from_time, until_time))
        except ODD_VALUES:
            continue
        for one in found:
            if one.start < until_time and one.end > from_time and not _is_cancelled(event):
                yield one


def _overrides(events: list[Component], zone: tzinfo) -> set[tuple[str, datetime]]:
    """The instances, by series and original start, that an event of its own replaces."""
    found = set()
    for event in events:
        try:
            if "RECURRENCE-ID" in event:
                original = _moment(event, "RECURRENCE-ID", zone)
                found.add((str(event.get("UID", "")), _utc(original, zone)))
        except ODD_VALUES:
            continue
    return found


def _of_series(
    event: Component,
    zone: tzinfo,
    overrides: set[tuple[str, datetime]],
    from_time: datetime,
    until_time: datetime,
) -> Iterator[Instance]:
    """The instances of an event with its rules, without those that are excluded or replaced."""
    first = _moment(event, "DTSTART", zone)
    length = _instance(event, first, zone)
    reach = length.end - length.start + timedelta(days=1)
    excluded = set(_dates(event, "EXDATE", zone))
    uid = str(event.get("UID", ""))
    starts = {first, *_dates(event, "RDATE", zone)}
    for rule in _rules(event):
        starts.update(_ruled(rule, first, from_time - reach, until_time + timedelta(days=1)))
    for start in starts:
        at = _utc(start, zone)
        if start in excluded or _day(start) in excluded or (uid, at) in overrides:
            continue
        yield _instance(event, start, zone)


def _rules(event: Component) -> list[vRecur]:
    rules: Any = event.get("RRULE", [])
    return rules if isinstance(rules, list) else [rules]


def _ruled(rule: vRecur, first: date, from_time: datetime, until_time: datetime) -> Iterator[date]:
    """The starts that a rule gives between the times, on the event's own clock."""
    frequency = str(next(iter(rule.get("FREQ", [])), "")).upper()
    # Finer rules are nobody's trips; an interval of nothing would never end.
    if frequency not in _FREQUENCIES or min(rule.get("INTERVAL", [1])) < 1:
        return
    zone = first.tzinfo if isinstance(first, datetime) else None
    naive = _naive(first)
    parts = vRecur({name: value for name, value in rule.items() if name != "UNTIL"})
    span = [_naive(moment.astimezone(zone or UTC)) for moment in (from_time, until_time)]
    ends = [_last(end, zone) for end in rule.get("UNTIL", [])]
    last = min([span[1], *ends])
    # A rule that is over costs nothing; one that is not runs from its start, for the sake of its count.
    if last < span[0]:
        return
    text = parts.to_ical().decode()  # type: ignore[no-untyped-call] # as the library declares it
    found = rrulestr(text, dtstart=naive).between(span[0], last, inc=True)
    for start in found[:_INSTANCES_MAX]:
        yield start.replace(tzinfo=zone) if isinstance(first, datetime) else start.date()


def _last(end: date, zone: tzinfo | None) -> datetime:
    """The last start that `UNTIL` allows, on the event's own clock; a date allows its whole day."""
    if not isinstance(end, datetime):
        return datetime.combine(end, time.max)
    return (
        _naive(end.astimezone(zone)) if end.tzinfo is not None and zone is not None else _naive(end)
    )


def _moment(event: Component, name: str, zone: tzinfo) -> date:
    """The date, or the time with its zone, of a field. Raises KeyError where it is absent."""
    field: Any = event[name]
    return _zoned(field.dt, zone)


def _dates(event: Component, name: str, zone: tzinfo) -> Iterator[date]:
    """The dates and times of a field that may stand there several times, each with several values."""
    fields: Any = event.get(name, [])
    for listed in fields if isinstance(fields, list) else [fields]:
        for value in listed.dts:
            moment = value.dt[0] if isinstance(value.dt, tuple) else value.dt  # a period: its start
            yield _zoned(moment, zone)


def _zoned(value: object, zone: tzinfo) -> date:
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=zone)
    if isinstance(value, date):
        return value
    raise TypeError("neither a date nor a time")


def _instance(event: Component, start: date, zone: tzinfo) -> Instance:
    """The instance that begins at ``start``, as long as the event says: on the clock for whole days, else in hours."""
    is_all_day = not isinstance(start, datetime)
    length: Any
    if "DURATION" in event:
        duration: Any = event["DURATION"]
        length = duration.dt
    elif "DTEND" in event:
        length = _difference(_moment(event, "DTSTART", zone), _moment(event, "DTEND", zone), zone)
    else:
        length = timedelta(days=1 if is_all_day else 0)
    begin = _utc(start, zone)
    end = _utc(start + length, zone) if is_all_day else begin + length
    return Instance(begin, max(begin, end), is_all_day, event)


def _difference(start: date, end: date, zone: tzinfo) -> timedelta:
    if isinstance(start, datetime) or isinstance(end, datetime):
        return _utc(end, zone) - _utc(start, zone)
    return end - start


def _utc(moment: date, zone: tzinfo) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(0), tzinfo=zone)
    return moment.astimezone(UTC)


def _naive(moment: date) -> datetime:
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=None)
    return datetime.combine(moment, time(0))


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _is_cancelled(event: Component) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"
