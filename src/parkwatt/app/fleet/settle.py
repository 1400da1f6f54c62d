"""Settling a pool's journal: a table, statements as CSV, and the payments that are still due."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from parkwatt.app.atomic_file import replacing
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.fleet import record
from parkwatt.domain.journal import Note
from parkwatt.fleet.settle.payments import Payments, payments_due
from parkwatt.fleet.settle.state import SettleState, fold
from parkwatt.fleet.settle.units import Part, Unit, settle
from parkwatt.io.csv_cell import csv_cell
from parkwatt.io.store.reader import JournalReader
from parkwatt.io.store.sqlite_journal import SqliteJournal

_COLUMNS = (
    "programme",
    "unit",
    "month",
    "driver",
    "meter_point",
    "delivered_kwh",
    "gross",
    "wear",
    "net",
    "currency",
    "final",
)
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_PAID_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """What to settle. ``until_unix_s``: None: as of the last entry."""

    journal: Path
    programmes: Sequence[str] | None
    from_unix_s: int | None
    until_unix_s: int | None
    statements: Path | None


def settle_journal(asked: Asked, *, pay: bool) -> int:
    """Settle and tell; returns 0. Raises InputError and JournalDamaged as the journal's reader."""
    reader = JournalReader(asked.journal)
    state = fold(reader.read(kinds=sorted(record.KINDS)))
    unknown = sorted(set(asked.programmes or ()) - {name for (name,) in state.terms})
    if unknown:
        rule = "has no terms in this journal"
        raise InputError([InputFault("--programme", rule, name) for name in unknown])
    units = _units(asked, state)
    for line in state.refused.values():
        print(f"left out: {line}")
    for unit in units:
        _tell(unit)
    if asked.statements is not None:
        print(f"wrote {write_statements(units, asked.statements)} statements: {asked.statements}")
    due = pay_due(asked) if pay else payments_due(state, units)
    total = sum((made.amount for made in due.due), Decimal("0.00"))
    print(f"{'paid' if pay else 'to be paid'}: {len(due.due)} payments, {total}")
    for made in due.overpaid:
        print(f"the pool carries {made.amount} {made.currency} paid too much: {made.statement}")
    return 0


def pay_due(asked: Asked) -> Payments:
    """Journal what is still due, all in one append; durable before this returns.

    The journal is opened for writing first, as one process at a time may: nobody pays between reading and writing. Killed
    at any moment, all or none of the payments are in it, and the next run pays the rest. Raises InputError while another
    process writes the journal.
    """
    journal = SqliteJournal(asked.journal)
    try:
        state = fold(journal.read())
        found = payments_due(state, _units(asked, state))
        if found.due:
            notes = [
                Note(state.last_unix_us, record.kind(made), record.SUBJECT, record.encode(made))
                for made in found.due
            ]
            journal.append(notes).result(_PAID_WITHIN_S)
        return found
    finally:
        journal.close()


def write_statements(units: Iterable[Unit], folder: Path) -> int:
    """A CSV for each driver and month, and `pool.csv` with what the pool keeps; returns how many drivers' there are."""
    rows: dict[tuple[str, str], list[list[object]]] = defaultdict(list)
    kept = []
    for unit in units:
        for part in unit.parts:
            rows[part.driver, unit.month].append(_row(unit, part))
        kept.append([unit.programme, unit.unit, unit.month, unit.payment, unit.pool, unit.currency])
    folder.mkdir(parents=True, exist_ok=True)
    for (driver, month), lines in rows.items():
        name = _UNSAFE.sub(lambda found: f"%{ord(found[0]):x}", driver)
        _write(folder / f"{name}-{month}.csv", [_COLUMNS, *lines])
    _write(
        folder / "pool.csv", [("programme", "unit", "month", "payment", "pool", "currency"), *kept]
    )
    return len(rows)


def _units(asked: Asked, state: SettleState) -> list[Unit]:
    until = state.last_unix_us // 1_000_000
    if asked.until_unix_s is not None:
        until = asked.until_unix_s
    units = settle(state, until, asked.programmes)
    return [
        unit for unit in units if asked.from_unix_s is None or unit.end_unix_s > asked.from_unix_s
    ]


def _tell(unit: Unit) -> None:
    mark = "" if unit.final else "  (not final)"
    shown = f"{unit.payment} {unit.currency}, the pool keeps {unit.pool}"
    print(f"{unit.programme} {unit.unit}: {shown}, {unit.delivered_kwh} kWh{mark}")
    for part in unit.parts:
        wear = "not known" if part.wear is None else str(part.wear)
        print(f"    {part.driver:<20} {part.gross:>10}  wear {wear}")
    for note in unit.notes:
        print(f"    {note}")


def _row(unit: Unit, part: Part) -> list[object]:
    return [
        unit.programme,
        unit.unit,
        unit.month,
        part.driver,
        unit.meter_point,
        part.delivered_kwh,
        part.gross,
        part.wear,
        part.net,
        unit.currency,
        str(unit.final).lower(),
    ]


def _write(path: Path, rows: Iterable[Sequence[object]]) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerows([csv_cell(cell) for cell in row] for row in rows)
    with replacing(path) as target:
        target.write(stream.getvalue())
