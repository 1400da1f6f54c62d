"""Money and batteries as CSV (RFC 4180, UTF-8, a point before decimals): a row for each period, then the total."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from parkwatt.app.statement.views import BatteryUseView, BatteryView, MoneyRowView, MoneyView
from parkwatt.io.csv_cell import csv_cell


def money_csv(view: MoneyView) -> str:
    """Money by period."""
    rows = [(row.name, row) for row in view.rows]
    return _csv(_money(view, name, row) for name, row in [*rows, ("total", view.total)])


def battery_csv(view: BatteryView) -> str:
    """A battery's use by month."""
    rows = [*view.months, view.total]
    return _csv(_use(view, row) for row in rows)


def _money(view: MoneyView, name: str, row: MoneyRowView) -> dict[str, object]:
    unit = view.currency.lower()
    amounts = {
        "charged": row.charged,
        "discharged": row.discharged,
        "cost": row.cost,
        "at_once_would_cost": row.at_once.would_cost,
        "at_once_stored": row.at_once.stored,
        "at_once_gross": row.at_once.gross,
        "at_once_wear": row.at_once.wear,
        "at_once_net": row.at_once.net,
        "smart_would_cost": row.smart.would_cost,
        "smart_stored": row.smart.stored,
        "smart_gross": row.smart.gross,
        "smart_wear": row.smart.wear,
        "smart_net": row.smart.net,
    }
    return {
        view.by: name,
        "car": view.car_id or "all",
        "start": row.start.isoformat(),
        "end": row.end.isoformat(),
        "charged_kwh": row.charged_kwh,
        "discharged_kwh": row.discharged_kwh,
        **{f"{name}_{unit}": amount for name, amount in amounts.items()},
    } | _sealed(view)


def _use(view: BatteryView, row: BatteryUseView) -> dict[str, object]:
    told = row.model_dump(exclude={"name", "cycles", "wear"})
    cycles = {f"cycles_{name}": value for name, value in row.cycles.model_dump().items()}
    return {
        "month": row.name or "total",
        "car": view.car_id,
        **told,
        **cycles,
        f"wear_{view.currency.lower()}": row.wear,
    } | _sealed(view)


def _sealed(view: MoneyView | BatteryView) -> dict[str, object]:
    return {"journal_entry": view.seal.entry, "journal_hash": view.seal.hash}


def _csv(rows: Iterable[Mapping[str, object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    for index, row in enumerate(rows):
        if index == 0:
            writer.writerow(row.keys())
        writer.writerow(csv_cell(value) for value in row.values())
    return stream.getvalue()
