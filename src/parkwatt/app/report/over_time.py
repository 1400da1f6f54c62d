"""Plots over time: prices, power and battery above each other, over the whole span and over a typical week.

The plot of the whole span gets its points in the page's script, which shows only what is in sight; here are its axes, its
traces and the packed series.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.app.report.number_text import currency_symbol
from parkwatt.app.report.plot_spec import Spec, packed
from parkwatt.domain.record import FloatArray
from parkwatt.site.outcome import StrategyResult, StudyResult

_HOURS_PER_WEEK = 168
# The line under the pointer; a negative thickness draws it without the white rim that plotly.js puts around it.
_SPIKE: Spec = {
    "showspikes": True,
    "spikemode": "across",
    "spikecolor": "--soft",
    "spikedash": "dot",
    "spikethickness": -1.5,
}


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
