"""The table `[notify]`: who is told what, where and when not.

page = "https://home.example.net"         where the pages are reached, for links; without it there are none
[[notify.person]]
name = "Ada"
urls = ["ntfy://…", "mailto://…"]         addresses, as apprise writes them
urls_file = "ada.urls"                    or a file with one a line: addresses hold passwords
language = "de"                           en or de
kinds = ["outage", "at_risk"]             default: all
cars = ["ID.4"]                           default: all
quiet_from = "22:00"                      local times between which only what is urgent is told …
quiet_to = "07:00"
urgent_in_quiet_hours = true              … and that only then
hours_left = [6, 3, 1]                    bounds of the hours left in an outage
plug_in_hours = 10                        how long before a departure a car that is not plugged in is told
messages_per_hour = 6
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from parkwatt.app.words import LANGUAGES
from parkwatt.domain.record import Record, as_number, kind_of
from parkwatt.io.notify import is_address
from parkwatt.io.tariff_periods import read_clock
from parkwatt.site.notices import KINDS, Kind, QuietHours, Rules

_HOURS_LEFT: Final = (6.0, 3.0, 1.0)
_HOURS_MAX: Final = 168.0
_SLASH: Final = "/"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is told. ``urls``: hold secrets, and are never shown."""

    name: str
    urls: tuple[str, ...]
    language: str
    rules: Rules


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """``page``: the address of the pages without a slash at its end, "" where links are not wanted."""

    page: str
    people: tuple[Person, ...]


def read_notify(
    record: Record, folder: Path, car_ids: Collection[str], time_zone: ZoneInfo
) -> NotifySettings:
    """The table. After faults it must not be used."""
    page = record.text("page", "-").rstrip(_SLASH)
    if page != "-" and not page.startswith(("http://", "https://")):
        record.fault("page", "must be an http or https address", page)
    people: list[Person] = []
    for one in record.records("person"):
        person = _read_person(one, folder, car_ids, time_zone)
        if any(person.name == known.name for known in people):
            one.fault("name", "must be given once", person.name)
        people.append(person)
    if not people:
        record.fault("person", "must name at least one: [[notify.person]]")
    record.finish()
    return NotifySettings("" if page == "-" else page, tuple(people))


def _read_person(
    record: Record, folder: Path, car_ids: Collection[str], time_zone: ZoneInfo
) -> Person:
    name = record.text("name")
    person = Person(
        name=name,
        urls=_read_urls(record, folder),
        language=record.text("language", "en", choices=LANGUAGES),
        rules=_read_rules(record, car_ids, time_zone),
    )
    record.finish()
    return person


def _read_rules(record: Record, car_ids: Collection[str], time_zone: ZoneInfo) -> Rules:
    kinds = record.texts("kinds", choices=KINDS)
    cars = record.texts("cars", choices=tuple(car_ids))
    known: dict[str, Kind] = {kind: kind for kind in KINDS}
    return Rules(
        time_zone=time_zone,
        kinds=frozenset(KINDS if kinds is None else (known[kind] for kind in kinds)),
        car_ids=None if cars is None else frozenset(cars),
        quiet=_read_quiet(record),
        urgent_passes=record.boolean("urgent_in_quiet_hours", False),
        per_hour_max=record.integer("messages_per_hour", 6, minimum=1, maximum=60),
        hours_left=_read_hours(record),
        plug_in_h=record.number("plug_in_hours", 10.0, minimum=1.0, maximum=48.0),
    )


def _read_quiet(record: Record) -> QuietHours | None:
    if record.has("quiet_from") != record.has("quiet_to"):
        record.fault("quiet_to", "quiet_from and quiet_to go together")
    start_s = read_clock(record, "quiet_from", "00:00")
    end_s = read_clock(record, "quiet_to", "00:00")
    return QuietHours(start_s, end_s) if start_s != end_s else None


def _read_hours(record: Record) -> tuple[float, ...]:
    if not record.has("hours_left"):
        return _HOURS_LEFT
    value = record.value("hours_left")
    found = [as_number(one) for one in value] if isinstance(value, list) else [None]
    bounds_h = tuple(sorted({one for one in found if one is not None}, reverse=True))
    if None in found or any(not 0 < one <= _HOURS_MAX for one in bounds_h):
        record.fault("hours_left", f"must be a list of hours up to {_HOURS_MAX:g}", kind_of(value))
        return _HOURS_LEFT
    return bounds_h


def _read_urls(record: Record, folder: Path) -> tuple[str, ...]:
    """The addresses in the file itself and in the file that it names. None is ever shown in a fault."""
    urls = [(f"urls[{index}]", url) for index, url in enumerate(record.texts("urls") or [])]
    if record.has("urls_file"):
        path = folder / record.text("urls_file")
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            record.fault("urls_file", "must name a file that can be read", str(path))
            return ()
        for number, line in enumerate(lines, start=1):
            if line.strip() and not line.lstrip().startswith("#"):
                urls.append((f"urls_file, line {number}", line.strip()))
    if not urls:
        record.fault("urls", "must hold at least one address, or urls_file name a file that does")
    for field, url in urls:
        if not is_address(url):
            rule = "must be an address that apprise knows, as in mailto://user:password@host"
            record.fault(field, rule)
    return tuple(dict.fromkeys(url for _, url in urls))
