"""Fleets and prices as files, written by SQL as a stranger would."""

from pathlib import Path

import duckdb

from parkwatt.domain.record import Faults
from parkwatt.domain.series import TimeGrid
from parkwatt.io.fleet_files.columns import FleetFile
from parkwatt.io.fleet_files.fleet import read_fleet

START_UNIX_S = 1_781_776_800  # 2026-06-18 10:00 UTC
GRID = TimeGrid(START_UNIX_S, 900, 8)

# A car of 60 kWh, in columns that a test replaces one by one.
CAR = {
    "car_id": "'car-' || i",
    "from_step": "0",
    "to_step": "8",
    "energy_kwh_at_arrival": "30.0",
    "energy_kwh_at_departure": "36.0",
    "energy_kwh_min": "6.0",
    "energy_kwh_max": "60.0",
    "charge_kw_max": "11.0",
    "discharge_kw_max": "0.0",
    "charge_efficiency": "0.93",
    "discharge_efficiency": "0.93",
}


def write(path: Path, query: str) -> Path:
    """A Parquet file with the rows of a query."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def write_cars(path: Path, count: int = 1, /, **changed: str | None) -> Path:
    """Rows i = 0, 1, … of `CAR`; ``changed``: other SQL for a column, None takes it away."""
    columns = {name: sql for name, sql in {**CAR, **changed}.items() if sql is not None}
    chosen = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    return write(path, f"SELECT {chosen} FROM range({count}) t(i)")  # noqa: S608


def in_times(begin: str, end: str) -> dict[str, str | None]:
    """Changes that give a stay by SQL of times."""
    return {"from_step": None, "to_step": None, "from_time": begin, "to_time": end}


def attempt(path: Path, price_rows: tuple[str, ...] = ("",)) -> tuple[FleetFile | None, list[str]]:
    """What is read, and the faults of the file."""
    faults = Faults()
    file = read_fleet(path, GRID, price_rows, faults)
    return file, [str(fault) for fault in faults.found]


def read(path: Path, price_rows: tuple[str, ...] = ("",)) -> FleetFile:
    """What is read of a file without faults of its own."""
    file, faults = attempt(path, price_rows)
    assert file is not None, faults
    assert faults == []
    return file


def row_faults(file: FleetFile) -> list[str]:
    """The faults of rows, as `3 field: rule, got value`."""
    return [f"{row} {fault}" for row, fault in file.faults]
