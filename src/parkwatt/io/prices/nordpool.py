"""Nord Pool's data portal: the day-ahead prices of its areas in several currencies, without an account.

    GET /api/DayAheadPrices?date=2026-03-29&market=DayAhead&deliveryArea=SE4&currency=SEK
    {"deliveryDateCET": "2026-03-29", "deliveryAreas": ["SE4"], "currency": "SEK", "areaStates": [{"state": "Final",
     "areas": ["SE4"]}], "multiAreaEntries": [{"deliveryStart": "2026-03-28T23:00:00Z", "deliveryEnd":
     "2026-03-28T23:15:00Z", "entryPerArea": {"SE4": 512.3}}, …], …}

One question a day of Central European Time; 204 without a body where that day is not published. Until the auction is
confirmed the state is Preliminary. Germany is GER here, Romania TEL.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import httpx

from parkwatt.io.download import SourceError, download, status_fault
from parkwatt.io.prices.answer import Ask, Quote, Quotes
from parkwatt.io.prices.json_answer import Clock, json_of, list_of, price_of, table_of, text_of
from parkwatt.io.prices.settings import FeedSettings

WHO = "Nord Pool"


async def fetch(client: httpx.AsyncClient, feed: FeedSettings, ask: Ask, token: str) -> Quotes:  # noqa: ARG001 - open to all
    """Ask day by day; a day that is not published is left out."""
    together = Quotes()
    for day in _days(ask):
        params = {
            "date": day.isoformat(),
            "market": "DayAhead",
            "deliveryArea": ask.area,
            "currency": ask.currency,
        }
        page = await download(client, client.build_request("GET", feed.url, params=params), WHO)
        if page.status == 204 or (page.status == 200 and not page.body.strip()):
            continue
        if page.status != 200:
            raise status_fault(page, WHO)
        quotes = read(page.body, ask)
        together.layers[0] += quotes.layers[0]
        together.notes += [note for note in quotes.notes if note not in together.notes]
        together.final = together.final and quotes.final
    return together


def _days(ask: Ask) -> list[date]:
    first, last = (
        datetime.fromtimestamp(time, ask.time_zone).date()
        for time in (ask.from_unix_s, ask.until_unix_s - 1)
    )
    return [first + timedelta(days=index) for index in range((last - first).days + 1)]


def read(body: bytes, ask: Ask) -> Quotes:
    """The quotes in the answer for one day."""
    answer = json_of(body, WHO)
    currency = text_of(answer.get("currency"))
    if currency != ask.currency:
        raise SourceError(
            f"{WHO} gives prices in {currency or 'no currency'}, not in {ask.currency}", "broken"
        )
    quotes, clock = Quotes(), Clock(ask.time_zone)
    without_area = 0
    for item in list_of(answer.get("multiAreaEntries"), "multiAreaEntries", WHO):
        row = table_of(item, "an entry", WHO)
        start, end = clock.span(row.get("deliveryStart"), row.get("deliveryEnd"))
        prices = table_of(row.get("entryPerArea"), "entryPerArea", WHO)
        without_area += ask.area not in prices
        price_per_kwh = price_of(prices.get(ask.area), 0.001)
        quotes.layers[0].append(Quote(start or 0, end, price_per_kwh))
    if quotes.layers[0] and without_area == len(quotes.layers[0]):
        raise SourceError(f"{WHO} gives prices of other areas, not of {ask.area}", "broken")
    quotes.final = _is_final(answer.get("areaStates"), ask.area)
    quotes.notes += clock.notes()
    if not quotes.final:
        quotes.notes.append("the prices are preliminary")
    return quotes


def _is_final(states: object, area: str) -> bool:
    """Whether the area's prices are confirmed; an answer that does not say counts as final."""
    for item in states if isinstance(states, list) else []:
        if isinstance(item, dict) and isinstance(item.get("areas"), list) and area in item["areas"]:
            return text_of(item.get("state")) in ("Final", "")
    return True
