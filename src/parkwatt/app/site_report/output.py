"""A report's way out: the terminal, or a file that appears whole or not at all."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from parkwatt.app.atomic_file import replacing
from parkwatt.app.site_report.page import page
from parkwatt.app.site_report.terminal import print_report
from parkwatt.app.site_report.views import AccountView
from parkwatt.io.csv_cell import csv_cell
from parkwatt.site.account import Accounts


def write(accounts: Accounts, view: AccountView, form: str, output: Path | None) -> None:
    """Write the report as table, csv, json or html to ``output``, None for the terminal.

    Raises InputError where ``output`` cannot be written.
    """
    if form == "table" and output is None:
        print_report(view, Console())
        return
    text = _text(accounts, view, form)
    if output is None:
        sys.stdout.write(text)
        return
    with replacing(output) as stream:
        stream.write(text)
    print(f"wrote {output}: {view.headline}")


def _text(accounts: Accounts, view: AccountView, form: str) -> str:
    if form == "html":
        return page(accounts, view)
    if form == "json":
        return view.model_dump_json(indent=2) + "\n"
    stream = io.StringIO()
    if form == "csv":
        rows = list(csv_rows(view))
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(rows[0] if rows else [])
        writer.writerows([csv_cell(value) for value in row.values()] for row in rows)
    else:
        print_report(view, Console(file=stream, width=100, color_system=None))
    return stream.getvalue()


def csv_rows(view: AccountView) -> Iterator[dict[str, Any]]:
    """Each row flat, with every figure; what is not known is empty."""
    for row in view.rows:
        told = row.model_dump(mode="json")
        flat: dict[str, Any] = {
            name: told[name] for name in ("name", "car_id", "start", "end", "stays")
        }
        flat |= told["energy"]
        flat |= {f"{name}_{view.currency.lower()}": value for name, value in told["money"].items()}
        flat |= told["promises"]
        flat |= told["quality"]
        if view.by == "session":
            stay = told["stay"] or dict.fromkeys(_STAY_FIELDS)
            flat |= {name: stay[name] for name in _STAY_FIELDS}
        yield flat


_STAY_FIELDS = (
    "ended",
    "energy_kwh_begin",
    "energy_kwh_end",
    "energy_kwh_lowest",
    "floor_kwh",
    "floor_broken",
    "promise",
    "reason",
    "departs_at",
    "energy_kwh_asked",
    "energy_kwh_possible",
)
