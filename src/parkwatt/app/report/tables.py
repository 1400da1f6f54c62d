"""The page's tables: the comparison of the strategies, and the numbers behind the plots for those who cannot see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from parkwatt.app.report.comparison import Figure
from parkwatt.app.report.number_text import currency_symbol, number_text
from parkwatt.site.outcome import STRATEGY_TITLES, StrategyName, StudyResult


def comparison_table(
    result: StudyResult, compared: Sequence[Figure], best: StrategyName | None
) -> str:
    """Figures down, strategies across; the column of ``best`` stands out."""
    classes = ["best" if strategy.name == best else "" for strategy in result.strategies]
    heads = "".join(
        f'<th scope="col" class="{kind}">{_titled(STRATEGY_TITLES[strategy.name])}'
        f"{'<em>best</em>' if kind else ''}</th>"
        for strategy, kind in zip(result.strategies, classes, strict=True)
    )
    body: list[str] = []
    group = ""
    for figure in compared:
        if figure.group != group:
            group = figure.group
            span = len(result.strategies) + 1
            body.append(
                f'<tr class="group"><th colspan="{span}" scope="colgroup">{escape(group)}</th></tr>'
            )
        cells = "".join(
            f'<td class="{kind}">{escape(text)}</td>'
            for text, kind in zip(figure.texts, classes, strict=True)
        )
        unit = f" <small>{escape(figure.unit)}</small>" if figure.unit else ""
        strong = ' class="strong"' if figure.strong else ""
        body.append(f'<tr{strong}><th scope="row">{escape(figure.title)}{unit}</th>{cells}</tr>')
    return _table("Strategies side by side", f"<td></td>{heads}", body)


def month_table(result: StudyResult) -> str:
    """Net cost of each strategy by month, and its wear."""
    unit = currency_symbol(result.currency)
    heads = "<th scope='col'>Month</th>" + "".join(
        f"<th scope='col'>{_titled(STRATEGY_TITLES[s.name])}</th>" for s in result.strategies
    )
    names = sorted({month.month for s in result.strategies for month in s.months})
    body = []
    for name in names:
        cells = []
        for strategy in result.strategies:
            month = next((m for m in strategy.months if m.month == name), None)
            if month is None:
                cells.append("–")
                continue
            net = month.energy_cost + month.demand_cost + month.wear_cost
            cells.append(
                f"{number_text(net, 2)} <small>({number_text(month.wear_cost, 2)})</small>"
            )
        body.append(_row(name, cells))
    return _table(f"Cost by month in {unit}, wear included (of which wear)", heads, body)


def loss_table(result: StudyResult) -> str:
    """Capacity loss a year by cell (down) and strategy (across): all causes, and the part of grid use."""
    heads = "<th scope='col'>Cell</th>" + "".join(
        f"<th scope='col'>{_titled(STRATEGY_TITLES[s.name])}</th>" for s in result.strategies
    )
    cells = list(dict.fromkeys(wear.cell for s in result.strategies for wear in s.wear))
    body = []
    for cell in cells:
        texts = []
        for strategy in result.strategies:
            wear = next((w for w in strategy.wear if w.cell == cell), None)
            if wear is None:
                texts.append("–")
                continue
            total = number_text(wear.total_percent_per_year, 2)
            texts.append(
                f"{total} <small>({number_text(wear.grid_use_percent_per_year, 2)})</small>"
            )
        body.append(_row(cell, texts))
    return _table("Capacity loss in % a year (of which grid use)", heads, body)


def _row(title: str, cells: Iterable[str]) -> str:
    data = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(title)}</th>{data}</tr>'


def _table(caption: str, heads: str, body: Iterable[str]) -> str:
    label = escape(caption, quote=True)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _titled(title: str) -> str:
    return escape(title).replace(" (", "<br>(")
