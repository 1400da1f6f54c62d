"""Looking for entries from the end of a journal: the newest of a kind, and pieces that go back without gap or repetition."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from parkwatt.domain.journal import Note
from parkwatt.io.store import reader as store_reader
from parkwatt.io.store.reader import JournalReader
from parkwatt.io.store.sqlite_journal import SqliteJournal

KINDS = ("a", "b", "c")
COUNT = 400


@pytest.fixture
def journal(tmp_path: Path) -> JournalReader:
    """Entries of three kinds about two subjects, by chance."""
    draw = random.Random(7)  # noqa: S311
    path = tmp_path / "journal.sqlite"
    written = SqliteJournal(path)
    notes = [
        Note(number, draw.choice(KINDS), draw.choice(["x", "y"]), b"{}") for number in range(COUNT)
    ]
    written.append(notes).result()
    written.close()
    return JournalReader(path)


@pytest.mark.parametrize(("rows", "seqs"), [(1, 3), (3, 50), (500, 7), (500, 50_000)])
def test_going_back_finds_all_of_a_span_once_newest_first(
    journal: JournalReader, monkeypatch: pytest.MonkeyPatch, rows: int, seqs: int
) -> None:
    monkeypatch.setattr(store_reader, "_BACK_ROWS", rows)
    monkeypatch.setattr(store_reader, "_BACK_SEQS", seqs)
    for kinds, after_seq, before_seq in ((("a",), 0, COUNT + 1), (("a", "c"), 17, 203)):
        expected = [
            entry.seq
            for entry in journal.read(after_seq=after_seq, last_seq=before_seq - 1, kinds=kinds)
        ]
        found: list[int] = []
        for left_seq, entries in journal.read_back(before_seq, kinds=kinds, after_seq=after_seq):
            found += [entry.seq for entry in entries]
            # Who stops here goes on from there.
            rest = [one for one in expected if one <= left_seq]
            assert found == expected[::-1][: len(expected) - len(rest)]
        assert found == expected[::-1]
    assert list(journal.read_back(1, kinds=("a",))) == []


def test_the_newest_of_a_kind_between_two_entries(journal: JournalReader) -> None:
    for subject in (None, "x", "y"):
        for after_seq, last_seq in ((0, None), (0, 100), (90, 110), (5, 6)):
            listed = list(
                journal.read(after_seq=after_seq, last_seq=last_seq, subject=subject, kinds=("b",))
            )
            newest = journal.newest("b", subject=subject, after_seq=after_seq, last_seq=last_seq)
            assert newest == (listed[-1] if listed else None)
