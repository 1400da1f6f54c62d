"""The trips in the text of an iCalendar.

- Each event with a time of day is a trip: it departs when the event begins and returns when it ends (an hour later where
  the event has no end). Cancelled events are none.
- An all-day event is a trip only where its text says what the car needs: then it departs at local midnight. A birthday is
  no trip, "holiday 100 %" is.
- ``match`` keeps the events whose title or description holds that text, in any case of letters.
- The need is read from the title, else from the description: "80 %" is the state of charge at departure, "120 km" or
  "75 miles" the whole trip's distance.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from icalendar import Calendar, Component

from parkwatt.domain.series import unix_s, utc
from parkwatt.domain.site.wish import Trip
from parkwatt.io.calendars.recurrence import ODD_VALUES, Instance, instances
from parkwatt.io.download import SourceError

_TRIPS_MAX: Final = 500
_TITLE_MAX: Final = 80
_TEXT_MAX: Final = 10_000
_TRIP_WITHOUT_END: Final = timedelta(hours=1)
_KM_PER_MILE: Final = 1.609344
_SOC = re.compile(r"(?<![\d.,])(\d{1,3})\s?%")
_DISTANCE = re.compile(r"(?<![\d.,])(\d{1,4}(?:[.,]\d)?)\s?(km|mi|miles?)\b", re.IGNORECASE)


def read_trips(
    ics_text: str, zone: ZoneInfo, from_unix_s: int, until_unix_s: int, match: str | None = None
) -> tuple[Trip, ...]:
    """The trips that return after ``from`` and depart before ``until``, by departure.

    ``zone``: of times without one and of all-day events. ``match``: a text that the event must hold.

    Raises SourceError where the text is no iCalendar.
    """
    found = {
        trip
        for event in instances(_events(ics_text), zone, utc(from_unix_s), utc(until_unix_s))
        if (trip := _trip(event, match)) is not None
    }
    ordered = sorted(found, key=lambda trip: (trip.departs_unix_s, trip.returns_unix_s, trip.title))
    return tuple(ordered[:_TRIPS_MAX])


def _events(ics_text: str) -> list[Component]:
    """All events of all calendars in the text."""
    text = ics_text.removeprefix("\ufeff")
    if not text.lstrip()[:15].upper().startswith("BEGIN:VCALENDAR"):
        what = "a web page" if text.lstrip().startswith("<") else "something else"
        raise SourceError(f"the calendar holds {what} in place of an iCalendar", "broken")
    if (
        not text.rstrip()[-13:].upper().endswith("END:VCALENDAR")
    ):  # or its trips would silently be fewer
        raise SourceError("the calendar is cut off: its end is missing", "broken")
    try:
        calendars = Calendar.from_ical(text, multiple=True)
    except ODD_VALUES:
        raise SourceError(
            "the calendar is damaged: it cannot be read as iCalendar", "broken"
        ) from None
    return [event for calendar in calendars for event in calendar.walk("VEVENT")]


def _trip(instance: Instance, match: str | None) -> Trip | None:
    title, description = (
        str(instance.event.get(name, ""))[:_TEXT_MAX] for name in ("SUMMARY", "DESCRIPTION")
    )
    if match is not None and match.casefold() not in f"{title}\n{description}".casefold():
        return None
    target_soc, distance_km = need(title, description)
    if instance.is_all_day and target_soc is None and distance_km is None:
        return None
    end = instance.end if instance.end > instance.start else instance.start + _TRIP_WITHOUT_END
    return Trip(
        unix_s(instance.start),
        unix_s(end),
        " ".join("".join(c if c.isprintable() else " " for c in title).split())[:_TITLE_MAX],
        target_soc,
        distance_km,
    )


def need(title: str, description: str) -> tuple[float | None, float | None]:
    """The state of charge (0 to 1) and the distance in km that the texts name; the title goes first."""
    socs = [int(match[1]) / 100 for text in (title, description) for match in _SOC.finditer(text)]
    distances_km = [
        float(match[1].replace(",", ".")) * (_KM_PER_MILE if match[2][:2].lower() == "mi" else 1.0)
        for text in (title, description)
        for match in _DISTANCE.finditer(text)
    ]
    target_soc = next((soc for soc in socs if 0.0 < soc <= 1.0), None)
    distance_km = next((distance for distance in distances_km if distance > 0.0), None)
    return target_soc, distance_km
