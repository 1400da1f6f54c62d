"""Killed processes, full disks and locked files: nothing acknowledged is lost, and nothing is there twice."""

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from parkwatt.domain.journal import JournalClosed
from parkwatt.io.store import sqlite_journal
from parkwatt.io.store.reader import JournalReader
from parkwatt.io.store.sqlite_journal import SqliteJournal
from parkwatt.io.store.verify import verify
from tests.io.store import child
from tests.io.store.written import note, written

# PARKWATT_TEST_KILLS=500 for the long run.
KILLS = int(os.environ.get("PARKWATT_TEST_KILLS", "25"))
# Each is verified whole after each kill, so it must stay small.
KILLS_OF_ONE_JOURNAL = 25
UNLIMITED = resource.RLIM_INFINITY


class Child:
    """The appending process, and what it has told so far."""

    def __init__(self, path: Path) -> None:
        self._told_path = path.with_name("told")
        self._told_path.write_bytes(b"")
        with self._told_path.open("ab") as told:
            self.process = subprocess.Popen(
                [sys.executable, child.__file__, str(path)], stdin=subprocess.PIPE, stdout=told
            )

    def told(self) -> list[str]:
        """The whole lines that it has printed."""
        return self._told_path.read_text().split("\n")[:-1]

    def acknowledged(self) -> list[int]:
        """The numbers that it was told are durable."""
        return [int(line) for line in self.told() if line.isdecimal()]

    def wait_for(self, condition: Callable[[list[str]], bool], timeout_s: float) -> None:
        """Wait until what it has told is enough."""
        until = time.monotonic() + timeout_s
        while not condition(self.told()):
            assert time.monotonic() < until, self.told()[-3:]
            assert self.process.poll() is None, "the process ended"
            time.sleep(0.002)

    def kill(self) -> None:
        """End it as a power cut would, for the process."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._close()

    def end(self) -> None:
        """Let it close its journal."""
        self.process.communicate(b"\n")

    def _close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def limit_file_size(self, size_bytes: int) -> None:
        """No file of this process may grow beyond: as a disk that is full, and with UNLIMITED empty again."""
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size_bytes, UNLIMITED))


def assert_kept(path: Path, acknowledged_seq: int) -> None:
    """All that was acknowledged is there, each entry once and what its number says."""
    report = verify(path)
    assert report.faults == ()
    payloads = [entry.payload for entry in JournalReader(path).read()]
    assert len(payloads) >= acknowledged_seq
    assert payloads == [child.payload(i + 1) for i in range(len(payloads))]


def test_a_killed_process_loses_nothing_acknowledged(tmp_path: Path, time_unit_s: float) -> None:
    moments = random.Random(1)  # noqa: S311 - the same in each run
    acknowledged = 0
    for kill in range(KILLS):
        if kill % KILLS_OF_ONE_JOURNAL == 0:
            path = tmp_path / f"{kill}"
            acknowledged = 0
        appending = Child(path)
        appending.wait_for(lambda told: len(told) > 0, 30 * time_unit_s)
        time.sleep(moments.uniform(0, 0.15))
        appending.kill()
        acknowledged = max(acknowledged, *appending.acknowledged())
        assert_kept(path, acknowledged)
        assert acknowledged > 0


def test_a_disk_that_fills_up_and_empties_loses_nothing(tmp_path: Path, time_unit_s: float) -> None:
    path = tmp_path / "journal"
    appending = Child(path)
    appending.wait_for(lambda told: len(told) > 500, 30 * time_unit_s)
    for _ in range(3):
        before = len(appending.told())
        appending.limit_file_size(path.with_name("journal-wal").stat().st_size // 2)
        appending.wait_for(
            lambda told, at=before: any("alarm: the journal" in x for x in told[at:]),  # type: ignore[misc]
            30 * time_unit_s,
        )
        full = len(appending.told())
        appending.limit_file_size(UNLIMITED)
        appending.wait_for(
            lambda told, at=full: "alarm: None" in told[at:] and told[-1].isdecimal(),  # type: ignore[misc]
            30 * time_unit_s,
        )
    appending.end()
    assert appending.told()[-1] == "closed"
    acknowledged = appending.acknowledged()
    assert acknowledged == list(range(1, len(acknowledged) + 1)), "in order, each once"
    assert_kept(path, acknowledged[-1])
    assert verify(path).sealed


def test_killed_while_the_disk_is_full(tmp_path: Path, time_unit_s: float) -> None:
    path = tmp_path / "journal"
    appending = Child(path)
    appending.wait_for(lambda told: len(told) > 500, 30 * time_unit_s)
    appending.limit_file_size(path.with_name("journal-wal").stat().st_size // 2)
    appending.wait_for(lambda told: any("alarm: " in x for x in told), 30 * time_unit_s)
    appending.kill()
    assert_kept(path, max(appending.acknowledged()))


def test_a_locked_file_holds_writing_up_and_loses_nothing(
    tmp_path: Path, time_unit_s: float
) -> None:
    alarms: list[str | None] = []
    journal = SqliteJournal(written(tmp_path, 5), on_alarm=alarms.append)
    locking = sqlite3.connect(journal.path, isolation_level=None)
    locking.execute("BEGIN IMMEDIATE")
    futures = [journal.append([note(i)]) for i in range(5, 10)]
    until = time.monotonic() + 30 * time_unit_s
    while journal.alarm is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert "database is locked (SQLITE_BUSY)" in journal.alarm
    assert journal.backlog == 5
    assert not futures[0].done()
    locking.execute("ROLLBACK")
    locking.close()
    assert [f.result(30 * time_unit_s) for f in futures] == [6, 7, 8, 9, 10]
    journal.close()
    assert alarms[-1] is None
    assert journal.alarm is None
    assert verify(journal.path).faults == ()


def test_a_database_that_may_not_grow_is_told_and_loses_nothing(
    tmp_path: Path, time_unit_s: float
) -> None:
    """SQLite's own word for a full disk. The limit is the connection's, so the next attempt finds room."""
    alarms: list[str | None] = []
    journal = SqliteJournal(written(tmp_path, 5), on_alarm=alarms.append)

    def limit(connection: sqlite3.Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    journal.ask(limit).result()
    futures = [journal.append([note(i)]) for i in range(5, 500)]
    assert [f.result(30 * time_unit_s) for f in futures] == list(range(6, 501))
    journal.close()
    assert alarms == [
        "the journal cannot be written: database or disk is full (SQLITE_FULL)",
        None,
    ]
    assert verify(journal.path).faults == ()


def test_closing_what_cannot_be_written_gives_up_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_journal, "_CLOSE_S", 0.1)
    journal = SqliteJournal(written(tmp_path, 5))
    locking = sqlite3.connect(journal.path, isolation_level=None)
    locking.execute("BEGIN IMMEDIATE")
    future = journal.append([note(5)])
    journal.close()
    with pytest.raises(JournalClosed):
        future.result(0)
    locking.close()
    assert verify(journal.path).faults == ()
    assert verify(journal.path).entry_count == 5


def test_entries_written_by_somebody_else_stop_the_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, time_unit_s: float
) -> None:
    """Never two chains in one file: the alarm stays until somebody looks."""
    monkeypatch.setattr(sqlite_journal, "_CLOSE_S", 0.1)
    journal = SqliteJournal(written(tmp_path, 5))
    other = sqlite3.connect(journal.path, isolation_level=None)
    other.execute("INSERT INTO entry SELECT 6, 1, 'k', 's', 0, x'00', NULL, zeroblob(32)")
    future = journal.append([note(5)])
    until = time.monotonic() + 30 * time_unit_s
    while "ends with entry 6, not with 5" not in (journal.alarm or ""):
        assert time.monotonic() < until
        time.sleep(0.01)
    journal.close()
    with pytest.raises(JournalClosed):
        future.result(0)
    other.close()
