"""The plots as plotly.js figures: plain dicts whose series are base64 float32, so that a year stays small.

A colour that starts with ``--`` is the name of a colour of the page ("--car", "--car/0.3" with an opacity); the page's script
puts in the light or the dark one. Plots of the whole span (`panels`) get their points in the script, which
shows only what is in sight.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.app.report.number_text import currency_symbol, money_digits, money_text, number_text
from parkwatt.app.report.words import saving
from parkwatt.domain.record import FloatArray
from parkwatt.site.outcome import STRATEGY_TITLES, StrategyResult, StudyResult, WearResult

Spec = dict[str, Any]  # what plotly.js takes is open by nature

_HOURS_PER_WEEK = 168
# The line under the pointer; a negative thickness draws it without the white rim that plotly.js puts around it.
_SPIKE: Spec = {
    "showspikes": True,
    "spikemode": "across",
    "spikecolor": "--soft",
    "spikedash": "dot",
    "spikethickness": -1.5,
}


def packed(values: FloatArray | Sequence[float]) -> Spec:
    """A series as plotly.js and the page's script read it: little-endian float32 in base64; NaN is a gap."""
    array = np.asarray(values, dtype="<f4")
    return {"dtype": "f4", "bdata": base64.b64encode(array.tobytes()).decode("ascii")}


def broken_title(strategy: StrategyResult) -> str:
    """The strategy's title on two lines."""
    return STRATEGY_TITLES[strategy.name].replace(" (", "<br>(")


# ---- three panels over time: prices, power, battery --------------------------------------------------------------


def panels(result: StudyResult) -> Spec:
    """Prices, power and battery above each other on one axis of time; ``key`` says which series a trace shows."""
    unit = currency_symbol(result.currency)
    price = f"%{{y:.3f}} {unit}/kWh"
    power, energy = "%{y:.2f} kW", "%{y:.1f} kWh"

    def step(key: str, name: str, axis: str, text: str, **style: Any) -> Spec:
        line = {"shape": "hv", "width": 0, **style.pop("line", {})}
        return {
            "key": key,
            "name": name,
            "type": "scatter",
            "mode": "lines",
            "yaxis": axis,
            "line": line,
            "hovertemplate": text,
            **style,
        }

    def area(key: str, name: str, axis: str, colour: str, text: str, **style: Any) -> Spec:
        return step(key, name, axis, text, fill="tozeroy", fillcolor=colour, **style)

    def line(key: str, name: str, axis: str, colour: str, text: str, **style: Any) -> Spec:
        return step(key, name, axis, text, line={"color": colour, **style})

    silent = {"hoverinfo": "skip", "hovertemplate": None}
    data = [
        line("buy", "Buy", "y", "--grid", price, width=2.2),
        line("sell", "Sell", "y", "--grid/0.7", price, width=1.4, dash="dot"),
        area("solar", "Sun", "y2", "--sun/0.42", power),
        area("charge", "Charge", "y2", "--car/0.9", power),
        area("discharge", "Out of the car", "y2", "--grid/0.85", power, label="Car to the grid"),
        area("to_house", "of it to the house", "y2", "--house", power, label="Car to the house"),
        line("load", "House", "y2", "--ink", power, width=1.3),
        area("away", "Away", "y3", "--away", "", **silent),
        line("energy", "Battery", "y3", "--ink", energy, width=2.2, shape="linear"),
        line("floor", "Floor", "y3", "--house", energy, width=1.4, dash="dash"),
    ]
    layout = {
        "height": 640,
        "margin": {"l": 46, "r": 10, "t": 26, "b": 34},
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "xaxis": {"anchor": "y3", "showgrid": False, "zeroline": False, **_SPIKE},
        "yaxis": {"domain": [0.75, 1.0], "zeroline": False, "nticks": 5},
        "yaxis2": {"domain": [0.31, 0.67], "zerolinecolor": "--soft", "nticks": 6},
        "yaxis3": {
            "domain": [0.0, 0.23],
            "range": [0, result.energy_kwh_max * 1.04],
            "zeroline": False,
            "nticks": 4,
        },
        "annotations": [
            _panel_title(f"Price, {unit}/kWh", 1.0),
            _panel_title("Power, kW", 0.67),
            _panel_title("Energy in the battery, kWh", 0.23),
        ],
    }
    return {"data": data, "layout": layout}


