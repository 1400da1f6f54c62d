"""Plots of sums, as bars: what each strategy is worth, cost by month, and what the battery loses."""

from __future__ import annotations

from parkwatt.app.report.number_text import (
    currency_symbol,
    money_digits,
    money_text,
    number_text,
)
from parkwatt.app.report.plot_spec import Spec
from parkwatt.app.report.words import saving
from parkwatt.site.outcome import STRATEGY_TITLES, StrategyResult, StudyResult, WearResult


def broken_title(strategy: StrategyResult) -> str:
    """The strategy's title on two lines."""
    return STRATEGY_TITLES[strategy.name].replace(" (", "<br>(")


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
