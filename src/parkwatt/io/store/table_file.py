"""Writing tables of any length in bounded memory: CSV row by row, Parquet through a DuckDB file beside the result."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

import duckdb
import numpy as np

from parkwatt.io.csv_cell import csv_cell
from parkwatt.io.store.journal_tables import Cell, Column

_CHUNK_ROWS = 20_000
_MEMORY_MAX = "256MB"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DUCKDB_TYPES = {
    "integer": "BIGINT",
    "real": "DOUBLE",
    "text": "VARCHAR",
    "time": "BIGINT",
    "flag": "BOOLEAN",
}


def write_csv(stream: TextIO, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> None:
    """Write a header and the rows; times as `2026-01-15T16:00:00.000000Z`, None as an empty cell."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    writer.writerows(
        [_csv_cell(cell, column) for cell, column in zip(row, columns, strict=True)] for row in rows
    )


def _csv_cell(cell: Cell, column: Column) -> object:
    if cell is None:
        return None
    if column.type == "time":
        try:
            time = _EPOCH + timedelta(microseconds=int(cell))
        except OverflowError:
            return cell  # no calendar has it
        return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if column.type == "flag":
        return str(cell).lower()
    return csv_cell(cell) if column.type == "text" else cell


def write_parquet(path: Path, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> None:
    """Write the rows as a new file at ``path``; times are TIMESTAMP WITH TIME ZONE (UTC).

    Raises OSError where it cannot be written.
    """
    declared = ", ".join(f"{column.name} {_DUCKDB_TYPES[column.type]}" for column in columns)
    chosen = ", ".join(
        f"make_timestamptz({column.name}) AS {column.name}"
        if column.type == "time"
        else column.name
        for column in columns
    )
    target = str(path).replace("'", "''")
    try:
        with (
            TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder,
            duckdb.connect(
                str(Path(folder) / "rows"),
                config={
                    "autoinstall_known_extensions": "false",
                    "autoload_known_extensions": "false",
                    "memory_limit": _MEMORY_MAX,
                },
            ) as connection,
        ):
            connection.execute(f"CREATE TABLE collected ({declared})")
            iterator = iter(rows)
            while piece := list(islice(iterator, _CHUNK_ROWS)):
                _insert(connection, columns, piece)
            connection.execute(
                f"COPY (SELECT {chosen} FROM collected) TO '{target}' "  # noqa: S608 - quoted
                "(FORMAT parquet, COMPRESSION zstd)"
            )
    except duckdb.Error as error:
        raise OSError(f"{path.name} cannot be written ({str(error).splitlines()[0]})") from error


def _insert(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[Column], rows: list[Sequence[Cell]]
) -> None:
    piece = {}
    for column, cells in zip(columns, zip(*rows, strict=True), strict=True):
        cast = np.empty(len(cells), dtype=object)
        cast[:] = cells
        piece[column.name] = cast
    connection.register("piece", piece)
    connection.execute("INSERT INTO collected SELECT * FROM piece")
    connection.unregister("piece")
