"""Reading a fleet's file: one row a stay.

What makes the file unusable (a missing column, a column of a wrong type) is a fault of the file. What is wrong in a row
is a fault of that row, which is kept out while the others are used. All cells are looked at by DuckDB and numpy at once:
no loop goes over rows, but over those that are wrong.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import InputFault
from parkwatt.domain.record import Faults, FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid, utc
from parkwatt.io.fleet_files.columns import (
    KNOWN,
    NODE,
    NUMBERS,
    OPTIONAL_NUMBERS,
    PRICE_ROW,
    REQUIRED_NUMBERS,
    STEPS,
    TIMES,
    FleetFile,
    FleetRows,
)
from parkwatt.io.parquet_table import NUMBER_TYPES, ParquetFile, add_unreadable, opened_parquet

_FIELD: Final = "fleet"
_FRACTION_TYPES: Final = ("FLOAT", "DOUBLE", "DECIMAL")
_STEP_MAX: Final = 2**31
_US_PER_S: Final = 1_000_000


def read_fleet(
    path: Path,
    grid: TimeGrid,
    price_rows: tuple[str, ...],
    faults: Faults,
    nodes: tuple[str, ...] = (),
) -> FleetFile | None:
    """The stays in ``path``, in steps of ``grid``; None after a fault of the file.

    A time becomes a whole step inside the stay: its beginning is rounded up, its end down. ``price_rows``: the names of
    the prices, in their order; one name alone, "", where they have none. ``nodes``: the names of nodes, the pool first;
    empty where the cars share nothing, and the column is then left aside.
    """
    with opened_parquet(path, _FIELD, faults) as file:
        if file is None or not _has_sound_columns(file, path.name, price_rows, faults, nodes):
            return None
        try:
            found = _queried(file, price_rows, nodes)
        except duckdb.Error as error:
            add_unreadable(path, error, _FIELD, faults)
            return None
    if not len(found["place"]):
        faults.add(_FIELD, f"{path.name} has no rows")
        return None
    return _Reading(found, file.types, grid, price_rows, nodes).result()


def check_columns(path: Path, faults: Faults) -> None:
    """Note what is wrong with the file's columns, where the prices, and so the steps, are not known."""
    with opened_parquet(path, _FIELD, faults) as file:
        if file is not None:
            _has_sound_columns(file, path.name, None, faults)


def _has_sound_columns(
    file: ParquetFile,
    file_name: str,
    price_rows: tuple[str, ...] | None,
    faults: Faults,
    nodes: tuple[str, ...] = (),
) -> bool:
    before = len(faults.found)
    types = file.types
    for name in types:
        if name not in KNOWN:
            faults.add(_FIELD, f"{file_name} has a column {name!r} that is not known")
    for name in ("car_id", *REQUIRED_NUMBERS):
        if name not in types:
            faults.add(_FIELD, f"{file_name} has no column {name!r}")
    pairs = [pair for pair in (STEPS, TIMES) if any(name in types for name in pair)]
    if len(pairs) != 1 or not all(name in types for name in pairs[0]):
        rule = "must have either from_time and to_time, or from_step and to_step"
        faults.add(_FIELD, f"{file_name} {rule}")
    if PRICE_ROW in types and price_rows == ("",):
        faults.add(_FIELD, f"{file_name} has a column {PRICE_ROW!r}, and the prices have none")
    elif PRICE_ROW not in types and len(price_rows or ()) > 1:
        rule = f"has no column {PRICE_ROW!r}, and there are {len(price_rows or ())} prices"
        faults.add(_FIELD, f"{file_name} {rule}")
    if NODE not in types and len(nodes) > 1:
        faults.add(_FIELD, f"{file_name} has no column {NODE!r}, and there are {len(nodes)} nodes")
    for name, type_name in types.items():
        rule = _type_rule(name, type_name)
        if rule:
            faults.add(_FIELD, f"{file_name}, column {name} must hold {rule}", type_name)
    return len(faults.found) == before