def _panel_title(text: str, top: float) -> Spec:
    place = {"xref": "paper", "yref": "paper", "x": 0, "y": top, "xanchor": "left"}
    font = {"size": 12, "color": "--soft"}
    return {
        "text": text,
        "showarrow": False,
        "yanchor": "bottom",
        "yshift": 5,
        "font": font,
        **place,
    }


def series(result: StudyResult) -> Spec:
    """What the panels show of the whole span, whichever the strategy: [T] each."""
    return {
        "buy": packed(result.import_price_per_kwh),
        "sell": packed(result.export_price_per_kwh),
        "load": packed(result.load_kw),
        "solar": packed(result.solar_kw),
        "connected": packed(result.connected),
    }


def strategy_series(strategy: StrategyResult) -> Spec:
    """What the panels show of one strategy over the whole span: the car's power and energy at each step's start."""
    return {"power": packed(strategy.power_kw), "energy": packed(strategy.energy_kwh[:-1])}


# ---- a typical week ----------------------------------------------------------------------------------------------


def local_offsets_s(result: StudyResult) -> FloatArray:
    """[T] seconds that local time is ahead of UTC in each step."""
    zone = ZoneInfo(result.time_zone)
    starts = result.grid.starts_unix_s()
    # The clock changes on full hours at the earliest: asking once an hour is enough.
    hours, inverse = np.unique(starts // 3600, return_inverse=True)
    offsets = [
        offset.total_seconds()
        for hour in hours.tolist()
        if (offset := datetime.fromtimestamp(hour * 3600, zone).utcoffset()) is not None
    ]
    by_step: FloatArray = np.asarray(offsets, dtype=np.float64)[inverse]
    return by_step


def week_axis() -> Spec:
    """The axis of a typical week, Monday to Sunday: the week of 1 January 2001, which began on a Monday."""
    days = range(1, 8)
    return {
        "type": "date",
        "range": ["2001-01-01", "2001-01-08"],
        "tickvals": [f"2001-01-{day:02d} 12:00" for day in days],
        "tickformat": "%a",
        "hoverformat": "%a %H:%M",
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "anchor": "y3",
        **_SPIKE,
    }


def week_series(result: StudyResult, strategy: StrategyResult) -> Spec:
    """The mean over all weeks for each hour of the local week: [168] by the key of the trace."""
    local_s = result.grid.starts_unix_s() + local_offsets_s(result).astype(np.int64)
    # 1970-01-01 was a Thursday: three days later the hours of the week start at Monday 00:00.
    hour = (local_s // 3600 + 3 * 24) % _HOURS_PER_WEEK

    def mean(values: FloatArray) -> FloatArray:
        known = np.isfinite(values)
        count = np.bincount(hour[known], minlength=_HOURS_PER_WEEK)
        total = np.bincount(hour[known], weights=values[known], minlength=_HOURS_PER_WEEK)
        means = np.full(_HOURS_PER_WEEK, np.nan)
        np.divide(total, count, out=means, where=count > 0)
        return means

    discharge = np.maximum(-strategy.power_kw, 0.0)
    to_house = np.minimum(discharge, np.maximum(result.load_kw - result.solar_kw, 0.0))
    values = {
        "buy": mean(result.import_price_per_kwh),
        "sell": mean(result.export_price_per_kwh),
        "load": mean(result.load_kw),
        "solar": mean(result.solar_kw),
        "charge": mean(np.maximum(strategy.power_kw, 0.0)),
        "discharge": -mean(discharge),
        "to_house": -mean(to_house),
        "away": (1.0 - mean(result.connected)) * result.energy_kwh_max,
        "energy": mean(strategy.energy_kwh[:-1]),
        "floor": np.full(_HOURS_PER_WEEK, result.energy_kwh_min),
    }
    return {key: packed(value) for key, value in values.items()}


# ---- money -------------------------------------------------------------------------------------------------------


def worth(result: StudyResult) -> Spec:
    """Gross saving, wear and net of each strategy against charging at once, as bars."""
    compared = [
        (strategy, found)
        for strategy in result.strategies
        if strategy.name != "charge_at_once"
        and (found := saving(result, strategy.name)) is not None
    ]
    titles = [broken_title(strategy) for strategy, _ in compared]
    parts = (
        ("Gross saving", "--car", [found.gross for _, found in compared]),
        ("Wear", "--house", [-found.wear for _, found in compared]),
        ("Net", "--ink", [found.net for _, found in compared]),
    )
    amounts = [value for _, _, values in parts for value in values]
    digits = money_digits(*amounts)
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": titles,
            "x": values,
            "text": [money_text(value, result.currency, digits) for value in values],
            "textposition": "outside",
            "cliponaxis": False,
            "marker": {"color": colour, "cornerradius": 4},
            "hovertemplate": f"{name}: %{{text}}<extra></extra>",
        }
        for name, colour, values in parts
    ]
    room = 0.2 * max((abs(value) for value in amounts), default=1.0)
    low, high = min([0.0, *amounts]), max([0.0, *amounts])
    layout = {
        "height": 50 + 84 * max(len(compared), 1),
        "margin": {"l": 128, "r": 12, "t": 6, "b": 30},
        "barmode": "group",
        "bargap": 0.3,
        "xaxis": {
            "zerolinecolor": "--soft",
            "nticks": 6,
            "range": [low - (room if low < 0 else 0.0), high + room],
            "fixedrange": True,
        },
        "yaxis": {"autorange": "reversed", "showgrid": False, "fixedrange": True},
    }
    return {"data": data, "layout": layout}


