"""Walking along the chain: each entry is held against the one before it, and what does not fit is told in a line."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

import msgspec

from parkwatt.domain.journal import THINNED
from parkwatt.io.store.chain import HASH_BYTES, link, payload_digest
from parkwatt.io.store.database import COLUMNS

# More faults than this say nothing new.
FAULTS_MAX = 20
_PIECE_ROWS = 2000

OnProgress = Callable[[int], None]


class ThinnedSpan(msgspec.Struct, frozen=True):
    """The payload of a `journal.thinned` entry: telemetry from one entry to another, both included, may be without payload."""

    from_seq: int
    to_seq: int
    before_unix_us: int
    keep_every_s: int


def thinned_spans(connection: sqlite3.Connection) -> list[ThinnedSpan]:
    """All that retention says it thinned. The chain covers these entries as any other."""
    query = f"SELECT seq, payload FROM entry WHERE kind = '{THINNED}' ORDER BY seq"  # noqa: S608
    spans = []
    for seq, payload in connection.execute(query):
        try:
            span = msgspec.json.decode(payload, type=ThinnedSpan)
        except (msgspec.DecodeError, TypeError):
            continue
        if span.to_seq < seq:
            spans.append(span)
    return spans


class Walk:
    """A walk over the entries after ``seq``, whose hash is ``before``; `faults` are those found so far."""

    def __init__(self, connection: sqlite3.Connection, seq: int, before: bytes) -> None:
        self._connection = connection
        self._before: bytes | None = before
        self._spans = thinned_spans(connection)
        self.seq = seq
        self.hash = before
        self.thinned_count = 0
        self.faults: list[str] = []

    def to(self, last_seq: int, watched_seq: int, on_progress: OnProgress) -> bytes | None:
        """Walk up to ``last_seq``; returns the hash that stands at ``watched_seq``, None where there is no such entry."""
        watched = self.hash if watched_seq == self.seq else None
        query = f"SELECT {COLUMNS} FROM entry WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT {_PIECE_ROWS}"  # noqa: S608
        while rows := self._connection.execute(query, (self.seq, last_seq)).fetchall():
            for row in rows:
                if row[0] <= self.seq:
                    # A damaged tree can lead back to where the walk has been, for ever.
                    self._tell(f"entry {row[0]}: comes after entry {self.seq}")
                    return watched
                self._step(row[0], row[-1], row)
                if row[0] == watched_seq:
                    watched = row[-1]
            on_progress(self.seq)
        return watched

    def _step(self, seq: int, digest: object, row: Sequence[object]) -> None:
        if seq != self.seq + 1:
            self._missing(self.seq + 1, seq - 1)
            self._before = None  # what the next one was chained to is gone
        fault = self._fault(row)
        if fault is not None:
            self._tell(f"entry {seq}: {fault}")
        self.seq = seq
        self._before = digest if isinstance(digest, bytes) else None
        self.hash = self._before or b""

    def _fault(self, row: Sequence[object]) -> str | None:
        seq, unix_us, kind, subject, telemetry, payload, digest, entry_hash = row
        if not (
            isinstance(seq, int)
            and isinstance(unix_us, int)
            and isinstance(kind, str)
            and isinstance(subject, str)
            and isinstance(entry_hash, bytes)
            and len(entry_hash) == HASH_BYTES
            and telemetry in (0, 1)
        ):
            return "a column does not hold what it should"
        if isinstance(payload, bytes):
            if digest is not None:
                return "has a payload and says that it was thinned"
            digest = payload_digest(payload)
        elif payload is not None or not isinstance(digest, bytes):
            return "its payload is missing"
        else:
            self.thinned_count += 1
            if not telemetry or not self._is_covered(seq):
                return "its payload is missing, and no retention says why"
        before = self._before
        if before is not None and entry_hash != link(
            before, seq, unix_us, kind, subject, bool(telemetry), digest
        ):
            return "was altered, or the one before it"
        return None

    def _is_covered(self, seq: int) -> bool:
        if any(span.from_seq <= seq <= span.to_seq for span in self._spans):
            return True
        self._spans = thinned_spans(self._connection)  # a server may have thinned it just now
        return any(span.from_seq <= seq <= span.to_seq for span in self._spans)

    def _missing(self, first: int, last: int) -> None:
        which = f"entry {first} is" if first == last else f"entries {first} to {last} are"
        self._tell(f"{which} missing")

    def _tell(self, fault: str) -> None:
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(fault)
