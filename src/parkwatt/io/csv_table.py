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

import numpy as np

from parkwatt.domain.record import Faults
from parkwatt.io.files import read_text
from parkwatt.io.raw_table import Condition, RawTable, TextColumn, missing_columns

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
    header_line = text.lstrip().split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=header_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    lines: list[int] = []
    rows: list[list[str]] = []
    try:
        for row in reader:
            if row:  # not a blank line
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        faults.add(field, f"{path.name} line {reader.line_num} is not CSV ({error})")
        return None
    header = [name.strip() for name in rows.pop(0)]
    del lines[0]
    if missing_columns([*names, *where], header, field, path.name, faults):
        return None
    places = np.array(lines, dtype=np.int64)
    table = RawTable({}, places, "line", path.name)
    cell_faults = table.cell_faults(field, header[-1], faults)
    for index, row in enumerate(rows):
        if len(row) != len(header):
            cell_faults.add(index, f"must have {len(header)} cells, as the header", len(row))
    if not cell_faults.close():
        return None
    kept = list(range(len(rows)))
    for name, wanted in where.items():
        position = header.index(name)
        kept = [index for index in kept if _equals(rows[index][position], wanted)]
    if len(kept) < len(rows):
        rows = [rows[index] for index in kept]
        places = places[kept]
    columns = {
        name: TextColumn([row[position] for row in rows], decimal_comma=delimiter == ";")
        for name in names
        for position in [header.index(name)]
    }
    return RawTable(dict(columns), places, "line", path.name)


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
