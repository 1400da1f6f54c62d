"""Routes about the journal."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query

from parkwatt.app.api.chargers import SiteGiven
from parkwatt.app.api.views import EntryView, moment
from parkwatt.domain.journal import Entry
from parkwatt.io.store.reader import JournalReader
from parkwatt.io.store.sqlite_journal import SqliteJournal

router = APIRouter(prefix="/v1")
_ENTRIES_MAX = 1000


@router.get("/journal", tags=["journal"])
async def entries(
    site: SiteGiven,
    after_seq: Annotated[int, Query(ge=0)] = 0,
    charger_id: str | None = None,
    kind: str | None = None,
    limit: Annotated[int, Query(ge=1, le=_ENTRIES_MAX)] = 100,
) -> list[EntryView]:
    """Entries after ``after_seq``, oldest first: of one charger, of one kind."""
    return await asyncio.to_thread(_read, site.journal, after_seq, charger_id, kind, limit)


def _read(
    journal: SqliteJournal, after_seq: int, charger_id: str | None, kind: str | None, limit: int
) -> list[EntryView]:
    kinds = () if kind is None else (kind,)
    found = JournalReader(journal.path).read(after_seq=after_seq, subject=charger_id, kinds=kinds)
    return [entry_view(entry) for entry in islice(found, limit)]


def entry_view(entry: Entry) -> EntryView:
    """An entry of the journal."""
    payload: dict[str, Any] | None = None
    if entry.payload is not None:
        payload = msgspec.json.decode(entry.payload, type=dict[str, Any])
    return EntryView(
        seq=entry.seq,
        recorded_at=moment(entry.recorded_unix_us),
        kind=entry.kind,
        subject=entry.subject,
        payload=payload,
    )
