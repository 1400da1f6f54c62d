"""The route of a site's accounts. They are folded once, and later only what was journalled since."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Query, Request

from parkwatt.app.api.chargers import SiteGiven
from parkwatt.app.api.reasons import unix_us
from parkwatt.app.api.site_routes import NOT_RUN, LiveGiven
from parkwatt.app.api.site_words import local
from parkwatt.app.site_report.journal_accounts import JournalAccounts
from parkwatt.app.site_report.settings import account_settings
from parkwatt.app.site_report.views import AccountView, ByName
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.site.account import AccountSettings

router = APIRouter(prefix="/v1", tags=["site"], responses=NOT_RUN)

T = TypeVar("T")

_US: Final = 1_000_000
_DAYS: Final = 31


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, and the number of the last entry that was known then. ``at_s``: when it was given, by a steady clock."""

    seq: int
    at_s: float
    answer: Any


class Books:
    """The accounts as far as they are folded. One reader at a time; in a thread, beside the event loop.

    ``told``: what was answered, for who asks the same again; ``under_way``: what is being computed for whoever asked.
    """

    def __init__(self) -> None:
        self.told: dict[object, Told] = {}
        self.under_way: dict[object, asyncio.Task[Any]] = {}
        self._turn = asyncio.Lock()
        self._accounts: JournalAccounts | None = None

    async def ask(
        self, journal: Path, settings: AccountSettings, question: Callable[[JournalAccounts], T]
    ) -> T:
        """What ``question`` says of the accounts; it is asked in a thread.

        Raises JournalDamaged where the journal cannot be read.
        """
        async with self._turn:
            if self._accounts is None:
                self._accounts = JournalAccounts(journal, settings)
            return await asyncio.to_thread(question, self._accounts)


@router.get("/report")
async def show_report(
    request: Request,
    site: SiteGiven,
    live: LiveGiven,
    begin: Annotated[datetime | None, Query(alias="from")] = None,
    until: datetime | None = None,
    by: ByName = "day",
) -> AccountView:
    """Energy, money, wear and promises by session, day, month or year. Without a span: of the last 31 days."""
    settings = live.snapshot().settings
    end_unix_s = (site.now_unix_us() if until is None else unix_us("until", until)) // _US
    if begin is None:
        day = local(end_unix_s, settings.time_zone) - timedelta(days=_DAYS - 1)
        from_unix_s = int(day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
    else:
        from_unix_s = unix_us("from", begin) // _US
    if begin is not None and from_unix_s >= end_unix_s:
        rule = "must be after from"
        raise InputError([InputFault("until", rule, None if until is None else until.isoformat())])
    books: Books = request.app.state.books
    return await books.ask(
        site.journal.path,
        account_settings(settings),
        lambda accounts: accounts.view(from_unix_s, end_unix_s, by),
    )
