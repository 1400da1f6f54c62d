"""The route of a site's accounts. They are folded once, and later only what was journalled since."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

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

_US: Final = 1_000_000
_DAYS: Final = 31


class Books:
    """The accounts as far as they are folded. One reader at a time; in a thread, beside the event loop."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._accounts: JournalAccounts | None = None

    async def view(
        self,
        journal: Path,
        settings: AccountSettings,
        from_unix_s: int,
        until_unix_s: int,
        by: ByName,
    ) -> AccountView:
        """The accounts of a span, with all that is in the journal by now.

        Raises JournalDamaged where it cannot be read.
        """
        async with self._turn:
            if self._accounts is None:
                self._accounts = JournalAccounts(journal, settings)
            return await asyncio.to_thread(self._accounts.view, from_unix_s, until_unix_s, by)


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
    return await books.view(
        site.journal.path, account_settings(settings), from_unix_s, end_unix_s, by
    )
