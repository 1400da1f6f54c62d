"""A household's load from a CSV file of a supplier or meter: what a year of it would be.

The first column whose texts are times and the first whose values are numbers are taken. Its unit stands in its heading
(kWh, Wh, kW, W); without one it is kWh in each interval.
"""

from __future__ import annotations

import csv
import re
import tempfile
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import Faults, Record
from parkwatt.io.series_source import read_series_source
from parkwatt.io.tables import read_series

_YEAR_S: Final = 8766 * 3600
_DAY_S: Final = 86_400
_UNIT: Final = re.compile(r"\b(kWh|Wh|MWh|kW|MW|W)\b", re.IGNORECASE)
_UNITS: Final = {unit.casefold(): unit for unit in ("kWh", "Wh", "MWh", "kW", "MW", "W")}
_ABSURD_KWH: Final = 1_000_000.0


@dataclass(frozen=True, slots=True)
class LoadOfYear:
    """``kwh_per_year``: the mean power over a year; ``days``: how much the file knows; ``column``: which it read."""

    kwh_per_year: float
    days: float
    column: str


def load_of_year(text: str, zone: ZoneInfo) -> LoadOfYear:
    """What the file tells. ``zone``: of times without one. Raises InputError where it cannot be read."""
    time_column, value_column = _columns(text)
    found = _UNIT.search(value_column)
    table = {
        "file": "load.csv",
        "time_column": time_column,
        "value_column": value_column,
        "unit": "kWh" if found is None else _UNITS[found[0].casefold()],
        "time_zone": str(zone),
    }
    faults = Faults()
    source = read_series_source(Record(table, "home.load_file", faults), "power")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "load.csv").write_text(text, encoding="utf-8")
        series = read_series(source, Path(folder), faults)
    faults.raise_if_any()
    if series is None:
        raise _unreadable("cannot be read")
    length_s = (series.end_unix_s - series.start_unix_s).astype(np.float64)
    known = np.isfinite(series.values)
    if length_s[known].sum() < _DAY_S:
        raise _unreadable("must hold at least a day")
    mean_kw = float((series.values * length_s)[known].sum() / length_s[known].sum())
    kwh = mean_kw * _YEAR_S / 3600
    if not 0.0 <= kwh <= _ABSURD_KWH:
        raise _unreadable(f"holds {kwh:.0f} kWh a year: another column or unit is meant")
    return LoadOfYear(round(kwh), float(length_s[known].sum()) / _DAY_S, value_column)


def _columns(text: str) -> tuple[str, str]:
    delimiter = ";" if _has_semicolons(text) else ","
    try:
        rows = list(csv.reader(StringIO(text[:20_000]), delimiter=delimiter))
    except csv.Error as error:
        raise _unreadable(f"must be CSV: {error}") from error
    if len(rows) < 3:
        raise _unreadable("must have a heading and rows below it")
    heading, first = rows[0], rows[1]
    times = [name for name, value in zip(heading, first, strict=False) if _is_time(value)]
    numbers = [name for name, value in zip(heading, first, strict=False) if _is_number(value)]
    if not times or not numbers:
        raise _unreadable("must have a column of times and one of kWh or kW")
    return times[0], numbers[0]


def _has_semicolons(text: str) -> bool:
    heading = text.partition("\n")[0]
    return heading.count(";") > heading.count(",")


def _is_time(value: str) -> bool:
    try:
        datetime.fromisoformat(value.strip())
    except ValueError:
        return False
    return not _is_number(value)


def _is_number(value: str) -> bool:
    try:
        float(value.replace(",", "."))
    except ValueError:
        return False
    return True


def _unreadable(rule: str) -> InputError:
    return InputError([InputFault("home.load_file", rule)])
