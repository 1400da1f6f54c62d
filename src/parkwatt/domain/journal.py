"""The journal's nouns: what is written down, and the port that a store implements.

The journal is append-only: every event that came in, every command that went out, every reason. What is acknowledged to the
outside has been journalled first; state is a fold over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Protocol

import msgspec

from parkwatt.domain.errors import ParkwattError

# The kind of the entries in which the journal itself tells what retention thinned.
THINNED = "journal.thinned"


class JournalDamaged(ParkwattError):  # noqa: N818 - a state of the journal, as the others below
    """The journal is not what was written: nothing is read from it as if it were, and nothing is added."""


class JournalFull(ParkwattError):  # noqa: N818
    """More notes wait to be written than may: the disk is too slow or stands still. Nothing of this call was taken."""


class JournalClosed(ParkwattError):  # noqa: N818
    """The journal was closed before the notes were durable."""


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

    @property
    def last_seq(self) -> int:
        """The number of the last durable entry; 0 where there is none."""

    @property
    def backlog(self) -> int:
        """How many notes wait to become durable: take in less from outside while it grows."""

    @property
    def alarm(self) -> str | None:
        """Why nothing becomes durable just now (disk full, file locked); None where all is well."""

    def append(self, notes: Sequence[Note]) -> Future[int]:
        """Write the notes in this order, all or none; the future ends once they are durable, with the last one's number.

        Notes are written in the order of the calls. The future fails only when the journal is closed first.
        Raises JournalFull where too much waits, JournalClosed after `close`, ValueError without notes.
        """

    def append_then(self, notes: Sequence[Note], on_durable: Callable[[int], None]) -> None:
        """As `append`, for many callers at once: ``on_durable`` is called with the last one's number."""

    def read(self, *, after_seq: int = 0, subject: str | None = None) -> Iterator[Entry]:
        """The durable entries after ``after_seq``, in order."""

    def snapshot(self) -> Snapshot | None:
        """The newest snapshot that is whole."""

    def write_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot of durable entries; an older one may go."""

    def close(self) -> None:
        """Write what waits, then stop."""
