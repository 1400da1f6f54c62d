"""The plan of cars that share limits as one HTML page that needs nothing else: no server and no network.

Text and tables are written here, readable without a script; plots are drawn by plotly.js from assets/fleet.js. What came from a
user is escaped where it enters HTML or a script's JSON.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np

from parkwatt.app.atomic_file import replacing
from parkwatt.app.fleet.planning import FleetPlan
from parkwatt.app.fleet.summary import counted
from parkwatt.app.fleet.together import TogetherPlan
from parkwatt.app.fleet.together_words import (
    clock,
    limit_words,
    node_words,
    proof_words,
    reserve_words,
    worth_words,
)
from parkwatt.app.report import embed
from parkwatt.app.report.number_text import number_text
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeGrid, utc
from parkwatt.io.fleet_files.prices import FleetPrices

_PACKAGE: Final = "parkwatt.app.fleet"
_MARKER: Final = re.compile(r"\{\{(\w+)\}\}")
_COLOURS: Final = ("--car", "--house", "--grid", "--sun", "--bad", "--rest", "--ink")
_NODES_DRAWN: Final = 7
_ROWS_MAX: Final = 12
_MOVED_LEAST_KWH: Final = 0.05
_PRICE_LEAST: Final = 1e-6


def write_report(
    planned: TogetherPlan, alone: FleetPlan, known: FleetPrices, gap_wanted: float, path: Path
) -> None:
    """Write the page, whole or not at all; ``alone``: the same stays, each planned as if alone, with powers.

    Raises InputError where ``path`` cannot be written.
    """
    with replacing(path) as stream:
        stream.write(page(planned, alone, known.grid, gap_wanted))


def page(planned: TogetherPlan, alone: FleetPlan, grid: TimeGrid, gap_wanted: float) -> str:
    """The page's text."""
    if alone.power_kw is None:  # cannot be: they were asked for
        raise AssertionError("the plan of each car alone has no powers")
    alone_kw = planned.sums_kw(alone.power_kw)
    moved_kwh = moved(planned, alone, grid.step_h)
    kept = not planned.excess_kw().any()
    stays = counted(len(planned.car_cost), "stay")
    headline = f"{stays} charge together, and every limit is kept"
    if not kept:
        headline = f"{stays} charge together; not every limit can be kept"
    begins, ends = utc(grid.start_unix_s), utc(grid.end_unix_s)
    worth = "".join(f"<li>{escape(one)}</li>" for one in worth_words(planned, grid)[:_ROWS_MAX])
    parts = {
        "span": f"{begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC",
        "headline": headline,
        "proof": escape(_sentence(planned, grid, gap_wanted)),
        "cards": _cards(planned, alone_kw, moved_kwh),
        "pool": escape(node_words(planned, 0)),
        "reserve": _reserve_section(planned, grid),
        "worth": f"<ul>{worth}</ul>" if worth else "<p>No limit binds: no node has a price.</p>",
        "nodes": _node_table(planned, alone_kw, grid),
        "moved": _moved_table(planned, moved_kwh),
        "gap_words": escape(_gap_words(planned)),
        "style": embed.style(),
        "plotly": embed.plotly_script(),
        "data": embed.script_json(_figures(planned, alone_kw, moved_kwh, grid)),
        "script": embed.asset(_PACKAGE, "fleet.js"),
    }
    return _MARKER.sub(lambda match: parts[match.group(1)], embed.asset(_PACKAGE, "fleet.html"))


def moved(planned: TogetherPlan, alone: FleetPlan, step_h: float) -> FloatArray:
    """[N] kWh that each stay takes at another time than alone, or leaves out: where it takes more or where less, the larger."""
    change = planned.power_kw - (0.0 if alone.power_kw is None else alone.power_kw)
    more = np.maximum(change, 0.0).sum(axis=1, dtype=np.float64)
    less = np.maximum(-change, 0.0).sum(axis=1, dtype=np.float64)
    return np.asarray(np.maximum(more, less) * step_h, dtype=np.float64)


