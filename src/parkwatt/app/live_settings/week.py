"""When a driver wants the car ready on each day of the week: `ready_by = { weekdays = "07:30", friday = "never" }`."""

from __future__ import annotations

from typing import Final

from parkwatt.domain.record import Record
from parkwatt.io.tariff_periods import read_clock

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# The more days a word names, the less it counts against another.
_GROUPS: Final = {"every_day": range(7), "weekdays": range(5), "weekend": range(5, 7)}
_NEVER: Final = "never"


def read_week(record: Record) -> tuple[int | None, ...]:
    """Seconds after local midnight for Monday to Sunday, None where nothing is asked, of the table ``record``."""
    times: list[int | None] = [None] * len(DAYS)
    for name, days in _GROUPS.items():
        if record.has(name):
            time_s = _read_time(record, name)
            for day in days:
                times[day] = time_s
    for day, name in enumerate(DAYS):
        if record.has(name):
            times[day] = _read_time(record, name)
    _known(record)
    record.finish()
    return tuple(times)


def _read_time(record: Record, name: str) -> int | None:
    return None if record.value(name) == _NEVER else read_clock(record, name, _NEVER)


def _known(record: Record) -> None:
    """All names are known, also those that were not there to be read."""
    for name in (*_GROUPS, *DAYS):
        record.value(name)
