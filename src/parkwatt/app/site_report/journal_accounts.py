"""Accounts that follow a journal's file: folded once, then only what was added since. Works beside the writer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from parkwatt.app.site_report.view import account_view
from parkwatt.app.site_report.views import AccountView, ByName
from parkwatt.io.store.reader import JournalReader
from parkwatt.site.account import KINDS, Accounts, AccountSettings

OnProgress = Callable[[int, int], None]
_PROGRESS_ENTRIES = 5000


class JournalAccounts:
    """For one thread at a time. The first call reads the whole journal: seconds for a year's."""

    def __init__(self, journal: Path, settings: AccountSettings) -> None:
        self._journal = journal
        self._accounts = Accounts(settings)
        self._after_seq = 0
        self._hash = b""

    @property
    def seal(self) -> tuple[int, bytes]:
        """Number and hash of the last entry that is in the accounts; 0 before the first time that they caught up."""
        return self._after_seq, self._hash

    def caught_up(self, on_progress: OnProgress = lambda _done, _all: None) -> Accounts:
        """The accounts of all that is durable now.

        Raises InputError where there is no journal, JournalDamaged where it cannot be read.
        """
        reader = JournalReader(self._journal)
        last_seq, last_hash = reader.last()
        entries = reader.read(after_seq=self._after_seq, last_seq=last_seq, kinds=KINDS)
        for index, entry in enumerate(entries):
            self._accounts.take(entry)
            self._after_seq = entry.seq
            if index % _PROGRESS_ENTRIES == 0:
                on_progress(entry.seq, last_seq)
        self._after_seq, self._hash = last_seq, last_hash
        return self._accounts

    def view(
        self,
        from_unix_s: int | None = None,
        until_unix_s: int | None = None,
        by: ByName = "day",
    ) -> AccountView:
        """What `GET /v1/report` answers; blocks while it reads and computes. Raises as `caught_up`."""
        return account_view(self.caught_up(), from_unix_s, until_unix_s, by)
