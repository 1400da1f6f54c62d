"""Accounts beside a journal that grows: each look takes in what was added, and is what a fold of all would give."""

from __future__ import annotations

from pathlib import Path

from parkwatt.app.site_report.journal_accounts import JournalAccounts
from parkwatt.app.site_report.view import account_view
from parkwatt.domain.journal import Note
from parkwatt.io.store.sqlite_journal import SqliteJournal
from tests.site.account.made import MONDAY_UNIX_S, Home, folded, settings


def test_each_look_takes_in_what_was_added(tmp_path: Path) -> None:
    home = Home()
    home.live(MONDAY_UNIX_S, 2, seed=4, power_kw=lambda chance, _: chance.choice([-4.0, 7.0]))
    entries = home.made.entries
    notes = [Note(e.recorded_unix_us, e.kind, e.subject, e.payload or b"") for e in entries]
    path = tmp_path / "journal.sqlite"
    following = JournalAccounts(path, settings())
    journal = SqliteJournal(path)
    try:
        for start in range(0, len(notes), 700):
            journal.append(notes[start : start + 700]).result()
            seen = following.view(by="session")
            assert seen == account_view(folded(entries[: start + 700]), by="session")
        assert following.view(MONDAY_UNIX_S, MONDAY_UNIX_S + 86_400).days == 1.0
    finally:
        journal.close()
