"""The journal keeps what it acknowledged, in order, once."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from parkwatt.domain.errors import InputError
from parkwatt.domain.journal import (
    Entry,
    JournalClosed,
    JournalDamaged,
    JournalFull,
    Note,
    Snapshot,
)
from parkwatt.io.store.head import head_path
from parkwatt.io.store.snapshots import snapshot_paths
from parkwatt.io.store.sqlite_journal import SqliteJournal
from tests.io.store.written import note, written


def test_entries_are_numbered_in_the_order_of_the_calls(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    futures = [journal.append([note(2 * i), note(2 * i + 1)]) for i in range(1000)]
    assert [future.result() for future in futures] == list(range(2, 2002, 2))
    assert list(journal.read()) == [
        Entry(i + 1, n.recorded_unix_us, n.kind, n.subject, n.payload)
        for i, n in enumerate(map(note, range(2000)))
    ]
    journal.close()


def test_a_second_opening_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    path = written(tmp_path, 10)
    journal = SqliteJournal(path)
    assert journal.last_seq == 10
    assert journal.append([note(10)]).result() == 11
    assert [entry.seq for entry in journal.read(after_seq=8)] == [9, 10, 11]
    journal.close()


def test_reading_by_subject(tmp_path: Path) -> None:
    journal = SqliteJournal(written(tmp_path, 30))
    assert {e.subject for e in journal.read(subject="charger-1")} == {"charger-1"}
    assert len(list(journal.read(subject="charger-1"))) == 10
    journal.close()


def test_entries_of_many_threads_are_each_written_once(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")

    def append(thread: int) -> None:
        for number in range(200):
            journal.append([Note(0, "k", f"thread-{thread}", b"%d" % number)]).result()

    threads = [threading.Thread(target=append, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in range(8):
        payloads = [entry.payload for entry in journal.read(subject=f"thread-{index}")]
        assert payloads == [b"%d" % number for number in range(200)]
    journal.close()


def test_callbacks_run_where_they_are_posted(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")

    async def append() -> list[tuple[int, bool]]:
        loop = asyncio.get_running_loop()
        journal.post_with(loop.call_soon_threadsafe)
        thread, told = threading.get_ident(), []
        done = asyncio.Event()

        def on_durable(seq: int) -> None:
            told.append((seq, threading.get_ident() == thread))
            if seq == 100:
                done.set()

        for i in range(100):
            journal.append_then([note(i)], on_durable)
        await done.wait()
        return told

    assert asyncio.run(append()) == [(seq, True) for seq in range(1, 101)]
    journal.close()


def test_a_bug_in_the_writer_leaves_nobody_waiting(tmp_path: Path) -> None:
    alarms: list[str | None] = []
    journal = SqliteJournal(tmp_path / "journal", on_alarm=alarms.append)
    assert journal.append([note(0)]).result() == 1
    future = journal.append([Note(0, "k", "s", "a text, not bytes")])  # type: ignore[arg-type]
    with pytest.raises(JournalClosed):
        future.result()
    assert alarms[0] is not None
    assert "writer failed" in alarms[0]
    with pytest.raises(JournalClosed):
        journal.append([note(1)])
    journal.close()
    assert journal.last_seq == 1


def test_a_closed_event_loop_does_not_stop_the_writer(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    loop = asyncio.new_event_loop()
    loop.close()
    journal.post_with(loop.call_soon_threadsafe)
    journal.append_then([note(0)], lambda _: None)
    assert journal.append([note(1)]).result() == 2
    journal.close()


def test_a_full_queue_takes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal", notes_max=10)
    held, go_on = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        held.set()
        go_on.wait()

    journal.ask(hold)
    held.wait()
    taken = [journal.append([note(i)]) for i in range(10)]
    assert journal.backlog == 10
    with pytest.raises(JournalFull):
        journal.append([note(10)])
    go_on.set()
    assert [future.result() for future in taken] == list(range(1, 11))
    assert journal.append([note(10)]).result() == 11
    journal.close()
    assert journal.backlog == 0


def test_what_the_writer_has_taken_counts_until_it_is_durable(tmp_path: Path) -> None:
    alarmed = threading.Event()
    journal = SqliteJournal(tmp_path / "journal", notes_max=10, on_alarm=lambda _: alarmed.set())
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        taken = journal.append([note(i) for i in range(10)])
        assert alarmed.wait(60), "the writer has tried"
        with pytest.raises(JournalFull):
            journal.append([note(10)])
        another.execute("ROLLBACK")
    assert taken.result(60) == 10
    # More at once than may wait is taken where nothing waits.
    assert journal.append([note(i) for i in range(10, 30)]).result(60) == 30
    journal.close()


def test_closing_writes_what_waits_and_takes_no_more(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    futures = [journal.append([note(i)]) for i in range(5000)]
    journal.close()
    journal.close()
    assert futures[-1].result(timeout=0) == 5000
    with pytest.raises(JournalClosed):
        journal.append([note(0)])


def test_only_one_process_or_object_writes(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    with pytest.raises(InputError, match="another process writes this journal"):
        SqliteJournal(tmp_path / "journal")
    journal.append([note(0)]).result()
    journal.close()


@pytest.mark.parametrize("notes", [[], [Note(0, "k", "\ud800", b"")], [Note(2**63, "k", "s", b"")]])
def test_notes_that_cannot_be_written_are_refused_at_once(
    tmp_path: Path, notes: list[Note]
) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    with pytest.raises(ValueError):  # noqa: PT011 - of either kind
        journal.append(notes)
    assert journal.append([note(0)]).result() == 1
    journal.close()


def test_the_newest_whole_snapshot_is_taken(tmp_path: Path) -> None:
    path = written(tmp_path, 30)
    journal = SqliteJournal(path)
    assert journal.snapshot() is None
    for seq in (10, 20, 30):
        journal.write_snapshot(Snapshot(seq, 1, b"state after %d" % seq))
    assert journal.snapshot() == Snapshot(30, 1, b"state after 30")
    newest, older = snapshot_paths(path)
    newest.write_bytes(newest.read_bytes()[:-1])
    assert journal.snapshot() == Snapshot(20, 1, b"state after 20")
    older.write_bytes(b"")
    assert journal.snapshot() is None
    with pytest.raises(ValueError, match="entry 31 is not in the journal"):
        journal.write_snapshot(Snapshot(31, 1, b""))
    journal.close()


def test_a_damaged_journal_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, 10)
    head = head_path(path).read_bytes()
    content = path.read_bytes()

    head_path(path).unlink()
    with pytest.raises(JournalDamaged, match="is missing"):
        SqliteJournal(path)
    assert not head_path(path).exists()

    head_path(path).write_bytes(head[:30] + b"7" + head[31:])
    with pytest.raises(JournalDamaged, match="head file is damaged"):
        SqliteJournal(path)

    head_path(path).write_bytes(head)
    path.write_bytes(b"not a database" + content[14:])
    with pytest.raises(JournalDamaged, match="cannot be read as a journal"):
        SqliteJournal(path)

    path.unlink()
    with pytest.raises(JournalDamaged, match="held 10 entries"):
        SqliteJournal(path)
    assert not path.exists()

    path.write_bytes(content)
    journal = SqliteJournal(path)
    assert journal.last_seq == 10
    journal.close()


def test_a_beginning_that_was_cut_short_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    head_path(path).write_bytes(b"")
    (tmp_path / ".journal.new").write_bytes(b"half")
    journal = SqliteJournal(path)
    assert journal.append([note(0)]).result() == 1
    journal.close()
