"""Local time in whole arrays: offset, day, time of day and kind of day of many UTC instants at once.

A time zone's offset from UTC is a step function of time. Its steps are found once per zone (weekly samples from 1970 to
2100, bisected to the second where two neighbours differ) and kept; after that an array of instants costs one binary
search each. Days of 23 and 25 hours follow by themselves: an hour that is skipped is never produced, one that is
repeated is produced twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.series import TimeArray

DAY_S: Final = 86_400
HOUR_S: Final = 3_600

WEEKDAY: Final = 0
SATURDAY: Final = 1
SUNDAY: Final = 2
KIND_COUNT: Final = 3

_FIRST_UNIX_S: Final = 0
_LAST_UNIX_S: Final = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
_THURSDAY: Final = 3  # 1970-01-01


@lru_cache(maxsize=64)
def _offset_steps(time_zone: str) -> tuple[TimeArray, TimeArray]:
    """([K] instants at which the offset changes, [K+1] the offsets before, between and after them), seconds."""
    zone = ZoneInfo(time_zone)

    def offset(time_unix_s: int) -> int:
        delta = datetime.fromtimestamp(time_unix_s, zone).utcoffset()
        return 0 if delta is None else int(delta.total_seconds())

    changes: list[int] = []
    offsets = [offset(_FIRST_UNIX_S)]
    before = _FIRST_UNIX_S
    for after in range(_FIRST_UNIX_S + 7 * DAY_S, _LAST_UNIX_S, 7 * DAY_S):
        if offset(after) != offsets[-1]:
            low, high = before, after
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
            changes.append(high)
            offsets.append(offset(after))
        before = after
    return np.array(changes, dtype=np.int64), np.array(offsets, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class LocalClock:
    """The wall clock and calendar of one place.

    Local seconds count from 1970-01-01 00:00 on the wall clock; a local day is its number since 1970-01-01.
    """

    changes_unix_s: TimeArray
    offsets_s: TimeArray
    holidays: TimeArray

    @classmethod
    def of(cls, time_zone: str, holidays: Iterable[date] = ()) -> LocalClock:
        """The clock of an IANA zone ("Europe/Oslo"); ``holidays`` count as Sundays.

        Raises ValueError where the zone is not known.
        """
        try:
            changes, offsets = _offset_steps(time_zone)
        except (OSError, LookupError, ValueError) as error:
            raise ValueError(f"time_zone must be an IANA time zone, got {time_zone!r}") from error
        epoch = date(1970, 1, 1).toordinal()
        days = np.array(sorted(day.toordinal() - epoch for day in holidays), dtype=np.int64)
        return cls(changes, offsets, days)

    def offset_s(self, times_unix_s: TimeArray) -> TimeArray:
        """[N] local minus UTC, seconds."""
        return self.offsets_s[np.searchsorted(self.changes_unix_s, times_unix_s, side="right")]

    def local_s(self, times_unix_s: TimeArray) -> TimeArray:
        """[N] seconds on the local wall clock since 1970-01-01 00:00."""
        return times_unix_s + self.offset_s(times_unix_s)

    def scalar_local_s(self, time_unix_s: int) -> int:
        """`local_s` of one instant."""
        index = self.changes_unix_s.searchsorted(time_unix_s, side="right")
        return time_unix_s + int(self.offsets_s[index])

    def unix_s(self, local_s: int) -> int:
        """The UTC instant of a local time; the first of two, and a skipped time counts on from before the gap."""
        guess = local_s - int(
            self.offsets_s[self.changes_unix_s.searchsorted(local_s - 14 * HOUR_S)]
        )
        before = int(self.offsets_s[self.changes_unix_s.searchsorted(guess - DAY_S, side="right")])
        first = local_s - before
        after = int(self.offsets_s[self.changes_unix_s.searchsorted(first, side="right")])
        if after == before or self.scalar_local_s(local_s - after) != local_s:
            return first
        return local_s - after

    def kind_of_day(self, days: TimeArray) -> NDArray[np.int64]:
        """[N] `WEEKDAY`, `SATURDAY` or `SUNDAY` (also a holiday) of each local day."""
        weekdays = (days + _THURSDAY) % 7
        kinds = np.maximum(weekdays - 4, 0)
        if self.holidays.size:
            kinds[np.isin(days, self.holidays)] = SUNDAY
        return kinds


def weekday(days: TimeArray) -> NDArray[np.int64]:
    """[N] 0 = Monday … 6 = Sunday of each local day."""
    return (days + _THURSDAY) % 7
