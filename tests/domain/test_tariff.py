"""Prices over time: laws of the sum and the mean, days of 23 and 25 hours, and when prices are published."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.calendar import day_number
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import IntervalSeries, TimeArray, TimeGrid, unix_s
from parkwatt.domain.tariff import (
    DayAheadPublication,
    DemandCharge,
    FlatPrice,
    Price,
    PricePeriod,
    SeriesPrice,
    ShareOfPrice,
    Tariff,
    TimeOfUsePrice,
    YearSpan,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
ZONES = [AMSTERDAM, ZoneInfo("America/Los_Angeles"), ZoneInfo("Australia/Lord_Howe")]
zones = st.sampled_from(ZONES)
prices = st.floats(-1, 1)
seconds_of_day = st.integers(0, 95).map(lambda quarter: quarter * 900)


def local(zone: ZoneInfo, *parts: int) -> int:
    """Unix seconds of a local time."""
    return unix_s(datetime(*parts, tzinfo=zone))  # type: ignore[arg-type, misc]


@st.composite
def periods(draw: st.DrawFn) -> PricePeriod:
    from_s, to_s = draw(st.lists(seconds_of_day, min_size=2, max_size=2, unique=True))
    days = st.integers(1, 12).flatmap(lambda m: st.integers(1, 28).map(lambda d: m * 100 + d))
    return PricePeriod(
        draw(prices),
        tuple(draw(st.lists(st.builds(YearSpan, days, days), max_size=2))),
        frozenset(draw(st.sets(st.integers(0, 6), min_size=1))),
        draw(st.sampled_from([None, True, False])),
        from_s,
        to_s,
    )


@st.composite
def time_of_use_prices(draw: st.DrawFn) -> TimeOfUsePrice:
    holidays = draw(st.frozensets(st.integers(19_700, 19_760), max_size=10))
    chosen = tuple(draw(st.lists(periods(), min_size=1, max_size=4)))
    return TimeOfUsePrice(chosen, draw(zones), draw(prices), holidays)


# 2023-12-09 to 2024-04-07 holds the changes to summer time and, in the south, from it.
starts_unix_s = st.integers(19_700 * 96, 19_820 * 96).map(lambda quarter: quarter * 900)


def by_hand(price: TimeOfUsePrice, time_unix_s: int) -> float | None:
    """The price at one time, by the words of the definition."""
    now = datetime.fromtimestamp(time_unix_s, tz=price.time_zone)
    month_day, second = now.month * 100 + now.day, now.hour * 3600 + now.minute * 60 + now.second
    for period in price.periods:
        in_day = (
            period.from_s <= second < period.to_s
            if period.from_s < period.to_s
            else not period.to_s <= second < period.from_s
        )
        in_year = not period.year_spans or any(
            span.first <= month_day <= span.last
            if span.first <= span.last
            else not span.last < month_day < span.first
            for span in period.year_spans
        )
        is_holiday = day_number(now.date()) in price.holidays
        on_day = now.weekday() in period.weekdays and period.holidays in (None, is_holiday)
        if in_day and in_year and on_day:
            return period.price_per_kwh
    return price.otherwise_per_kwh


@given(time_of_use_prices(), starts_unix_s)
def test_time_of_use_is_the_first_period_that_applies(price: TimeOfUsePrice, start: int) -> None:
    grid = TimeGrid(start, 900, 2 * 96)
    expected = [by_hand(price, int(time)) for time in grid.starts_unix_s()]
    np.testing.assert_array_equal(price.over(grid.edges_unix_s()), expected)


@given(
    time_of_use_prices(),
    starts_unix_s,
    st.lists(st.integers(1, 10_000), min_size=1, max_size=30),
)
def test_a_price_over_a_span_is_the_weighted_mean_of_its_parts(
    price: TimeOfUsePrice, start: int, lengths: list[int]
) -> None:
    edges = start + np.concatenate(([0], np.cumsum(np.array(lengths, dtype=np.int64))))
    whole = price.over(edges[[0, -1]])
    parts = price.over(edges)
    assert whole[0] == pytest.approx(np.average(parts, weights=lengths), abs=1e-12)


def test_a_price_that_changes_within_a_step_gives_the_step_its_mean() -> None:
    # From 16:20 to 21:05 in steps of an hour: 20 minutes of the first are cheap, 55 of the last.
    peak = PricePeriod(0.50, from_s=16 * 3600 + 1200, to_s=21 * 3600 + 300)
    price = TimeOfUsePrice((peak,), AMSTERDAM, 0.20)
    grid = TimeGrid(local(AMSTERDAM, 2024, 6, 3, 16), 3600, 6)
    expected = [0.2 / 3 + 0.5 * 2 / 3, 0.5, 0.5, 0.5, 0.5, 0.5 / 12 + 0.2 * 11 / 12]
    np.testing.assert_allclose(price.over(grid.edges_unix_s()), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("month", "day", "hours", "cheap_hours"),
    [(3, 31, 23, 5), (10, 27, 25, 7), (6, 1, 24, 6)],
)
def test_a_night_has_the_hours_that_the_clock_gives_it(
    month: int, day: int, hours: int, cheap_hours: int
) -> None:
    night = PricePeriod(1.0, from_s=0, to_s=6 * 3600)
    price = TimeOfUsePrice((night,), AMSTERDAM, 0.0)
    start = local(AMSTERDAM, 2024, month, day)
    grid = TimeGrid(start, 3600, hours)
    next_day = datetime(2024, month, day, tzinfo=AMSTERDAM) + timedelta(days=1)
    assert grid.end_unix_s == unix_s(next_day)
    assert price.over(grid.edges_unix_s()).sum() == cheap_hours


def test_holidays_and_weekdays() -> None:
    workday = PricePeriod(0.4, weekdays=frozenset(range(5)), holidays=False)
    holiday = PricePeriod(0.1, holidays=True)
    first_may = day_number(datetime(2024, 5, 1, tzinfo=UTC).date())  # a Wednesday
    price = TimeOfUsePrice((workday, holiday), AMSTERDAM, 0.2, frozenset({first_may}))
    grid = TimeGrid(local(AMSTERDAM, 2024, 4, 30), 86_400, 5)  # Tuesday to Saturday
    assert price.over(grid.edges_unix_s()).tolist() == [0.4, 0.1, 0.4, 0.4, 0.2]


def test_a_season_across_new_year_holds_both_its_ends() -> None:
    winter = PricePeriod(1.0, (YearSpan(1115, 228),))
    price = TimeOfUsePrice((winter,), ZoneInfo("UTC"), 0.0)
    days = [(2023, 11, 14), (2023, 11, 15), (2024, 1, 1), (2024, 2, 28), (2024, 2, 29)]
    found = [
        price.over(np.array([unix_s(datetime(*day, tzinfo=UTC)) + k for k in (0, 86_400)]))[0]
        for day in days
    ]
    assert found == [0.0, 1.0, 1.0, 1.0, 0.0]


def test_what_no_period_covers_is_found() -> None:
    summer = PricePeriod(0.3, (YearSpan(501, 930),))
    day = PricePeriod(0.4, from_s=6 * 3600, to_s=23 * 3600)
    gap = TimeOfUsePrice((summer, day), AMSTERDAM).uncovered()
    assert gap is not None
    assert (gap.month_day, gap.from_s, gap.to_s) == (101, 0, 6 * 3600)
    night = PricePeriod(0.2, (YearSpan(1001, 430),), from_s=23 * 3600, to_s=6 * 3600)
    assert TimeOfUsePrice((summer, day, night), AMSTERDAM).uncovered() is None


@given(time_of_use_prices())
def test_covered_prices_are_never_unknown(price: TimeOfUsePrice) -> None:
    bare = TimeOfUsePrice(price.periods, price.time_zone, None, price.holidays)
    grid = TimeGrid(local(AMSTERDAM, 2023, 12, 1), 3600, 24 * 366)
    unknown = bool(np.isnan(bare.over(grid.edges_unix_s())).any())
    # A year has each date on one weekday only, so a gap may lie where this year does not go.
    assert not unknown or bare.uncovered() is not None


def hourly(start: int, values: FloatArray) -> IntervalSeries:
    """A series of whole hours."""
    edges: TimeArray = start + 3600 * np.arange(len(values) + 1, dtype=np.int64)
    return IntervalSeries(edges[:-1], edges[1:], values)


@given(st.lists(prices, min_size=24, max_size=24), prices, prices, prices, st.floats(0, 1), zones)
def test_a_day_ahead_price_is_the_documented_formula(
    spot: list[float], factor: float, adder: float, fee: float, tax: float, zone: ZoneInfo
) -> None:
    start = local(zone, 2024, 6, 1)
    night = PricePeriod(-0.05, from_s=22 * 3600, to_s=6 * 3600)
    grid_fee = TimeOfUsePrice((night,), zone, 0.07)
    series = SeriesPrice(hourly(start, np.array(spot)), factor, adder)
    price = Price((series, FlatPrice(fee), grid_fee), tax)
    edges = TimeGrid(start, 3600, 24).edges_unix_s()
    expected = [
        (value * factor + adder + fee + (-0.05 if hour < 6 or hour >= 22 else 0.07)) * (1 + tax)
        for hour, value in enumerate(spot)
    ]
    np.testing.assert_allclose(price.over(edges), expected, atol=1e-9)


def test_an_unknown_price_stays_unknown() -> None:
    start = local(AMSTERDAM, 2024, 6, 1)
    series = SeriesPrice(hourly(start, np.array([0.1, np.nan, 0.3])), 1.0, 0.05)
    total = Price((series, FlatPrice(0.1)), 0.21).over(TimeGrid(start, 3600, 4).edges_unix_s())
    assert np.isnan(total).tolist() == [False, True, False, True]


def test_export_may_be_a_share_of_import() -> None:
    bought = Price((FlatPrice(0.20),), 0.21)
    tariff = Tariff("EUR", AMSTERDAM, bought, Price((ShareOfPrice(bought, 0.5), FlatPrice(-0.01))))
    grid = TimeGrid(0, 900, 3)
    np.testing.assert_allclose(tariff.import_price_on(grid), 0.242)
    np.testing.assert_allclose(tariff.export_price_on(grid), 0.111)


def test_a_demand_charge_bills_at_least_its_minimum() -> None:
    charge = DemandCharge(12.0, minimum_kw=3.0)
    assert [charge.cost(peak) for peak in (0.0, 3.0, 5.0)] == [36.0, 36.0, 60.0]


# Publication


@pytest.mark.parametrize(
    ("month", "day"),
    [(6, 10), (3, 30), (3, 31), (10, 26), (10, 27), (12, 31)],
)
def test_tomorrow_is_known_from_13_local(month: int, day: int) -> None:
    publication = DayAheadPublication(13 * 3600, AMSTERDAM)
    before = publication.known_until_unix_s(local(AMSTERDAM, 2024, month, day, 12, 59, 59))
    after = publication.known_until_unix_s(local(AMSTERDAM, 2024, month, day, 13))
    midnight = datetime(2024, month, day, tzinfo=AMSTERDAM)
    assert before == unix_s(midnight + timedelta(days=1))
    assert after == unix_s(midnight + timedelta(days=2))


times_unix_s = st.integers(unix_s(datetime(2023, 1, 1, tzinfo=UTC)), 1_767_225_600)


@given(st.lists(times_unix_s, min_size=2, max_size=50), seconds_of_day, zones)
def test_what_is_known_never_shrinks(times: list[int], published_at_s: int, zone: ZoneInfo) -> None:
    publication = DayAheadPublication(published_at_s, zone)
    known = [publication.known_until_unix_s(time) for time in sorted(times)]
    assert all(earlier <= later for earlier, later in pairwise(known))


@given(times_unix_s, seconds_of_day, zones)
def test_today_is_always_known_and_the_day_after_tomorrow_never(
    now: int, published_at_s: int, zone: ZoneInfo
) -> None:
    known_until = DayAheadPublication(published_at_s, zone).known_until_unix_s(now)
    today = datetime.fromtimestamp(now, tz=zone).replace(hour=0, minute=0, second=0, microsecond=0)
    last_known = datetime.fromtimestamp(known_until - 1, tz=zone).date()
    assert now < known_until
    assert last_known in (today.date(), (today + timedelta(days=1)).date())


def test_a_tariff_is_known_as_long_as_its_least_known_part() -> None:
    now = local(AMSTERDAM, 2024, 6, 10, 12)
    day_ahead = SeriesPrice(hourly(now, np.ones(1)), publication=DayAheadPublication(0, AMSTERDAM))
    late = SeriesPrice(hourly(now, np.ones(1)), publication=DayAheadPublication(46_800, AMSTERDAM))
    flat = Price((FlatPrice(0.3),))
    tomorrow, next_day = local(AMSTERDAM, 2024, 6, 11), local(AMSTERDAM, 2024, 6, 12)
    assert Tariff("EUR", AMSTERDAM, flat, flat).known_until_unix_s(now) is None
    spot = Price((day_ahead, FlatPrice(0.1)))
    assert Tariff("EUR", AMSTERDAM, spot, flat).known_until_unix_s(now) == next_day
    shared = Price((ShareOfPrice(Price((late,)), 0.5),))
    assert Tariff("EUR", AMSTERDAM, spot, shared).known_until_unix_s(now) == tomorrow
    known_beforehand = Price((SeriesPrice(hourly(now, np.ones(1))),))
    assert Tariff("EUR", AMSTERDAM, flat, known_beforehand).known_until_unix_s(now) is None
