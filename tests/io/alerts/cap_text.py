"""Alerts and feeds as services write them, for what a test chooses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from parkwatt.io.alerts.settings import AlertSettings

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
H = 3600
# 2026-01-15, 12:00 UTC.
NOON = 1_768_478_400


def time_text(unix_s: int) -> str:
    """A time as alerts write it."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%S-00:00")


def info(
    event: str = "High Wind Warning",
    *,
    severity: str = "Severe",
    certainty: str = "Likely",
    onset_h: float | None = 6,
    expires_h: float | None = 18,
    area: str = "<areaDesc>Sonoma</areaDesc>",
    prefix: str = "",
) -> str:
    """The elements of an info, with its areas. Times in hours after `NOON`."""
    parts = [
        f"<{prefix}event>{escape(event)}</{prefix}event>",
        f"<{prefix}severity>{severity}</{prefix}severity>",
        f"<{prefix}certainty>{certainty}</{prefix}certainty>",
    ]
    for name, hour in (("onset", onset_h), ("expires", expires_h)):
        if hour is not None:
            parts.append(f"<{prefix}{name}>{time_text(NOON + int(hour * H))}</{prefix}{name}>")
    return "".join(parts) + (area if prefix else f"<area>{area}</area>")


def alert(
    *infos: str,
    identifier: str = "a1",
    status: str = "Actual",
    kind: str = "Alert",
    references: str = "",
) -> bytes:
    """A whole alert."""
    blocks = "".join(f"<info>{one}</info>" for one in infos or (info(),))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><alert xmlns="{CAP}">'
        f"<identifier>{identifier}</identifier><sender>s</sender><sent>{time_text(NOON)}</sent>"
        f"<status>{status}</status><msgType>{kind}</msgType><references>{references}</references>"
        f"{blocks}</alert>"
    ).encode()


def entry(identifier: str = "a1", status: str = "Actual", kind: str = "Alert", **of: object) -> str:
    """An alert as an entry of a feed."""
    return (
        f"<entry><id>urn:{identifier}</id><title>By a test</title>"
        f"<cap:identifier>{identifier}</cap:identifier><cap:status>{status}</cap:status>"
        f"<cap:message_type>{kind}</cap:message_type><cap:sent>{time_text(NOON)}</cap:sent>"
        f"{info(prefix='cap:', **of)}</entry>"  # type: ignore[arg-type]
    )


def feed(entries: Sequence[str]) -> bytes:
    """A feed of entries."""
    body = "".join(entries)
    head = f'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:cap="{CAP}">'
    return f'<?xml version="1.0"?>{head}<title>Alerts</title>{body}</feed>'.encode()


def settings(**changes: object) -> AlertSettings:
    """Wind and storms, everywhere, unless ``changes`` say otherwise."""
    fields: dict[str, object] = {
        "url": "http://localhost/feed",
        "events": ("wind", "storm"),
        "planned_events": ("power shutoff",),
        "areas": (),
        "point_deg": None,
        "severity_min": "Severe",
        "certainty_min": "Possible",
        "outage_hours": 12.0,
    }
    return AlertSettings(**(fields | changes))  # type: ignore[arg-type]