_ONE_YEAR_MAX = 1.2  # beyond that a month needs its year
_MONTH_BAR_MS = 25 * 86_400_000  # of the axis of dates; a little less than a month
_MONTH_PARTS = (
    ("energy_cost", "Energy", "--car"),
    ("demand_cost", "Peak", "--grid"),
    ("wear_cost", "Battery wear", "--house"),
)


def months(result: StudyResult) -> Spec:
    """Cost by month, a small plot for each strategy on one scale; ``layout_narrow`` puts them below each other."""
    unit = currency_symbol(result.currency)
    data: list[Spec] = []
    for index, strategy in enumerate(result.strategies):
        suffix = "" if index == 0 else str(index + 1)
        for field, name, colour in _MONTH_PARTS:
            values = [getattr(month, field) for month in strategy.months]
            if any(values):
                data.append(
                    {
                        "type": "bar",
                        "name": name,
                        "x": [f"{month.month}-15" for month in strategy.months],
                        "width": _MONTH_BAR_MS,
                        "y": values,
                        "xaxis": f"x{suffix}",
                        "yaxis": f"y{suffix}",
                        "marker": {"color": colour},
                        "hovertemplate": f"%{{x|%B %Y}}<br>{name}: %{{y:.2f}} {unit}<extra></extra>",
                    }
                )
    return {
        "data": data,
        "layout": _small_multiples(result, columns=len(result.strategies)),
        "layout_narrow": _small_multiples(result, columns=1),
    }


