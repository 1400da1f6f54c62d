"""Octopus Energy (Great Britain): the unit rates of any of its tariffs with one rate, Agile above all, without an account.

    GET /v1/products/AGILE-24-10-01/electricity-tariffs/E-1R-AGILE-24-10-01-C/standard-unit-rates/
        ?period_from=2026-03-28T00:00Z&period_to=2026-03-30T00:00Z&page_size=1500
    {"count": 96, "next": null, "previous": null, "results": [{"value_exc_vat": 21.3, "value_inc_vat": 22.365,
     "valid_from": "2026-03-29T21:30:00Z", "valid_to": "2026-03-29T22:00:00Z", "payment_method": null}, …]}

Newest first, in pence. A rate without an end (`valid_to` null) holds until further notice; some tariffs list each rate
twice, for direct debit and for other payment. Agile's half hours of 23:00 to 23:00 British time appear from 16:00 on,
often later. The product is the tariff's code without its first two parts and its region.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import httpx

from parkwatt.domain.series import utc
from parkwatt.io.download import SourceError, download, status_fault
from parkwatt.io.prices.answer import Ask, Quote, Quotes
from parkwatt.io.prices.json_answer import (
    Clock,
    json_of,
    list_of,
    price_of,
    table_of,
    text_of,
)
from parkwatt.io.prices.settings import FeedSettings

WHO = "Octopus"
_PAGES_MAX = 5
_RATES_PER_PAGE = 1500


async def fetch(client: httpx.AsyncClient, feed: FeedSettings, ask: Ask, token: str) -> Quotes:  # noqa: ARG001 - open to all
    """Ask for the whole time, page by page."""
    code = feed.tariff_code
    product = code.removeprefix("E-1R-")[:-2]
    url = f"{feed.url}/products/{product}/electricity-tariffs/{code}/standard-unit-rates/"
    params = {
        "period_from": f"{utc(ask.from_unix_s):%Y-%m-%dT%H:%MZ}",
        "period_to": f"{utc(ask.until_unix_s):%Y-%m-%dT%H:%MZ}",
        "page_size": str(_RATES_PER_PAGE),
    }
    request = client.build_request("GET", url, params=params)
    together = Quotes()
    for _ in range(_PAGES_MAX):
        page = await download(client, request, WHO)
        if page.status == 404:
            raise SourceError(f"{WHO} knows no tariff {code}: check tariff_code", "refused")
        if page.status != 200:
            raise status_fault(page, WHO)
        quotes = read(page.body, ask, direct_debit=feed.direct_debit, with_vat=feed.with_vat)
        together.layers[0] += quotes.layers[0]
        together.notes += [note for note in quotes.notes if note not in together.notes]
        following = next_page(page.body, url)
        if following is None:
            return together
        request = client.build_request("GET", following)
    together.notes.append(f"{WHO} has more than {_PAGES_MAX} pages: the rest is left out")
    return together


def next_page(body: bytes, url: str) -> str | None:
    """The address of the page that follows, if it lies on the same server as ``url``."""
    following = json_of(body, WHO).get("next")
    if not isinstance(following, str) or not following:
        return None
    try:
        address = urljoin(url, following)
        is_near = urlsplit(address)[:2] == urlsplit(url)[:2]
    except ValueError:
        return None
    return address if is_near else None


def read(body: bytes, ask: Ask, *, direct_debit: bool = True, with_vat: bool = True) -> Quotes:
    """The quotes on one page."""
    if ask.currency != "GBP":
        raise SourceError(f"{WHO} gives prices in GBP, not in {ask.currency}", "broken")
    other_payment = "NON_DIRECT_DEBIT" if direct_debit else "DIRECT_DEBIT"
    value = "value_inc_vat" if with_vat else "value_exc_vat"
    quotes, clock = Quotes(), Clock(ask.time_zone)
    for item in list_of(json_of(body, WHO).get("results"), "results", WHO):
        row = table_of(item, "a rate", WHO)
        if text_of(row.get("payment_method")) == other_payment:
            continue
        start, end = clock.span(row.get("valid_from"), row.get("valid_to"))
        if row.get("valid_to") is None:
            end = ask.until_unix_s
        if end is None or end > ask.from_unix_s:
            quotes.layers[0].append(Quote(start or 0, end, price_of(row.get(value), 0.01)))
    quotes.notes += clock.notes()
    return quotes
