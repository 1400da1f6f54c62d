"""Looking for what happened and why, in the words that tell it, from now back.

One call reads for a second at most, however long the journal is: it returns what it found by then and where to go on. The kinds
are sieved by SQLite, the words by Python, in a thread.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

import msgspec
from pydantic import BaseModel, Field

from parkwatt.app.api import home_words
from parkwatt.app.api.reasons import seq_before
from parkwatt.app.api.site_words import event_words
from parkwatt.app.api.views import moment
from parkwatt.app.words import translate
from parkwatt.domain.home import event as home_event
from parkwatt.domain.home.event import HomeEvent
from parkwatt.domain.journal import Entry, JournalDamaged
from parkwatt.domain.site import event as site_event
from parkwatt.domain.site.event import SetpointDecided, SiteEvent
from parkwatt.io.store.reader import JournalReader

Group = Literal["plan", "power", "car", "wish", "price", "outage", "circuit", "operation"]
GROUPS: Final = get_args(Group)
KINDS_OF: Final[dict[Group, tuple[str, ...]]] = {
    "plan": ("plan.adopted",),
    "power": ("setpoint.decided",),
    "car": ("stay.began", "stay.ended", "car.soc", "promise.at_risk"),
    "wish": ("wish.set", "wish.departure", "wish.trips"),
    "price": ("prices.received",),
    "outage": (
        *("island.moved", "island.asked", "island.refused", "island.test_asked"),
        *("outage.announced", "holds.released", "generator.switched"),
    ),
    "circuit": (*("circuit.switched", "circuit.chosen", "mobility.asked", "island.charge_asked"),),
    "operation": ("site.started", "source.changed"),
}
_GROUP_OF: Final = {kind: group for group, kinds in KINDS_OF.items() for kind in kinds}
FOUND_MAX: Final = 200
_BUDGET_S: Final = 1.0


class FoundView(BaseModel):
    """One entry of the journal that tells why."""

    seq: int
    at: datetime
    kind: str
    group: Group
    car_id: str | None
    message: str


class SearchView(BaseModel):
    """What was found, the newest first."""

    found: list[FoundView]
    before_seq: int | None = Field(
        description="to go on from, as `before_seq`; null: the journal, or the span, is looked through"
    )
    looked_back_to: datetime | None = Field(description="all after it was looked at; null: all was")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for: all words of ``words`` in the sentence, in English or ``language``; of some groups, of one car (and
    of the whole site); recorded in [from, until); before an entry; ``following``: also set-points that only follow the meter.
    """

    words: str = ""
    language: str = "en"
    groups: tuple[Group, ...] = ()
    car_id: str | None = None
    from_unix_us: int | None = None
    until_unix_us: int | None = None
    before_seq: int | None = None
    following: bool = False
    limit: int = 50


def search(
    journal: Path, wanted: Search, zone: ZoneInfo, *, budget_s: float = _BUDGET_S
) -> SearchView:
    """Look from the end of the span back.

    Raises InputError where there is no journal, JournalDamaged where it cannot be read.
    """
    end_s = time.monotonic() + budget_s
    reader = JournalReader(journal)
    kinds = tuple(kind for group in wanted.groups or GROUPS for kind in KINDS_OF[group])
    least = 0 if wanted.from_unix_us is None else seq_before(reader, wanted.from_unix_us)
    before_seq = _before_seq(reader, wanted)
    words = wanted.words.casefold().split()
    found: list[FoundView] = []
    for left_seq, entries in reader.read_back(before_seq, kinds=kinds, after_seq=least):
        before_seq = left_seq + 1
        for entry in entries:
            view = _found(entry, wanted, words, zone)
            if view is not None:
                found.append(view)
            if len(found) == wanted.limit or time.monotonic() > end_s:
                return _so_far(reader, found, entry.seq, least)
        if time.monotonic() > end_s:
            return _so_far(reader, found, before_seq, least)
    return SearchView(found=found, before_seq=None, looked_back_to=None)


def _before_seq(reader: JournalReader, wanted: Search) -> int:
    until_unix_us = wanted.until_unix_us
    last_seq = reader.last()[0] if until_unix_us is None else seq_before(reader, until_unix_us)
    return last_seq + 1 if wanted.before_seq is None else min(wanted.before_seq, last_seq + 1)


def _so_far(
    reader: JournalReader, found: list[FoundView], before_seq: int, least: int
) -> SearchView:
    if before_seq <= least + 1:
        return SearchView(found=found, before_seq=None, looked_back_to=None)
    (entry,) = reader.read(after_seq=before_seq - 1, last_seq=before_seq)
    to = moment(entry.recorded_unix_us)
    return SearchView(found=found, before_seq=before_seq, looked_back_to=to)


def _found(entry: Entry, wanted: Search, words: list[str], zone: ZoneInfo) -> FoundView | None:
    """The entry, where it is one that is looked for; thinned ones are not."""
    if entry.payload is None:
        return None
    event, message = _told(entry, entry.payload, zone)
    if isinstance(event, SetpointDecided) and event.following and not wanted.following:
        return None
    named = getattr(event, "car_id", None)
    if wanted.car_id is not None and named not in (None, wanted.car_id):
        return None
    if not _holds(message, words) and not _holds(translate(message, wanted.language), words):
        return None
    return FoundView(
        seq=entry.seq,
        at=moment(entry.recorded_unix_us),
        kind=entry.kind,
        group=_GROUP_OF[entry.kind],
        car_id=named,
        message=message,
    )


def _holds(message: str, words: list[str]) -> bool:
    folded = message.casefold()
    return all(word in folded for word in words)


def _told(entry: Entry, payload: bytes, zone: ZoneInfo) -> tuple[SiteEvent | HomeEvent, str]:
    """The event and its sentence. Raises JournalDamaged where it is not what it says it is."""
    at_unix_us = entry.recorded_unix_us
    try:
        if entry.subject == home_event.SUBJECT:
            of_home = home_event.decode(payload)
            return of_home, home_words.home_event_words(of_home, at_unix_us, zone)
        of_site = site_event.decode(payload)
        return of_site, event_words(of_site, at_unix_us, zone)
    except msgspec.MsgspecError as error:
        raise JournalDamaged(f"entry {entry.seq} is no {entry.kind}: {error}") from error
