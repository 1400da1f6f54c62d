"""A price source on this machine that answers as energy-charts does, from prices that the caller has, and errs on demand.

    GET /price?bzn=DE-LU&start=2024-03-28&end=2024-03-30

Days are those of Central European Time, both included. A day's prices are there from the noon before; where there is
nothing for the first day that is asked for, it answers 404. It is written from answers of the real one and shares nothing
with Parkwatt's reader.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.domain.record import FloatArray

MARKET = ZoneInfo("Europe/Berlin")
PUBLISHED_AT = time(12, 45)
_HOUR_S = 3600
_REQUEST_BYTES_MAX = 16_384


@dataclass(frozen=True, slots=True, eq=False)
class MarketPrices:
    """``price_eur_per_mwh``: [T] in steps of ``step_s`` seconds from ``start_unix_s`` on; NaN: the market has none."""

    start_unix_s: int
    step_s: int
    price_eur_per_mwh: FloatArray

    def of_day(self, day: date) -> list[tuple[int, float | None]]:
        """Start and price of each step of a market's day."""
        first, last = (
            max(-(-(_midnight_unix_s(each) - self.start_unix_s) // self.step_s), 0)
            for each in (day, day + timedelta(days=1))
        )
        prices = self.price_eur_per_mwh[first:last].tolist()
        return [
            (self.start_unix_s + (first + at) * self.step_s, None if np.isnan(price) else price)
            for at, price in enumerate(prices)
        ]


@dataclass(slots=True)
class PriceFaults:
    """What the source does wrong from now on.

    ``down``: answers 503. ``hang``: takes requests and answers none. ``late_s``: publishes so much later.
    ``day_missing``: the newest day has times and no prices. ``hour_doubled``: the sixth step of each day comes twice, at
    different prices. ``hours``: only the first step of each hour, where there are shorter ones.
    """

    down: bool = False
    hang: bool = False
    late_s: float = 0.0
    day_missing: bool = False
    hour_doubled: bool = False
    hours: bool = False


@dataclass(slots=True)
class PriceServer:
    """The source. ``clock``: the true time, µs since 1970."""

    prices: MarketPrices
    clock: Callable[[], int]
    faults: PriceFaults = field(default_factory=PriceFaults)
    requests: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(self._serve, host, port)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop to listen, and close what is open."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)
        await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 it runs in one
        self._open.add(task)
        try:
            # Cancelled by `stop`: the connection ends, and so does the task.
            with contextlib.suppress(
                ConnectionError,
                asyncio.IncompleteReadError,
                asyncio.LimitOverrunError,
                asyncio.CancelledError,
            ):
                head = await reader.readuntil(b"\r\n\r\n")
                if len(head) <= _REQUEST_BYTES_MAX:
                    await self._answer(head.decode("latin-1"), writer)
        finally:
            self._open.discard(task)
            writer.close()

    async def _answer(self, head: str, writer: asyncio.StreamWriter) -> None:
        self.requests += 1
        if self.faults.hang:
            await asyncio.Event().wait()
        status, answer = (503, {"message": "no service"}) if self.faults.down else self.answer(head)
        body = json.dumps(answer).encode()
        lines = (
            f"HTTP/1.1 {status} -",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "Connection: close",
        )
        writer.write("\r\n".join((*lines, "", "")).encode() + body)
        await writer.drain()

    def answer(self, head: str) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer to a request's head."""
        parts = head.split()
        asked = parse_qs(urlsplit(parts[1]).query) if len(parts) > 1 else {}
        try:
            first, last = (date.fromisoformat(asked[name][0]) for name in ("start", "end"))
        except (KeyError, ValueError):
            return 422, {"detail": "start and end must be dates"}
        rows: list[tuple[int, float | None]] = []
        newest = self.newest_day()
        day = first
        while day <= min(last, newest):
            rows += self._told(day, is_newest=day == newest)
            if not rows:
                break
            day += timedelta(days=1)
        if not rows:
            return 404, {"detail": "no content available"}
        return 200, {
            "license_info": "made up",
            "unix_seconds": [start for start, _ in rows],
            "price": [price for _, price in rows],
            "unit": "EUR / MWh",
            "deprecated": False,
        }

    def newest_day(self) -> date:
        """The last day whose prices are published."""
        late_us = round(self.faults.late_s * 1_000_000)
        now = datetime.fromtimestamp((self.clock() - late_us) / 1_000_000, MARKET)
        return now.date() + timedelta(days=int(now.time() >= PUBLISHED_AT))

    def _told(self, day: date, *, is_newest: bool) -> list[tuple[int, float | None]]:
        rows, faults = self.prices.of_day(day), self.faults
        if faults.day_missing and is_newest:
            rows = [(start, None) for start, _ in rows]
        if faults.hours:
            rows = [row for row in rows if row[0] % _HOUR_S == 0]
        if faults.hour_doubled and len(rows) > 5:
            start, price = rows[5]
            rows.insert(6, (start, None if price is None else price + 50.0))
        return rows


def _midnight_unix_s(day: date) -> int:
    return int(datetime.combine(day, time(), MARKET).astimezone(UTC).timestamp())
