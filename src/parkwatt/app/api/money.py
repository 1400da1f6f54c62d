"""Routes about money and batteries: savings, the battery's ledger, and both as files for a warranty or a sale."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from parkwatt.app.api.chargers import SiteGiven
from parkwatt.app.api.report import Books, Told
from parkwatt.app.api.site_routes import NOT_RUN, UNKNOWN_CAR, LiveGiven
from parkwatt.app.api.site_words import local
from parkwatt.app.api.views import moment
from parkwatt.app.site_report.journal_accounts import JournalAccounts
from parkwatt.app.site_report.settings import account_settings
from parkwatt.app.statement.battery import battery_view
from parkwatt.app.statement.csv_text import battery_csv, money_csv
from parkwatt.app.statement.money import money_today, money_view, nothing_yet
from parkwatt.app.statement.views import (
    BatteryView,
    MoneyTodayView,
    MoneyView,
    PeriodName,
    SealView,
)
from parkwatt.app.statement.wording import LanguageName
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.site.account import Accounts, AccountSettings

router = APIRouter(prefix="/v1", tags=["money"], responses=NOT_RUN)

T = TypeVar("T")
_US: Final = 1_000_000
_DAYS: Final = 31
_MONTHS: Final = 12
# The accounts change by the quarter of an hour; readings that come meanwhile are not worth valuing all of it anew.
FRESH_S: Final = 20.0
_TOLD_MAX: Final = 64
# A page's first screen does not wait longer for it.
_PATIENCE_S: Final = 0.5
# Other years are slips.
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2200, 1, 1)
_CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}
_PDF: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
}


@dataclass(frozen=True, slots=True)
class Asking:
    """A question to the site's accounts."""

    request: Request
    site: SiteGiven
    settings: AccountSettings

    @property
    def today(self) -> date:
        """The local day."""
        return local(self.site.now_unix_us() // _US, self.settings.time_zone).date()

    async def ask(
        self,
        key: tuple[object, ...],
        question: Callable[[Accounts, SealView], T],
        fresh_s: float = 0.0,
    ) -> T:
        """What ``question`` says of all that is in the journal by now, asked in a thread.

        The same answer again while nothing was journalled since, and for ``fresh_s`` in any case; who asks the same
        meanwhile waits for the same answer. ``key``: tells questions apart.
        Raises JournalDamaged where the journal cannot be read.
        """
        found = self._books.told.get(key)
        if found is not None:
            seq, age_s = self.site.journal.last_seq, time.monotonic() - found.at_s
            if found.seq == seq or age_s < fresh_s:
                return found.answer  # type: ignore[no-any-return]
        answer: T = await asyncio.shield(self._begun(key, question))
        return answer

    async def soon(
        self,
        key: tuple[object, ...],
        question: Callable[[Accounts, SealView], T],
        fresh_s: float,
        patience_s: float,
    ) -> T | None:
        """As `ask`; None where it takes longer than this. It goes on, for who asks again."""
        asked = asyncio.ensure_future(self.ask(key, question, fresh_s))
        done, _ = await asyncio.wait([asked], timeout=patience_s)
        if not done:
            asked.cancel()
            return None
        return asked.result()

    @property
    def _books(self) -> Books:
        books: Books = self.request.app.state.books
        return books

    def _begun(
        self, key: tuple[object, ...], question: Callable[[Accounts, SealView], T]
    ) -> asyncio.Task[T]:
        """The computing of an answer that is under way, or begins."""
        under_way = self._books.under_way
        task = under_way.get(key)
        if task is None:
            task = under_way[key] = asyncio.create_task(self._computed(key, question))
            task.add_done_callback(lambda done: _ended(under_way, key, done))
        return task

    async def _computed(
        self, key: tuple[object, ...], question: Callable[[Accounts, SealView], T]
    ) -> T:
        def asked(journal: JournalAccounts) -> tuple[int, T]:
            accounts = journal.caught_up()
            entry, digest = journal.seal
            return entry, question(accounts, SealView(entry=entry, hash=digest.hex()))

        books, now_s = self._books, time.monotonic()
        entry, answer = await books.ask(self.site.journal.path, self.settings, asked)
        if len(books.told) >= _TOLD_MAX:
            books.told.clear()
        books.told[key] = Told(entry, now_s, answer)
        return answer


def _ended(
    under_way: dict[object, asyncio.Task[Any]], key: object, task: asyncio.Task[Any]
) -> None:
    under_way.pop(key, None)
    if not task.cancelled():
        task.exception()  # heard, also where nobody waits any more


def asking(request: Request, site: SiteGiven, live: LiveGiven) -> Asking:
    """The site's accounts, to be asked."""
    return Asking(request, site, account_settings(live.snapshot().settings))


AccountsGiven = Annotated[Asking, Depends(asking)]


@dataclass(frozen=True, slots=True)
class Span:
    """Local days [start, end) by ``by``, of one car or all."""

    by: PeriodName
    start: date
    end: date
    car_id: str | None


def span(
    accounts: AccountsGiven,
    by: PeriodName = "day",
    begin: Annotated[date | None, Query(alias="from", description="the first local day")] = None,
    until: Annotated[date | None, Query(description="the local day after the last")] = None,
    car_id: str | None = None,
) -> Span:
    """What is asked for. Without ``from``: the last 31 days, 12 months, or all years. Raises InputError, HTTPException."""
    today = accounts.today
    end = today + timedelta(days=1) if until is None else until
    faults = [
        InputFault(name, f"must lie from {_FIRST_DAY} to {_LAST_DAY}", day.isoformat())
        for name, day in (("from", begin), ("until", until))
        if day is not None and not _FIRST_DAY <= day <= _LAST_DAY
    ]
    if faults:
        raise InputError(faults)
    start = _first(by, end) if begin is None else begin
    if start >= end:
        raise InputError([InputFault("until", "must be after from", end.isoformat())])
    if car_id is not None:
        _car(accounts, car_id)
    return Span(by, start, end, car_id)


def _first(by: PeriodName, end: date) -> date:
    """Where a span begins whose beginning nobody named."""
    last = end - timedelta(days=1)
    first = _FIRST_DAY
    if by == "day":
        first = end - timedelta(days=_DAYS)
    elif by == "month":
        months = last.year * 12 + last.month - _MONTHS
        first = date(months // 12, months % 12 + 1, 1)
    return max(first, _FIRST_DAY)


SpanGiven = Annotated[Span, Depends(span)]


def _car(accounts: Asking, car_id: str) -> Any:
    car = accounts.settings.car(car_id)
    if car is None:
        raise HTTPException(404, f"this site has no car {car_id!r}")
    return car


async def _money(accounts: Asking, asked: Span) -> MoneyView:
    def view(folded: Accounts, seal: SealView) -> MoneyView:
        return money_view(folded, seal, asked.by, asked.start, asked.end, asked.car_id)

    return await accounts.ask(("money", asked), view)


async def _battery(accounts: Asking, car_id: str) -> BatteryView:
    car = _car(accounts, car_id)
    return await accounts.ask(
        ("battery", car_id), lambda folded, seal: battery_view(folded, seal, car)
    )


@router.get("/money", responses=UNKNOWN_CAR)
async def show_money(accounts: AccountsGiven, asked: SpanGiven) -> MoneyView:
    """Saved against charging at once and against smart charging, wear beside them, by local day, month or year."""
    return await _money(accounts, asked)


@router.get("/money.csv", response_class=Response, responses=UNKNOWN_CAR | _CSV)
async def money_file(accounts: AccountsGiven, asked: SpanGiven) -> Response:
    """The same as a table."""
    shown = await _money(accounts, asked)
    return _file(money_csv(shown).encode(), "text/csv; charset=utf-8", f"money-by-{asked.by}.csv")


@router.get("/money/today")
async def show_today(accounts: AccountsGiven) -> MoneyTodayView:
    """What was saved today so far. May be asked each minute: for 20 s it is not computed again.

    After a start the journal is read first: until then nothing is known.
    """
    today = accounts.today
    told = await accounts.soon(
        ("today", today), lambda folded, _: money_today(folded, today), FRESH_S, _PATIENCE_S
    )
    return nothing_yet(today, accounts.settings.currency) if told is None else told


@router.get("/cars/{car_id}/battery", responses=UNKNOWN_CAR)
async def show_battery(accounts: AccountsGiven, car_id: str) -> BatteryView:
    """Energy and cycles for driving, home and grid, hours at high charge, the capacity if it is known, the wear model."""
    return await _battery(accounts, car_id)


@router.get("/cars/{car_id}/battery.csv", response_class=Response, responses=UNKNOWN_CAR | _CSV)
async def battery_table(accounts: AccountsGiven, car_id: str) -> Response:
    """The same as a table by month."""
    shown = await _battery(accounts, car_id)
    return _file(battery_csv(shown).encode(), "text/csv; charset=utf-8", "battery.csv")


@router.get("/cars/{car_id}/battery.pdf", response_class=Response, responses=UNKNOWN_CAR | _PDF)
async def battery_statement(
    accounts: AccountsGiven, car_id: str, language: LanguageName = "en"
) -> Response:
    """The same as a statement for a warranty or a sale, with the journal's seal."""
    from parkwatt.app.statement.battery_pdf import battery_pdf  # a quarter of a second, once

    shown = await _battery(accounts, car_id)
    issued = moment(accounts.site.now_unix_us())
    content = await asyncio.to_thread(battery_pdf, shown, issued, language)
    return _file(content, "application/pdf", f"battery-{issued:%Y-%m-%d}.pdf")


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)
