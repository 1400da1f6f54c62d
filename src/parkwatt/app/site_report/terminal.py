"""A report in the terminal: a table of at most 110 columns, the answer in a sentence, and what else is to be known."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from parkwatt.app.printable import printable
from parkwatt.app.report.number_text import currency_symbol, number_text
from parkwatt.app.site_report import words
from parkwatt.app.site_report.views import (
    AccountView,
    PromisesView,
    RowView,
    TotalView,
)

_WIDTH_MAX: Final = 110
_WIDE: Final = 96
_DAY: Final = timedelta(days=1)
_WORTH_TELLING: Final = frozenset({"broken", "not_possible", "left_early", "not_known"})


def print_report(view: AccountView, console: Console) -> None:
    """Print the report to ``console``; one that is no terminal gets plain text."""
    width = min(console.width, _WIDTH_MAX)
    zone = ZoneInfo(view.time_zone)
    first, last = view.start.astimezone(zone), (view.end - timedelta(seconds=1)).astimezone(zone)
    span = f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    title = Text.assemble(
        (printable(view.site), "bold"), f" · {span} · kWh and {currency_symbol(view.currency)}"
    )
    console.print(title, width=width)
    if view.rows:
        console.print(_table(view, zone, 2 if width >= _WIDE else 1), width=width)
    console.print()
    console.print(Text(view.headline, style="bold"), width=width)
    for line in (*_departures(view, zone), *words.operation_lines(view.operation)):
        console.print(Text(printable(line)), width=width)
    for note in view.notes:
        console.print(Text(printable(f"Note: {note}"), style="dim"), width=width)


def _table(view: AccountView, zone: ZoneInfo, gap: int) -> Table:
    """``gap``: between columns."""
    several = len(view.cars) > 1
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold")
    table.add_column(view.by.capitalize(), no_wrap=True)
    if several:
        table.add_column("Car", no_wrap=True)
    for head in ("in", "out", "cost", "at once", *_stored(view, "stored"), "gross", "wear"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("net", justify="right", style="green", no_wrap=True)
    table.add_column("kept", justify="right")
    for row in view.rows:
        cells = [_label(row, view.by, zone), *([printable(row.car_id)] if several else [])]
        table.add_row(*cells, *_cells(view, row), _kept(row))
    totals = [*(view.cars if several else ()), view.total]
    for total in totals:
        label = ["Total", *([printable(total.car_id or "all")] if several else [])]
        table.add_row(*label, *_cells(view, total), _kept(total), style="bold")
    return table


def _stored(view: AccountView, cell: str) -> list[str]:
    """A cell of the column of stored energy, which is only there where it says anything."""
    return [cell] if any(row.money.stored for row in view.rows) else []


def _label(row: RowView, by: str, zone: ZoneInfo) -> str:
    if by != "session" or row.stay is None:
        return row.name
    start, end = row.start.astimezone(zone), row.end.astimezone(zone)
    if not row.stay.ended:
        return f"{_moment(start)}–now"
    until = f"{end:%H:%M}" if end - start < _DAY else _moment(end)
    return f"{_moment(start)}–{until}"


def _moment(time: datetime) -> str:
    return f"{time:%m-%d %H:%M}"


def _cells(view: AccountView, row: RowView | TotalView) -> list[str]:
    energy, money = row.energy, row.money
    return [
        number_text(energy.charged_kwh, 1),
        number_text(energy.discharged_kwh, 1),
        number_text(money.cost, 2),
        number_text(money.at_once, 2),
        *_stored(view, number_text(money.stored, 2)),
        number_text(money.saving_gross, 2),
        number_text(money.wear, 2),
        number_text(money.saving_net, 2),
    ]


def _kept(row: RowView | TotalView) -> str:
    if isinstance(row, RowView) and row.stay is not None:
        return "" if row.stay.promise is None else words.PROMISE_WORDS[row.stay.promise]
    promises: PromisesView = row.promises
    return f"{promises.kept}/{promises.asked}" if promises.asked else ""


def _departures(view: AccountView, zone: ZoneInfo) -> list[str]:
    """The departures that were not kept, each with its reason, where the report is by session."""
    found = []
    for row in view.rows:
        stay = row.stay
        if stay is None:
            continue
        if stay.promise in _WORTH_TELLING:
            left = _moment(row.end.astimezone(zone))
            name = words.PROMISE_WORDS[stay.promise]
            found.append(f"{left} {row.car_id}, {name}: {stay.reason}")
        if stay.floor_broken:
            found.append(
                f"{_moment(row.start.astimezone(zone))} {row.car_id}, floor broken: down to "
                f"{stay.energy_kwh_lowest or 0.0:.1f} kWh, the floor was {stay.floor_kwh or 0.0:.1f} kWh"
            )
    return found
