"""A report's plots, as plotly.js figures: money, energy, and the mean day."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date
from itertools import accumulate
from typing import Any, Final
from zoneinfo import ZoneInfo

from parkwatt.app.report.number_text import currency_symbol
from parkwatt.app.report.plot_spec import Spec
from parkwatt.app.site_report.profile import HOURS, DayProfile
from parkwatt.app.site_report.views import AccountView, RowView

_FEW: Final = 45


def labels(view: AccountView) -> list[str]:
    """What each period is called on an axis, in order; cars of a period share one."""
    zone = ZoneInfo(view.time_zone)
    if view.by == "session":
        return [
            f"{row.start.astimezone(zone):%d %b %y %H:%M}"
            for row in view.rows
            if row.stay is not None
        ]
    return [_short(name) for name in _names(view)]


def _names(view: AccountView) -> list[str]:
    return list(dict.fromkeys(row.name for row in view.rows))


def _short(name: str) -> str:
    """23 Nov 26 for 2026-11-23, Nov 2026 for 2026-11; a year as it is."""
    parts = [int(part) for part in name.split("-")]
    if len(parts) == 1:
        return name
    day = date(parts[0], parts[1], parts[2] if len(parts) > 2 else 1)
    return f"{day:%b %Y}" if len(parts) == 2 else f"{day.day} {day:%b %y}"


def _by_label(view: AccountView, value: Callable[[RowView], float]) -> list[float]:
    """A figure of each period, all its cars together."""
    if view.by == "session":
        return [value(row) for row in view.rows if row.stay is not None]
    totals = dict.fromkeys(_names(view), 0.0)
    for row in view.rows:
        totals[row.name] += value(row)
    return list(totals.values())


def money(view: AccountView) -> Spec:
    """Cost against charging at once by period, and the net saving so far."""
    unit = currency_symbol(view.currency)
    names = labels(view)
    saved = list(accumulate(_by_label(view, lambda row: row.money.saving_net)))
    data = [
        _bar(
            names,
            "Charging at once",
            "--rest",
            _by_label(view, lambda row: row.money.at_once),
            f"%{{y:.2f}} {unit}",
        ),
        _bar(
            names,
            "As it was",
            "--car",
            _by_label(view, lambda row: row.money.cost),
            f"%{{y:.2f}} {unit}",
        ),
        {
            "type": "scatter",
            "mode": "lines+markers" if len(names) < _FEW else "lines",
            "name": "Net saving so far",
            "x": names,
            "y": saved,
            "yaxis": "y2",
            "line": {"color": "--ink", "width": 2.2},
            "marker": {"color": "--ink", "size": 5},
            "hovertemplate": f"Net saving so far: %{{y:.2f}} {unit}<extra></extra>",
        },
    ]
    layout = _layout(names)
    layout |= {"barmode": "group", "yaxis": _axis(unit), "yaxis2": _right(f"{unit} saved, net")}
    _align_zero(layout, [value for trace in data[:2] for value in trace["y"]], saved)
    return {"data": data, "layout": layout}


def energy(view: AccountView) -> Spec:
    """Where the energy came from (up) and where it went (down), by period."""
    names, text = labels(view), "%{customdata:.1f} kWh"
    parts: Sequence[tuple[str, str, Callable[[RowView], float]]] = (
        ("From the grid", "--grid", lambda r: r.energy.charged_kwh - r.energy.from_sun_kwh),
        ("From the sun", "--sun", lambda r: r.energy.from_sun_kwh),
        ("To the house", "--house", lambda r: -r.energy.to_home_kwh),
        ("To the grid", "--car", lambda r: -r.energy.to_grid_kwh),
    )
    data = []
    for name, colour, value in parts:
        values = _by_label(view, value)
        if any(values):
            bar = _bar(names, name, colour, values, text)
            data.append(bar | {"customdata": [abs(one) for one in values]})
    layout = _layout(names) | {"barmode": "relative", "yaxis": _axis("kWh")}
    return {"data": data, "layout": layout}


def day(view: AccountView, profile: DayProfile) -> Spec:
    """The mean day: when the car charged and gave, when it would have charged at once, and the price."""
    unit = currency_symbol(view.currency)
    hours = [f"{hour:02d}:00" for hour in range(HOURS)]
    price = [None if math.isnan(v) else v for v in profile.import_price_per_kwh.tolist()]
    data = [
        _bar(hours, "Charged", "--car", profile.charged_kwh.tolist(), "%{y:.2f} kWh"),
        _bar(
            hours,
            "Discharged",
            "--house",
            (-profile.discharged_kwh).tolist(),
            "%{customdata:.2f} kWh",
        )
        | {"customdata": profile.discharged_kwh.tolist()},
        {
            "type": "scatter",
            "mode": "lines",
            "name": "Charged at once",
            "x": hours,
            "y": profile.at_once_kwh.tolist(),
            "line": {"color": "--rest", "width": 2, "shape": "hvh", "dash": "dash"},
            "hovertemplate": "Charged at once: %{y:.2f} kWh<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "lines",
            "name": "Price to buy",
            "x": hours,
            "y": price,
            "yaxis": "y2",
            "line": {"color": "--grid", "width": 2.2, "shape": "hvh"},
            "hovertemplate": f"Price to buy: %{{y:.3f}} {unit}/kWh<extra></extra>",
        },
    ]
    layout = _layout(hours)
    layout |= {
        "barmode": "relative",
        "yaxis": _axis("kWh a day"),
        "yaxis2": _right(f"{unit}/kWh") | {"rangemode": "tozero"},
    }
    taken = [*data[0]["y"], *data[1]["y"], *data[2]["y"]]
    _align_zero(layout, taken, [value for value in price if value is not None])
    return {"data": data, "layout": layout}


def _bar(names: list[str], name: str, colour: str, values: list[float], text: str) -> Spec:
    return {
        "type": "bar",
        "name": name,
        "x": names,
        "y": values,
        "marker": {"color": colour, "cornerradius": 3},
        "hovertemplate": f"{name}: {text}<extra></extra>",
    }


def _layout(names: list[str]) -> dict[str, Any]:
    return {
        "height": 320,
        "margin": {"l": 52, "r": 56, "t": 22, "b": 40},
        "bargap": 0.25,
        "hovermode": "x unified",
        "xaxis": {
            "type": "category",
            "showgrid": False,
            "fixedrange": True,
            "nticks": min(max(len(names), 1), 12),
            "tickangle": 0,
        },
    }


def _axis(title: str) -> Spec:
    return {
        "title": {"text": title, "standoff": 6},
        "zerolinecolor": "--soft",
        "fixedrange": True,
        "nticks": 6,
    }


def _right(title: str) -> Spec:
    return _axis(title) | {
        "overlaying": "y",
        "side": "right",
        "showgrid": False,
        "zeroline": False,
        "tickmode": "auto",
    }


def _align_zero(layout: Spec, left: Sequence[float], right: Sequence[float]) -> None:
    """Give both axes ranges whose zero is at the same height."""
    spans = [_span(left), _span(right)]
    share = max(-low / (high - low) for low, high in spans)
    for axis, (low, high) in zip(("yaxis", "yaxis2"), spans, strict=True):
        top = max(high, -low * (1 - share) / share if share > 0 else high)
        layout[axis]["range"] = [-top * share / (1 - share), top]


def _span(values: Sequence[float]) -> tuple[float, float]:
    """A little more than from the least to the greatest, 0 within."""
    low, high = min([0.0, *values]), max([0.0, *values])
    if high <= 0:
        high = max(-low * 0.1, 1e-3)
    return low * 1.12, high * 1.12