def _small_multiples(result: StudyResult, columns: int) -> Spec:
    count = len(result.strategies)
    rows = -(-count // columns)
    height = 300 if rows == 1 else 40 + 150 * rows
    layout: Spec = {
        "height": height,
        "barmode": "relative",
        "bargap": 0.18,
        "margin": {"l": 46, "r": 8, "t": 40, "b": 30},
        "annotations": [],
    }
    gap_x, gap_y = 0.02, 0.36 / rows
    width = (1.0 - gap_x * (columns - 1)) / columns
    tall = (1.0 - gap_y * (rows - 1)) / rows
    for index, strategy in enumerate(result.strategies):
        suffix = "" if index == 0 else str(index + 1)
        row, column = divmod(index, columns)
        left, bottom = column * (width + gap_x), 1.0 - row * (tall + gap_y) - tall
        layout[f"xaxis{suffix}"] = {
            "type": "date",
            "anchor": f"y{suffix}",
            "domain": [left, left + width],
            "tickformat": "%b" if result.years < _ONE_YEAR_MAX else "%b %y",
            "nticks": 6,
            "showgrid": False,
            "fixedrange": True,
        }
        layout[f"yaxis{suffix}"] = {
            "anchor": f"x{suffix}",
            "domain": [bottom, min(bottom + tall, 1.0)],
            "showticklabels": column == 0,
            "zerolinecolor": "--soft",
            "nticks": 5,
            "fixedrange": True,
            **({"matches": "y"} if index else {}),
        }
        layout["annotations"].append(
            {
                "text": STRATEGY_TITLES[strategy.name] if columns == 1 else broken_title(strategy),
                "showarrow": False,
                "xref": "paper",
                "yref": "paper",
                "x": left,
                "y": min(bottom + tall, 1.0),
                "xanchor": "left",
                "yanchor": "bottom",
                "yshift": 4,
                "align": "left",
                "font": {"size": 12, "color": "--ink"},
            }
        )
    return layout


# ---- battery -----------------------------------------------------------------------------------------------------


def _causes(wear: WearResult) -> tuple[tuple[str, str, float], ...]:
    """Name, colour and per cent a year of each part of a bar; grid use adds to it or saves from it."""
    grid_use = wear.grid_use_percent_per_year
    return (
        ("Calendar", "--rest", wear.calendar_percent_per_year),
        ("Driving", "--sun", wear.driving_percent_per_year),
        ("Grid use", "--house", max(grid_use, 0.0)),
        ("Saved by grid use", "--car", min(grid_use, 0.0)),
    )


def capacity_loss(strategy: StrategyResult) -> Spec:
    """Capacity loss a year by cell, split into its causes; the chosen cell stands first."""
    cells = [
        f"<b>{wear.cell}</b>" if index == 0 else wear.cell
        for index, wear in enumerate(strategy.wear)
    ]
    totals = [wear.total_percent_per_year for wear in strategy.wear]
    causes = [_causes(wear) for wear in strategy.wear]
    data: list[Spec] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": parts[0][0],
            "y": cells,
            "x": [percent for _, _, percent in parts],
            "marker": {"color": parts[0][1]},
            "hovertemplate": f"{parts[0][0]}: %{{x:.2f}} % a year<extra></extra>",
        }
        for parts in zip(*causes, strict=True)
    ]
    total_place = {"type": "scatter", "name": "Total", "y": cells, "cliponaxis": False}
    bar_ends = [sum(max(percent, 0.0) for _, _, percent in parts) for parts in causes]
    data.append(
        {
            **total_place,
            "mode": "markers",
            "x": totals,
            "marker": {"color": "--ink", "size": 9, "symbol": "diamond"},
            "hovertemplate": "In all: %{x:.2f} % a year<extra></extra>",
        }
    )
    data.append(
        {
            **total_place,
            "mode": "text",
            "x": bar_ends,
            "text": [
                f"\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}{number_text(total, 2)} %" for total in totals
            ],
            "textposition": "middle right",
            "hoverinfo": "skip",
        }
    )
    layout = {
        "height": 70 + 42 * len(cells),
        "margin": {"l": 104, "r": 56, "t": 6, "b": 32},
        "barmode": "relative",
        "bargap": 0.42,
        "xaxis": {"ticksuffix": " %", "zerolinecolor": "--soft", "nticks": 7, "fixedrange": True},
        "yaxis": {"autorange": "reversed", "showgrid": False, "fixedrange": True},
    }
    return {"data": data, "layout": layout}
