"""Columns as they stand in a file, before anything is known of their meaning.

A CSV file has only texts; a Parquet file has texts, numbers and stamps. `numbers_of` and the
readers in `parkwatt.io.stamps` make one kind of value of either, and tell faults cell by cell
through `CellFaults`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import Faults, FloatArray
from parkwatt.domain.series import TimeArray

# A fault of single cells is told this often for each column; the count of the rest follows.
_FAULTS_PER_COLUMN_MAX = 5

_UNKNOWN = {"", "nan", "null", "na", "n/a"}
_DECIMAL_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+([eE][+-]?\d+)?")

Condition = str | float | bool


@dataclass(frozen=True, slots=True)
class TextColumn:
    """``cells``: [N], empty where there is none. ``decimal_comma``: numbers may look like 1.234,5."""

    cells: list[str]
    decimal_comma: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class NumberColumn:
    """``values``: [N], NaN where there is none."""

    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class StampColumn:
    """``seconds``: [N] since 1970 UTC where ``aware``, else since 1970 on a local clock;
    ``missing``: [N].
    """

    seconds: TimeArray
    missing: NDArray[np.bool_]
    aware: bool


RawColumn = TextColumn | NumberColumn | StampColumn


@dataclass(frozen=True, slots=True, eq=False)
class RawTable:
    """``columns``: those asked for, by name. ``places``: [N] where each row stands, counted in
    ``place_word``s.
    """

    columns: dict[str, RawColumn]
    places: TimeArray
    place_word: str
    file_name: str

    def cell_faults(self, field: str, column: str, faults: Faults) -> CellFaults:
        """Tells faults of single cells of ``column``."""
        return CellFaults(self, field, column, faults)


class CellFaults:
    """Faults of single cells of one column: the first few with their row and value, then how many
    more.
    """

    def __init__(self, table: RawTable, field: str, column: str, faults: Faults) -> None:
        self._table, self._faults = table, faults
        self._field, self._column = field, column
        self.count = 0

    def add(self, index: int, rule: str, value: object = None) -> None:
        """The cell in row ``index`` (from 0, of those read) breaks ``rule``."""
        self.count += 1
        if self.count <= _FAULTS_PER_COLUMN_MAX:
            place = f"{self._table.place_word} {self._table.places[index]}"
            where = f"{self._table.file_name}, {place}, column {self._column}"
            self._faults.add(f"{self._field} ({where})", rule, value)

    def close(self) -> bool:
        """Tell how many were left out. Returns whether there was no fault at all."""
        rest = self.count - _FAULTS_PER_COLUMN_MAX
        if rest > 0:
            where = f"{self._table.file_name}, column {self._column}"
            self._faults.add(f"{self._field} ({where})", f"breaks these rules in {rest} more rows")
        return self.count == 0


def missing_columns(
    asked: list[str], existing: list[str], field: str, file_name: str, faults: Faults
) -> bool:
    """Note a fault for each column asked for that is missing or occurs twice. Returns whether
    there was one.
    """
    found = False
    for name in dict.fromkeys(asked):
        if existing.count(name) == 1:
            continue
        found = True
        if name in existing:
            faults.add(field, f"{file_name} must have column {name!r} once only")
        else:
            known = ", ".join(existing[:20]) + (", …" if len(existing) > 20 else "")
            faults.add(field, f"{file_name} has no column {name!r} (it has: {known})")
    return found


def numbers_of(column: RawColumn, cell_faults: CellFaults) -> FloatArray:
    """[N] finite numbers, NaN where unknown; a text that is no number, and an infinite number, are
    faults.
    """
    if isinstance(column, StampColumn):
        cell_faults.add(0, "must be a number, not a time")
        return np.full(len(column.seconds), np.nan)
    values = column.values if isinstance(column, NumberColumn) else _parsed(column, cell_faults)
    for index in np.flatnonzero(np.isinf(values)):
        cell_faults.add(int(index), "must be finite", float(values[index]))
    return values


def _parsed(column: TextColumn, cell_faults: CellFaults) -> FloatArray:
    cells = column.cells
    if not any("_" in cell for cell in cells):  # Python reads 1_000, nobody writes it
        try:
            return np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)
        except ValueError:
            pass
    with_comma = column.decimal_comma and any("," in cell for cell in cells)
    values = np.full(len(cells), np.nan)
    for index, cell in enumerate(cells):
        text = cell.strip()
        if text.lower() in _UNKNOWN:
            continue
        if with_comma and _DECIMAL_COMMA.fullmatch(text):
            values[index] = float(text.replace(".", "").replace(",", "."))
        elif with_comma and "." in text:
            cell_faults.add(index, "must have a decimal comma, as others in this column", cell)
        else:
            try:
                values[index] = float(text if "_" not in text else "no number")
            except ValueError:
                cell_faults.add(index, "must be a number", cell)
    return values
