"""The journal in SQLite: the port's implementation, put together from its parts.

append ── WaitingNotes ── Writer (thread, group commit) ── database ── head file
                              └── Checkpointer (thread)
read, snapshot ── connections of their own
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from parkwatt.domain.journal import Entry, JournalDamaged, Note, Snapshot
from parkwatt.io.store import database, snapshots
from parkwatt.io.store.alarm import Alarm, OnAlarm
from parkwatt.io.store.checkpointer import Checkpointer
from parkwatt.io.store.database import Job
from parkwatt.io.store.head import Head, HeadFile, decode_head, head_path
from parkwatt.io.store.reader import JournalReader, unreadable
from parkwatt.io.store.waiting import WaitingNotes
from parkwatt.io.store.walk import Walk
from parkwatt.io.store.writer import Post, Writer

_NOTES_MAX = 200_000
_BYTES_MAX = 256 << 20
_CHECKPOINT_BYTES = 4 << 20
_CLOSE_S = 30.0
_SEAL_S = 30.0
_CHECKED_ON_OPENING = 1000
_ADVICE = (
    "`parkwatt journal verify` says more. Restore the journal, or move it away to begin a new one"
)


class SqliteJournal:
    """Opens the journal at ``path`` for writing, or begins one where there is none.

    ``on_alarm``: called with the text when writing becomes impossible, with None when it works again; in a thread of the
    journal. ``notes_max``, ``bytes_max``: how much may wait before `append` raises JournalFull.
    ``checkpoint_bytes``: how long the write-ahead log may grow before it is copied into the database.
    Raises InputError where another process writes it or the folder cannot be written, JournalDamaged where it is not
    what was written: a new one is never begun in place of a damaged one.
    """

    def __init__(
        self,
        path: Path,
        *,
        on_alarm: OnAlarm = lambda _: None,
        notes_max: int = _NOTES_MAX,
        bytes_max: int = _BYTES_MAX,
        checkpoint_bytes: int = _CHECKPOINT_BYTES,
    ) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not head_path(path).exists():
            raise JournalDamaged(
                f"{path}: {head_path(path).name} is missing: put it back from where the journal came from"
            )
        self._head_file = HeadFile(path)
        try:
            head = _opened_head(path)
            self._head_file.write_durably(head)  # without its seal: from now on the file changes
            self._alarm = Alarm(on_alarm)
            self._waiting = WaitingNotes(notes_max, bytes_max)
            self._writer = Writer(path, head, self._head_file, self._waiting, self._alarm)
        except BaseException:
            self._head_file.close()
            raise
        self._reader = JournalReader(path)
        self._checkpointer = Checkpointer(path, self._waiting.ask, self._alarm)
        self._writer.much_written_bytes = checkpoint_bytes
        self._writer.on_much_written = self._checkpointer.wake
        self._close_lock = threading.Lock()
        self._closed = False
        self._writer.start()

    @property
    def last_seq(self) -> int:
        """The number of the last durable entry; 0 where there is none."""
        return self._writer.head.seq

    @property
    def backlog(self) -> int:
        """How many notes wait to become durable."""
        return self._waiting.notes_count

    @property
    def alarm(self) -> str | None:
        """Why nothing becomes durable just now; None where all is well."""
        return self._alarm.text

    def post_with(self, post: Post) -> None:
        """Where the callbacks of `append_then` run: ``post`` is given one function for each commit, for example
        `loop.call_soon_threadsafe`. Without it they run in the writer's thread.
        """
        self._writer.post = post

    def append(self, notes: Sequence[Note]) -> Future[int]:
        """Write the notes in this order, all or none; see the port."""
        future: Future[int] = Future()
        self._waiting.put(notes, future)
        return future

    def append_then(self, notes: Sequence[Note], on_durable: Callable[[int], None]) -> None:
        """As `append`; ``on_durable`` is called with the last one's number, never where the journal is closed first."""
        self._waiting.put(notes, on_durable)

    def ask(self, job: Job) -> Future[None]:
        """Do something with the writer's connection between two commits (retention)."""
        return self._waiting.ask(job)

    def read(self, *, after_seq: int = 0, subject: str | None = None) -> Iterator[Entry]:
        """The durable entries after ``after_seq``, in order."""
        return self._reader.read(after_seq=after_seq, last_seq=self.last_seq, subject=subject)

    def snapshot(self) -> Snapshot | None:
        """The newest snapshot that is whole and of this journal."""
        with database.reading(self.path) as connection:
            return snapshots.newest_snapshot(
                self.path, lambda seq: database.hash_at(connection, seq)
            )

    def write_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot; the newest two stay. It takes as long as the disk: not for an event loop's thread.

        Raises ValueError where its entry is not durable, OSError where it cannot be written.
        """
        with database.reading(self.path) as connection:
            entry_hash = database.hash_at(connection, snapshot.seq)
        if entry_hash is None:
            raise ValueError(f"entry {snapshot.seq} is not in the journal")
        snapshots.write_snapshot(self.path, snapshot, entry_hash)

    def close(self) -> None:
        """Write what waits, seal the file, stop. Where nothing can be written for 30 s what waits is given up."""
        with self._close_lock:
            if self._closed:
                return
            self._closed = True
            self._writer.stop(_CLOSE_S)
            self._checkpointer.stop()
            is_whole = _finish(self._writer.take_connection())
            try:
                wal = self.path.with_name(f"{self.path.name}-wal")
                if is_whole and not (wal.exists() and wal.stat().st_size):
                    until = time.monotonic() + _SEAL_S
                    self._head_file.seal(self._writer.head, self.path, until=until)
            finally:
                self._head_file.close()


def _finish(connection: sqlite3.Connection | None) -> bool:
    """Close the database; whether all is in its one file."""
    if connection is None:
        return False
    try:
        database.checkpoint_fully(connection)
        connection.close()
    except sqlite3.Error:
        connection.close()
        return False
    return True


def _opened_head(path: Path) -> Head:
    """The head of a journal that agrees with its database; of a new journal, where there was none."""
    line = head_path(path).read_bytes()
    head = decode_head(line)
    if line and head is None:
        raise JournalDamaged(f"{head_path(path)}: the head file is damaged")
    if not path.exists():
        if head is not None and head.seq:
            raise JournalDamaged(
                f"{path}: the journal is missing; its head file says that it held {head.seq} entries"
            )
        _begin(path)
        head = None
    try:
        with database.reading(path) as connection:
            seq, digest = database.last_entry(connection)
            if head is not None and database.hash_at(connection, head.seq) != head.hash:
                raise JournalDamaged(
                    f"{path}: ends with entry {seq} and does not hold entry {head.seq} as it was written; {_ADVICE}"
                )
            _check_end(connection, path, seq)
    except database.UNREADABLE as error:
        raise unreadable(path, error) from error
    if head is None and seq:
        raise JournalDamaged(f"{head_path(path)}: the head file is empty")
    return Head(seq, digest)


def _check_end(connection: sqlite3.Connection, path: Path, seq: int) -> None:
    """Hold the last entries against their chain: all would take long, and new ones must not hang on damaged ones."""
    first = max(0, seq - _CHECKED_ON_OPENING)
    before = database.hash_at(connection, first)
    walk = Walk(connection, first, before if isinstance(before, bytes) else b"")
    walk.to(seq, seq, lambda _: None)
    if walk.faults:
        raise JournalDamaged(f"{path}: {walk.faults[0]}; {_ADVICE}")


def _begin(path: Path) -> None:
    """A new database under its name only when it is whole."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    database.create(temporary)
    temporary.replace(path)
