"""The study in the terminal: a table of at most 100 columns and a few sentences beneath."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from parkwatt.app.report import words
from parkwatt.app.report.comparison import comparison
from parkwatt.site.outcome import STRATEGY_TITLES, StudyResult

_WIDTH_MAX = 100
_COLUMN_MAX = 12


def print_table(result: StudyResult, console: Console) -> None:
    """Print the strategies of ``result`` side by side to ``console``, and what they mean in words.

    Colours and rules come from the console: one that is not a terminal gets plain text.
    """
    width = min(console.width, _WIDTH_MAX)
    days = round(words.span_days(result))
    console.print(
        Text.assemble((result.site_name, "bold"), f" · {words.span_text(result)} · {days} days"),
        width=width,
    )
    console.print(_table(result), width=width)
    console.print()
    for sentence in _sentences(result):
        console.print(Text(sentence), width=width)


def _table(result: StudyResult) -> Table:
    best = words.best_choice(result)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("", no_wrap=True)
    for strategy in result.strategies:
        style = "green" if strategy.name == best else None
        title = Text(STRATEGY_TITLES[strategy.name])
        table.add_column(
            title, justify="right", vertical="bottom", max_width=_COLUMN_MAX, style=style
        )
    group = ""
    for figure in comparison(result):
        if figure.group != group:
            table.add_row(Text(figure.group, style="dim"))
            group = figure.group
        label = Text(f"  {figure.title}")
        if figure.unit:
            label.append(f", {figure.unit}", style="dim")
        table.add_row(label, *map(Text, figure.texts), style="bold" if figure.strong else None)
    return table


def _sentences(result: StudyResult) -> list[str]:
    """The answer, the alternatives, the promise to the driver, the pay-back and the wear."""
    name = words.best_choice(result)
    strategy = result.strategy(name) if name else None
    wear = [words.wear_range(strategy), words.life_saved(strategy)] if strategy else []
    sentences = [
        words.headline(result),
        words.other_choices(result),
        words.departures(result),
        words.payback(result),
        *wear,
    ]
    return [sentence for sentence in sentences if sentence]
