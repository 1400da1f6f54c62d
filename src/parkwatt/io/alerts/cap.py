"""Alerts in the Common Alerting Protocol 1.2 (OASIS, 2010; ITU-T X.1303): a single alert, or an Atom feed that holds its parts.

    <alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"> <identifier>…</identifier> <sent>2026-01-15T16:00:00-08:00</sent>
      <status>Actual</status> <msgType>Alert</msgType>
      <info> <event>High Wind Warning</event> <severity>Severe</severity> <certainty>Likely</certainty>
        <onset>…</onset> <expires>…</expires>
        <area> <areaDesc>Sonoma</areaDesc> <polygon>38.1,-122.9 …</polygon> <circle>38.1,-122.9 20</circle>
          <geocode> <valueName>UGC</valueName> <value>CAZ506</value> </geocode> </area> </info> </alert>

- In a feed each entry holds the elements of its info and areas itself, or a whole alert. The NWS has an entry for each alert,
  with the codes of all its areas in one list; MeteoAlarm has one for each area, with the identifier of the alert in all.
- An alert may say the same in several languages, or different things of different times: each info counts for itself.
- Only the status *Actual* is meant; *Exercise*, *System*, *Test* and *Draft* are not, and *Cancel* takes an alert back.
  What has the urgency *Past* is over.
- No type declaration is read: without one, no entity can be declared, blown up or fetched.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from parkwatt.io.download import SourceError

WHO: Final = "the alert service"
SEVERITIES: Final = ("Unknown", "Minor", "Moderate", "Severe", "Extreme")
CERTAINTIES: Final = ("Unknown", "Unlikely", "Possible", "Likely", "Observed")
# Of an alert that does not say when it is over.
_LASTS_S: Final = 24 * 3600
_ALERTS_MAX: Final = 20_000
_TEXT_MAX: Final = 200
_NO_ALERTS: Final = ("Cancel", "Ack", "Error")

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class CapArea:
    """Where: ``words``, codes of regions, polygons of (latitude, longitude), circles with a radius in km."""

    words: str
    codes: frozenset[str]
    polygons: tuple[tuple[Point, ...], ...] = ()
    circles: tuple[tuple[Point, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CapAlert:
    """One info of an alert that is meant: what, how bad, how sure, from when to when, where.

    ``identifier``: of its alert. ``severity``, ``certainty``: of `SEVERITIES` and `CERTAINTIES`.
    """

    identifier: str
    event: str
    headline: str
    severity: str
    certainty: str
    onset_unix_s: int
    expires_unix_s: int
    areas: tuple[CapArea, ...]


def read_cap(body: bytes) -> tuple[CapAlert, ...]:
    """All infos of all alerts that are meant and not taken back; those without a time or an identifier are left out.

    Raises SourceError where ``body`` is neither an alert nor a feed of alerts.
    """
    root = _document(body)
    name = _name(root)
    if name == "alert":
        holders = [root]
    elif name == "feed":
        entries = _children(root, "entry")
        if len(entries) > _ALERTS_MAX:
            raise SourceError(f"{WHO} answers with more than {_ALERTS_MAX} alerts", "broken")
        holders = [holder for entry in entries for holder in _whole_alerts(entry) or [entry]]
    else:
        raise SourceError(f"{WHO} answers with neither a CAP alert nor a feed of them", "broken")
    found = [alert for holder in holders for alert in _alerts(holder)]
    gone = {identifier for holder in holders for identifier in _replaced(holder)}
    return tuple(alert for alert in found if alert.identifier not in gone)


def _document(body: bytes) -> ET.Element:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SourceError(f"{WHO} answers with something that is not XML", "broken") from None
    if "<!DOCTYPE" in text:
        what = "a web page" if "html" in text[:200].lower() else "a document of a type of its own"
        raise SourceError(f"{WHO} answers with {what} in place of alerts", "broken")
    try:
        return ET.fromstring(text)  # noqa: S314 - no type declaration, see above
    except (ET.ParseError, ValueError):  # ValueError: a text with a character that XML has not
        raise SourceError(f"{WHO} answers with something that is not XML", "broken") from None


def _whole_alerts(entry: ET.Element) -> list[ET.Element]:
    """The whole alerts within an entry, as some feeds have them in place of their elements."""
    return [element for element in entry.iter() if _name(element) == "alert"]


def _alerts(holder: ET.Element) -> Iterator[CapAlert]:
    """The infos of an alert or of a feed's entry."""
    identifier = _text(holder, "identifier") or _text(holder, "id")
    if not identifier or _text(holder, "status") != "Actual" or _kind(holder) in _NO_ALERTS:
        return
    sent_unix_s = _unix_s(_text(holder, "sent") or _text(holder, "updated"))
    for info in _children(holder, "info") or [holder]:
        if _text(info, "urgency") == "Past":
            continue
        starts = (_unix_s(_text(info, "onset")), _unix_s(_text(info, "effective")), sent_unix_s)
        onset_unix_s = next((one for one in starts if one is not None), None)
        if onset_unix_s is None:
            continue
        expires_unix_s = _unix_s(_text(info, "expires"))
        event = _text(info, "event")
        yield CapAlert(
            identifier=identifier,
            event=event[:_TEXT_MAX],
            headline=(_text(info, "headline") or _text(info, "title") or event)[:_TEXT_MAX],
            severity=_one_of(SEVERITIES, _text(info, "severity")),
            certainty=_one_of(CERTAINTIES, _text(info, "certainty")),
            onset_unix_s=onset_unix_s,
            expires_unix_s=onset_unix_s + _LASTS_S if expires_unix_s is None else expires_unix_s,
            areas=tuple(_area(area) for area in _children(info, "area") or [info]),
        )