def _type_rule(name: str, type_name: str) -> str:
    """What a column must hold; empty where it does."""
    is_number = type_name.split("(")[0] in NUMBER_TYPES and not type_name.endswith("]")
    if name in (*NUMBERS, *STEPS):
        return "" if is_number else "numbers"
    if name in TIMES:
        return "" if type_name.startswith("TIMESTAMP") and type_name[-1] != "]" else "timestamps"
    if name in ("car_id", PRICE_ROW, NODE):
        is_whole = is_number and type_name.split("(")[0] not in _FRACTION_TYPES
        return "" if is_whole or type_name == "VARCHAR" else "texts or whole numbers"
    return ""


def _queried(
    file: ParquetFile, price_rows: tuple[str, ...], nodes: tuple[str, ...]
) -> dict[str, NDArray[Any]]:
    """Each column, masked where it is null; ``overlaps``: whether the stay begins before one of its car before it ended."""
    types = file.types
    parts = ["file_row_number + 1 AS place", "CAST(car_id AS VARCHAR) AS car_id"]
    parts += [f"CAST({name} AS DOUBLE) AS {name}" for name in (*NUMBERS, *STEPS) if name in types]
    parts += [
        f"CASE WHEN isfinite({time}) THEN epoch_us({time}) END AS {name}"
        for name in TIMES
        if name in types
        for time in [name if "TIME ZONE" in types[name] else f"{name}::TIMESTAMP"]
    ]
    values: list[object] = []
    if PRICE_ROW in types:
        parts.append(f"CAST({PRICE_ROW} AS VARCHAR) AS price_name")
        parts.append(f"list_position(?::VARCHAR[], CAST({PRICE_ROW} AS VARCHAR)) AS price_place")
        values.append(list(price_rows))
    if NODE in types and nodes:
        parts.append(f"CAST({NODE} AS VARCHAR) AS node_name")
        parts.append(f"list_position(?::VARCHAR[], CAST({NODE} AS VARCHAR)) AS node_place")
        values.append(list(nodes))
    begin, end = STEPS if "from_step" in types else TIMES
    parts.append(
        f"coalesce({begin} < max({end}) OVER (PARTITION BY car_id ORDER BY {begin}, file_row_number "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS overlaps"
    )
    query = (
        f"SELECT {', '.join(parts)} FROM read_parquet(?, file_row_number = true) "  # noqa: S608 - names are known
        "ORDER BY place"
    )
    return dict(file.connection.execute(query, [*values, file.pattern]).fetchnumpy())


