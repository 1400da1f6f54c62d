"""The price source on this machine, asked by Parkwatt's own reader."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest

from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.clock.warp_loop import run_warped
from parkwatt.io.sim.home.price_server import MARKET, MarketPrices, PriceServer

# 2024-03-29 00:00 in Berlin; the night to the 31st has 23 hours.
START_UNIX_S = int(datetime(2024, 3, 29, tzinfo=MARKET).timestamp())
PRICES = MarketPrices(START_UNIX_S, 900, np.round(np.sin(np.arange(96 * 5)) * 100, 2))


async def asked(url: str, start: str, end: str) -> httpx.Response:
    """The answer for days from start to end."""
    async with httpx.AsyncClient(trust_env=False) as client:
        params = {"bzn": "DE-LU", "start": start, "end": end}
        return await client.get(url, params=params, timeout=30)


def test_it_answers_like_a_source_and_errs_like_one() -> None:
    async def main() -> None:
        clock = SimClock(asyncio.get_running_loop().time, START_UNIX_S * 1_000_000)
        server = PriceServer(PRICES, clock)
        url = f"http://127.0.0.1:{await server.start()}/price"
        told = (await asked(url, "2024-03-29", "2024-04-02")).json()
        assert len(told["price"]) == len(told["unix_seconds"]) == 96
        assert (await asked(url, "2024-03-30", "2024-04-02")).status_code == 404

        await asyncio.sleep(12.75 * 3600)  # published
        told = (await asked(url, "2024-03-29", "2024-04-02")).json()
        assert told["unix_seconds"] == [START_UNIX_S + 900 * step for step in range(192)]
        assert told["price"] == PRICES.price_eur_per_mwh[:192].tolist()

        server.faults.late_s = 3600.0
        assert len((await asked(url, "2024-03-29", "2024-04-02")).json()["price"]) == 96
        server.faults.late_s = 0.0
        server.faults.day_missing = True
        told = (await asked(url, "2024-03-29", "2024-04-02")).json()
        assert told["price"][96:] == [None] * 96
        server.faults.day_missing = False
        server.faults.hour_doubled = True
        told = (await asked(url, "2024-03-29", "2024-03-29")).json()
        assert told["unix_seconds"][5] == told["unix_seconds"][6]
        assert told["price"][5] + 50 == told["price"][6]
        server.faults.hour_doubled = False
        server.faults.hours = True
        told = (await asked(url, "2024-03-29", "2024-03-29")).json()
        assert told["unix_seconds"] == [START_UNIX_S + 3600 * step for step in range(24)]
        server.faults.hours = False
        server.faults.down = True
        assert (await asked(url, "2024-03-29", "2024-03-29")).status_code == 503
        server.faults.down = False
        server.faults.hang = True
        with pytest.raises(httpx.ReadTimeout):
            await asked(url, "2024-03-29", "2024-03-29")
        server.faults.hang = False
        assert (await asked(url, "yesterday", "2024-03-29")).status_code == 422
        await server.stop()

    run_warped(main())


def test_days_are_the_market_s() -> None:
    zone = ZoneInfo("Europe/Berlin")
    for day, steps in ((date(2024, 3, 30), 96), (date(2024, 3, 31), 92)):
        rows = PRICES.of_day(day)
        assert len(rows) == steps
        first = datetime.fromtimestamp(rows[0][0], UTC).astimezone(zone)
        assert (first.date(), first.hour) == (day, 0)
