"""Bids for a day, and a test of earlier ones, as one HTML page that needs no network."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.app.atomic_file import replacing
from parkwatt.app.fleet.bid_words import BidShown, told
from parkwatt.app.report import embed
from parkwatt.app.report.number_text import number_text
from parkwatt.fleet.flexibility.played import STEPS_OF_DAY

_PACKAGE: Final = "parkwatt.app.fleet"
_MARKER: Final = re.compile(r"\{\{(\w+)\}\}")


def write_report(shown: BidShown, path: Path) -> None:
    """Write the page, whole or not at all. Raises InputError where ``path`` cannot be written."""
    with replacing(path) as stream:
        stream.write(page(shown))


def page(shown: BidShown) -> str:
    """The page's text."""
    options, bids = shown.options, shown.bids
    most = max((bid.power_kw for bid in bids), default=0.0)
    net = sum(bid.net for bid in bids)
    sold = sum(bid.power_kw > 0.0 for bid in bids)
    headline = (
        f"{sold} of {len(bids)} blocks sold, up to {number_text(most)} kW: {net:,.0f} {options.programme.currency} net"
        if sold
        else "Nothing is sure enough to be sold"
    )
    parts = {
        "span": f"{shown.day}, {shown.cars:,} cars, known until {shown.known_until}",
        "headline": escape(headline),
        "lead": f"{escape(options.programme.title)}, at a confidence of {100 * options.confidence:g} %.",
        "words": "".join(f"<li>{escape(line.strip())}</li>" for line in told(shown)),
        "style": embed.style(),
        "plotly": embed.plotly_script(),
        "data": embed.script_json(_figures(shown)),
        "script": embed.asset(_PACKAGE, "fleet.js"),
    }
    return _MARKER.sub(lambda match: parts[match.group(1)], embed.asset(_PACKAGE, "bid.html"))


def _figures(shown: BidShown) -> dict[str, Any]:
    return {"reserve": _reserve(shown), "flexibility": _flexibility(shown), "test": _test(shown)}


def _band(low: NDArray[np.float64], high: NDArray[np.float64]) -> list[dict[str, Any]]:
    hours = (np.arange(STEPS_OF_DAY) / 4.0).tolist()
    edge = {
        "type": "scatter",
        "mode": "lines",
        "x": hours,
        "line": {"width": 0},
        "hoverinfo": "skip",
    }
    return [
        {**edge, "y": low.round(1).tolist(), "showlegend": False},
        {
            **edge,
            "y": high.round(1).tolist(),
            "fill": "tonexty",
            "name": "5 to 95 %",
            "fillcolor": "rgba(10, 140, 128, 0.18)",
        },
    ]


def _line(name: str, values: NDArray[np.float64], color: str) -> dict[str, Any]:
    hours = (np.arange(STEPS_OF_DAY) / 4.0).tolist()
    line = {"color": color, "width": 2.0}
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": hours,
        "y": values.round(1).tolist(),
        "line": line,
    }


def _reserve(shown: BidShown) -> dict[str, Any] | None:
    if shown.forecast is None:
        return None
    low, middle, high = shown.forecast.quantiles["reserve_kw"] / shown.options.power_factor
    powers = np.repeat([bid.power_kw for bid in shown.bids], STEPS_OF_DAY // len(shown.bids))
    bid = _line("bid", powers, "--car")
    bid["line"] = {**bid["line"], "shape": "hv"}
    return {
        "data": [*_band(low, high), _line("expected", middle, "--soft"), bid],
        "xaxis": {"title": {"text": "hour of the day"}},
        "yaxis": {"title": {"text": "kW, both ways"}, "rangemode": "tozero"},
    }


def _flexibility(shown: BidShown) -> dict[str, Any] | None:
    if shown.forecast is None:
        return None
    up, down = (shown.forecast.quantiles[name] for name in ("up_kw", "down_kw"))
    return {
        "data": [
            *_band(up[0], up[2]),
            _line("more, expected", up[1], "--car"),
            *[{**one, "showlegend": False} for one in _band(-down[2], -down[0])],
            _line("less, expected", -down[1], "--soft"),
        ],
        "xaxis": {"title": {"text": "hour of the day"}},
        "yaxis": {"title": {"text": "kW from its plan"}},
    }


def _test(shown: BidShown) -> dict[str, Any] | None:
    judged = shown.judged
    if judged is None or not judged.sold:
        return None
    sold = judged.bid_kw > 0.0
    days = np.repeat([one.isoformat() for one in judged.days], judged.bid_kw.shape[1]).reshape(
        judged.bid_kw.shape
    )
    share = np.divide(judged.held_kw, judged.bid_kw, out=np.zeros_like(judged.held_kw), where=sold)
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": days[sold].tolist(),
        "y": share[sold].round(3).tolist(),
        "marker": {"color": "--car", "size": 5, "opacity": 0.6},
        "hovertemplate": "%{x}: held %{y:.2f} of the bid<extra></extra>",
    }
    edge = {
        "type": "scatter",
        "mode": "lines",
        "x": [judged.days[0].isoformat(), judged.days[-1].isoformat()],
        "y": [1.0, 1.0],
        "line": {"color": "--soft", "width": 1.5},
        "hoverinfo": "skip",
    }
    return {
        "data": [dots, edge],
        "showlegend": False,
        "xaxis": {},
        "yaxis": {"title": {"text": "held, of the bid"}, "rangemode": "tozero"},
    }
