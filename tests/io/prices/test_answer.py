"""What is made of a source's quotes: checked alike for all sources."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.calendar import DAY_S
from parkwatt.io.download import SourceError
from parkwatt.io.prices.answer import QUOTES_MAX, PriceAnswer, Quote, Quotes, assemble
from tests.io.prices.answers import ask, at

DAY = at(2026, 1, 15)
WHOLE_DAY = ask(DAY, DAY + DAY_S)
HOUR, QUARTER = 3600, 900


def assembled(*quotes: tuple[int, int | None, float | None]) -> PriceAnswer:
    """The prices of one layer, with starts and ends counted from the day's beginning."""
    layer = [
        Quote(DAY + start, None if end is None else DAY + end, price)
        for start, end, price in quotes
    ]
    return assemble(Quotes([layer]), WHOLE_DAY, "the source")


def test_hours_stay_hours() -> None:
    answer = assembled((0, HOUR, 1.0), (HOUR, 2 * HOUR, 2.0))
    assert answer == PriceAnswer(DAY, HOUR, (1.0, 2.0))


def test_quarters_among_hours_make_quarters_of_all() -> None:
    answer = assembled((0, HOUR, 1.0), (HOUR, HOUR + QUARTER, 2.0))
    assert answer == PriceAnswer(DAY, QUARTER, (1.0, 1.0, 1.0, 1.0, 2.0))


def test_a_missing_hour_is_a_hole_and_told() -> None:
    answer = assembled((0, HOUR, 1.0), (2 * HOUR, 3 * HOUR, 3.0))
    assert answer.price_per_kwh == (1.0, None, 3.0)
    assert answer.notes == ("missing: 1 h, the first at 2026-01-15 00:00 UTC",)


def test_an_hour_told_twice_alike_is_not_worth_a_word() -> None:
    answer = assembled((0, HOUR, 1.0), (0, HOUR, 1.0), (HOUR, 2 * HOUR, 2.0))
    assert answer == PriceAnswer(DAY, HOUR, (1.0, 2.0))


def test_of_an_hour_told_twice_the_later_counts_and_it_is_told() -> None:
    answer = assembled((0, HOUR, 1.0), (0, HOUR, 3.0), (HOUR, 2 * HOUR, 2.0))
    assert answer.price_per_kwh == (3.0, 2.0)
    assert "twice with different prices" in answer.notes[0]


def test_a_hole_told_later_does_not_hide_a_price() -> None:
    assert assembled((0, HOUR, 1.0), (0, HOUR, None)).price_per_kwh == (1.0,)


def test_newest_first_is_an_order() -> None:
    answer = assembled((2 * HOUR, 3 * HOUR, 3.0), (HOUR, 2 * HOUR, 2.0), (0, HOUR, 1.0))
    assert answer == PriceAnswer(DAY, HOUR, (1.0, 2.0, 3.0))


def test_no_order_is_told_and_put_right() -> None:
    answer = assembled((HOUR, 2 * HOUR, 2.0), (0, HOUR, 1.0), (2 * HOUR, 3 * HOUR, 3.0))
    assert answer.price_per_kwh == (1.0, 2.0, 3.0)
    assert answer.notes == ("out of order: 1",)


@pytest.mark.parametrize("price", [None, math.nan, math.inf, -math.inf, 1e300])
def test_what_is_no_price_is_a_hole(price: float | None) -> None:
    answer = assembled((0, HOUR, 1.0), (HOUR, 2 * HOUR, price), (2 * HOUR, 3 * HOUR, 3.0))
    assert answer.price_per_kwh == (1.0, None, 3.0)
    assert answer.notes


def test_an_implausible_price_is_kept_and_told() -> None:
    answer = assembled((0, HOUR, 88.1))
    assert answer.price_per_kwh == (88.1,)
    assert answer.notes == ("beyond ±4 EUR/kWh, kept: 1, the first at 2026-01-14 23:00 UTC",)


def test_what_is_plausible_depends_on_the_currency() -> None:
    for currency, told in (("EUR", 1), ("SEK", 0)):
        quotes = Quotes([[Quote(DAY, DAY + HOUR, 45.0)]])
        answer = assemble(quotes, ask(DAY, DAY + DAY_S, currency), "the source")
        assert len(answer.notes) == told


def test_only_what_was_asked_for_is_kept() -> None:
    answer = assembled((-HOUR, HOUR, 1.0), (23 * HOUR, 26 * HOUR, 2.0))
    assert answer.start_unix_s == DAY
    assert answer.known_until_unix_s(DAY + 23 * HOUR) == DAY + DAY_S
    assert len(answer.price_per_kwh) == 24


