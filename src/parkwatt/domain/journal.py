"""The journal's nouns: what is written down, and the port that a store implements.

The journal is append-only: every event that came in, every command that went out, every reason. What is acknowledged to the
outside has been journalled first; state is a fold over it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Protocol

import msgspec


class Note(msgspec.Struct, frozen=True):
    """Something to write down: not yet in the journal, so without a number.

    ``kind``: the tag of the event (`transaction.started`); ``subject``: whom it concerns (a charger's id);
    ``payload``: the event as JSON; ``telemetry``: retention may thin it out.
    """

    recorded_unix_us: int
    kind: str
    subject: str
    payload: bytes
    telemetry: bool = False


class Entry(msgspec.Struct, frozen=True):
    """One row of the journal. ``seq`` counts from 1 without gaps; ``payload`` is None where retention thinned it."""

    seq: int
    recorded_unix_us: int
    kind: str
    subject: str
    payload: bytes | None


class Snapshot(msgspec.Struct, frozen=True):
    """The state after entry ``seq``, so that a restart folds only what came later. ``version``: of its format."""

    seq: int
    version: int
    payload: bytes


class Journal(Protocol):
    """The port of a journal. One process writes; any number may read."""

    def append(self, notes: Sequence[Note]) -> Future[int]:
        """Write the notes in this order, all or none; the future ends once they are durable, with the last one's number.

        Notes are written in the order of the calls. The future fails only when the journal is closed first.
        """

    def read(self, *, after_seq: int = 0, subject: str | None = None) -> Iterator[Entry]:
        """The durable entries after ``after_seq``, in order."""

    def snapshot(self) -> Snapshot | None:
        """The newest snapshot that is whole."""

    def write_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot; an older one may go."""

    def close(self) -> None:
        """Write what waits, then stop."""
