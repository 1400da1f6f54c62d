"""The periods of a time-of-use price in TOML: when, in a few words.

[[tariff.import.periods]]
price_per_kwh = 0.42
months = "jun-sep"             or "6-9", "11-2", "dec,jan"; absent: all
dates = "06-15..09-30"         month-day, both included, may cross new year; not beside months
days = "mon-fri"               or "sat,sun"; absent: all
holidays = false               true: only on holidays; false: never on them; absent: either way
from = "16:00"                 local time; absent: 00:00
to = "21:00"                   absent: 24:00; earlier than from: across midnight
"""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from parkwatt.domain.calendar import DAY_S
from parkwatt.domain.record import Record
from parkwatt.domain.tariff import PricePeriod, TimeOfUsePrice, YearSpan

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY_NAMES = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
_CLOCK = re.compile(r"([0-9]{2}):([0-9]{2})")
_DATES = re.compile(r"([0-9]{2})-([0-9]{2})\.\.([0-9]{2})-([0-9]{2})")


def read_periods(
    record: Record, time_zone: ZoneInfo, holidays: frozenset[int]
) -> TimeOfUsePrice | None:
    """The time-of-use price of ``periods`` and ``otherwise_per_kwh``, None where there are none."""
    faults_before = len(record.faults.found)
    periods = tuple(_read_period(item, bool(holidays)) for item in record.records("periods"))
    otherwise = record.optional_number("otherwise_per_kwh")
    if not periods:
        if record.has("periods"):
            record.fault("periods", "must hold at least one period")
        elif otherwise is not None:
            record.fault("otherwise_per_kwh", "has no meaning without periods")
        return None
    price = TimeOfUsePrice(periods, time_zone, otherwise, holidays)
    if len(record.faults.found) == faults_before:
        _tell_uncovered(record, price)
    return price


def _tell_uncovered(record: Record, price: TimeOfUsePrice) -> None:
    gap = price.uncovered()
    if gap is None:
        return
    day = f"a {_WEEKDAY_NAMES[gap.weekday]}" + (" and holiday" if gap.is_holiday else "")
    date = f"{gap.month_day // 100:02d}-{gap.month_day % 100:02d}"
    span = f"from {_clock_text(gap.from_s)} to {_clock_text(gap.to_s)}"
    record.fault(
        "periods",
        f"must cover every hour, or otherwise_per_kwh be given; none applies if {date} is {day}, "
        f"{span}",
    )


def _read_period(record: Record, has_holidays: bool) -> PricePeriod:
    holidays = record.boolean("holidays", False) if record.has("holidays") else None
    if holidays is not None and not has_holidays:
        record.fault("holidays", "needs tariff.holidays or tariff.holiday_dates")
    from_s = read_clock(record, "from", "00:00")
    to_s = read_clock(record, "to", "24:00")
    if from_s == DAY_S:
        record.fault("from", "must be before 24:00", "24:00")
    elif from_s == to_s:
        record.fault("to", "must differ from from (leave both out for the whole day)")
    period = PricePeriod(
        price_per_kwh=record.number("price_per_kwh"),
        year_spans=_months(record) + _date_spans(record),
        weekdays=frozenset(_ranges(record, "days", _WEEKDAYS)),
        holidays=holidays,
        from_s=from_s,
        to_s=to_s,
    )
    if record.has("months") and record.has("dates"):
        record.fault("dates", "must not stand beside months")
    record.finish()
    return period


def _months(record: Record) -> tuple[YearSpan, ...]:
    if not record.has("months"):
        return ()
    months = _ranges(record, "months", _MONTHS)
    return tuple(YearSpan(month * 100 + 101, month * 100 + 131) for month in sorted(months))


def _date_spans(record: Record) -> tuple[YearSpan, ...]:
    spans = []
    for part in (record.optional_text("dates") or "").split(","):
        match = _DATES.fullmatch(part.strip())
        if match:
            first_month, first_day, last_month, last_day = map(int, match.groups())
            if _is_day(first_month, first_day) and _is_day(last_month, last_day):
                spans.append(YearSpan(first_month * 100 + first_day, last_month * 100 + last_day))
                continue
        if part.strip():
            record.fault("dates", "must be spans of month-day such as 06-15..09-30", part.strip())
    return tuple(spans)


def _is_day(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= _MONTH_DAYS[month - 1]


def _ranges(record: Record, name: str, words: tuple[str, ...]) -> set[int]:
    """Indices in ``words`` of a text such as "mon-wed,fri"; all where absent; months count from 1."""
    text = record.optional_text(name)
    if text is None:
        return set(range(len(words)))
    result: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        ends = [_index(word, words) for word in part.split("-")]
        if len(ends) > 2 or None in ends:
            example = f"{words[0]}-{words[4]},{words[5]}"
            record.fault(name, f"must be names and spans such as {example}", text)
            return set()
        first, last = ends[0] or 0, ends[-1] or 0
        result.update((first + k) % len(words) for k in range((last - first) % len(words) + 1))
    return result


def _index(word: str, words: tuple[str, ...]) -> int | None:
    if word in words:
        return words.index(word)
    if word.isdecimal() and len(word) <= 2 and words is _MONTHS and 1 <= int(word) <= 12:
        return int(word) - 1
    return None


def read_clock(record: Record, name: str, default: str) -> int:
    """Seconds since midnight of a text such as 16:30 (at most 24:00); 0 after a fault."""
    text = record.text(name, default)
    match = _CLOCK.fullmatch(text)
    if match:
        hour, minute = map(int, match.groups())
        if minute < 60 and hour * 60 + minute <= 1440:
            return hour * 3600 + minute * 60
    if text.strip():
        record.fault(name, "must be a local time such as 07:30, at most 24:00", text)
    return 0


def _clock_text(second_of_day: int) -> str:
    return f"{second_of_day // 3600:02d}:{second_of_day % 3600 // 60:02d}"
