"""Calendar months of a grid in local time: demand charges and bills are by month."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.series import TimeGrid, unix_s, utc


def month_starts(grid: TimeGrid, time_zone: ZoneInfo) -> NDArray[np.int64]:
    """Rising steps at which a calendar month begins; the first is 0, for the month in which the grid begins."""
    starts = [0]
    local = utc(grid.start_unix_s).astimezone(time_zone)
    year, month = local.year, local.month
    while True:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        begins = unix_s(datetime(year, month, 1, tzinfo=time_zone))
        step = -((grid.start_unix_s - begins) // grid.step_s)
        if step >= grid.step_count:
            return np.array(starts, dtype=np.int64)
        starts.append(step)


def month_name(grid: TimeGrid, time_zone: ZoneInfo, step: int) -> str:
    """2024-03 for the month that holds the step."""
    time = utc(grid.start_unix_s + step * grid.step_s).astimezone(time_zone)
    return time.strftime("%Y-%m")