def _replaced(holder: ET.Element) -> Iterator[str]:
    """The identifiers of alerts that an update or a cancellation puts an end to (``sender,identifier,sent …``)."""
    if _kind(holder) not in ("Update", "Cancel"):
        return
    for reference in _text(holder, "references").split():
        parts = reference.split(",")
        if len(parts) == 3:
            yield parts[1]


def _kind(holder: ET.Element) -> str:
    return _text(holder, "msgType") or _text(holder, "message_type")


def _area(element: ET.Element) -> CapArea:
    codes = {
        code
        for geocode in _children(element, "geocode")
        for value in _children(geocode, "value")
        for code in (value.text or "").split()
    }
    polygons = [_points(one.text or "") for one in _children(element, "polygon")]
    circles = [_circle(one.text or "") for one in _children(element, "circle")]
    return CapArea(
        words=_text(element, "areaDesc"),
        codes=frozenset(codes),
        polygons=tuple(one for one in polygons if len(one) >= 3),
        circles=tuple(one for one in circles if one is not None),
    )


def _points(text: str) -> tuple[Point, ...]:
    """The corners of a polygon; none where one of them makes no sense."""
    points = [_point(part) for part in text.split()]
    return () if None in points else tuple(point for point in points if point is not None)


def _point(text: str) -> Point | None:
    numbers = [_number(part) for part in text.split(",")]
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
        return None
    return numbers[0], numbers[1]


def _circle(text: str) -> tuple[Point, float] | None:
    parts = text.split()
    centre, radius_km = (_point(parts[0]), _number(parts[1])) if len(parts) == 2 else (None, None)
    return None if centre is None or radius_km is None else (centre, radius_km)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _unix_s(text: str) -> int | None:
    """A time that names its zone; None where it does not, or is none."""
    try:
        time = datetime.fromisoformat(text)
        return None if time.tzinfo is None else math.floor(time.timestamp())
    except (ValueError, OverflowError):
        return None


def _one_of(known: tuple[str, ...], text: str) -> str:
    return text if text in known else known[0]


def _name(element: ET.Element) -> str:
    """Without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _children(element: ET.Element, name: str) -> list[ET.Element]:
    return [child for child in element if _name(child) == name]


def _text(element: ET.Element, name: str) -> str:
    """The text of the first child of that name; empty where there is none."""
    child = next(iter(_children(element, name)), None)
    return "" if child is None else " ".join((child.text or "").split())
