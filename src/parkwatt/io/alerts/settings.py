"""Which alerts concern a home: the keys of `[backup.alerts]`.

url = "https://…"                         the feed: Atom with CAP 1.2, or one CAP alert
events = ["wind", "storm"]                words of events that may take the grid away
planned_events = ["power shutoff"]        words of events that are announced outages themselves
areas = ["CAZ506", "Sonoma"]              codes of regions, or words of their names
latitude_deg, longitude_deg               where the home is, for alerts with polygons or circles
severity_min = "Severe"                   Minor, Moderate, Severe or Extreme
certainty_min = "Possible"                Unlikely, Possible, Likely or Observed
outage_hours = 12                         how long an outage by storm is taken to last, until longer ones were seen here
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from parkwatt.domain.record import Record
from parkwatt.io.alerts.cap import CERTAINTIES, SEVERITIES

_ADDRESS: Final = re.compile(
    r"https://[^\s/?#]+\S*|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/\S*)?"
)
_EVENTS: Final = (
    *("storm", "wind", "gale", "hurricane", "tornado"),
    *("snow", "freezing rain", "fire weather", "red flag"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """One feed and what of it counts. ``events``, ``planned_events``, ``areas``: in lower case; a part of the text suffices.

    ``areas`` also hold codes of regions, which must be whole. ``point_deg``: latitude and longitude of the home.
    An alert concerns the home by its area *or* by its point; where neither is set, every alert of the feed does.
    ``outage_hours``: for `parkwatt.home.announced.outage_length`.
    """

    url: str
    events: tuple[str, ...]
    planned_events: tuple[str, ...]
    areas: tuple[str, ...]
    point_deg: tuple[float, float] | None
    severity_min: str
    certainty_min: str
    outage_hours: float


def read_alerts(record: Record) -> AlertSettings:
    """The table `[backup.alerts]`, read to its end (``record.finish()`` is called here).

    Faults go to ``record.faults``; after one, what is returned must not be used.
    """
    url = record.text("url")
    if url.strip() and not _ADDRESS.fullmatch(url):
        record.fault("url", "must be an https address", url)
    latitude_deg = record.optional_number("latitude_deg", minimum=-90.0, maximum=90.0)
    longitude_deg = record.optional_number("longitude_deg", minimum=-180.0, maximum=180.0)
    if (latitude_deg is None) != (longitude_deg is None):
        missing = "latitude_deg" if latitude_deg is None else "longitude_deg"
        record.fault(missing, "is required with the other one")
    point_deg = None
    if latitude_deg is not None and longitude_deg is not None:
        point_deg = (latitude_deg, longitude_deg)
    settings = AlertSettings(
        url=url,
        events=_words(record, "events", _EVENTS),
        planned_events=_words(record, "planned_events", ()),
        areas=_words(record, "areas", ()),
        point_deg=point_deg,
        severity_min=record.text("severity_min", "Severe", choices=SEVERITIES[1:]),
        certainty_min=record.text("certainty_min", "Possible", choices=CERTAINTIES[1:]),
        outage_hours=record.number("outage_hours", 12.0, minimum=0.25, maximum=336.0),
    )
    record.finish()
    return settings


def _words(record: Record, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """A list of words in lower case."""
    words = record.texts(name)
    for index, word in enumerate(words or ()):
        if not word.strip():
            record.fault(f"{name}[{index}]", "must not be empty", word)
    return default if words is None else tuple(word.strip().casefold() for word in words)
