"""ENTSO-E's transparency platform: day-ahead prices (document A44) of all European bidding zones, with a free token.

    GET /api?documentType=A44&in_Domain=10Y…&out_Domain=10Y…&contract_MarketAgreement.type=A01
        &periodStart=202603282300&periodEnd=202603302200&securityToken=…
    <Publication_MarketDocument> <type>A44</type> <TimeSeries> <in_Domain.mRID>10Y…</in_Domain.mRID>
      <currency_Unit.name>EUR</currency_Unit.name> <price_Measure_Unit.name>MWH</price_Measure_Unit.name>
      <classificationSequence_AttributeInstanceComponent.position>1</…> <curveType>A03</curveType>
      <Period> <timeInterval><start>2026-03-28T23:00Z</start><end>…</end></timeInterval> <resolution>PT15M</resolution>
        <Point> <position>1</position> <price.amount>88.1</price.amount> </Point> … </Period> </TimeSeries> …

- Curve type A03 leaves out points that repeat the one before; with A01 a point that is not there is a hole.
- Whole days come back, in quarters, half hours or hours, also mixed, also the same day in two lengths.
- Germany and Austria have several auctions a day, told apart by the classification sequence: 1 is the coupled one (12:00),
  2 a local one (10:15). Of each time the lowest counts; where 1 is not there (it appears later, or was late for
  a day), the other stands in and the answer is not final.
- What it does not have is told by an `Acknowledgement_MarketDocument` with a reason, with status 200 or 400; a refused
  token is 401. 400 questions a minute are allowed.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections import defaultdict

import httpx

from parkwatt.domain.series import utc
from parkwatt.io.download import SourceError, download, status_fault
from parkwatt.io.prices.answer import QUOTES_MAX, Ask, Quote, Quotes
from parkwatt.io.prices.json_answer import Clock, text_of
from parkwatt.io.prices.settings import FeedSettings

WHO = "ENTSO-E"
_STEP_S = {"PT15M": 900, "PT30M": 1800, "PT60M": 3600, "PT1H": 3600}
_NO_QUOTE = Quote(0, 0, None)  # counted among those whose times cannot be meant
_SEQUENCE = "classificationSequence_AttributeInstanceComponent.position"


async def fetch(client: httpx.AsyncClient, feed: FeedSettings, ask: Ask, token: str) -> Quotes:
    """Ask for the whole time at once."""
    params = {
        "documentType": "A44",
        "in_Domain": ask.area,
        "out_Domain": ask.area,
        "contract_MarketAgreement.type": "A01",
        "periodStart": f"{utc(ask.from_unix_s):%Y%m%d%H%M}",
        "periodEnd": f"{utc(ask.until_unix_s):%Y%m%d%H%M}",
        "securityToken": token,
    }
    page = await download(client, client.build_request("GET", feed.url, params=params), WHO)
    if page.status in (401, 403):
        raise SourceError(
            f"{WHO} refuses the token: check the file that token_file names, or ask for a new token",
            "refused",
            page.retry_after_s,
        )
    if page.status not in (200, 400):  # 400 holds the reason
        raise status_fault(page, WHO)
    return read(page.body, ask)


def read(body: bytes, ask: Ask) -> Quotes:
    """The quotes in a document."""
    root = _document(body)
    if _name(root) == "Acknowledgement_MarketDocument":
        raise _acknowledged(root, ask)
    if _name(root) != "Publication_MarketDocument" or _text(root, "type") != "A44":
        raise SourceError(f"{WHO} answers with another document than prices (A44)", "broken")
    layers: dict[tuple[int, int], list[Quote]] = defaultdict(list)
    quotes, clock = Quotes(), Clock(ask.time_zone)
    refusals: list[str] = []
    for series in _children(root, "TimeSeries"):
        refusal = _refusal(series, ask)
        if refusal is not None:
            refusals.append(refusal)
            continue
        sequence = _whole(_text(series, _SEQUENCE)) or 1
        repeats = _text(series, "curveType") == "A03"
        for period in _children(series, "Period"):
            step_s = _STEP_S.get(_text(period, "resolution"))
            if step_s is None:
                quotes.notes.append(f"steps of {text_of(_text(period, 'resolution'))} are left out")
                continue
            layer = layers[sequence, step_s]
            layer += _points(period, step_s, clock, repeats=repeats)
            if len(layer) > QUOTES_MAX:
                raise SourceError(f"{WHO} answers with more than {QUOTES_MAX} prices", "broken")
    if refusals and not layers:
        raise SourceError(f"{WHO} {refusals[0]}", "broken")
    quotes.notes += [f"a series that {refusal} is left out" for refusal in dict.fromkeys(refusals)]
    # The least important first: higher sequences, and in each the longer steps.
    order = sorted(layers, reverse=True)
    quotes.layers = [layers[key] for key in order] or [[]]
    _tell_stand_ins(quotes, layers, ask)
    return quotes


def _document(body: bytes) -> ET.Element:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SourceError(f"{WHO} answers with something that is not XML", "broken") from None
    # An entity can only be declared here; without any, nothing can be blown up or fetched.
    if "<!DOCTYPE" in text:
        what = "a web page" if "html" in text[:200].lower() else "a document of a type of its own"
        raise SourceError(f"{WHO} answers with {what} in place of prices", "broken")
    try:
        return ET.fromstring(text)  # noqa: S314 - no type declaration, see above
    except (ET.ParseError, ValueError):  # ValueError: a text with a character that XML has not
        raise SourceError(f"{WHO} answers with something that is not XML", "broken") from None


def _acknowledged(root: ET.Element, ask: Ask) -> SourceError:
    """Why there are no prices, in its words."""
    reasons = [_text(reason, "text") for reason in _children(root, "Reason")]
    reason = text_of(" ".join(reasons)) or "no reason given"
    if "no matching data" in reason.lower():
        return SourceError(f"{WHO} has no prices for {ask.zone} in these days", "absent")
    return SourceError(f"{WHO} rejects the question: {reason}", "broken")


def _refusal(series: ET.Element, ask: Ask) -> str | None:
    """Why a time series is not what was asked for."""
    area = _text(series, "in_Domain.mRID")
    currency, unit = _text(series, "currency_Unit.name"), _text(series, "price_Measure_Unit.name")
    if area and area != ask.area:
        return f"gives prices of {text_of(area)}, not of {ask.zone}"
    if currency != ask.currency:
        return f"gives prices in {text_of(currency) or 'no currency'}, not in {ask.currency}"
    if unit != "MWH":
        return f"gives prices per {text_of(unit) or 'no unit'}, not per MWh"
    return None


def _points(period: ET.Element, step_s: int, clock: Clock, *, repeats: bool) -> list[Quote]:
    """The quotes of a period; where points may be left out, each lasts until the next."""
    interval = next(iter(_children(period, "timeInterval")), None)
    start = clock.unix_s(_text(interval, "start") if interval is not None else None)
    end = clock.unix_s(_text(interval, "end") if interval is not None else None)
    if start is None or end is None or not 0 < (end - start) // step_s <= QUOTES_MAX:
        return [_NO_QUOTE]
    count = (end - start) // step_s
    quotes: list[Quote] = []
    points: dict[int, float | None] = {}
    for point in _children(period, "Point"):
        position = _whole(_text(point, "position"))
        if position is None or not 1 <= position <= count:
            quotes.append(_NO_QUOTE)
            continue
        if position in points:  # told twice: the first stands before the second
            quotes.append(_quote(start, step_s, position, position + 1, points[position]))
        points[position] = _price(_text(point, "price.amount"))
    positions = sorted(points)
    for position, following in zip(positions, [*positions[1:], count + 1], strict=True):
        until = following if repeats else position + 1
        quotes.append(_quote(start, step_s, position, until, points[position]))
    return sorted(quotes, key=lambda quote: quote.start_unix_s)


def _quote(start: int, step_s: int, first: int, until: int, price_per_kwh: float | None) -> Quote:
    return Quote(start + (first - 1) * step_s, start + (until - 1) * step_s, price_per_kwh)


def _tell_stand_ins(quotes: Quotes, layers: dict[tuple[int, int], list[Quote]], ask: Ask) -> None:
    """Note where prices of a second auction stand in for the first."""
    last = {
        is_first: max(
            (
                min(quote.end_unix_s or 0, ask.until_unix_s)
                for (sequence, _), layer in layers.items()
                if (sequence == 1) is is_first
                for quote in layer
            ),
            default=0,
        )
        for is_first in (True, False)
    }
    if last[False] > last[True]:
        quotes.final = False
        quotes.notes.append("prices of another auction stand in until the coupled one's appear")


def _children(element: ET.Element, name: str) -> list[ET.Element]:
    """The children of that name, in any namespace."""
    return [child for child in element if _name(child) == name]


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(element: ET.Element, name: str) -> str:
    """The text of the first child of that name; empty where there is none."""
    child = next(iter(_children(element, name)), None)
    return (child.text or "").strip() if child is not None else ""


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _price(text: str) -> float | None:
    try:
        price_per_kwh = float(text) / 1000.0
    except ValueError:
        return None
    return price_per_kwh if math.isfinite(price_per_kwh) else None
