"""Reading a record of a grid's frequency: a row a reading, ``ts_utc`` and ``freq_hz``."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import Faults
from parkwatt.io.tables import ColumnKind, read_table

_FIELD: Final = "frequency"
_COLUMNS: Final[dict[str, ColumnKind]] = {"ts_utc": "time", "freq_hz": "number"}
# Between readings further apart nothing is known.
_GAP_S: Final = 60
_LEAST_HZ, _MOST_HZ = 40.0, 70.0


class FrequencyRecord(NamedTuple):
    """``frequency_hz``: [T] a value a second from ``start_unix_s`` on. ``step_s``: how far readings lay apart, at the median;
    between them it is straight. ``left_out_s``: seconds of the file beyond gaps of more than a minute.
    """

    start_unix_s: int
    frequency_hz: NDArray[np.float64]
    step_s: float
    left_out_s: int


def read_frequency(path: Path, faults: Faults) -> FrequencyRecord | None:
    """The longest part of the CSV or Parquet file at ``path`` that has no gap of more than a minute; None after a fault."""
    table = read_table(path, _COLUMNS, faults, field=_FIELD, time_zone=ZoneInfo("UTC"))
    if table is None:
        return None
    order = np.argsort(table["ts_utc"], kind="stable")
    at_s, hz = table["ts_utc"][order], table["freq_hz"][order].astype(float)
    known = ~np.isnan(hz)
    at_s, hz = at_s[known], hz[known]
    if len(at_s) < 2:
        faults.add(_FIELD, f"{path.name} must have at least two readings", len(at_s))
        return None
    wrong = (hz < _LEAST_HZ) | (hz > _MOST_HZ)
    if wrong.any():
        rule = f"{path.name}, column freq_hz must be from {_LEAST_HZ:g} to {_MOST_HZ:g} Hz"
        faults.add(_FIELD, rule, float(hz[wrong][0]))
        return None
    if (np.diff(at_s) <= 0).any():
        faults.add(
            _FIELD,
            f"{path.name} must have one reading a time",
            int(at_s[1:][np.diff(at_s) <= 0][0]),
        )
        return None
    edges = np.flatnonzero(np.diff(at_s) > _GAP_S) + 1
    parts = list(zip([0, *edges.tolist()], [*edges.tolist(), len(at_s)], strict=True))
    begin, end = max(parts, key=lambda part: int(at_s[part[1] - 1] - at_s[part[0]]))
    start, last = int(at_s[begin]), int(at_s[end - 1])
    seconds = np.arange(start, last + 1, dtype=float)
    left_out = int(at_s[-1] - at_s[0]) - (last - start)
    return FrequencyRecord(
        start,
        np.interp(seconds, at_s[begin:end].astype(float), hz[begin:end]),
        float(np.median(np.diff(at_s))),
        left_out,
    )
