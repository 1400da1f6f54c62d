"""Times in tables: from what a file holds to seconds since 1970 UTC.

A stamp with an offset (or a Parquet time with a zone) says itself when it is. A stamp without one
is the reading of a local clock, and the table's ``time_zone`` says of which. Once a year such a
clock shows an hour twice: in a series the first pass comes first in the file, so the second begins
where the readings do not go on rising. Once a year it skips an hour: a reading in it is a fault.

Exports that stamp the *end* of an interval do not agree on what the last interval of the first
pass ends at: the reading just before the clock is put back (03:00) or the one just after (02:00).
Both are tried, and the one that keeps the series in order is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.calendar import DAY_S, read_local
from parkwatt.domain.series import TimeArray
from parkwatt.io.raw_table import CellFaults, RawColumn, StampColumn, TextColumn

_EPOCH_DAY = datetime(1970, 1, 1).toordinal()  # noqa: DTZ001 - a date only
_EARLIEST_S = -2_208_988_800  # 1900
_LATEST_S = 7_258_118_400  # 2200


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """``seconds``: [N] since 1970, UTC where ``aware`` [N], else on a local clock. ``missing``:
    [N] no stamp.
    """

    seconds: TimeArray
    aware: NDArray[np.bool_]
    missing: NDArray[np.bool_]


def stamps_of(
    column: RawColumn, time_format: str | None, time_zone: ZoneInfo | None, cell_faults: CellFaults
) -> Stamps:
    """The stamps of a column, with a fault for each that is no time, out of 1900 … 2200, or of an
    unknown zone.
    """
    if isinstance(column, StampColumn):
        aware = np.full(len(column.seconds), column.aware)
        stamps = Stamps(column.seconds, aware, column.missing)
    elif isinstance(column, TextColumn):
        stamps = _parsed(column.cells, time_format, cell_faults)
    else:
        cell_faults.add(0, "must be a time, not a number")
        nothing = np.zeros(len(column.values), dtype=np.int64)
        return Stamps(nothing, nothing == 0, nothing == 1)
    outside = (stamps.seconds < _EARLIEST_S) | (stamps.seconds >= _LATEST_S)
    for index in np.flatnonzero(outside & ~stamps.missing):
        cell_faults.add(int(index), "must lie between the years 1900 and 2200")
    zoneless = np.flatnonzero(~stamps.aware & ~stamps.missing)
    if time_zone is None and len(zoneless) and not cell_faults.count:
        cell_faults.add(
            int(zoneless[0]),
            "has no zone (give time_zone)",
            shown(int(stamps.seconds[zoneless[0]])),
        )
    return stamps


def _parsed(cells: list[str], time_format: str | None, cell_faults: CellFaults) -> Stamps:
    parse: Callable[[str], datetime] = datetime.fromisoformat
    example = "2026-01-15T16:00:00Z"
    if time_format is not None:
        example = time_format

        def parse(cell: str) -> datetime:
            return datetime.strptime(cell, time_format)  # noqa: DTZ007 - a zone is added later

    seconds = np.zeros(len(cells), dtype=np.int64)
    aware = np.zeros(len(cells), dtype=np.bool_)
    missing = np.zeros(len(cells), dtype=np.bool_)
    for index, cell in enumerate(cells):
        text = cell.strip()
        if not text:
            missing[index] = True
            continue
        try:
            time = parse(text)
        except ValueError:
            cell_faults.add(index, f"must be a time such as {example}", cell)
            continue
        day = time.toordinal() - _EPOCH_DAY
        second = day * DAY_S + time.hour * 3600 + time.minute * 60 + time.second
        offset = time.utcoffset()
        if offset is not None:
            aware[index] = True
            second -= offset.days * DAY_S + offset.seconds
        seconds[index] = second
    return Stamps(seconds, aware, missing)


def unix_of(stamps: Stamps, time_zone: ZoneInfo | None, cell_faults: CellFaults) -> TimeArray:
    """[N] UTC of stamps that need not be in order; a reading that the clock shows twice is taken
    as the first.
    """
    naive = ~stamps.aware & ~stamps.missing
    result = stamps.seconds.copy()
    if time_zone is not None and naive.any():
        readings = read_local(stamps.seconds[naive], time_zone)
        result[naive] = readings.first_unix_s
        _tell_skipped(np.flatnonzero(naive)[~readings.exists], stamps, time_zone, cell_faults)
    return result


def unix_of_series(
    stamps: Stamps, time_zone: ZoneInfo | None, *, mark_ends: bool, cell_faults: CellFaults
) -> TimeArray:
    """[N] UTC of stamps that should rise (see the module's text); those that do not are faults."""
    for index in np.flatnonzero(stamps.missing):
        cell_faults.add(int(index), "must not be empty")
    if time_zone is None or stamps.aware.any():
        result = unix_of(stamps, time_zone, cell_faults)
    else:
        attempts = [_in_file_order(stamps.seconds, time_zone)]
        if mark_ends:
            just_before, skipped = _in_file_order(stamps.seconds - 1, time_zone)
            attempts.append((just_before + 1, skipped))
        result, skipped = min(
            attempts, key=lambda attempt: len(attempt[1]) + np.sum(np.diff(attempt[0]) <= 0)
        )
        _tell_skipped(skipped, stamps, time_zone, cell_faults)
    if not cell_faults.count:
        for index in np.flatnonzero(np.diff(result) <= 0) + 1:
            word = "twice" if result[index] == result[index - 1] else "after a later one"
            time = shown(int(stamps.seconds[index]))
            cell_faults.add(int(index), f"must rise from row to row; this one comes {word}", time)
    return result


def _in_file_order(local_s: TimeArray, time_zone: ZoneInfo) -> tuple[TimeArray, TimeArray]:
    """UTC of local readings, second passes where they stop rising; and the indices of skipped
    readings.
    """
    readings = read_local(local_s, time_zone)
    result = readings.first_unix_s.copy()
    twice = np.flatnonzero(readings.first_unix_s != readings.second_unix_s)
    if len(twice):
        apart = (np.diff(twice) > 1) | (np.abs(np.diff(local_s[twice])) > DAY_S)
        for run in np.split(twice, np.flatnonzero(apart) + 1):
            back = np.flatnonzero(np.diff(local_s[run]) <= 0)
            if len(back):
                second_pass = run[back[0] + 1 :]
                result[second_pass] = readings.second_unix_s[second_pass]
    return result, np.flatnonzero(~readings.exists)


def _tell_skipped(
    skipped: TimeArray, stamps: Stamps, time_zone: ZoneInfo, cell_faults: CellFaults
) -> None:
    for index in skipped:
        rule = f"does not exist in {time_zone.key}, where the clock skips it"
        cell_faults.add(int(index), rule, shown(int(stamps.seconds[index])))


def shown(seconds: int) -> str:
    """Seconds since 1970 as a date and a time."""
    return str(np.datetime64(seconds, "s")).replace("T", " ")
