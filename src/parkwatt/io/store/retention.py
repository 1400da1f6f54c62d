"""Retention: old telemetry is thinned to what an account and a chart still need; nothing else is ever touched.

What is telemetry was said when it was written (readings in the middle of things). Of each stream (a charger's connection
point, in a transaction) the first and the last entry of each quarter of an hour keep their payload; so do entries whose
energies only count as a sum (interval values), those around a register that went back, a site's minutes (limits are held
against them), and those that cannot be read. The others keep number, time, kind, subject, the digest of their payload,
and hence their place in the chain. A
`journal.thinned` entry says beforehand which ones may have lost it.

Rows are taken out and put back in slices, each a short transaction between two commits of the writer; shortened in
place they would leave holes that no new entry ever fills, because new ones only come at the end.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from functools import partial

import msgspec

from parkwatt.domain.charger.event import (
    ChargerEvent,
    CommandAnswered,
    CommandSent,
    MeterRead,
    NoticeReceived,
    SetpointAsked,
    TransactionReported,
    decode,
)
from parkwatt.domain.journal import THINNED, JournalDamaged, Note
from parkwatt.domain.site import event as site_event
from parkwatt.domain.site.event import SetpointDecided, SiteEvent
from parkwatt.io.store import database
from parkwatt.io.store.chain import payload_digest
from parkwatt.io.store.database import COLUMNS
from parkwatt.io.store.sqlite_journal import SqliteJournal
from parkwatt.io.store.walk import ThinnedSpan, thinned_spans

_PIECE_ROWS = 2000
# A span ends with its quarter of an hour once it has this many rows: a `journal.thinned` entry for each.
_SPAN_ROWS = 50_000
_SLICE_ROWS = 1000
# Between two slices, so that they take a share of the disk and not all of it.
_PAUSE_S = 0.005
_SUBJECT = "journal"


class _Row(msgspec.Struct, frozen=True):
    seq: int
    window: int
    telemetry: bool
    subject: str
    payload: bytes | None


class _Stream:
    """The last entry of a stream, and what it had in its window before."""

    __slots__ = ("first_seq", "last_seq", "registers_kwh", "window")

    def __init__(self, row: _Row, registers_kwh: dict[str, float]) -> None:
        self.first_seq = self.last_seq = row.seq
        self.window = row.window
        self.registers_kwh = registers_kwh


def thin(
    journal: SqliteJournal, before_unix_us: int, *, now_unix_us: int, keep_every_s: int = 900
) -> int:
    """Thin the telemetry recorded before ``before_unix_us``, as far as it was not thinned alike already.

    It takes long where there is much: call it in a thread of its own; the journal goes on meanwhile. ``now_unix_us``: what
    the `journal.thinned` entries are stamped with. Returns how many entries lost their payload.
    Raises JournalClosed, JournalFull, JournalDamaged, sqlite3.Error: what was thinned until then stays thinned, and is whole.
    """
    count = 0
    with database.reading(journal.path) as connection:
        done = [s.to_seq for s in thinned_spans(connection) if s.keep_every_s == keep_every_s]
        last_seq = database.last_entry(connection)[0]
        for to_seq, from_seq, seqs in _spans(
            connection, max(done, default=0), last_seq, before_unix_us, keep_every_s
        ):
            span = ThinnedSpan(from_seq, to_seq, before_unix_us, keep_every_s)
            payload = msgspec.json.encode(span)
            journal.append([Note(now_unix_us, THINNED, _SUBJECT, payload)]).result()
            for part in _slices(seqs):
                journal.ask(partial(_thin_slice, part)).result()
                time.sleep(_PAUSE_S)
            count += len(seqs)
    return count


def _spans(
    connection: sqlite3.Connection,
    after_seq: int,
    last_seq: int,
    before_unix_us: int,
    keep_every_s: int,
) -> Iterator[tuple[int, int, list[int]]]:
    """Spans that have something to thin: their last and first number, and the numbers of what is to be thinned."""
    streams: dict[tuple[object, ...], _Stream] = {}
    seqs: list[int] = []
    from_seq, window, rows_count = after_seq + 1, None, 0
    seq = after_seq
    for row in _rows(connection, after_seq, last_seq, before_unix_us, keep_every_s):
        if window is not None and row.window != window:
            streams.clear()
            if rows_count >= _SPAN_ROWS:
                if seqs:
                    yield seq, from_seq, sorted(seqs)
                from_seq, rows_count, seqs = row.seq, 0, []
        window, seq, rows_count = row.window, row.seq, rows_count + 1
        if row.telemetry and row.payload is not None:
            seqs += _superseded(streams, row, row.payload)
    if seqs:
        yield seq, from_seq, sorted(seqs)


def _rows(
    connection: sqlite3.Connection,
    after_seq: int,
    last_seq: int,
    before_unix_us: int,
    keep_every_s: int,
) -> Iterator[_Row]:
    """The rows up to the first that is too young: behind it all is younger, unless the clock was set back."""
    query = (
        "SELECT seq, recorded_unix_us, telemetry, subject, payload FROM entry "  # noqa: S608
        f"WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT {_PIECE_ROWS}"
    )
    while rows := connection.execute(query, (after_seq, last_seq)).fetchall():
        for seq, unix_us, telemetry, subject, payload in rows:
            if unix_us >= before_unix_us:
                return
            window = unix_us // (keep_every_s * 1_000_000)
            yield _Row(seq, window, bool(telemetry), subject, payload)
        if rows[-1][0] <= after_seq:  # a damaged tree can lead back, for ever
            raise JournalDamaged(f"entry {rows[-1][0]} comes after entry {after_seq}")
        after_seq = rows[-1][0]


def _superseded(
    streams: dict[tuple[object, ...], _Stream], row: _Row, payload: bytes
) -> Iterator[int]:
    """The entry that nobody needs now that ``row`` is known: the one before it in its stream, unless that is the first."""
    event = _decoded(payload)
    key = _stream_key(row.subject, event)
    if key is None:
        return
    registers_kwh: dict[str, float] = {}
    readings = event.readings if isinstance(event, MeterRead | TransactionReported) else ()
    for reading in readings:
        if (reading.energy_import_interval_kwh, reading.energy_export_interval_kwh) != (None, None):
            return
        for name in ("energy_import_kwh", "energy_export_kwh"):
            value_kwh = getattr(reading, name)
            if value_kwh is not None:
                registers_kwh[name] = value_kwh
    stream = streams.get(key)
    if stream is None or stream.window != row.window or _went_back(stream, registers_kwh):
        streams[key] = _Stream(row, registers_kwh)
        return
    if stream.last_seq != stream.first_seq:
        yield stream.last_seq
    stream.last_seq = row.seq
    stream.registers_kwh |= registers_kwh


def _stream_key(subject: str, event: ChargerEvent | SiteEvent | None) -> tuple[object, ...] | None:
    """What an event is one of; None where each stays."""
    if isinstance(event, MeterRead | TransactionReported):
        return subject, event.evse_id, event.transaction_id, type(event)
    if isinstance(event, NoticeReceived):  # a stream of values that came by the clock
        return subject, event.action, NoticeReceived
    if isinstance(event, SetpointAsked):  # that and its message follow a meter
        return subject, event.command.evse_id, SetpointAsked
    if isinstance(event, CommandSent | CommandAnswered):
        return subject, event.action, type(event)
    if isinstance(event, SetpointDecided):  # likewise, at a site
        return subject, event.charger_id, event.evse_id, SetpointDecided
    return None


def _decoded(payload: bytes) -> ChargerEvent | SiteEvent | None:
    """What happened at a charger, or at the site; None where it cannot be read."""
    for read in (decode, site_event.decode):
        try:
            return read(payload)
        except msgspec.DecodeError:
            continue
    return None


def _went_back(stream: _Stream, registers_kwh: dict[str, float]) -> bool:
    return any(
        value_kwh < stream.registers_kwh.get(name, value_kwh)
        for name, value_kwh in registers_kwh.items()
    )


def _slices(seqs: list[int]) -> Iterator[list[int]]:
    """The numbers in slices, each of neighbours: all rows between the first and the last are rewritten."""
    part: list[int] = []
    for seq in seqs:
        if part and seq - part[0] >= _SLICE_ROWS:
            yield part
            part = []
        part.append(seq)
    if part:
        yield part


def _thin_slice(seqs: list[int], connection: sqlite3.Connection) -> None:
    """Take the rows between the first and the last out, and put them back, those of ``seqs`` without payload."""
    thinned = set(seqs)
    bounds = (seqs[0], seqs[-1])
    query = f"SELECT {COLUMNS} FROM entry WHERE seq BETWEEN ? AND ? ORDER BY seq"  # noqa: S608
    with database.transaction(connection):
        values: list[object] = []
        for *columns, payload, digest, entry_hash in connection.execute(query, bounds).fetchall():
            if columns[0] in thinned and payload is not None:
                digest = payload_digest(payload)  # noqa: PLW2901
                payload = None  # noqa: PLW2901
            values += (*columns, payload, digest, entry_hash)
        connection.execute("DELETE FROM entry WHERE seq BETWEEN ? AND ?", bounds)
        database.insert(connection, values)
