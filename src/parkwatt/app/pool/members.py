"""The members of a pool: a table with a row a car, read as arrays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import Faults
from parkwatt.fleet.pool import Members
from parkwatt.io.ocpp.server.identity import is_identity
from parkwatt.io.tables import ColumnKind, column_names, read_table

_COLUMNS: Final[dict[str, ColumnKind]] = {
    "car_id": "text",
    "charger_id": "text",
    "driver": "text",
    "capacity_kwh": "number",
    "charge_kw_max": "number",
    "discharge_kw_max": "number",
    "floor_soc": "number",
    "target_soc": "number",
    "ready_by": "text",
    "consent": "text",
}
_OPTIONAL: Final[dict[str, ColumnKind]] = {"least_kw": "number"}
_FIELD: Final = "pool.members"
# IEC 61851-1: a car charges with 6 A or more, or not at all; on three phases where one does not do.
_LEAST_A: Final = 6.0
_VOLTAGE_V: Final = 230.0
_ONE_PHASE_KW: Final = 7.5
_RANGES: Final = {
    "capacity_kwh": (1.0, 2000.0),
    "charge_kw_max": (0.1, 4000.0),
    "discharge_kw_max": (0.0, 4000.0),
    "floor_soc": (0.0, 1.0),
    "target_soc": (0.0, 1.0),
    "least_kw": (0.0, 4000.0),
}
_EFFICIENCY: Final = 0.93
_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_FAULTS_MAX: Final = 5
_NEVER: Final = -1


class MemberTable(NamedTuple):
    """``arrays``: what the pool's step needs; the rest [N]: names, and ``ready_minute``, the local minute of the day by which
    the car is to be ready, below 0: never.
    """

    arrays: Members
    car_id: tuple[str, ...]
    charger_id: tuple[str, ...]
    driver: tuple[str, ...]
    ready_minute: NDArray[np.int64]
    time_zone: ZoneInfo


def read_members(
    path: Path, cohort_size: int, time_zone: ZoneInfo, faults: Faults
) -> MemberTable | None:
    """The members in the CSV or Parquet file at ``path``; None after a fault.

    One row a charger: ``car_id``, ``charger_id``, ``driver``, ``capacity_kwh``, ``charge_kw_max``, ``discharge_kw_max``,
    ``floor_soc``,
    ``target_soc``, ``ready_by`` (local time such as 07:00, empty: never) and ``consent`` (yes: the driver agreed to
    discharging).
    """
    names = column_names(path, _FIELD, faults)
    if names is None:
        return None
    wanted = {**_COLUMNS, **{name: kind for name, kind in _OPTIONAL.items() if name in names}}
    columns = read_table(path, wanted, faults, field=_FIELD)
    if columns is None:
        return None
    columns["least_kw"] = _least_kw(columns)
    wrong = _Wrong(path.name, faults)
    for name, (least, most) in _RANGES.items():
        values = columns[name]
        wrong.note(
            name, ~((values >= least) & (values <= most)), f"must be {least:g} to {most:g}", values
        )
    charger_id = columns["charger_id"]
    is_wrong = np.array([not is_identity(one) for one in charger_id], bool)
    wrong.note("charger_id", is_wrong, "must be an id that OCPP allows", charger_id)
    for name in ("charger_id", "car_id"):
        _, first = np.unique(columns[name].astype(str), return_index=True)
        again = np.ones(len(columns[name]), bool)
        again[first] = False
        wrong.note(name, again, "must be there once", columns[name])
    empty = np.array([not one for one in columns["car_id"]], bool)
    wrong.note("car_id", empty, "must not be empty", columns["car_id"])
    minutes = np.array([_minute(one) for one in columns["ready_by"]], np.int64)
    wrong.note("ready_by", minutes < _NEVER, "must be a time such as 07:00", columns["ready_by"])
    answers = columns["consent"]
    wrong.note(
        "consent", ~np.isin(answers.astype(str), ("yes", "no", "")), "must be yes or no", answers
    )
    low = columns["target_soc"] < columns["floor_soc"]
    wrong.note("target_soc", low, "must be at least floor_soc", columns["target_soc"])
    if not len(charger_id):
        faults.add(_FIELD, f"{path.name} has no rows")
        return None
    if wrong.found:
        return None
    return MemberTable(
        _arrays(columns, cohort_size),
        tuple(columns["car_id"]),
        tuple(charger_id),
        tuple(columns["driver"]),
        minutes,
        time_zone,
    )


def _arrays(columns: dict[str, NDArray[Any]], cohort_size: int) -> Members:
    def single(array: NDArray[Any]) -> NDArray[np.float32]:
        return np.asarray(array, np.float32)

    count, capacity = len(columns["car_id"]), columns["capacity_kwh"]
    agreed = columns["consent"].astype(str) == "yes"
    cohorts = max(1, round(count / cohort_size))
    return Members(
        capacity_kwh=single(capacity),
        floor_kwh=single(capacity * columns["floor_soc"]),
        asked_kwh=single(capacity * columns["target_soc"]),
        charge_kw_max=single(columns["charge_kw_max"]),
        discharge_kw_max=single(np.where(agreed, columns["discharge_kw_max"], 0.0)),
        charge_efficiency=np.full(count, _EFFICIENCY, np.float32),
        discharge_efficiency=np.full(count, _EFFICIENCY, np.float32),
        wear_per_kwh=np.zeros(count, np.float32),
        least_kw=single(columns["least_kw"]),
        cohort=np.arange(count, dtype=np.int64) * cohorts // count,
    )


def _least_kw(columns: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
    """[N] as told; where nothing is told, what 6 A come to on the phases that the power needs."""
    charge_kw = columns["charge_kw_max"]
    phases = np.where(charge_kw > _ONE_PHASE_KW, 3.0, 1.0)
    usual_kw = np.minimum(_LEAST_A * _VOLTAGE_V * phases / 1000.0, charge_kw)
    told = columns.get("least_kw", np.full(len(charge_kw), np.nan))
    return np.where(np.isnan(told), usual_kw, told)


def _minute(text: str) -> int:
    if not text:
        return _NEVER
    match = _TIME.fullmatch(text)
    return _NEVER - 1 if match is None else 60 * int(match[1]) + int(match[2])


class _Wrong:
    """Faults of cells: the first of each rule by their rows, of the rest how many."""

    def __init__(self, file_name: str, faults: Faults) -> None:
        self._name, self._faults = file_name, faults
        self.found = False

    def note(self, column: str, wrong: NDArray[np.bool_], rule: str, values: NDArray[Any]) -> None:
        """Tell the rows of ``column`` that are ``wrong``."""
        rows = np.flatnonzero(wrong).tolist()
        self.found |= bool(rows)
        for row in rows[:_FAULTS_MAX]:
            # The header is line 1.
            field = f"{self._name} row {row + 2}, {column}"
            self._faults.add(field, rule, values[row] if values[row] != "" else None)
        if len(rows) > _FAULTS_MAX:
            rest = len(rows) - _FAULTS_MAX
            self._faults.add(f"{self._name}, {column}", f"breaks this rule in {rest} more rows")
