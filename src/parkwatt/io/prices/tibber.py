"""Tibber: what a home really pays, today and tomorrow, with the customer's own token.

    POST /v1-beta/gql   {"query": "{ viewer { homes { … priceInfo(resolution: QUARTER_HOURLY) { today … } } } }"}
    {"data": {"viewer": {"homes": [{"id": "…", "currentSubscription": {"priceInfo": {
        "today": [{"total": 0.312, "energy": 0.101, "startsAt": "2026-03-29T00:00:00.000+01:00", "currency": "EUR"}, …],
        "tomorrow": []}}}]}}}

Errors come with status 200 or 400 in a list `errors`, with a code such as UNAUTHENTICATED. Only starts are told, on the
home's own clock with its offset. Tomorrow is empty until about 13:00. A home without a contract has no subscription.
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from parkwatt.io.download import FaultKind, SourceError, download, status_fault
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

WHO = "Tibber"
_PRICES = "{ total energy startsAt currency }"
QUERY = (
    "{ viewer { homes { id currentSubscription { priceInfo(resolution: QUARTER_HOURLY) "
    f"{{ today {_PRICES} tomorrow {_PRICES} }} }} }} }} }}"
)
_KINDS: dict[str, FaultKind] = {
    "UNAUTHENTICATED": "refused",
    "FORBIDDEN": "refused",
    "RATE_LIMIT_EXCEEDED": "busy",
    "TOO_MANY_REQUESTS": "busy",
    "INTERNAL_SERVER_ERROR": "unreachable",
}


async def fetch(client: httpx.AsyncClient, feed: FeedSettings, ask: Ask, token: str) -> Quotes:
    """Ask for today and tomorrow; there is nothing else to choose."""
    headers = {"Authorization": f"Bearer {token}"}
    request = client.build_request("POST", feed.url, json={"query": QUERY}, headers=headers)
    page = await download(client, request, WHO)
    if page.status in (401, 403):
        raise SourceError(_refused("no access"), "refused", page.retry_after_s)
    if page.status not in (200, 400):  # 400 holds the list of errors, too
        raise status_fault(page, WHO)
    return read(page.body, ask, home_id=feed.home_id, part=feed.part)


def _refused(words: str) -> str:
    return f"{WHO} refuses the token ({words}): make a new one in Tibber's developer pages"


def read(body: bytes, ask: Ask, *, home_id: str | None = None, part: str = "total") -> Quotes:
    """The quotes of one home."""
    answer = json_of(body, WHO)
    _check_errors(answer.get("errors"))
    viewer = table_of(table_of(answer.get("data"), "data", WHO).get("viewer"), "viewer", WHO)
    homes = [table_of(home, "a home", WHO) for home in list_of(viewer.get("homes"), "homes", WHO)]
    subscription = _home(homes, home_id).get("currentSubscription")
    if subscription is None:
        raise SourceError(f"{WHO} has no running contract for this home", "refused")
    info = table_of(table_of(subscription, "the contract", WHO).get("priceInfo"), "priceInfo", WHO)
    quotes, clock, currencies = Quotes(), Clock(ask.time_zone), set()
    for day in ("today", "tomorrow"):
        for item in list_of(info.get(day) or [], day, WHO):
            row = table_of(item, f"a price of {day}", WHO)
            currencies.add(text_of(row.get("currency")))
            start = clock.unix_s(row.get("startsAt"))
            quotes.layers[0].append(Quote(start or 0, None, price_of(row.get(part), 1.0)))
    if currencies - {ask.currency}:
        found = ", ".join(sorted(currencies)[:3]) or "no currency"
        raise SourceError(f"{WHO} gives prices in {found}, not in {ask.currency}", "broken")
    quotes.notes += clock.notes()
    return quotes


def _check_errors(errors: object) -> None:
    if not errors:
        return
    first = errors[0] if isinstance(errors, list) else errors
    error = first if isinstance(first, Mapping) else {}
    extensions = error.get("extensions")
    code = text_of(extensions.get("code")) if isinstance(extensions, Mapping) else ""
    message = text_of(error.get("message")) or code or "no reason given"
    kind = _KINDS.get(code, "broken")
    words = _refused(message) if kind == "refused" else f"{WHO} answers with an error: {message}"
    raise SourceError(words, kind)


def _home(homes: list[Mapping[str, object]], home_id: str | None) -> Mapping[str, object]:
    wanted = [home for home in homes if home_id is None or home.get("id") == home_id]
    if home_id is None and len(wanted) > 1:
        wanted = [home for home in wanted if home.get("currentSubscription") is not None]
    if len(wanted) == 1:
        return wanted[0]
    if home_id is not None:
        raise SourceError(f"{WHO} knows no home {home_id}: check home_id", "refused")
    if not wanted:
        raise SourceError(f"{WHO} has no home with a running contract", "refused")
    ids = ", ".join(text_of(home.get("id")) for home in wanted[:5])
    raise SourceError(f"{WHO} has {len(wanted)} homes: say which with home_id ({ids})", "refused")
