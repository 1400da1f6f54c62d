"""A year of many drivers as one HTML page that needs nothing else: no server and no network.

Text and tables are written here, readable without a script; plots are drawn by plotly.js as on the page of a fleet's plan.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np

from parkwatt.app.atomic_file import replacing
from parkwatt.app.fleet.year_words import (
    PERCENTILES,
    YearShown,
    departures_words,
    programme_words,
    rows_of,
    spread,
    trait_rows,
)
from parkwatt.app.report import embed
from parkwatt.app.report.number_text import number_text

_PACKAGE: Final = "parkwatt.app.fleet"
_MARKER: Final = re.compile(r"\{\{(\w+)\}\}")
_HOURS_OF_YEAR: Final = 8760


def write_report(shown: YearShown, path: Path) -> None:
    """Write the page, whole or not at all. Raises InputError where ``path`` cannot be written."""
    with replacing(path) as stream:
        stream.write(page(shown))


def page(shown: YearShown) -> str:
    """The page's text."""
    drivers, terms = shown.found.drivers, shown.terms
    net = drivers.net
    low, middle, high = (float(one) for one in np.percentile(net, (5, 50, 95)))
    words = [*programme_words(shown), departures_words(shown)]
    parts = {
        "span": f"{terms.days.day_count} days from {shown.first_day}, programme {terms.programme}",
        "headline": f"Half of the drivers are left with more than {number_text(middle, 0)} a year",
        "lead": f"Nine in ten with {number_text(low, 0)} to {number_text(high, 0)}, against charging at once and after battery "
        "wear, in the currency of the prices.",
        "cards": _cards(shown),
        "amounts": _amounts(shown),
        "traits": _traits(shown),
        "words": "".join(f"<li>{escape(one[0].upper() + one[1:])}.</li>" for one in words),
        "style": embed.style(),
        "plotly": embed.plotly_script(),
        "data": embed.script_json(_figures(shown)),
        "script": embed.asset(_PACKAGE, "fleet.js"),
    }
    return _MARKER.sub(lambda match: parts[match.group(1)], embed.asset(_PACKAGE, "year.html"))


def _cards(shown: YearShown) -> str:
    drivers, car = shown.found.drivers, shown.terms.car
    figures = (
        ("Gross", number_text(float(drivers.gross.mean()), 0), "mean of a driver"),
        ("Wear added", number_text(float(drivers.added_wear.mean()), 0), shown.terms.cell.name),
        ("Net", number_text(float(drivers.net.mean()), 0), "mean of a driver"),
        ("Car", f"{car.energy_kwh_max:g} kWh", f"{car.power_kw_max:g} kW both ways, assumed"),
    )
    return "".join(
        f'<div class="card stat"><span class="muted">{title}</span>'
        f'<span class="big">{value}</span><span class="muted">{escape(rest)}</span></div>'
        for title, value, rest in figures
    )


def _amounts(shown: YearShown) -> str:
    heads = ("A year, of a driver", "mean", *(f"p{one}" for one in PERCENTILES))
    rows = [
        (name.strip(), *(number_text(one, 0) for one in spread(amounts)))
        for name, amounts in rows_of(shown.found.drivers)
    ]
    return _table(heads, rows)


def _traits(shown: YearShown) -> str:
    rows: list[tuple[str, ...]] = [
        (name, f"{rank:+.2f}", number_text(low, 0), number_text(high, 0))
        for name, rank, low, high in trait_rows(shown.found.drivers)
    ]
    heads = ("What differs", "rank correlation with net", "net, lowest fifth", "highest fifth")
    return _table(heads, rows)


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(one)}</td>" for one in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _figures(shown: YearShown) -> dict[str, Any]:
    drivers = shown.found.drivers
    counts, edges = np.histogram(drivers.net, bins=40)
    bars = {
        "type": "bar",
        "x": ((edges[1:] + edges[:-1]) / 2).round(2).tolist(),
        "y": counts.tolist(),
        "marker": {"color": "--car"},
        "hovertemplate": "%{y} drivers: about %{x:.0f}<extra></extra>",
    }
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": (drivers.plugged_share * _HOURS_OF_YEAR).round(0).tolist(),
        "y": drivers.net.round(2).tolist(),
        "marker": {"color": "--car", "size": 5, "opacity": 0.6},
        "hovertemplate": "%{x:.0f} hours plugged in: %{y:.0f}<extra></extra>",
    }
    net = {"title": {"text": "net a year"}}
    return {
        "net": {"data": [bars], "xaxis": net, "yaxis": {"title": {"text": "drivers"}}},
        "plugged": {
            "data": [dots],
            "xaxis": {"title": {"text": "hours plugged in, a year"}},
            "yaxis": net,
        },
    }
