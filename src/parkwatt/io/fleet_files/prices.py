"""Reading the prices of a fleet: one row a step and tariff, from Parquet or CSV."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import Faults, FloatArray
from parkwatt.domain.series import TimeGrid, utc
from parkwatt.io.tables import ColumnKind, column_names, read_table

_FIELD = "prices"
_COLUMNS: dict[str, ColumnKind] = {
    "start": "time",
    "import_price_per_kwh": "number",
    "export_price_per_kwh": "number",
}
_FAULTS_MAX = 5


@dataclass(frozen=True, slots=True, eq=False)
class FleetPrices:
    """P tariffs over the T steps of ``grid``: [P, T] currency per kWh. ``names``: one name alone, "", where they have none."""

    grid: TimeGrid
    names: tuple[str, ...]
    import_price_per_kwh: FloatArray
    export_price_per_kwh: FloatArray

    def in_steps_of(self, step_s: int) -> FleetPrices:
        """The same prices in shorter steps; ``step_s`` divides the present ones."""
        pieces = self.grid.step_s // step_s
        grid = TimeGrid(self.grid.start_unix_s, step_s, self.grid.step_count * pieces)
        return FleetPrices(
            grid,
            self.names,
            np.repeat(self.import_price_per_kwh, pieces, axis=1),
            np.repeat(self.export_price_per_kwh, pieces, axis=1),
        )


def read_prices(path: Path, faults: Faults) -> FleetPrices | None:
    """The prices in ``path``; None after a fault. A time without a zone is UTC; rows may stand in any order."""
    found = column_names(path, _FIELD, faults)
    if found is None:
        return None
    columns = dict(_COLUMNS)
    if "price_row" in found:
        columns["price_row"] = "text"
    unknown = [name for name in found if name not in columns]
    for name in unknown:
        faults.add(_FIELD, f"{path.name} has a column {name!r} that is not known")
    table = read_table(path, columns, faults, field=_FIELD, time_zone=ZoneInfo("UTC"))
    if table is None or unknown:
        return None
    names, tariff = _tariffs(table)
    starts = np.unique(table["start"])
    grid = _grid(starts, path.name, faults)
    if grid is None or not _is_whole(table, names, tariff, grid, path.name, faults):
        return None
    shape = (len(names), grid.step_count)
    order = np.lexsort((table["start"], tariff))
    return FleetPrices(
        grid,
        names,
        np.ascontiguousarray(table["import_price_per_kwh"][order].reshape(shape)),
        np.ascontiguousarray(table["export_price_per_kwh"][order].reshape(shape)),
    )


def _tariffs(table: dict[str, NDArray[Any]]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The names, sorted, and [rows] which of them each row is of."""
    if "price_row" not in table:
        return ("",), np.zeros(len(table["start"]), dtype=np.int64)
    names, tariff = np.unique(table["price_row"].astype(str), return_inverse=True)
    return tuple(str(name) for name in names), np.asarray(tariff, dtype=np.int64)


def _grid(starts: NDArray[np.int64], file_name: str, faults: Faults) -> TimeGrid | None:
    """Steps of one length from the first time to the last."""
    if len(starts) < 2:
        faults.add(_FIELD, f"{file_name} must have at least two steps: their distance is the step")
        return None
    spacings = np.diff(starts)
    step_s = int(spacings.min())
    odd = np.flatnonzero(spacings != step_s)
    for index in odd[:_FAULTS_MAX].tolist():
        rule = f"{file_name} must have a price every {step_s / 60:g} minutes; none follows"
        faults.add(_FIELD, rule, f"{utc(int(starts[index])):%Y-%m-%d %H:%M} UTC")
    if len(odd) > _FAULTS_MAX:
        faults.add(_FIELD, f"{file_name} has {len(odd) - _FAULTS_MAX} more gaps")
    return None if len(odd) else TimeGrid(int(starts[0]), step_s, len(starts))


def _is_whole(
    table: dict[str, NDArray[Any]],
    names: tuple[str, ...],
    tariff: NDArray[np.int64],
    grid: TimeGrid,
    file_name: str,
    faults: Faults,
) -> bool:
    """Whether each tariff has one known price of each kind in each step."""
    before = len(faults.found)
    if "" in names and len(names) > 1:
        faults.add(_FIELD, f"{file_name}, column price_row must not be empty")
    step = (table["start"] - grid.start_unix_s) // grid.step_s
    rows_per_cell = np.bincount(
        tariff * grid.step_count + step, minlength=len(names) * grid.step_count
    )
    for index in np.flatnonzero(rows_per_cell != 1)[:_FAULTS_MAX].tolist():
        name = names[index // grid.step_count]
        when = utc(grid.start_unix_s + index % grid.step_count * grid.step_s)
        of = f" of {name!r}" if name else ""
        rule = f"{file_name} must have one row{of} for {when:%Y-%m-%d %H:%M} UTC"
        faults.add(_FIELD, rule, int(rows_per_cell[index]))
    for column in ("import_price_per_kwh", "export_price_per_kwh"):
        unknown = int(np.isnan(table[column]).sum())
        if unknown:
            faults.add(_FIELD, f"{file_name}, column {column} must have no empty cell", unknown)
    return len(faults.found) == before