def _sentence(planned: TogetherPlan, grid: TimeGrid, gap_wanted: float) -> str:
    proof = proof_words(planned, gap_wanted)
    limits = "; ".join(line.strip() for line in limit_words(planned, grid))
    return f"{proof[0].upper()}{proof[1:]}. {limits[0].upper()}{limits[1:]}."


def _cards(planned: TogetherPlan, alone_kw: FloatArray, moved_kwh: FloatArray) -> str:
    shifted = int((moved_kwh > _MOVED_LEAST_KWH).sum())
    short_kwh = float(planned.shortfall_kwh.sum())
    figures = (
        ("Cost", number_text(planned.cost, 2), "in the currency of the prices"),
        ("Highest power", _kw(planned.drawn_kw[0].max()), f"{_kw(alone_kw[0].max())} each alone"),
        ("Shifted", f"{shifted:,}", f"of {counted(len(moved_kwh), 'stay')}"),
        ("Missing at departure", f"{number_text(short_kwh, 1)} kWh", "of what drivers asked"),
    )
    return "".join(
        f'<div class="card stat"><span class="muted">{title}</span>'
        f'<span class="big">{value}</span><span class="muted">{rest}</span></div>'
        for title, value, rest in figures
    )


def _reserve_section(planned: TogetherPlan, grid: TimeGrid) -> str:
    """The part of the page on the reserve, none without one."""
    told = "".join(f"<li>{escape(one)}</li>" for one in reserve_words(planned, grid))
    if not told:
        return ""
    return (
        '<section class="card" aria-labelledby="reserve-title"><div class="row">'
        '<h2 id="reserve-title">Reserve</h2><span class="muted">what the cars could give more, '
        "and take more, than planned</span></div>"
        '<div class="plot" id="reserve" role="img" aria-label="Reserve held and asked for, up '
        f'above and down below the line"></div><ul>{told}</ul></section>'
    )


def _reserve_figure(planned: TogetherPlan, times: list[str], when: dict[str, Any]) -> Any:
    reserve = planned.tree.reserve
    if reserve is None:
        return None
    lines = [
        _line("up, held", times, planned.reserve_kw[0], "--car"),
        _line("up, asked for", times, reserve.up_kw, "--bad", "dash"),
        _line("down, held", times, -planned.reserve_kw[1], "--grid"),
        _line("down, asked for", times, -reserve.down_kw, "--sun", "dash"),
    ]
    return _figure(lines, when, {"title": {"text": "kW"}})


def _node_table(planned: TogetherPlan, alone_kw: FloatArray, grid: TimeGrid) -> str:
    tree = planned.tree
    limit_kw = tree.import_limit_kw
    over_kwh = np.maximum(alone_kw - limit_kw, 0.0).sum(axis=1) * grid.step_h
    full = (planned.drawn_kw >= limit_kw * (1.0 - 1e-4)).sum(axis=1)
    dearest = np.abs(planned.node_per_kwh).argmax(axis=1)
    order = [0, *(1 + np.argsort(-over_kwh[1:], kind="stable")).tolist()]
    rows = []
    for node in order[: _ROWS_MAX * 2]:
        step = int(dearest[node])
        least = float(limit_kw[node].min())
        price = float(planned.node_per_kwh[node, step])
        rows.append(
            (
                node_words(planned, node),
                _kw(least) if np.isfinite(least) else "none",
                _kw(planned.drawn_kw[node].max()),
                _kw(alone_kw[node].max()),
                f"{over_kwh[node]:,.1f}",
                f"{int(full[node])}",
                f"{price:.4f} at {clock(grid, step)}" if abs(price) >= _PRICE_LEAST else "none",
            )
        )
    heads = ("Node", "Import limit", "Highest", "Highest alone", "kWh over it alone", "Steps full")
    return _table((*heads, "Dearest kWh"), rows)


