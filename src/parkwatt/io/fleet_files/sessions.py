"""Reading recorded charging sessions: one row a session, who, from when to when, and how much."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import Faults, FloatArray
from parkwatt.io.tables import ColumnKind, read_table

_FIELD: Final = "sessions"
_COLUMNS: Final[dict[str, ColumnKind]] = {
    "user_id": "text",
    "plugin_utc": "time",
    "plugout_utc": "optional_time",
    "energy_kwh": "number",
}
_MINUTES_LEAST: Final = 15
# 1970-01-01 was a Thursday: days are counted from the Monday before.
_DAYS_SINCE_MONDAY: Final = 3


class SessionRows(NamedTuple):
    """K sessions, each array [K]: ``user`` (0, 1, …), local ``day`` (days since a Monday), ``minute`` of that day, ``minutes``
    plugged in, ``energy_kwh``. ``left_out``: rows without an end or energy, or shorter than a quarter of an hour.
    """

    user: NDArray[np.int64]
    day: NDArray[np.int64]
    minute: NDArray[np.int64]
    minutes: NDArray[np.int64]
    energy_kwh: FloatArray
    left_out: int


def read_sessions(path: Path, zone: ZoneInfo, faults: Faults) -> SessionRows | None:
    """The sessions by the clock of ``zone``; None after a fault. A time without a zone is UTC."""
    table = read_table(path, _COLUMNS, faults, field=_FIELD, time_zone=ZoneInfo("UTC"))
    if table is None:
        return None
    begins, ends, energy_kwh = table["plugin_utc"], table["plugout_utc"], table["energy_kwh"]
    minutes = (ends - begins) / 60.0
    keep = (minutes >= _MINUTES_LEAST) & (energy_kwh > 0.0)
    if not keep.any():
        faults.add(_FIELD, f"{path.name} must have a session with an end and energy")
        return None
    local = np.array([_local_minute(one, zone) for one in begins[keep].tolist()], dtype=np.int64)
    _, user = np.unique(table["user_id"][keep].astype(str), return_inverse=True)
    return SessionRows(
        np.asarray(user, dtype=np.int64),
        local // 1440 + _DAYS_SINCE_MONDAY,
        local % 1440,
        minutes[keep].astype(np.int64),
        energy_kwh[keep],
        int((~keep).sum()),
    )


def _local_minute(unix_s: int, zone: ZoneInfo) -> int:
    """Minutes since 1970 that the local clock shows."""
    local = datetime.fromtimestamp(unix_s, zone)
    return int(local.replace(tzinfo=UTC).timestamp()) // 60
