"""aWATTar: the German and the Austrian day-ahead prices, without an account, 100 questions a day and address.

    GET /v1/marketdata?start=1774652400000&end=1774825200000        milliseconds since 1970
    {"object": "list", "data": [{"start_timestamp": 1774652400000, "end_timestamp": 1774656000000,
                                 "marketprice": 88.1, "unit": "Eur/MWh"}, …], "url": "/de/v1/marketdata"}

Whole hours, also since the exchange trades quarters. What is not there yet is left out.
"""

from __future__ import annotations

import httpx

from parkwatt.io.download import SourceError, download, status_fault
from parkwatt.io.prices.answer import Ask, Quote, Quotes
from parkwatt.io.prices.json_answer import (
    json_of,
    list_of,
    price_of,
    table_of,
    text_of,
    whole_of,
)
from parkwatt.io.prices.settings import FeedSettings

WHO = "aWATTar"


async def fetch(client: httpx.AsyncClient, feed: FeedSettings, ask: Ask, token: str) -> Quotes:  # noqa: ARG001 - open to all
    """Ask for the whole time at once."""
    span = {"start": ask.from_unix_s * 1000, "end": ask.until_unix_s * 1000}
    page = await download(client, client.build_request("GET", feed.url, params=span), WHO)
    if page.status != 200:
        raise status_fault(page, WHO)
    return read(page.body, ask)


def read(body: bytes, ask: Ask) -> Quotes:
    """The quotes in an answer."""
    quotes = Quotes()
    other_units = set()
    for item in list_of(json_of(body, WHO).get("data"), "data", WHO):
        row = table_of(item, "an item of data", WHO)
        unit = text_of(row.get("unit"))
        if unit.upper() != f"{ask.currency}/MWH":
            other_units.add(unit or "no unit")
            continue
        start_ms, end_ms = whole_of(row.get("start_timestamp")), whole_of(row.get("end_timestamp"))
        start, end = (start_ms or 0) // 1000, (end_ms or 0) // 1000
        quotes.layers[0].append(Quote(start, end, price_of(row.get("marketprice"), 0.001)))
    if other_units:
        found = ", ".join(sorted(other_units)[:3])
        if not quotes.layers[0]:
            raise SourceError(f"{WHO} gives prices in {found}, not in {ask.currency}/MWh", "broken")
        quotes.notes.append(f"prices in {found} are left out")
    return quotes
