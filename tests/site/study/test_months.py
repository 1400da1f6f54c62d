"""Months in local time: on days of 23 and 25 hours, across new year, and where the grid begins within one."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from parkwatt.domain.series import TimeGrid, unix_s
from parkwatt.site.study.months import month_name, month_starts

_ZONE = ZoneInfo("Europe/Amsterdam")


def _grid(start: datetime, end: datetime, step_s: int) -> TimeGrid:
    start_s, end_s = (unix_s(time.replace(tzinfo=_ZONE)) for time in (start, end))
    return TimeGrid(start_s, step_s, (end_s - start_s) // step_s)


@pytest.mark.parametrize("step_s", [900, 3600])
def test_months_of_a_year_with_its_short_and_long_day(step_s: int) -> None:
    grid = _grid(datetime(2024, 1, 1), datetime(2025, 1, 1), step_s)  # noqa: DTZ001
    starts = month_starts(grid, _ZONE).tolist()
    hours = [
        (end - begin) * step_s / 3600
        for begin, end in zip(starts, [*starts[1:], grid.step_count], strict=True)
    ]
    days = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    clock = [0, 0, -1, 0, 0, 0, 0, 0, 0, 1, 0, 0]
    assert hours == [24 * day + change for day, change in zip(days, clock, strict=True)]
    assert [month_name(grid, _ZONE, step) for step in starts] == [
        f"2024-{m:02d}" for m in range(1, 13)
    ]


def test_a_grid_that_begins_within_a_month_and_goes_over_new_year() -> None:
    grid = _grid(datetime(2023, 12, 30, 5), datetime(2024, 1, 3), 3600)  # noqa: DTZ001
    assert month_starts(grid, _ZONE).tolist() == [0, 43]
    assert [month_name(grid, _ZONE, step) for step in (0, 42, 43)] == [
        "2023-12",
        "2023-12",
        "2024-01",
    ]


def test_a_span_within_one_month() -> None:
    grid = _grid(datetime(2024, 2, 10), datetime(2024, 3, 1), 3600)  # noqa: DTZ001
    assert month_starts(grid, _ZONE).tolist() == [0]
