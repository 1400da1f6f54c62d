"""The book of received prices: at every moment the last known price counts, and nothing else is told."""

from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.series import IntervalSeries
from parkwatt.domain.site.event import PricesReceived
from parkwatt.domain.tariff import (
    DayAheadPublication,
    FlatPrice,
    Price,
    PriceBook,
    SeriesPrice,
    ShareOfPrice,
    Tariff,
    TimeOfUsePrice,
)
from parkwatt.domain.tariff.book import KEPT_S

DAY_S = 86_400
HOUR, QUARTER = 3600, 900
FEED = "import.day_ahead"


def received(start: int, step_s: int, *prices: float | None, feed: str = FEED) -> PricesReceived:
    """Prices of a feed."""
    return PricesReceived(feed, "a test", start, step_s, prices)


def book_of(*events: PricesReceived, now: int = 0) -> PriceBook:
    """The book after the events."""
    book = PriceBook()
    for event in events:
        book = book.with_prices(event, now)
    return book


def told(book: PriceBook) -> list[tuple[int, int, float]]:
    """Start, end and price of each interval."""
    series = book.series(FEED)
    columns = (series.start_unix_s, series.end_unix_s, series.values)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_nothing_received() -> None:
    assert told(PriceBook()) == []
    assert PriceBook().known_until_unix_s(FEED, 0) is None
    assert PriceBook().all_series() == {}


def test_days_follow_each_other_as_one_run() -> None:
    book = book_of(received(0, HOUR, 1.0, 2.0), received(2 * HOUR, HOUR, 3.0))
    assert len(book.runs[FEED]) == 1
    assert book.known_until_unix_s(FEED, 0) == 3 * HOUR


def test_quarters_take_the_place_of_hours() -> None:
    book = book_of(received(0, HOUR, 1.0, 2.0, 3.0), received(HOUR, QUARTER, 5.0, 6.0, 7.0, 8.0))
    assert told(book) == [
        (0, HOUR, 1.0),
        *(
            (HOUR + index * QUARTER, HOUR + (index + 1) * QUARTER, 5.0 + index)
            for index in range(4)
        ),
        (2 * HOUR, 3 * HOUR, 3.0),
    ]


def test_an_hour_that_is_covered_in_part_keeps_the_rest() -> None:
    book = book_of(received(0, HOUR, 1.0), received(QUARTER, QUARTER, 9.0))
    assert told(book) == [(0, QUARTER, 1.0), (QUARTER, 2 * QUARTER, 9.0), (2 * QUARTER, HOUR, 1.0)]


def test_a_hole_tells_nothing() -> None:
    book = book_of(received(0, HOUR, 1.0, 2.0, 3.0), received(0, HOUR, 5.0, None, 7.0))
    assert [price for _, _, price in told(book)] == [5.0, 2.0, 7.0]


def test_a_hole_where_nothing_was_known_stays_unknown() -> None:
    book = book_of(received(0, HOUR, 1.0, None, 3.0))
    assert told(book) == [(0, HOUR, 1.0), (2 * HOUR, 3 * HOUR, 3.0)]
    assert book.known_until_unix_s(FEED, 0) == HOUR
    assert book.known_until_unix_s(FEED, HOUR) is None
    assert book.known_until_unix_s(FEED, 2 * HOUR) == 3 * HOUR
    assert book.known_until_unix_s(FEED, 3 * HOUR) is None


def test_old_prices_are_dropped() -> None:
    book = book_of(received(0, HOUR, *map(float, range(48))))
    now = KEPT_S + 30 * HOUR
    later = book.with_prices(received(now, HOUR, 1.0), now)
    assert [start for start, _, _ in told(later)] == [*range(30 * HOUR, 48 * HOUR, HOUR), now]


