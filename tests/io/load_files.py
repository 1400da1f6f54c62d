"""Writing small files of loads, and reading them as series."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from parkwatt.domain.record import Faults, Record
from parkwatt.domain.series import IntervalSeries, unix_s
from parkwatt.io.series_source import Quantity, read_series_source
from parkwatt.io.tables import read_series


def attempt(
    folder: Path, quantity: Quantity = "power", /, **fields: object
) -> tuple[IntervalSeries | None, list[str]]:
    """The series and the faults of reading `load.csv` (or what ``fields`` say) in ``folder``."""
    table = {
        "file": "load.csv",
        "time_column": "time",
        "value_column": "load",
        "unit": "kW",
        "time_zone": "UTC",
        **fields,
    }
    faults = Faults()
    source = read_series_source(Record(table, "load", faults), quantity)
    series = None if faults.found else read_series(source, folder, faults)
    return series, [str(fault) for fault in faults.found]


def read(folder: Path, quantity: Quantity = "power", /, **fields: object) -> IntervalSeries:
    """The series, which must have no fault."""
    series, faults = attempt(folder, quantity, **fields)
    assert faults == []
    assert series is not None
    return series


def write(folder: Path, *lines: str, header: str = "time,load") -> Path:
    """Writes `load.csv`."""
    (folder / "load.csv").write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return folder


def utc_s(*parts: int) -> int:
    """Unix seconds of a UTC time."""
    return unix_s(datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type, misc]


def write_parquet(folder: Path, query: str, name: str = "load.parquet") -> None:
    """Writes the result of a query."""
    with duckdb.connect() as connection:
        connection.sql(query).write_parquet(str(folder / name))
