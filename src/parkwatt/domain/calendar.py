"""Local clocks of whole arrays of times, right on days of 23 and 25 hours.

A time zone is a step function: its UTC offset changes a few times a year. So the offsets of a
million times cost a handful of look-ups: sample the zone once a day, close in on each change by
bisection, and read the rest from that table. (Two changes within one day would be missed; no zone
has had that.)

Local times are counted like Unix times, in seconds since 1970-01-01 00:00 on the local clock
(``*_local_s``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.series import TimeArray

DAY_S = 86_400
_DAY_OF_1970 = date(1970, 1, 1).toordinal()
_WEEKDAY_OF_1970 = 3  # a Thursday; Monday is 0


@dataclass(frozen=True, slots=True, eq=False)
class LocalClock:
    """What the local calendar and clock show at N times.

    ``day``: [N] days since 1970-01-01 of the local date. ``second_of_day``: [N] the clock's
    reading, 0 … 86 399.
    """

    day: TimeArray
    second_of_day: TimeArray

    @property
    def weekday(self) -> TimeArray:
        """[N] 0 is Monday, 6 is Sunday."""
        weekday: TimeArray = (self.day + _WEEKDAY_OF_1970) % 7
        return weekday

    @property
    def month(self) -> NDArray[np.datetime64]:
        """[N] the calendar month; as a text 2024-03."""
        return self.day.astype("datetime64[D]").astype("datetime64[M]")

    @property
    def month_day(self) -> TimeArray:
        """[N] month × 100 + day of the month: 229 is 29 February."""
        return month_day_of(self.day)


def month_day_of(day: TimeArray) -> TimeArray:
    """[N] month × 100 + day of the month, of days since 1970-01-01."""
    days = day.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    day_of_month = (days - months).astype(np.int64) + 1
    result: TimeArray = (months.astype(np.int64) % 12 + 1) * 100 + day_of_month
    return result


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _DAY_OF_1970


@dataclass(frozen=True, slots=True, eq=False)
class ZoneOffsets:
    """The UTC offsets of one zone over a span: ``offset_s[k]`` holds from ``from_unix_s[k]`` to
    the next.

    The first also holds for all times before, the last for all after.
    """

    from_unix_s: TimeArray
    offset_s: TimeArray

    def at(self, time_unix_s: TimeArray) -> TimeArray:
        """[N] the offset in seconds at each time: local = UTC + offset."""
        index = np.searchsorted(self.from_unix_s, time_unix_s, side="right") - 1
        return self.offset_s[np.maximum(index, 0)]


def zone_offsets(zone: ZoneInfo, from_unix_s: int, to_unix_s: int) -> ZoneOffsets:
    """The offsets that hold in ``zone`` somewhere in [from, to]; times between the years 2 and
    9998.
    """
    starts, offsets = [from_unix_s], [_offset_s(from_unix_s, zone)]
    for sample in [*range(from_unix_s + DAY_S, to_unix_s, DAY_S), to_unix_s]:
        offset = _offset_s(sample, zone)
        if offset == offsets[-1]:
            continue
        before, after = max(starts[-1], sample - DAY_S), sample
        while after - before > 1:
            middle = (before + after) // 2
            if _offset_s(middle, zone) == offset:
                after = middle
            else:
                before = middle
        starts.append(after)
        offsets.append(offset)
    return ZoneOffsets(np.array(starts, dtype=np.int64), np.array(offsets, dtype=np.int64))


def _offset_s(time_unix_s: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(time_unix_s, tz=zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def local_clock(time_unix_s: TimeArray, zone: ZoneInfo) -> LocalClock:
    """The local date and clock at each of N times (in any order)."""
    if not len(time_unix_s):
        nothing = np.zeros(0, dtype=np.int64)
        return LocalClock(nothing, nothing)
    offsets = zone_offsets(zone, int(time_unix_s.min()), int(time_unix_s.max()))
    day, second_of_day = np.divmod(time_unix_s + offsets.at(time_unix_s), DAY_S)
    return LocalClock(day, second_of_day)


def clock_change_times_unix_s(
    from_unix_s: int, to_unix_s: int, seconds_of_day: tuple[int, ...], zone: ZoneInfo
) -> TimeArray:
    """All times in (from, to) at which the local clock comes to one of ``seconds_of_day`` or is
    put forward or back.

    Between two of them the clock runs on without reaching any of the readings. A reading that the
    clock skips is passed at the change itself; one that it shows twice occurs twice.
    """
    offsets = zone_offsets(zone, from_unix_s, to_unix_s)
    pieces = [offsets.from_unix_s]
    spans = zip(
        offsets.from_unix_s, [*offsets.from_unix_s[1:], to_unix_s], offsets.offset_s, strict=True
    )
    for start, end, offset in spans:
        days = np.arange((start + offset) // DAY_S, (end + offset) // DAY_S + 1, dtype=np.int64)
        readings = np.array(seconds_of_day, dtype=np.int64)
        times = (days[:, None] * DAY_S + readings[None, :]).ravel() - offset
        pieces.append(times[(times >= start) & (times < end)])
    times = np.unique(np.concatenate(pieces))
    return times[(times > from_unix_s) & (times < to_unix_s)]


def local_time_unix_s(day: int, second_of_day: int, zone: ZoneInfo) -> int:
    """When the local clock shows ``second_of_day`` (≤ 86 400) on ``day``.

    The first time where it shows it twice; where it skips it, as if the clock had not been put
    forward.
    """
    day, second_of_day = day + second_of_day // DAY_S, second_of_day % DAY_S
    midnight = date.fromordinal(day + _DAY_OF_1970)
    hour, second_of_hour = divmod(second_of_day, 3600)
    local = datetime(
        midnight.year,
        midnight.month,
        midnight.day,
        hour,
        *divmod(second_of_hour, 60),
        tzinfo=zone,
    )
    return int(local.astimezone(UTC).timestamp())


@dataclass(frozen=True, slots=True, eq=False)
class LocalReadings:
    """What UTC times N readings of a local clock may mean.

    ``first_unix_s``, ``second_unix_s``: [N] equal, but for readings that the clock shows twice
    (one hour in autumn). ``exists``: [N] False where the clock skips the reading (one hour in
    spring).
    """

    first_unix_s: TimeArray
    second_unix_s: TimeArray
    exists: NDArray[np.bool_]


def read_local(time_local_s: TimeArray, zone: ZoneInfo) -> LocalReadings:
    """What UTC times the local readings may mean (N ≥ 0, in any order).

    A reading is taken with the offset of a day before and of a day after, and each is kept if it
    leads back to the reading: both do on an ordinary day (to the same time) and in the repeated
    hour, neither in the skipped one.
    """
    if not len(time_local_s):
        nothing = np.zeros(0, dtype=np.int64)
        return LocalReadings(nothing, nothing, np.zeros(0, dtype=np.bool_))
    margin_s = 3 * DAY_S
    offsets = zone_offsets(
        zone, int(time_local_s.min()) - margin_s, int(time_local_s.max()) + margin_s
    )
    before = offsets.at(time_local_s - DAY_S)
    after = offsets.at(time_local_s + DAY_S)
    by_before, by_after = time_local_s - before, time_local_s - after
    before_holds = offsets.at(by_before) == before
    after_holds = offsets.at(by_after) == after
    return LocalReadings(
        np.where(before_holds, by_before, by_after),
        np.where(after_holds, by_after, by_before),
        before_holds | after_holds,
    )
