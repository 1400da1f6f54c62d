"""Parquet files, read by DuckDB.

DuckDB would take a path for a pattern over many files or for a web address, and would fetch
extensions by itself. Here it may open this one file and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import Faults
from parkwatt.io.files import is_readable_file
from parkwatt.io.raw_table import (
    Condition,
    NumberColumn,
    RawColumn,
    RawTable,
    StampColumn,
    TextColumn,
    missing_columns,
)

NUMBER_TYPES = (
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
    "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL",
)  # fmt: skip


def read_parquet(
    path: Path, names: list[str], where: Mapping[str, Condition], field: str, faults: Faults
) -> RawTable | None:
    """The columns ``names`` of the rows for which each column in ``where`` equals its value; None
    after a fault.
    """
    try:
        with opened_parquet(path, field, faults) as file:
            if file is None:
                return None
            if missing_columns([*names, *where], list(file.types), field, path.name, faults):
                return None
            if _has_odd_types(names, file.types, field, path.name, faults):
                return None
            return _selected(file.connection, file.pattern, path.name, names, where, file.types)
    except duckdb.Error as error:
        add_unreadable(path, error, field, faults)
        return None


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """A connection that may read this one file; ``pattern``: what `read_parquet` takes for it; ``types``: of its columns."""

    connection: duckdb.DuckDBPyConnection
    pattern: str
    types: dict[str, str]


@contextmanager
def opened_parquet(path: Path, field: str, faults: Faults) -> Iterator[ParquetFile | None]:
    """A Parquet file to query; None after a fault. What a query of its rows raises is the caller's (`add_unreadable`)."""
    if not is_readable_file(path, field, faults):
        yield None
        return
    if not path.is_file():
        faults.add(field, "must be a file", str(path))
        yield None
        return
    location = str(path.absolute())
    # To DuckDB a path is a pattern; in brackets a character of a pattern stands for itself.
    pattern = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in location)
    with _connection(location, pattern) as connection:
        try:
            described = connection.execute(
                "DESCRIBE SELECT * FROM read_parquet(?)", [pattern]
            ).fetchall()
        except duckdb.Error as error:
            add_unreadable(path, error, field, faults)
            yield None
            return
        types = {str(row[0]): str(row[1]) for row in described}
        yield ParquetFile(connection, pattern, types)


def add_unreadable(path: Path, error: duckdb.Error, field: str, faults: Faults) -> None:
    """Note that a file is not Parquet, or a damaged one."""
    first_line = str(error).split("\n", 1)[0].replace(str(path.absolute()), path.name)
    faults.add(field, f"{path.name} is not a Parquet file that can be read ({first_line})")


def _connection(location: str, pattern: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        ":memory:",
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"},
    )
    allowed = ", ".join(_quoted(path, quote="'") for path in (location, pattern))
    connection.execute(f"SET allowed_paths = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    return connection


def _quoted(text: str, quote: str = '"') -> str:
    return quote + text.replace(quote, quote * 2) + quote


def _has_odd_types(
    names: list[str], types: Mapping[str, str], field: str, file_name: str, faults: Faults
) -> bool:
    odd = [name for name in dict.fromkeys(names) if _kind(types[name]) is None]
    for name in odd:
        faults.add(
            field, f"{file_name}, column {name} must hold numbers, texts or times", types[name]
        )
    return bool(odd)


def _kind(type_name: str) -> type[RawColumn] | None:
    if type_name.endswith("]"):  # a list of what stands before it
        return None
    if type_name.startswith("TIMESTAMP") or type_name == "DATE":
        return StampColumn
    if type_name == "VARCHAR":
        return TextColumn
    return NumberColumn if type_name.split("(")[0] in NUMBER_TYPES else None


def _selected(
    connection: duckdb.DuckDBPyConnection,
    pattern: str,
    file_name: str,
    names: list[str],
    where: Mapping[str, Condition],
    types: Mapping[str, str],
) -> RawTable:
    parts = [f"{_expression(name, types[name])} AS c{i}" for i, name in enumerate(names)]
    conditions = ["true"]
    values: list[object] = [pattern]
    for name, wanted in where.items():
        is_number = _kind(types[name]) is NumberColumn and not isinstance(wanted, str | bool)
        kind = "DOUBLE" if is_number else "VARCHAR"
        conditions.append(f"TRY_CAST({_quoted(name)} AS {kind}) = ?")
        values.append(float(wanted) if is_number else _as_text(wanted))
    found = connection.execute(
        f"SELECT file_row_number + 1 AS place, {', '.join(parts)} "  # noqa: S608 - names are quoted
        f"FROM read_parquet(?, file_row_number = true) WHERE {' AND '.join(conditions)} "
        "ORDER BY place",
        values,
    ).fetchnumpy()
    columns = {name: _column(found[f"c{i}"], types[name]) for i, name in enumerate(names)}
    return RawTable(columns, np.asarray(found["place"], dtype=np.int64), "row", file_name)


def _as_text(wanted: Condition) -> str:
    return str(wanted).lower() if isinstance(wanted, bool) else f"{wanted}"


def _expression(name: str, type_name: str) -> str:
    column = _quoted(name)
    kind = _kind(type_name)
    if kind is StampColumn:
        cast = "" if "TIME ZONE" in type_name else "::TIMESTAMP"
        return f"epoch_us({column}{cast})"
    return f"CAST({column} AS {'DOUBLE' if kind is NumberColumn else 'VARCHAR'})"


def _column(values: NDArray[Any], type_name: str) -> RawColumn:
    kind = _kind(type_name)
    missing = np.ma.getmaskarray(values)
    if kind is StampColumn:
        seconds = np.ma.filled(values, 0).astype(np.int64) // 1_000_000
        return StampColumn(seconds, missing, aware="TIME ZONE" in type_name)
    if kind is NumberColumn:
        return NumberColumn(np.ma.filled(values.astype(np.float64), np.nan))
    texts = ["" if gone else str(text) for text, gone in zip(values, missing, strict=True)]
    return TextColumn(texts)
