"""CSV files: comma, semicolon or tab between cells, a header line, UTF-8.

The delimiter is the one that occurs most often in the header. Where it is a semicolon, numbers may
have a decimal comma. A row that has too few or too many cells is a fault: cells would be read as
another column's.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from parkwatt.domain.record import Faults
from parkwatt.io.files import read_text
from parkwatt.io.raw_table import Condition, RawColumn, RawTable, TextColumn, missing_columns

if TYPE_CHECKING:
    from _csv import Reader

_DELIMITERS = ",;\t"


def read_csv(
    path: Path, names: list[str], where: Mapping[str, Condition], field: str, faults: Faults
) -> RawTable | None:
    """The columns ``names`` of the rows for which each column in ``where`` equals its value; None
    after a fault.
    """
    text = read_text(path, field, faults)
    if text is None:
        return None
    reader = _reader(text)
    try:
        header = _header(reader)
        if missing_columns([*names, *where], header, field, path.name, faults):
            return None
        return _rows(reader, header, names, where, field, path.name, faults)
    except csv.Error as error:
        faults.add(field, f"{path.name} line {reader.line_num} is not CSV ({error})")
        return None


def csv_columns(path: Path, field: str, faults: Faults) -> list[str] | None:
    """The names in the header; None after a fault."""
    text = read_text(path, field, faults)
    return None if text is None else _header(_reader(text))


def _reader(text: str) -> Reader:
    delimiter = max(_DELIMITERS, key=text.lstrip().split("\n", 1)[0].count)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _header(reader: Reader) -> list[str]:
    return [name.strip() for name in next(row for row in reader if row)]


def _rows(
    reader: Reader,
    header: list[str],
    names: list[str],
    where: Mapping[str, Condition],
    field: str,
    file_name: str,
    faults: Faults,
) -> RawTable | None:
    conditions = [(header.index(name), wanted) for name, wanted in where.items()]
    cells: dict[str, list[str]] = {name: [] for name in names}
    wanted_cells = [(cells[name].append, header.index(name)) for name in cells]
    lines: list[int] = []
    odd: list[tuple[int, int]] = []
    for row in reader:
        if len(row) != len(header):
            if row:  # not a blank line
                odd.append((reader.line_num, len(row)))
            continue
        if any(not _equals(row[position], wanted) for position, wanted in conditions):
            continue
        lines.append(reader.line_num)
        for append, position in wanted_cells:
            append(row[position])
    if odd:
        table = RawTable({}, np.array([line for line, _ in odd]), "line", file_name)
        cell_faults = table.cell_faults(field, header[-1], faults)
        for index, (_, count) in enumerate(odd):
            cell_faults.add(index, f"must have {len(header)} cells, as the header", count)
        cell_faults.close()
        return None
    decimal_comma = reader.dialect.delimiter == ";"
    columns: dict[str, RawColumn] = {
        name: TextColumn(texts, decimal_comma) for name, texts in cells.items()
    }
    return RawTable(columns, np.array(lines, dtype=np.int64), "line", file_name)


def _equals(cell: str, wanted: Condition) -> bool:
    text = cell.strip()
    if isinstance(wanted, bool):
        return text.lower() == str(wanted).lower()
    if isinstance(wanted, str):
        return text == wanted
    try:
        return float(text) == wanted
    except ValueError:
        return False
