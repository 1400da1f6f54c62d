"""Asking a price source whenever there is something new, and telling what came.

Everything that can go wrong on the way is a `SourceError`; it is told once (`SourceChanged`), and again when it is over or
is another. Prices are told where they differ from those told before. The feed keeps nothing else: what is known survives a
restart in the journal, and ``known_until`` says how far that goes, so that a restart asks for nothing that is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from random import Random
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

import httpx

from parkwatt.domain.calendar import day_number, local_time_unix_s
from parkwatt.domain.series import utc
from parkwatt.domain.site.event import PricesReceived, SourceChanged
from parkwatt.io.download import ClientFactory, SourceError, client_for
from parkwatt.io.prices import awattar, energy_charts, entsoe, nordpool, octopus, tibber
from parkwatt.io.prices.answer import Ask, PriceAnswer, Quotes, assemble
from parkwatt.io.prices.price_file import PriceFile
from parkwatt.io.prices.schedule import Schedule
from parkwatt.io.prices.settings import FeedSettings

Clock = Callable[[], int]
KnownUntil = Callable[[], int | None]
OnPrices = Callable[[PricesReceived], None]
OnState = Callable[[SourceChanged], None]
Fetch = Callable[[httpx.AsyncClient, FeedSettings, Ask, str], Awaitable[Quotes]]

# A clock that is put right while the feed rests is noticed within this time.
_REST_S_MAX: Final = 900.0
SOURCES: Final[Mapping[str, Fetch]] = {
    "energy-charts": energy_charts.fetch,
    "entsoe": entsoe.fetch,
    "nordpool": nordpool.fetch,
    "awattar": awattar.fetch,
    "octopus": octopus.fetch,
    "tibber": tibber.fetch,
}


class PriceFeed:
    """One feed of a running site; made by `price_feed`."""

    def __init__(
        self,
        settings: FeedSettings,
        ask_source: Callable[[int, int], Awaitable[PriceAnswer]],
        schedule: Schedule,
        clock: Clock,
        known_until: KnownUntil,
    ) -> None:
        self.settings = settings
        self._ask_source = ask_source
        self._schedule = schedule
        self._clock = clock
        self._known_until = known_until
        self._received_until_unix_s = 0
        self._told: PricesReceived | None = None
        self._state: SourceChanged | None = None
        self._is_final = True

    async def run(self, on_prices: OnPrices, on_state: OnState) -> NoReturn:
        """Ask whenever it is due, for ever; tell prices and the source's state as they come."""
        failures = 0
        while True:
            now = self._now_unix_s()
            missing = self._is_missing(now)
            if not missing and not self._schedule.takes_recheck(now):
                self._tell(on_state, SourceChanged(self._id, ok=True))
                rest_s = self._schedule.rest_s(now)
                await asyncio.sleep(min(rest_s, _REST_S_MAX))
                continue
            fault = await self._try(on_prices)
            now = self._now_unix_s()
            still_missing = self._is_missing(now)
            if missing and not still_missing:
                self._schedule.fetched(now)
            if still_missing:
                failures += 1
                self._tell_missing(on_state, fault, now)
                retry_after_s = None if fault is None else fault.retry_after_s
                await asyncio.sleep(self._schedule.back_off_s(failures, retry_after_s))
            else:
                failures = 0

    @property
    def _id(self) -> str:
        return f"prices {self.settings.name}"

    def _now_unix_s(self) -> int:
        return self._clock() // 1_000_000

    def _reach_unix_s(self) -> int:
        """Up to when prices are known, by the journal or by what was told just now."""
        return max(self._known_until() or 0, self._received_until_unix_s)

    def _is_missing(self, now_unix_s: int) -> bool:
        wanted = self._schedule.wanted_until_unix_s(now_unix_s)
        return self._reach_unix_s() < wanted or not self._is_final

    async def _try(self, on_prices: OnPrices) -> SourceError | None:
        """Ask once; the fault if there is one."""
        now = self._now_unix_s()
        try:
            answer = await self._ask_source(now, self._reach_unix_s())
        except SourceError as error:
            return error
        self._is_final = answer.final
        self._received_until_unix_s = answer.known_until_unix_s(now)
        received = answer.received(self.settings.name, self.settings.title)
        if received != self._told:
            self._told = received
            on_prices(received)
        return None

    def _tell_missing(self, on_state: OnState, fault: SourceError | None, now_unix_s: int) -> None:
        """Say what is missing and why; a publication that is only a little late is nothing to tell."""
        reach = self._reach_unix_s()
        if reach >= self._schedule.wanted_until_unix_s(now_unix_s):  # only the final ones lack
            self._tell(on_state, SourceChanged(self._id, ok=True))
            return
        is_absent = fault is None or fault.kind == "absent"
        if is_absent and reach > now_unix_s and not self._schedule.is_overdue(now_unix_s):
            return
        until = f"{utc(reach):%Y-%m-%d %H:%M} UTC"
        reason = fault.reason if fault is not None else f"{self.settings.title} lacks prices"
        known = f"known until {until}" if reach > now_unix_s else "none is known for now"
        self._tell(on_state, SourceChanged(self._id, ok=False, reason=f"{reason}; {known}"))

    def _tell(self, on_state: OnState, state: SourceChanged) -> None:
        if state != self._state:
            self._state = state
            on_state(state)


def price_feed(
    settings: FeedSettings,
    *,
    clock: Clock,
    known_until: KnownUntil,
    client_factory: ClientFactory | None = None,
    folder: Path = Path(),
    seed: int | None = None,
) -> PriceFeed | PriceFile:
    """The feed that ``settings`` describe.

    ``clock``: µs since 1970 UTC. ``known_until``: up to when the feed's prices are known without a gap, in Unix seconds, None:
    not at all (`PriceBook.known_until_unix_s`). ``folder``: what file names are relative to. ``seed``: of the random spread of
    questions, to be another one at each site; None draws it.
    """
    if settings.file is not None:
        return PriceFile(settings, folder, clock)
    publication = settings.publication
    if publication is None:
        raise ValueError("a source has a time of publication")
    fetch = SOURCES[settings.source]
    make_client = client_factory or client_for(settings.url)

    async def ask_source(now_unix_s: int, reach_unix_s: int) -> PriceAnswer:
        token = _token(settings, folder)
        days_back = settings.history_days if reach_unix_s <= now_unix_s else 1
        ask = _ask(settings, publication.time_zone, now_unix_s, max(days_back, 1))
        async with make_client() as client:
            return assemble(await fetch(client, settings, ask, token), ask, settings.title)

    schedule = Schedule(publication, Random(seed))  # noqa: S311 - spreads questions, keeps no secret
    return PriceFeed(settings, ask_source, schedule, clock, known_until)


def _ask(settings: FeedSettings, zone: ZoneInfo, now_unix_s: int, days_back: int) -> Ask:
    """From so many days before the market's today to the end of its tomorrow."""
    today = day_number(utc(now_unix_s).astimezone(zone).date())
    return Ask(
        from_unix_s=local_time_unix_s(today - days_back, 0, zone),
        until_unix_s=local_time_unix_s(today + 2, 0, zone),
        time_zone=zone,
        currency=settings.currency,
        zone=settings.zone,
        area=settings.area,
    )


def _token(settings: FeedSettings, folder: Path) -> str:
    """The token as it stands in its file now, so that a new one needs no restart; empty where none is needed."""
    if settings.token_file is None:
        return ""
    path = folder / settings.token_file
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise SourceError(f"token_file {path} cannot be read", "refused") from None
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise SourceError(f"token_file {path} must hold one token and nothing else", "refused")
    return token
