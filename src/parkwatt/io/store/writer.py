"""The one thread that writes: it takes all that waits, commits it in one transaction, and tells the callers.

While one commit waits for the disk, the notes of the next one gather (group commit), so the rate grows with the load
and a single note is not held back. A fault (disk full, file locked, I/O error) loses nothing: the batch is kept and tried
again, first after 50 ms, then ever more slowly up to 2 s, each time on a new connection. A commit that failed may still have
reached the file; so before a batch is written again, the file's last entry says whether it is there already.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import NamedTuple

from parkwatt.domain.journal import JournalClosed, JournalDamaged
from parkwatt.io.store import database
from parkwatt.io.store.alarm import Alarm
from parkwatt.io.store.chain import link, payload_digest
from parkwatt.io.store.head import Head, HeadFile
from parkwatt.io.store.waiting import Append, AskedJob, WaitingNotes

_RETRY_FIRST_S = 0.05
_RETRY_LAST_S = 2.0
# What an entry adds to its payload in the file, roughly.
_ENTRY_BYTES = 120
_ALARM_SOURCE = "write"
_HEAD_ALARM_SOURCE = "head"

Post = Callable[[Callable[[], None]], object]


class _Batch(NamedTuple):
    """A batch ready to be inserted: rows as one flat list, the last number of each append, the head after it."""

    values: list[object]
    last_seqs: list[int]
    head: Head


def _prepare(appends: Sequence[Append], head: Head) -> _Batch:
    values: list[object] = []
    last_seqs: list[int] = []
    seq, before = head.seq, head.hash
    for append in appends:
        for note in append.notes:
            seq += 1
            digest = payload_digest(note.payload)
            unix_us, kind, subject = note.recorded_unix_us, note.kind, note.subject
            before = link(before, seq, unix_us, kind, subject, note.telemetry, digest)
            values += (seq, unix_us, kind, subject, int(note.telemetry), note.payload, None, before)
        last_seqs.append(seq)
    return _Batch(values, last_seqs, Head(seq, before))


class Writer:
    """Owns the connection, the head and the thread. ``post`` runs a function where callbacks belong (an event loop)."""

    def __init__(
        self, path: Path, head: Head, head_file: HeadFile, waiting: WaitingNotes, alarm: Alarm
    ) -> None:
        self._path = path
        self._waiting = waiting
        self._alarm = alarm
        self._head_file = head_file
        self.head = head
        self.post: Post = _call
        self.bytes_since_checkpoint = _log_bytes(path)
        self.on_much_written: Callable[[], None] = _nothing
        self.much_written_bytes = 0
        self._connection: sqlite3.Connection | None = database.open_for_writing(path)
        self._given_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)

    def start(self) -> None:
        """Begin to write what waits."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Write what waits and end the thread; after the timeout what is left is given up. Returns whether all was written."""
        self._waiting.close()
        self._thread.join(timeout_s)
        self._given_up.set()
        self._thread.join()
        return self._alarm.text is None

    def take_connection(self) -> sqlite3.Connection | None:
        """The connection, once the thread has ended; the caller closes it."""
        connection, self._connection = self._connection, None
        return connection

    def _run(self) -> None:
        while (work := self._waiting.take()) is not None:
            appends, asked = work
            if appends:
                try:
                    self._append(appends)
                except Exception as error:  # noqa: BLE001 a bug: nobody may wait for what will never come
                    self._alarm.set(_ALARM_SOURCE, f"the journal's writer failed: {error!r}")
                    self._waiting.close()
                    self._give_up(appends)
            if asked is not None:
                self._do(asked)

    def _append(self, appends: list[Append]) -> None:
        batch = _prepare(appends, self.head)
        if not self._write_until_durable(batch):
            self._give_up(appends)
            return
        self.head = batch.head
        self._write_head()
        self._waiting.written(appends)
        self._tell(appends, batch.last_seqs)
        self.bytes_since_checkpoint += sum(
            append.size_bytes + _ENTRY_BYTES * len(append.notes) for append in appends
        )
        if self.bytes_since_checkpoint > self.much_written_bytes:
            self.bytes_since_checkpoint = 0
            self.on_much_written()

    def _give_up(self, appends: list[Append]) -> None:
        lost = [*appends, *self._waiting.give_up()]
        self._waiting.written(lost)
        _tell_given_up(lost)

    def _write_until_durable(self, batch: _Batch) -> bool:
        """Whether the batch is durable: False only where the journal is closed before."""
        wait_s = _RETRY_FIRST_S
        while True:
            try:
                self._write(batch)
            except (sqlite3.Error, OSError, JournalDamaged) as error:
                self._drop_connection()
                self._alarm.set(_ALARM_SOURCE, f"the journal cannot be written: {reason(error)}")
                if self._given_up.wait(wait_s):
                    return False
                wait_s = min(2 * wait_s, _RETRY_LAST_S)
            else:
                self._alarm.set(_ALARM_SOURCE, None)
                return True

    def _write(self, batch: _Batch) -> None:
        connection = self._connection
        if connection is None:
            connection = self._connection = database.open_for_writing(self._path)
            found = database.last_entry(connection)
            if found == (batch.head.seq, batch.head.hash):
                # The commit failed after it had reached the file. What sync said then is not to be trusted: a
                # checkpoint copies it into the database and syncs that.
                database.checkpoint_fully(connection)
                return
            if found != (self.head.seq, self.head.hash):
                raise JournalDamaged(
                    f"{self._path}: ends with entry {found[0]}, not with {self.head.seq} as written last"
                )
        database.insert(connection, batch.values)

    def _write_head(self) -> None:
        try:
            self._head_file.write(self.head)
        except OSError as error:
            fault = f"the journal's head file cannot be written: {reason(error)}"
            self._alarm.set(_HEAD_ALARM_SOURCE, fault)
        else:
            self._alarm.set(_HEAD_ALARM_SOURCE, None)

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except sqlite3.Error as error:
                self._alarm.set(_ALARM_SOURCE, f"the journal cannot be closed: {reason(error)}")

    def _do(self, asked: AskedJob) -> None:
        try:
            if self._connection is None:
                self._connection = database.open_for_writing(self._path)
            asked.job(self._connection)
        except Exception as error:  # noqa: BLE001 whoever asked gets it, and the thread goes on
            asked.done.set_exception(error)
        else:
            asked.done.set_result(None)

    def _tell(self, appends: list[Append], last_seqs: list[int]) -> None:
        calls: list[tuple[Callable[[int], None], int]] = []
        for append, seq in zip(appends, last_seqs, strict=True):
            if isinstance(append.done, Future):
                if append.done.set_running_or_notify_cancel():
                    append.done.set_result(seq)
            else:
                calls.append((append.done, seq))
        if calls:
            try:
                self.post(partial(_call_all, calls))
            except RuntimeError as error:  # the event loop is closed: those who asked are gone
                if "closed" not in str(error):
                    raise


def _log_bytes(path: Path) -> int:
    """The size of the write-ahead log that a process left that was killed: it counts towards the next checkpoint."""
    log = path.with_name(f"{path.name}-wal")
    return log.stat().st_size if log.exists() else 0


def reason(error: Exception) -> str:
    """A fault in a few words; SQLite's own name of it where there is one."""
    name = getattr(error, "sqlite_errorname", None)
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return f"{text} ({name})" if name else text


def _tell_given_up(appends: list[Append]) -> None:
    for append in appends:
        if isinstance(append.done, Future) and not append.done.done():
            append.done.set_exception(JournalClosed("closed before it could be written"))


def _call_all(calls: list[tuple[Callable[[int], None], int]]) -> None:
    for call, seq in calls:
        call(seq)


def _call(function: Callable[[], None]) -> None:
    function()


def _nothing() -> None:
    """Until somebody wants to know."""