def test_nothing_in_the_time_asked_for() -> None:
    cases: list[list[tuple[int, int | None, float | None]]]
    cases = [[], [(-HOUR, 0, 1.0)], [(0, HOUR, None)]]
    for quotes in cases:
        with pytest.raises(SourceError) as caught:
            assembled(*quotes)
        assert caught.value.kind == "absent"


@pytest.mark.parametrize(
    "odd", [(0, 0), (HOUR, 0), (1, HOUR), (0, HOUR + 1), (-DAY, HOUR), (0, 10**13)]
)
def test_times_that_cannot_be_meant_are_left_out(odd: tuple[int, int]) -> None:
    answer = assembled((HOUR, 2 * HOUR, 2.0), (*odd, 9.0))
    assert answer.price_per_kwh == (2.0,)
    assert answer.notes == ("times that cannot be meant, left out: 1",)


def test_absurdly_many_prices() -> None:
    quotes = [Quote(DAY, DAY + HOUR, 1.0)] * (QUOTES_MAX + 1)
    with pytest.raises(SourceError, match="more than 50000 prices"):
        assemble(Quotes([quotes]), WHOLE_DAY, "the source")


# Quotes that tell no end.


def test_without_ends_a_missing_quarter_is_a_hole() -> None:
    quarters = [(index * QUARTER, None, float(index)) for index in range(12) if index != 5]
    answer = assembled(*quarters)
    assert answer.step_s == QUARTER
    assert [index for index, price in enumerate(answer.price_per_kwh) if price is None] == [5]


@pytest.mark.parametrize("first_step_s", [HOUR, QUARTER])
def test_without_ends_a_new_length_at_midnight_is_no_hole(first_step_s: int) -> None:
    second_step_s = HOUR + QUARTER - first_step_s
    starts = [
        *range(DAY, DAY + DAY_S, first_step_s),
        *range(DAY + DAY_S, DAY + 2 * DAY_S, second_step_s),
    ]
    quotes = Quotes([[Quote(start, None, 0.1) for start in starts]])
    answer = assemble(quotes, ask(DAY, DAY + 2 * DAY_S), "the source")
    assert answer == PriceAnswer(DAY, QUARTER, (0.1,) * 192)


def test_a_single_quote_without_an_end_is_an_hour() -> None:
    assert assembled((0, None, 1.0)) == PriceAnswer(DAY, HOUR, (1.0,))


def test_a_later_layer_counts_without_a_word() -> None:
    base, better = [Quote(DAY, DAY + 2 * HOUR, 1.0)], [Quote(DAY, DAY + HOUR, 2.0)]
    answer = assemble(Quotes([base, better]), WHOLE_DAY, "the source")
    assert answer == PriceAnswer(DAY, HOUR, (2.0, 1.0))


def test_how_far_an_answer_goes() -> None:
    answer = assembled((0, HOUR, 1.0), (HOUR, 2 * HOUR, 2.0), (3 * HOUR, 4 * HOUR, 3.0))
    assert answer.known_until_unix_s(DAY + 1) == DAY + 2 * HOUR
    assert answer.known_until_unix_s(DAY + 2 * HOUR) == DAY + 2 * HOUR
    assert answer.known_until_unix_s(DAY + 3 * HOUR) == DAY + 4 * HOUR
    assert answer.known_until_unix_s(DAY - 1) == DAY - 1
    assert answer.known_until_unix_s(DAY + 9 * HOUR) == DAY + 9 * HOUR


steps = st.integers(-8, 110)
prices = st.one_of(st.none(), st.floats(), st.floats(-0.5, 0.5))


@given(st.lists(st.tuples(steps, st.one_of(st.none(), st.integers(-2, 9)), prices), max_size=30))
def test_every_price_is_one_that_was_told_for_that_time(
    told: list[tuple[int, int | None, float | None]],
) -> None:
    quotes = [
        Quote(
            DAY + start * QUARTER,
            None if length is None else DAY + (start + length) * QUARTER,
            price,
        )
        for start, length, price in told
    ]
    try:
        answer = assemble(Quotes([quotes]), WHOLE_DAY, "the source")
    except SourceError:
        assert not any(
            price is not None and abs(price) <= 4.0 and start >= 0 and length not in (0, -1, -2)
            for start, length, price in told
            if start < 96
        )
        return
    assert answer.price_per_kwh[0] is not None
    assert answer.price_per_kwh[-1] is not None
    for index, price_per_kwh in enumerate(answer.price_per_kwh):
        time = answer.start_unix_s + index * answer.step_s
        assert DAY <= time < DAY + DAY_S
        if price_per_kwh is not None:
            assert any(
                quote.start_unix_s <= time
                and (quote.end_unix_s is None or time < quote.end_unix_s)
                and quote.price_per_kwh == price_per_kwh
                for quote in quotes
            )