class _Reading:
    """Makes rows of what was queried, and notes what is wrong with each."""

    def __init__(
        self,
        found: dict[str, NDArray[Any]],
        types: dict[str, str],
        grid: TimeGrid,
        price_rows: tuple[str, ...],
        nodes: tuple[str, ...],
    ) -> None:
        self._found, self._types = found, types
        self._grid, self._price_rows, self._nodes = grid, price_rows, nodes
        self._place: TimeArray = np.asarray(found["place"], dtype=np.int64)
        self._faults: list[tuple[int, InputFault]] = []
        self._wrong = np.zeros(len(self._place), dtype=np.bool_)

    def result(self) -> FleetFile:
        """The rows in which nothing is wrong, and the faults of the others."""
        car_id = np.asarray(np.ma.filled(self._found["car_id"], ""), dtype=object)
        self._add("car_id", "is required", self._missing("car_id") | (car_id == ""))
        numbers = {name: self._number(name) for name in NUMBERS}
        from_step, to_step = self._steps() if "from_step" in self._types else self._times()
        price_row = self._named(PRICE_ROW, "price", self._price_rows, "prices")
        node = self._named(NODE, "node", self._nodes, "nodes")
        overlaps = np.asarray(np.ma.filled(self._found["overlaps"], False), dtype=np.bool_)
        begin = "from_step" if "from_step" in self._types else "from_time"
        rule = "must not be before the end of another stay of the same car"
        self._add(begin, rule, overlaps & ~self._wrong, car_id)
        rows = FleetRows(self._place, car_id, from_step, to_step, price_row, node, numbers)
        faults = sorted(self._faults, key=lambda one: one[0])
        return FleetFile(rows.take(~self._wrong) if faults else rows, faults)

    def _missing(self, name: str) -> NDArray[np.bool_]:
        return np.ma.getmaskarray(self._found[name])

    def _add(
        self, field: str, rule: str, wrong: NDArray[np.bool_], values: NDArray[Any] | None = None
    ) -> None:
        self._wrong |= wrong
        for index in np.flatnonzero(wrong).tolist():
            value = None if values is None else values[index]
            shown = value.item() if isinstance(value, np.generic) else value
            self._faults.append((int(self._place[index]), InputFault(field, rule, shown)))

    def _number(self, name: str) -> FloatArray:
        if name not in self._types:
            return np.full(len(self._place), OPTIONAL_NUMBERS[name])
        missing = self._missing(name)
        if name in REQUIRED_NUMBERS:
            self._add(name, "is required", missing)
        values: FloatArray = np.ma.filled(self._found[name], OPTIONAL_NUMBERS.get(name, 0.0))
        return np.ascontiguousarray(values, dtype=np.float64)

    def _steps(self) -> tuple[TimeArray, TimeArray]:
        steps = []
        for name in STEPS:
            missing = self._missing(name)
            self._add(name, "is required", missing)
            values = np.ma.filled(self._found[name], 0.0)
            odd = ~((np.abs(values) < _STEP_MAX) & (values == np.floor(values)))
            self._add(name, "must be a whole number", odd, values)
            steps.append(np.where(odd, 0, values).astype(np.int64))
        return steps[0], steps[1]

    def _times(self) -> tuple[TimeArray, TimeArray]:
        grid, step_us = self._grid, self._grid.step_s * _US_PER_S
        since_us = []
        for name in TIMES:
            missing = self._missing(name)
            self._add(name, "is required, and finite", missing)
            values = np.asarray(np.ma.filled(self._found[name], 0), dtype=np.int64)
            since_us.append(np.where(missing, 0, values - grid.start_unix_s * _US_PER_S))
        begin_us, end_us = since_us
        begins, ends = (
            f"{utc(grid.start_unix_s):%Y-%m-%d %H:%M}",
            f"{utc(grid.end_unix_s):%Y-%m-%d %H:%M}",
        )
        sound = ~self._wrong
        early = sound & (begin_us < 0)
        late = sound & (end_us > grid.step_count * step_us)
        self._add_times(
            "from_time", f"must not be before {begins} UTC, where the prices begin", early
        )
        self._add_times("to_time", f"must not be after {ends} UTC, where the prices end", late)
        from_step, to_step = -(-begin_us // step_us), end_us // step_us
        rule = f"must leave a whole step of {grid.step_s / 60:g} minutes after from_time"
        self._add_times("to_time", rule, sound & ~early & ~late & (to_step <= from_step))
        return from_step, to_step

    def _add_times(self, name: str, rule: str, wrong: NDArray[np.bool_]) -> None:
        shown = np.empty(len(wrong), dtype=object)
        for index in np.flatnonzero(wrong).tolist():
            shown[index] = _time_text(int(self._found[name][index]))
        self._add(name, rule, wrong, shown)

    def _named(self, column: str, found: str, known_names: tuple[str, ...], kind: str) -> TimeArray:
        """The place of each row's name among those that are known; 0 where there is nothing to choose."""
        if column not in self._types or not known_names:
            return np.zeros(len(self._place), dtype=np.int64)
        missing = self._missing(f"{found}_name")
        self._add(column, "is required", missing)
        place = np.asarray(np.ma.filled(self._found[f"{found}_place"], 0), dtype=np.int64)
        known = ", ".join(known_names[:10]) + (", …" if len(known_names) > 10 else "")
        names = np.ma.filled(self._found[f"{found}_name"], "")
        self._add(column, f"must be one of the {kind} ({known})", (place == 0) & ~missing, names)
        return place - 1


def _time_text(unix_us: int) -> str:
    """A time as a reader knows it; one that no calendar has, as it is."""
    try:
        return f"{utc(unix_us // _US_PER_S):%Y-%m-%dT%H:%M:%SZ}"
    except (OverflowError, ValueError, OSError):
        return f"{unix_us} µs since 1970"
