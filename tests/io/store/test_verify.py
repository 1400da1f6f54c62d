"""Whatever is altered is told, and what is whole is not suspected."""

import shutil
import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.domain.journal import Entry, JournalDamaged, Note, Snapshot
from parkwatt.io.store.head import head_path
from parkwatt.io.store.reader import JournalReader
from parkwatt.io.store.sqlite_journal import SqliteJournal
from parkwatt.io.store.verify import verify
from tests.io.store.written import note, written


def altered(path: Path, *statements: str) -> None:
    """Change a closed journal by SQL, and take its seal away: the chain alone has to find it."""
    line = head_path(path).read_bytes()
    SqliteJournal(path).close()
    assert head_path(path).read_bytes() == line, "an open and a close change nothing"
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def test_what_was_written_is_whole(tmp_path: Path) -> None:
    report = verify(written(tmp_path, 5000))
    assert (report.faults, report.entry_count, report.sealed) == ((), 5000, True)


def test_an_empty_journal_is_whole(tmp_path: Path) -> None:
    assert verify(written(tmp_path, 0)).faults == ()


def test_a_journal_that_is_written_is_whole(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    for i in range(2000):
        journal.append_then([note(i)], lambda _: None)
        if i % 500 == 0:
            assert verify(journal.path).faults == ()
    report = verify(journal.path)
    assert (report.faults, report.sealed) == ((), False)
    journal.close()


def test_no_journal(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        verify(tmp_path / "journal")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE entry SET payload = x'00' WHERE seq = 7", "entry 7: was altered"),
        ("UPDATE entry SET subject = 'x' WHERE seq = 7", "entry 7: was altered"),
        ("UPDATE entry SET kind = 'x' WHERE seq = 7", "entry 7: was altered"),
        ("UPDATE entry SET telemetry = 1 - telemetry WHERE seq = 7", "entry 7: was altered"),
        ("UPDATE entry SET recorded_unix_us = 1 WHERE seq = 7", "entry 7: was altered"),
        ("UPDATE entry SET hash = zeroblob(32) WHERE seq = 7", "entry 7: was altered"),
        ("UPDATE entry SET hash = zeroblob(31) WHERE seq = 7", "entry 7: a column"),
        ("UPDATE entry SET kind = CAST(kind AS BLOB) WHERE seq = 7", "entry 7: a column"),
        ("UPDATE entry SET payload = NULL WHERE seq = 7", "entry 7: its payload is missing"),
        (
            "UPDATE entry SET payload = NULL, payload_digest = zeroblob(32) WHERE seq = 8",
            "entry 8: its payload is missing",
        ),
        ("DELETE FROM entry WHERE seq = 7", "entry 7 is missing"),
        ("DELETE FROM entry WHERE seq IN (7, 8)", "entries 7 to 8 are missing"),
        ("DELETE FROM entry WHERE seq > 18", "missing at the end: 19 to 20"),
        ("DELETE FROM entry", "missing at the end: 1 to 20"),
        ("INSERT INTO entry SELECT 21, 1, 'k', 's', 0, x'00', NULL, zeroblob(32)", "entry 21"),
        ("INSERT INTO entry SELECT 0, 1, 'k', 's', 0, x'00', NULL, zeroblob(32)", "entry 0"),
        ("UPDATE entry SET seq = CASE seq WHEN 7 THEN -8 ELSE 7 END WHERE seq IN (7, 8)", "entry"),
        ("CREATE TRIGGER t AFTER INSERT ON entry BEGIN SELECT 1; END", "the tables are not"),
        ("CREATE INDEX i ON entry (subject)", "the tables are not those"),
        ("UPDATE meta SET journal_id = zeroblob(32)", "entry 1: was altered"),
        ("DELETE FROM meta", "the journal's id is missing"),
        ("PRAGMA user_version = 2", "the file's header"),
    ],
)
def test_an_alteration_by_sql_is_told(tmp_path: Path, statement: str, told: str) -> None:
    path = written(tmp_path, 20)
    altered(path, statement)
    faults = verify(path).faults
    assert faults[0] == f"{path}: is not as it was when it was closed"
    assert any(fault.startswith(told) for fault in faults), faults


def test_swapped_entries_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, 20)
    altered(
        path,
        "UPDATE entry SET seq = -1 WHERE seq = 7",
        "UPDATE entry SET seq = 7 WHERE seq = 8",
        "UPDATE entry SET seq = 8 WHERE seq = -1",
    )
    assert any(f.startswith("entry 7: was altered") for f in verify(path).faults)


