"""The study step by step as CSV: one row for each step, written as it is made.

Columns: the step's start in UTC and in local time, prices, load and solar, whether the car is plugged in, and for each strategy
the car's power, its energy at the start of the step, and import, export and solar used of the site. An unknown value is empty.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.app.atomic_file import replacing
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import utc
from parkwatt.site.outcome import StudyResult

_ROWS_PER_CHUNK = 4096
_NUMBER = "%.7g"  # more than any meter knows, and short


def write_csv(result: StudyResult, path: Path) -> None:
    """Write one row for each step of ``result`` to ``path``, whole or not at all.

    Raises `InputError` where ``path`` cannot be written.
    """
    columns = _columns(result)
    with replacing(path) as stream:
        csv.writer(stream, lineterminator="\n").writerow(["time_utc", "time_local", *columns])
        stream.writelines(_rows(result, list(columns.values())))


def _columns(result: StudyResult) -> dict[str, FloatArray]:
    """Name and [T] values of each column of numbers."""
    columns = {
        "import_price_per_kwh": result.import_price_per_kwh,
        "export_price_per_kwh": result.export_price_per_kwh,
        "load_kw": result.load_kw,
        "solar_kw": result.solar_kw,
        "connected": result.connected,
    }
    for strategy in result.strategies:
        columns |= {
            f"{strategy.name}_power_kw": strategy.power_kw,
            f"{strategy.name}_energy_kwh": strategy.energy_kwh[:-1],
            f"{strategy.name}_import_kw": strategy.import_kw,
            f"{strategy.name}_export_kw": strategy.export_kw,
            f"{strategy.name}_solar_used_kw": strategy.solar_used_kw,
        }
    return columns


def _rows(result: StudyResult, columns: list[FloatArray]) -> Iterator[str]:
    zone = ZoneInfo(result.time_zone)
    starts_unix_s = result.grid.starts_unix_s()
    row = f"%s,%s,{','.join([_NUMBER] * len(columns))}\n"
    for first in range(0, result.grid.step_count, _ROWS_PER_CHUNK):
        chunk = slice(first, first + _ROWS_PER_CHUNK)
        values = np.column_stack([column[chunk] for column in columns]) + 0.0  # −0 becomes 0
        all_known = bool(np.isfinite(values).all())
        for start_unix_s, numbers in zip(
            starts_unix_s[chunk].tolist(), values.tolist(), strict=True
        ):
            local = datetime.fromtimestamp(start_unix_s, zone).isoformat()
            stamp = f"{utc(start_unix_s):%Y-%m-%dT%H:%M:%SZ}"
            text = row % (stamp, local, *numbers)
            yield text if all_known else text.replace("nan", "")
