"""Calendars as programs write them, for trips that a test chooses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from parkwatt.domain.site.wish import Trip
from parkwatt.io.calendars import read_trips

BERLIN = ZoneInfo("Europe/Berlin")


def at(*parts: int, zone: ZoneInfo = BERLIN) -> int:
    """Unix seconds of a local time."""
    return int(datetime(*parts, tzinfo=zone).timestamp())  # type: ignore[arg-type, misc]


def calendar(*events: Sequence[str], before: str = "") -> str:
    """An iCalendar with these events, each a list of lines."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//A test//EN"]
    lines += before.splitlines()
    for event in events:
        lines += ["BEGIN:VEVENT", *event, "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def weekly(*more: str, uid: str = "work") -> list[str]:
    """Work on weekdays, 8 to 17 o'clock, from Monday 23 March 2026 on; the clock changes on the 29th."""
    return [
        f"UID:{uid}",
        "SUMMARY:Work",
        "DTSTART;TZID=Europe/Berlin:20260323T080000",
        "DTEND;TZID=Europe/Berlin:20260323T170000",
        "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
        *more,
    ]


def trips(
    text: str,
    first: tuple[int, int, int] = (2026, 3, 23),
    last: tuple[int, int, int] = (2026, 4, 6),
    match: str | None = None,
    zone: ZoneInfo = BERLIN,
) -> tuple[Trip, ...]:
    """The trips between two days."""
    return read_trips(text, zone, at(*first), at(*last), match)


def departures(text: str, **where: tuple[int, int, int]) -> list[str]:
    """Local times of departure, such as 23 08:00."""
    found = trips(text, **where)  # type: ignore[arg-type]
    return [f"{datetime.fromtimestamp(trip.departs_unix_s, BERLIN):%d %H:%M}" for trip in found]
