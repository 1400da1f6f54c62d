"""Which days a study spans: those that load, sun, prices and sessions cover, or the part of them that was asked for."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.app.study.sessions import Sessions
from parkwatt.app.study.settings import StudySettings
from parkwatt.domain.record import Faults
from parkwatt.domain.series import IntervalSeries, TimeGrid, unix_s, utc
from parkwatt.domain.tariff import Tariff

# Ten years of five minutes; each strategy keeps a few numbers for every step.
_STEPS_MAX = 1_100_000
_COVER = "load, sun, prices and sessions cover"


def study_grid(
    settings: StudySettings,
    load: IntervalSeries,
    solar: dict[str, IntervalSeries],
    sessions: Sessions,
    faults: Faults,
) -> TimeGrid | None:
    """The grid over whole local days that all data cover; None after a fault.

    Where ``start`` or ``end`` is asked for, the days of the first arrival and the last departure may belong to the span too.
    """
    zone = settings.tariff.time_zone
    known = np.isfinite(load.values)
    if not known.any():
        faults.add("load", "must hold at least one known value")
        return None
    first_s, last_s = int(load.start_unix_s[known][0]), int(load.end_unix_s[known][-1])
    for series in solar.values():
        first_s = max(first_s, int(series.start_unix_s[0]))
        last_s = min(last_s, int(series.end_unix_s[-1]))
    measured_s = first_s, last_s
    first_s, last_s = _within_prices(settings.tariff, first_s, last_s)
    arrived_s, left_s = sessions.first_unix_s, sessions.last_unix_s
    first = _first_whole_day(max(first_s, arrived_s), zone)
    after = _local_date(min(last_s, left_s), zone)
    span = settings.span
    if span.start is not None:
        first = max(_first_whole_day(first_s, zone), _local_date(arrived_s, zone))
    if span.end is not None:
        after = min(_local_date(last_s, zone), _local_date(left_s - 1, zone) + timedelta(days=1))
    if first >= after:
        rule = (
            f"needs at least one whole local day that {_COVER}; load and sun are {_known(*measured_s)}, "
            f"prices in that time {_known(first_s, last_s)}, sessions {_known(arrived_s, left_s)}"
        )
        faults.add("study", rule)
        return None
    start, end = span.start or first, span.end or after
    if start < first:
        faults.add(
            "study.start", f"must be at least {first}, the first whole day that {_COVER}", start
        )
    if end > after:
        faults.add(
            "study.end", f"must be at most {after}, the day after the last that {_COVER}", end
        )
    if span.end is None and start >= after:
        faults.add("study.start", f"must be before {after}, where the data end", start)
    if span.start is None and end <= first:
        faults.add("study.end", f"must be after {first}, where the data begin", end)
    if faults.found:
        return None
    return _grid(_midnight_s(start, zone), _midnight_s(end, zone), span.step_s, faults)


def _grid(start_s: int, end_s: int, step_s: int, faults: Faults) -> TimeGrid | None:
    step_count = (end_s - start_s) // step_s
    if step_count > _STEPS_MAX:
        rule = f"must span at most {_STEPS_MAX} steps (see start, end and step_minutes)"
        faults.add("study", rule, step_count)
        return None
    return TimeGrid(start_s, step_s, step_count)


def _within_prices(tariff: Tariff, first_s: int, last_s: int) -> tuple[int, int]:
    """The part of a span in which both prices are known, from the first to the last known hour."""
    if last_s <= first_s:
        return first_s, last_s
    full_hour_s = first_s - first_s % 3600
    hours = TimeGrid(full_hour_s, 3600, -((full_hour_s - last_s) // 3600))
    known = np.isfinite(tariff.import_price_on(hours))
    known &= np.isfinite(tariff.export_price_on(hours))
    if not known.any():
        return first_s, first_s
    at = np.flatnonzero(known)
    first_known_s = full_hour_s + int(at[0]) * 3600
    return max(first_known_s, first_s), min(full_hour_s + (int(at[-1]) + 1) * 3600, last_s)


def _known(first_s: int, last_s: int) -> str:
    if last_s <= first_s:
        return "never known"
    return f"known from {utc(first_s):%Y-%m-%d %H:%M} to {utc(last_s):%Y-%m-%d %H:%M} UTC"


def _midnight_s(day: date, zone: ZoneInfo) -> int:
    return unix_s(datetime.combine(day, time(), tzinfo=zone))


def _local_date(time_s: int, zone: ZoneInfo) -> date:
    return utc(time_s).astimezone(zone).date()


def _first_whole_day(time_s: int, zone: ZoneInfo) -> date:
    day = _local_date(time_s, zone)
    return day if _midnight_s(day, zone) == time_s else day + timedelta(days=1)