def test_feeds_are_apart() -> None:
    book = book_of(received(0, HOUR, 1.0), received(0, HOUR, 2.0, feed="export.day_ahead"))
    assert book.series(FEED).values.tolist() == [1.0]
    assert book.series("export.day_ahead").values.tolist() == [2.0]


def test_a_snapshot_holds_the_book() -> None:
    book = book_of(received(0, HOUR, 1.0, None, 3.0), received(HOUR, QUARTER, 4.0))
    assert msgspec.json.decode(msgspec.json.encode(book), type=PriceBook) == book


lengths = st.sampled_from([300, QUARTER, 1800, HOUR])
answers = st.builds(
    lambda start, step_s, prices: received(start * 300, step_s, *prices),
    st.integers(0, 100),
    lengths,
    st.lists(st.one_of(st.none(), st.floats(-1.0, 1.0)), min_size=1, max_size=8),
)


@given(st.lists(answers, max_size=6), st.integers(0, 200))
def test_at_each_moment_the_last_known_price_counts(events: list[PricesReceived], at: int) -> None:
    expected: dict[int, float] = {}
    for event in events:
        for index, price in enumerate(event.price_per_kwh):
            start = event.start_unix_s + index * event.step_s
            if price is not None:
                expected.update(dict.fromkeys(range(start, start + event.step_s, 300), price))
    book = book_of(*events)
    found = {time: price for start, end, price in told(book) for time in range(start, end, 300)}
    assert found == expected
    now = at * 300
    until = now
    while until in expected:
        until += 300
    assert book.known_until_unix_s(FEED, now) == (until if until > now else None)
    tariff_until = SeriesPrice(book.series(FEED), feed=FEED).known_until_unix_s(now)
    assert tariff_until == until


@given(st.lists(answers, max_size=6))
def test_telling_it_again_changes_nothing(events: list[PricesReceived]) -> None:
    book = book_of(*events)
    assert all(
        told(book.with_prices(received(start, end - start, price), 0)) == told(book)
        for start, end, price in told(book)
    )


def tariff(component: SeriesPrice) -> Tariff:
    """A tariff with a feed in both prices, once by way of a share."""
    bought = Price((component, FlatPrice(0.1), TimeOfUsePrice((), ZoneInfo("UTC"), 0.02)), tax=0.5)
    sold = Price((ShareOfPrice(bought, 0.5),))
    return Tariff("EUR", ZoneInfo("UTC"), bought, sold)


EMPTY = IntervalSeries(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


def test_a_tariff_takes_what_was_received_everywhere() -> None:
    plain = tariff(SeriesPrice(EMPTY, factor=2.0, adder_per_kwh=0.01, feed=FEED))
    edges = np.array([0, HOUR, 2 * HOUR])
    assert np.isnan(plain.import_price.over(edges)).all()
    assert plain.known_until_unix_s(600) == 600
    live = plain.with_feeds(book_of(received(0, HOUR, 0.3)).all_series())
    assert live.import_price.over(edges)[0] == pytest.approx(0.73 * 1.5)
    assert live.export_price.over(edges)[0] == pytest.approx(0.73 * 0.75)
    assert np.isnan(live.import_price.over(edges)[1])
    assert live.known_until_unix_s(600) == HOUR
    assert plain.known_until_unix_s(600) == 600, "the tariff itself is as it was"


def test_a_series_without_a_feed_is_left_alone() -> None:
    publication = DayAheadPublication(0, ZoneInfo("UTC"))
    plain = tariff(SeriesPrice(EMPTY, publication=publication))
    live = plain.with_feeds({FEED: book_of(received(0, HOUR, 0.3)).series(FEED)})
    assert live.known_until_unix_s(0) == 2 * DAY_S
    assert np.isnan(live.import_price.over(np.array([0, HOUR]))).all()


def test_a_feed_that_received_nothing_keeps_what_it_has() -> None:
    plain = tariff(SeriesPrice(EMPTY, feed=FEED))
    assert plain.with_feeds({}).known_until_unix_s(7) == 7
