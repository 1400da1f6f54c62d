"""energy-charts of Fraunhofer ISE: day-ahead prices of European bidding zones, without an account.

    GET /price?bzn=DE-LU&start=2026-03-28&end=2026-03-30
    {"license_info": "CC BY 4.0 …", "unix_seconds": [1774652400, …], "price": [88.1, null, …], "unit": "EUR / MWh",
     "deprecated": false}

Days are those of Central European Time, both included. Only starts are told: hours until September 2025, quarters since.
Where it has nothing for the *first* day asked for it answers 404 ("no content available"), also for zones that it does
not know; so the question begins a day early. Always in euros, also where the zone's own money is another.
"""

from __future__ import annotations

from datetime import datetime

import httpx

from parkwatt.io.download import SourceError, download, status_fault
from parkwatt.io.prices.answer import Ask, Quote, Quotes
from parkwatt.io.prices.json_answer import json_of, list_of, price_of, text_of, whole_of
from parkwatt.io.prices.settings import FeedSettings

WHO = "energy-charts"


async def fetch(client: httpx.AsyncClient, feed: FeedSettings, ask: Ask, token: str) -> Quotes:  # noqa: ARG001 - open to all
    """Ask for all days of ``ask`` at once."""
    first, last = (
        datetime.fromtimestamp(time, ask.time_zone).date().isoformat()
        for time in (ask.from_unix_s, ask.until_unix_s - 1)
    )
    request = client.build_request(
        "GET", feed.url, params={"bzn": ask.area, "start": first, "end": last}
    )
    page = await download(client, request, WHO)
    if page.status == 404:
        raise SourceError(f"{WHO} has no prices for {ask.zone} in these days", "absent")
    if page.status != 200:
        raise status_fault(page, WHO)
    return read(page.body, ask)


def read(body: bytes, ask: Ask) -> Quotes:
    """The quotes in an answer."""
    answer = json_of(body, WHO)
    unit = "".join(text_of(answer.get("unit")).split())
    if unit != f"{ask.currency}/MWh":
        raise SourceError(
            f"{WHO} gives prices in {unit or 'no unit'}, not in {ask.currency}/MWh", "broken"
        )
    starts = list_of(answer.get("unix_seconds"), "unix_seconds", WHO)
    prices = list_of(answer.get("price"), "price", WHO)
    quotes = Quotes()
    if len(starts) != len(prices):
        quotes.notes.append(f"{len(starts)} times, but {len(prices)} prices: the rest is left out")
    if answer.get("deprecated") is True:
        quotes.notes.append(f"{WHO} will end this service: look for another source")
    for start, price in zip(starts, prices, strict=False):
        start_unix_s = whole_of(start)
        quotes.layers[0].append(Quote(start_unix_s or 0, None, price_of(price, 0.001)))
    return quotes
