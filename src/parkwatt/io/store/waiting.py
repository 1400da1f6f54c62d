"""The notes that wait to be written: a bounded queue from any thread to the writer's."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from parkwatt.domain.journal import JournalClosed, JournalFull, Note
from parkwatt.io.store.database import Job

# One commit: as much as is written and synced well within 50 ms.
_BATCH_NOTES_MAX = 4096
_BATCH_BYTES_MAX = 4 << 20
_TIME_BITS = 63


class Append(NamedTuple):
    """The notes of one call, and who is to be told: a future, or a callback with the last number."""

    notes: Sequence[Note]
    size_bytes: int
    done: Future[int] | Callable[[int], None]


class AskedJob(NamedTuple):
    """Something else to do with the writer's connection, in a transaction of its own."""

    job: Job
    done: Future[None]


class WaitingNotes:
    """Bounded by notes and by bytes of payload; what is waiting is taken in the order of the calls."""

    def __init__(self, notes_max: int, bytes_max: int) -> None:
        self._notes_max = notes_max
        self._bytes_max = bytes_max
        self._changed = threading.Condition()
        self._appends: deque[Append] = deque()
        self._jobs: deque[AskedJob] = deque()
        self._closed = False
        self._idle = False
        self.notes_count = 0
        self._bytes = 0

    def put(self, notes: Sequence[Note], done: Future[int] | Callable[[int], None]) -> None:
        """Take the notes of one call.

        Raises JournalFull, JournalClosed, ValueError (no notes, a text that UTF-8 cannot hold, a time beyond 64 bits).
        """
        if not notes:
            raise ValueError("an append needs at least one note")
        size_bytes = 0
        for note in notes:
            size_bytes += len(note.payload)
            if not (note.subject.isascii() and note.kind.isascii()):
                f"{note.subject}{note.kind}".encode()
            if note.recorded_unix_us.bit_length() > _TIME_BITS:
                raise ValueError(f"a time must fit into 64 bits, got {note.recorded_unix_us}")
        append = Append(notes, size_bytes, done)
        with self._changed:
            if self._closed:
                raise JournalClosed("the journal is closed")
            if (
                (
                    self.notes_count + len(notes) > self._notes_max
                    or self._bytes + size_bytes > self._bytes_max
                )
                and self.notes_count
            ):  # those that the writer has taken count too, until they are durable
                raise JournalFull(f"{self.notes_count} notes wait to be written")
            self._appends.append(append)
            self.notes_count += len(notes)
            self._bytes += size_bytes
            if self._idle:
                self._changed.notify()

    def ask(self, job: Job) -> Future[None]:
        """Do something between two batches; an error ends the future, and only the future."""
        asked = AskedJob(job, Future())
        with self._changed:
            if self._closed:
                raise JournalClosed("the journal is closed")
            self._jobs.append(asked)
            self._changed.notify()
        return asked.done

    def take(self) -> tuple[list[Append], AskedJob | None] | None:
        """Wait for work, then take a batch and a job; None once all is done after `close`.

        The batch still counts as waiting until `written`.
        """
        with self._changed:
            while not (self._appends or self._jobs):
                if self._closed:
                    return None
                self._idle = True
                self._changed.wait()
                self._idle = False
            batch: list[Append] = []
            notes = size_bytes = 0
            while self._appends:
                following = self._appends[0]
                notes += len(following.notes)
                size_bytes += following.size_bytes
                if batch and (notes > _BATCH_NOTES_MAX or size_bytes > _BATCH_BYTES_MAX):
                    break
                batch.append(self._appends.popleft())
            return batch, self._jobs.popleft() if self._jobs else None

    def written(self, batch: Sequence[Append]) -> None:
        """A batch is durable (or given up) and no longer waits."""
        with self._changed:
            self.notes_count -= sum(len(append.notes) for append in batch)
            self._bytes -= sum(append.size_bytes for append in batch)

    def close(self) -> None:
        """Take no more; what waits is still handed out."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def give_up(self) -> list[Append]:
        """Take out all that still waits, jobs included: they end with JournalClosed."""
        with self._changed:
            appends = list(self._appends)
            self._appends.clear()
            for asked in self._jobs:
                asked.done.set_exception(JournalClosed("the journal was closed"))
            self._jobs.clear()
        return appends
