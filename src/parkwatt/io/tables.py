"""Series and tables from CSV and Parquet files.

`read_series` makes an `IntervalSeries` of a time column and a value column; `read_table` reads
columns of a table whose rows need not follow each other, such as charging sessions. Both note
every fault they find, with the row, and return None if there was one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import Faults
from parkwatt.domain.series import IntervalSeries, TimeArray
from parkwatt.io.csv_table import csv_columns, read_csv
from parkwatt.io.parquet_table import opened_parquet, read_parquet
from parkwatt.io.raw_table import (
    CellFaults,
    Condition,
    NumberColumn,
    RawColumn,
    RawTable,
    TextColumn,
    numbers_of,
)
from parkwatt.io.series_source import SeriesSource
from parkwatt.io.stamps import shown, stamps_of, unix_of, unix_of_series

ColumnKind = Literal["time", "optional_time", "number", "text"]

PARQUET_SUFFIXES = (".parquet", ".pq")
_CSV_SUFFIXES = (".csv", ".tsv", ".txt")


def read_series(source: SeriesSource, folder: Path, faults: Faults) -> IntervalSeries | None:
    """The series that ``source`` describes; its file is relative to ``folder``.

    Powers come in kW (energy per interval is divided by the interval's hours), prices in currency
    per kWh. Empty cells are unknown (NaN). None after a fault.
    """
    names = [source.time_column, source.value_column]
    if source.end_column is not None:
        names.append(source.end_column)
    path = folder / source.file
    table = _read_raw(path, names, dict(source.where), f"{source.field}.file", faults)
    if table is None:
        return None
    value_faults = table.cell_faults(source.field, source.value_column, faults)
    values = numbers_of(table.columns[source.value_column], value_faults)
    values_are_sound = value_faults.close()
    intervals = _intervals(table, source, faults)
    if intervals is None or not values_are_sound:
        return None
    starts, ends = intervals
    values = values * source.factor
    if source.is_energy:
        values = values / ((ends - starts) / 3600.0)
    return IntervalSeries(starts, ends, values).shifted(source.shift_s)


def _intervals(
    table: RawTable, source: SeriesSource, faults: Faults
) -> tuple[TimeArray, TimeArray] | None:
    """[N] starts and [N] ends; None after a fault."""
    cell_faults = table.cell_faults(source.field, source.time_column, faults)
    times = _rising_times(table, source.time_column, source, cell_faults)
    if not cell_faults.close():
        return None
    if source.end_column is not None:
        return _with_ends(table, times, source, source.end_column, faults)
    spacing_s = source.interval_s
    if spacing_s is None:
        if len(times) < 2:
            faults.add(
                f"{source.field}.interval_minutes", "is required where there is one row only"
            )
            return None
        spacings, counts = np.unique(np.diff(times), return_counts=True)
        spacing_s = int(spacings[np.argmax(counts)])
        lengths = np.minimum(np.diff(times), spacing_s)
    else:
        lengths = np.full(len(times) - 1, spacing_s, dtype=np.int64)
        for index in np.flatnonzero(np.diff(times) < spacing_s) + 1:
            rule = f"must be at least interval_minutes = {spacing_s / 60:g} after the one before"
            cell_faults.add(int(index), rule, shown(int(times[index])) + " UTC")
        if not cell_faults.close():
            return None
    # The outermost interval has no neighbour to end at.
    if source.stamps == "end":
        return times - np.concatenate(([spacing_s], lengths)), times
    return times, times + np.concatenate((lengths, [spacing_s]))


def _rising_times(
    table: RawTable, column: str, source: SeriesSource, cell_faults: CellFaults
) -> TimeArray:
    stamps = stamps_of(table.columns[column], source.time_format, source.time_zone, cell_faults)
    if cell_faults.count:
        return stamps.seconds
    mark_ends = source.stamps == "end" or column == source.end_column
    return unix_of_series(stamps, source.time_zone, mark_ends=mark_ends, cell_faults=cell_faults)


def _with_ends(
    table: RawTable, starts: TimeArray, source: SeriesSource, end_column: str, faults: Faults
) -> tuple[TimeArray, TimeArray] | None:
    cell_faults = table.cell_faults(source.field, end_column, faults)
    ends = _rising_times(table, end_column, source, cell_faults)
    if not cell_faults.count:
        for index in np.flatnonzero(ends <= starts):
            cell_faults.add(int(index), "must be after the start of the interval")
        for index in np.flatnonzero(ends[:-1] > starts[1:]):
            cell_faults.add(int(index), "must not be after the start of the next interval")
    return (starts, ends) if cell_faults.close() else None


def read_table(
    path: Path,
    columns: Mapping[str, ColumnKind],
    faults: Faults,
    *,
    field: str,
    where: Mapping[str, Condition] | None = None,
    time_zone: ZoneInfo | None = None,
    time_format: str | None = None,
) -> dict[str, NDArray[Any]] | None:
    """The columns of a table, by name, each [N]; None after a fault. ``field`` names the table in
    faults.

    time: int64 seconds since 1970 UTC, an empty cell is a fault; optional_time: the same as
    float64, NaN where empty; number: float64, NaN where empty; text: an object array of str, ""
    where empty (numbers are written out). A local reading that the clock shows twice is taken as
    the first.
    """
    table = _read_raw(path, list(columns), where or {}, field, faults)
    if table is None:
        return None
    sound = True
    result: dict[str, NDArray[Any]] = {}
    for name, kind in columns.items():
        cell_faults = table.cell_faults(field, name, faults)
        column = table.columns[name]
        if kind == "number":
            result[name] = numbers_of(column, cell_faults)
        elif kind == "text":
            result[name] = _texts_of(column, cell_faults)
        else:
            stamps = stamps_of(column, time_format, time_zone, cell_faults)
            if not cell_faults.count:
                result[name] = unix_of(stamps, time_zone, cell_faults)
            if kind == "optional_time":
                times = result.get(name, stamps.seconds).astype(np.float64)
                result[name] = np.where(stamps.missing, np.nan, times)
            else:
                for index in np.flatnonzero(stamps.missing):
                    cell_faults.add(int(index), "must not be empty")
        sound = cell_faults.close() and sound
    return result if sound else None


def column_names(path: Path, field: str, faults: Faults) -> list[str] | None:
    """The columns that a table has; None after a fault."""
    if path.suffix.lower() in _CSV_SUFFIXES:
        return csv_columns(path, field, faults)
    with opened_parquet(path, field, faults) as file:
        return None if file is None else list(file.types)


def _texts_of(column: RawColumn, cell_faults: CellFaults) -> NDArray[Any]:
    if isinstance(column, TextColumn):
        return np.array(column.cells, dtype=object)
    if isinstance(column, NumberColumn):
        texts = ["" if value != value else f"{value:.15g}" for value in column.values.tolist()]
        return np.array(texts, dtype=object)
    cell_faults.add(0, "must be a text, not a time")
    return np.zeros(0, dtype=object)


def _read_raw(
    path: Path, names: list[str], where: Mapping[str, Condition], field: str, faults: Faults
) -> RawTable | None:
    suffix = path.suffix.lower()
    if suffix in _CSV_SUFFIXES:
        table = read_csv(path, names, where, field, faults)
    elif suffix in PARQUET_SUFFIXES:
        table = read_parquet(path, names, where, field, faults)
    else:
        faults.add(field, "must end in .csv, .tsv, .txt, .parquet or .pq", path.name)
        return None
    if table is None or len(table.places):
        return table
    if not where:
        faults.add(field, f"{path.name} has no rows")
    elif (everything := _read_raw(path, list(where), {}, field, faults)) is not None:
        wanted = ", ".join(f"{name} = {value!r}" for name, value in where.items())
        found = "; ".join(_some_values(everything, name, faults) for name in where)
        faults.add(field, f"{path.name} has no rows where {wanted} ({found})")
    return None


def _some_values(table: RawTable, name: str, faults: Faults) -> str:
    texts = _texts_of(table.columns[name], table.cell_faults("", name, faults))
    distinct = list(dict.fromkeys(texts.tolist()))
    return f"{name} holds {', '.join(distinct[:5])}" + (", …" if len(distinct) > 5 else "")