def test_new_entries_are_not_chained_to_damaged_ones(tmp_path: Path) -> None:
    path = written(tmp_path, 20)
    altered(path, "UPDATE entry SET payload = x'00' WHERE seq = 7")
    with pytest.raises(JournalDamaged, match="entry 7: was altered"):
        SqliteJournal(path)


def test_two_journals_alike_do_not_share_a_chain(tmp_path: Path) -> None:
    """A head, or a snapshot, of another journal with the very same notes is not taken for this one's."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = written(tmp_path / "a", 5), written(tmp_path / "b", 5)
    shutil.copy(head_path(first), head_path(second))
    assert verify(second).faults
    with pytest.raises(JournalDamaged):
        SqliteJournal(second)


def test_a_damaged_snapshot_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, 5)
    journal = SqliteJournal(path)
    journal.write_snapshot(Snapshot(5, 1, b"state"))
    journal.close()
    assert verify(path).faults == ()
    snapshot = path.with_name(f"{path.name}.snapshot-{5:020d}")
    snapshot.write_bytes(snapshot.read_bytes().replace(b"state", b"stale"))
    assert verify(path).faults == (f"{snapshot}: the snapshot is damaged; it is not used",)


def flips(content: bytes) -> Iterator[bytes]:
    """The content with each of its bytes altered in turn: one bit, another one each time, or all of them."""
    for place, byte in enumerate(content):
        mask = 0xFF if place % 9 == 8 else 1 << (place % 9)
        yield content[:place] + bytes([byte ^ mask]) + content[place + 1 :]


@pytest.mark.parametrize("part", range(4))
def test_each_altered_byte_of_a_closed_journal_is_told(tmp_path: Path, part: int) -> None:
    """In four parts, because there are many bytes."""
    path = written(tmp_path, 12)
    journal = SqliteJournal(path)
    journal.write_snapshot(Snapshot(6, 1, b"some state"))
    journal.close()
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    for file in files:
        content = file.read_bytes()
        for flipped in islice(flips(content), part, None, 4):
            file.write_bytes(flipped)
            assert verify(path).faults, f"{file.name}: {flipped!r}"
        file.write_bytes(content)
    assert verify(path).faults == ()
    assert sorted(tmp_path.iterdir()) == files, "verifying leaves no file behind"


def copied(path: Path, folder: Path) -> Path:
    """The journal's files as a killed process leaves them."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(path.parent, folder)
    (folder / f"{path.name}-shm").unlink(missing_ok=True)
    return folder / path.name


def entries_or_none(path: Path) -> list[Entry] | None:
    """The entries as a reader gets them; None where it is refused."""
    try:
        return list(JournalReader(path).read())
    except JournalDamaged:
        return None


def test_each_altered_byte_of_a_killed_journal_is_told_or_harmless(tmp_path: Path) -> None:
    """Some bytes say nothing (unused ones, old log frames): then each entry still reads as it was written."""
    (tmp_path / "live").mkdir()
    journal = SqliteJournal(tmp_path / "live" / "journal", checkpoint_bytes=1)
    for i in range(12):
        journal.append([note(i)]).result()
    path = copied(journal.path, tmp_path / "killed")
    expected = list(journal.read())
    journal.close()
    assert verify(path).faults == ()
    told = harmless = 0
    for name in ("journal", "journal-wal", "journal.head"):
        file = path.with_name(name)
        content = file.read_bytes()
        for flipped in list(flips(content))[:: max(1, len(content) // 700)]:
            file.write_bytes(flipped)
            if verify(path).faults:
                told += 1
            else:
                assert entries_or_none(path) == expected
                harmless += 1
        file.write_bytes(content)
    assert told > 100
    assert harmless > 100


@given(
    st.lists(
        st.tuples(
            st.integers(-(2**62), 2**62), st.text(max_size=5), st.text(max_size=5),
            st.binary(max_size=20), st.booleans(),
        ),
        min_size=1, max_size=30,
    )
)  # fmt: skip
def test_any_notes_read_back_and_verify(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str, str, bytes, bool]]
) -> None:
    notes = [Note(*row) for row in rows]
    journal = SqliteJournal(tmp_path_factory.mktemp("any") / "journal")
    journal.append(notes).result()
    journal.close()
    assert verify(journal.path).faults == ()
    read = [(e.recorded_unix_us, e.kind, e.subject, e.payload) for e in journal.read()]
    assert read == [(n.recorded_unix_us, n.kind, n.subject, n.payload) for n in notes]


def test_verifying_changes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, 100)
    before = {f.name: (f.read_bytes(), f.stat().st_mtime_ns) for f in tmp_path.iterdir()}
    assert verify(path).faults == ()
    assert {f.name: (f.read_bytes(), f.stat().st_mtime_ns) for f in tmp_path.iterdir()} == before
