"""The reasons in a site's journal, each in a sentence: set-points, plans, wishes, stays, sources, what its backup does."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from parkwatt.app.api import home_words
from parkwatt.app.api.site_words import event_words
from parkwatt.app.api.views import moment
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.home import event as home_event
from parkwatt.domain.journal import Entry, JournalDamaged
from parkwatt.domain.site import event as site_event
from parkwatt.io.store.reader import JournalReader

REASONS_MAX: Final = 1000
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
# What says why something was done; readings, quarters of an hour and snapshots are not reasons.
_UNTOLD: Final = {"site.measured", "site.interval", "site.snapshot"}
KINDS: Final = tuple(sorted((site_event.KINDS - _UNTOLD) | home_words.KINDS))


class ReasonView(BaseModel):
    """One entry of the journal that tells why."""

    model_config = ConfigDict(extra="forbid")
    seq: int
    at: datetime
    kind: str
    car_id: str | None
    message: str
    payload: dict[str, Any] = Field(description="the whole entry")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which reasons: recorded in [from, until), of one car (and those of the whole site), of one kind, the last ``limit``."""

    from_unix_us: int | None = None
    until_unix_us: int | None = None
    car_id: str | None = None
    kind: str | None = None
    limit: int = 100


def read(journal: Path, wanted: Wanted, zone: ZoneInfo) -> list[ReasonView]:
    """The reasons, oldest first; reads the journal's file, also beside its writer.

    Raises InputError where there is no journal, JournalDamaged where it cannot be read.
    """
    kinds = KINDS if wanted.kind is None else (wanted.kind,) if wanted.kind in KINDS else ()
    if not kinds:
        return []
    reader = JournalReader(journal)
    entries = reader.read(
        after_seq=0 if wanted.from_unix_us is None else seq_before(reader, wanted.from_unix_us),
        kinds=kinds,
        from_unix_us=wanted.from_unix_us,
        until_unix_us=wanted.until_unix_us,
    )
    return list(deque(_views(entries, wanted.car_id, zone), maxlen=wanted.limit))


def unix_us(field: str, time: datetime) -> int:
    """A time of a query, in µs. Raises InputError where it names no zone, or no calendar can go on from it."""
    if time.tzinfo is None:
        rule = "must name its zone, as in 2026-11-22T18:00Z"
        raise InputError([InputFault(field, rule, time.isoformat())])
    if not _FIRST_YEAR <= time.year <= _LAST_YEAR:
        rule = f"must be in the years from {_FIRST_YEAR} to {_LAST_YEAR}"
        raise InputError([InputFault(field, rule, time.isoformat())])
    return int(time.timestamp() * 1e6)


def seq_before(reader: JournalReader, unix_us: int) -> int:
    """The last entry before a time, found by halving: the journal has no index of times, and may be long."""
    lowest, highest = 0, reader.last()[0]
    while lowest < highest:
        middle = (lowest + highest) // 2
        (entry,) = reader.read(after_seq=middle, last_seq=middle + 1)
        if entry.recorded_unix_us < unix_us:
            lowest = middle + 1
        else:
            highest = middle
    return lowest


def read_after(journal: Path, after_seq: int, zone: ZoneInfo, limit: int) -> list[ReasonView]:
    """The first ``limit`` reasons after an entry, oldest first."""
    entries = JournalReader(journal).read(after_seq=after_seq, kinds=KINDS)
    found: list[ReasonView] = []
    for view in _views(entries, None, zone):
        found.append(view)
        if len(found) == limit:
            break
    return found


def _views(entries: Iterator[Entry], car_id: str | None, zone: ZoneInfo) -> Iterator[ReasonView]:
    for entry in entries:
        if entry.payload is None:
            continue
        payload = msgspec.json.decode(entry.payload, type=dict[str, Any])
        named = payload.get("car_id")
        if car_id is not None and named not in (None, car_id):
            continue
        yield reason_view(entry, payload, zone)


def reason_view(entry: Entry, payload: dict[str, Any], zone: ZoneInfo) -> ReasonView:
    """An entry in a sentence. Raises JournalDamaged where it is not what it says it is."""
    return ReasonView(
        seq=entry.seq,
        at=moment(entry.recorded_unix_us),
        kind=entry.kind,
        car_id=payload.get("car_id"),
        message=_message(entry, payload, zone),
        payload=payload,
    )


def _message(entry: Entry, payload: dict[str, Any], zone: ZoneInfo) -> str:
    at_unix_us = entry.recorded_unix_us
    try:
        if entry.subject == home_event.SUBJECT:
            of_home = msgspec.convert(payload, home_event.HomeEvent)
            return home_words.home_event_words(of_home, at_unix_us, zone)
        return event_words(msgspec.convert(payload, site_event.SiteEvent), at_unix_us, zone)
    except msgspec.ValidationError as error:
        raise JournalDamaged(f"entry {entry.seq} is no {entry.kind}: {error}") from error