def _moved_table(planned: TogetherPlan, moved_kwh: FloatArray) -> str:
    rows = []
    for stay in np.argsort(-moved_kwh, kind="stable")[:_ROWS_MAX].tolist():
        if moved_kwh[stay] <= _MOVED_LEAST_KWH:
            break
        car, node = str(planned.rows.car_id[stay]), int(planned.rows.node[stay])
        moved_text, missing = f"{moved_kwh[stay]:,.1f}", f"{planned.shortfall_kwh[stay]:,.1f}"
        rows.append((car, node_words(planned, node), moved_text, missing))
    return _table(("Most shifted", "Node", "kWh moved", "kWh missing"), rows) if rows else ""


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(one)}</td>" for one in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _gap_words(planned: TogetherPlan) -> str:
    if not _gaps(planned)[0]:
        return "found at once, without rounds"
    return f"before the plan of each car is made, which has {max(planned.gap, 0.0) * 100:.3f} %"


def _gaps(planned: TogetherPlan) -> tuple[list[int], list[float]]:
    """Rounds, and the gap after each in percent, where there is one."""
    known = [
        (number, (cost - bound) / max(abs(bound), 1e-9) * 100)
        for number, (bound, cost) in enumerate(planned.rounds, 1)
        if np.isfinite(bound) and np.isfinite(cost) and cost > bound
    ]
    return [number for number, _ in known], [gap for _, gap in known]


def _figures(
    planned: TogetherPlan, alone_kw: FloatArray, moved_kwh: FloatArray, grid: TimeGrid
) -> dict[str, Any]:
    times = [f"{utc(one):%Y-%m-%d %H:%M}" for one in grid.starts_unix_s().tolist()]
    power = [
        _line("each car alone", times, alone_kw[0], "--rest"),
        _line("together", times, planned.drawn_kw[0], "--car"),
    ]
    limit_kw = planned.tree.import_limit_kw[0]
    if np.isfinite(limit_kw).all():
        power.append(_line("limit", times, limit_kw, "--bad", "dash"))
    size = np.abs(planned.node_per_kwh).max(axis=1)
    nodes = [n for n in np.argsort(-size, kind="stable").tolist() if size[n] >= _PRICE_LEAST]
    prices = [
        _line(node_words(planned, node), times, planned.node_per_kwh[node], _COLOURS[place])
        for place, node in enumerate(nodes[:_NODES_DRAWN])
    ]
    shifted = moved_kwh[moved_kwh > _MOVED_LEAST_KWH]
    counts, edges = np.histogram(shifted, bins=24)
    bars = {
        "type": "bar",
        "x": ((edges[1:] + edges[:-1]) / 2).round(3).tolist(),
        "y": counts.tolist(),
        "marker": {"color": "--car"},
        "hovertemplate": "%{y} stays: about %{x:.1f} kWh<extra></extra>",
    }
    rounds, gaps = _gaps(planned)
    gap = _line("gap", rounds, np.array(gaps), "--grid") | {"line": {"color": "--grid"}}
    when = {"type": "date", "title": {"text": "UTC"}}
    return {
        "power": _figure(power, when, {"title": {"text": "kW"}}),
        "reserve": _reserve_figure(planned, times, when),
        "prices": _figure(prices, when, {"title": {"text": "per kWh"}}) if prices else None,
        "moved": _figure([bars], {"title": {"text": "kWh moved"}}, {"title": {"text": "stays"}})
        if len(shifted)
        else None,
        "gap": _figure([gap], {"title": {"text": "round"}}, {"title": {"text": "%"}, "type": "log"})
        if gaps
        else None,
    }


def _figure(data: list[Any], xaxis: dict[str, Any], yaxis: dict[str, Any]) -> dict[str, Any]:
    return {"data": data, "xaxis": xaxis, "yaxis": yaxis}


def _line(
    name: str, x: list[Any], values: FloatArray, colour: str, dash: str = "solid"
) -> dict[str, Any]:
    line = {"color": colour, "width": 2, "shape": "hv", "dash": dash}
    y = np.round(values, 6).tolist()
    return {"type": "scatter", "mode": "lines", "name": escape(name), "x": x, "y": y, "line": line}


def _kw(power_kw: float) -> str:
    return f"{power_kw:,.0f} kW"
