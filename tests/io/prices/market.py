"""A market that publishes tomorrow's prices every day, behind a server like energy-charts; and a site that listens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from parkwatt.domain.series import utc
from parkwatt.domain.site.event import PricesReceived, SourceChanged
from parkwatt.domain.tariff import PriceBook
from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.clock.warp_loop import run_warped
from parkwatt.io.prices.feed import price_feed
from parkwatt.io.prices.settings import FeedSettings
from tests.io.prices.answers import BERLIN, Row, at, energy_charts, rows
from tests.io.prices.sources import feed_of
from tests.io.web_server import Asked, Reply, WebServer, web_server

FEED = "import.day_ahead"
TOML = 'source = "energy-charts"\nzone = "DE-LU"\npublished_at = "13:00"'
# What the market does at a time, in place of its answer.
Trouble = Callable[[int, Asked], Reply | None]


def midnight(time_unix_s: int, days: int = 0) -> int:
    """The market's midnight before a time, and so many days later."""
    day = utc(time_unix_s).astimezone(BERLIN).date() + timedelta(days=days)
    return at(day.year, day.month, day.day)


def hours(from_unix_s: int, until_unix_s: int) -> list[Row]:
    """What the market's hours cost: the same whenever they are asked for."""
    return [
        (start, end, float(start // 3600 % 97))
        for start, end, _ in rows(from_unix_s, until_unix_s, 3600)
    ]


class Site:
    """Listens to a feed for a while. ``prices``, ``states``: what it told, with the time; ``asked``: when it asked.

    ``later``: hours after the beginning, and what happens then.
    """

    def __init__(
        self, begin: int, book: PriceBook | None = None, published_s: int = 13 * 3600
    ) -> None:
        self.begin = begin
        self.book = PriceBook() if book is None else book
        self.published_s = published_s
        self.clock = SimClock(lambda: 0.0, begin * 1_000_000)
        self.prices: list[tuple[int, PricesReceived]] = []
        self.states: list[tuple[int, SourceChanged]] = []
        self.asked: list[int] = []
        self.trouble: Trouble = lambda _now, _asked: None
        self.told: Callable[[Row], Row | None] = lambda row: row
        self.later: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> int:
        """What the site's clock shows."""
        return self.clock() // 1_000_000

    def answer(self, asked: Asked) -> Reply:
        """The market's answer; what is published goes by the true time."""
        true_now = self.clock.true_unix_us() // 1_000_000
        self.asked.append(true_now)
        trouble = self.trouble(true_now, asked)
        if trouble is not None:
            return trouble
        clock = utc(true_now).astimezone(BERLIN)
        is_published = clock.hour * 3600 + clock.minute * 60 + clock.second >= self.published_s
        end = midnight(true_now, 2 if is_published else 1)
        start = at(*map(int, asked.params["start"].split("-")))
        told = [row for row in map(self.told, hours(start, end)) if row is not None]
        return Reply(energy_charts(told)) if told else Reply(status=404)

    def on_prices(self, received: PricesReceived) -> None:
        """As the runner does: journalled and folded."""
        self.prices.append((self.now(), received))
        self.book = self.book.with_prices(received, self.now())

    def on_state(self, state: SourceChanged) -> None:
        """As the runner does."""
        self.states.append((self.now(), state))

    def reasons(self) -> list[str]:
        """The words of the states in a row, "ok" where all is well."""
        return [state.reason or "ok" for _, state in self.states]

    def listen(
        self, hours: float, settings: FeedSettings | None = None, folder: Path = Path()
    ) -> None:
        """Run the feed for so long."""
        run_warped(self._listen(hours, settings, folder))

    async def _listen(self, hours: float, settings: FeedSettings | None, folder: Path) -> None:
        loop = asyncio.get_running_loop()
        self.clock = SimClock(loop.time, self.begin * 1_000_000, start_s=loop.time())
        async with web_server(self.answer) as web:
            chosen = settings if settings is not None else feed_of(f'{TOML}\nurl = "{web.url}"')
            feed = price_feed(
                chosen,
                clock=self.clock,
                known_until=lambda: self.book.known_until_unix_s(FEED, self.now()),
                folder=folder,
                seed=4,
            )
            for after_h, happens in self.later:
                loop.call_later(after_h * 3600, happens)
            await self._until(feed.run(self.on_prices, self.on_state), hours, web)

    async def _until(self, run: object, hours: float, web: WebServer) -> None:
        assert asyncio.iscoroutine(run)
        task = asyncio.create_task(run)
        await asyncio.wait([task], timeout=hours * 3600)
        if task.done():
            task.result()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        web.hang_up()


def local(time_unix_s: int) -> str:
    """A time as the market's clock shows it."""
    return f"{datetime.fromtimestamp(time_unix_s, BERLIN):%d %H:%M}"
