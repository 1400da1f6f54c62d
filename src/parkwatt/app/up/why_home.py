"""What happened to the home's backup before a time, from the journal alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from parkwatt.app.api.home_words import KINDS
from parkwatt.app.api.reasons import seq_before
from parkwatt.app.api.site_words import clock
from parkwatt.domain.home import event as home_event
from parkwatt.domain.home.event import HomeEvent, IslandMoved
from parkwatt.domain.journal import JournalDamaged
from parkwatt.io.store.reader import JournalReader

_US: Final = 1_000_000
_SPANS_S: Final = (86_400, 7 * 86_400, 60 * 86_400)
# What the gateway was asked for is told by the phases.
_KINDS: Final = tuple(sorted(KINDS - {"island.asked"}))
_EVENTS_MAX: Final = 12


@dataclass(slots=True)
class HomeKnown:
    """The phase that was entered last, and the last events, oldest first, each with when it was recorded."""

    moved: tuple[IslandMoved, int] | None = None
    events: list[tuple[HomeEvent, int]] = field(default_factory=list)


def home_known_at(journal: Path, at_unix_us: int) -> HomeKnown:
    """What the journal says of the home's backup up to a time.

    Raises InputError where there is no journal, JournalDamaged where an entry cannot be read.
    """
    reader = JournalReader(journal)
    known = HomeKnown()
    for span_s in _SPANS_S:
        from_unix_us = at_unix_us - span_s * _US
        known = HomeKnown()
        entries = reader.read(
            after_seq=seq_before(reader, from_unix_us),
            subject=home_event.SUBJECT,
            kinds=_KINDS,
            from_unix_us=from_unix_us,
            until_unix_us=at_unix_us + 1,
        )
        for entry in entries:
            if entry.payload is None:
                continue
            try:
                event = home_event.decode(entry.payload)
            except msgspec.ValidationError as error:
                raise JournalDamaged(f"entry {entry.seq} is no {entry.kind}: {error}") from error
            if isinstance(event, IslandMoved):
                known.moved = (event, entry.recorded_unix_us)
            known.events = [*known.events, (event, entry.recorded_unix_us)][-_EVENTS_MAX:]
        if known.moved is not None:
            break
    return known


def explain_home(known: HomeKnown, at_unix_us: int, zone: ZoneInfo) -> Iterator[str]:
    """How the backup stood, in a line; none where the home was never off the grid."""
    if known.moved is None:
        return
    moved, recorded_unix_us = known.moved
    since = clock(recorded_unix_us / _US, at_unix_us // _US, zone)
    yield f"the home: {moved.to_phase.replace('_', ' ')} since {since}: {moved.reason}"
