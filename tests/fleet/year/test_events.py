"""Events of summer evenings: the dearest days, baselines from the past alone, pay by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.fleet.year.events import (
    HOURS_OF_YEAR_MAX,
    EventRules,
    baseline_kw,
    by_hour,
    event_days,
    hour_steps,
    settle,
    with_events,
)
from tests.fleet.year.years import STEPS_OF_DAY, plain_days

RULES = EventRules()


def test_events_are_the_dearest_evenings_of_the_season_and_within_the_hours_of_a_year() -> None:
    days = plain_days(365)
    months = np.repeat(np.arange(1, 13), [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    price = np.full(days.step_count, 0.1)
    for day in (10, 150, 200, 250, 360):
        price[day * STEPS_OF_DAY + 70] = 5.0
    # At noon: dear, and no evening.
    price[160 * STEPS_OF_DAY + 48] = 9.0
    events = event_days(price, months, days, RULES)
    assert len(events) * 5 == HOURS_OF_YEAR_MAX
    assert {150, 200, 250} <= set(events.tolist())
    assert not {10, 360} & set(events.tolist())
    assert ((months[events] >= 5) & (months[events] <= 10)).all()


def test_the_price_of_an_event_is_on_top_from_16_to_21_and_nowhere_else() -> None:
    days = plain_days(3)
    added = with_events(np.zeros(days.step_count), np.array([1]), days, 2.0)
    assert np.flatnonzero(added).tolist() == list(range(96 + 64, 96 + 84))
    assert hour_steps(days)[1].tolist() == [160, 164, 168, 172, 176]


def test_a_baseline_is_the_mean_of_the_last_ten_days_of_its_kind() -> None:
    days = plain_days(35)
    evening = np.arange(35.0)[None, :, None] * np.ones((1, 35, 5))
    found = baseline_kw(evening, np.array([22, 30, 33]), days)
    # Day 30 is a Wednesday, 22 was an event, and 27 and 28 were a weekend.
    assert found[0, 1, 0] == np.mean([29, 28, 25, 24, 23, 21, 18, 17, 16, 15])
    # Of Saturdays and Sundays there are but eight before day 33.
    assert found[0, 2, 0] == np.mean([5, 6, 12, 13, 19, 20, 26, 27])


@given(seed=st.integers(0, 10_000), event=st.integers(1, 34))
def test_a_baseline_knows_nothing_of_the_event_and_after(seed: int, event: int) -> None:
    days = plain_days(35)
    evening = np.random.default_rng(seed).normal(0.0, 5.0, (3, 35, 5))
    later = evening.copy()
    later[:, event:] = 99.0
    events = np.array([event])
    assert np.array_equal(baseline_kw(evening, events, days), baseline_kw(later, events, days))


def test_four_drivers_by_hand() -> None:
    reduced = np.zeros((4, 1, 5))
    reduced[:, 0, 0] = [6.0, 3.0, -3.0, 0.0]
    reduced[:, 0, 1] = [-4.0, 1.0, 0.0, 0.0]
    pay = settle(reduced, RULES)
    # The pool did 6 kWh in the first hour, and in the second one nothing.
    assert pay.pool_kwh.tolist() == [6.0]
    assert pay.paid.tolist() == pytest.approx([8.0, 4.0, 0.0, 0.0])


@given(seed=st.integers(0, 10_000))
def test_the_pool_is_paid_for_its_sum_and_all_of_it_goes_out(seed: int) -> None:
    reduced = np.random.default_rng(seed).normal(0.5, 3.0, (7, 4, 5))
    pay = settle(reduced, RULES)
    expected = np.maximum(reduced.sum(axis=0), 0.0).sum() * 2.0
    assert pay.paid.sum() == pytest.approx(expected)
    assert (pay.paid >= 0.0).all()


def test_hours_are_means_of_their_steps() -> None:
    days = plain_days(2)
    series = np.arange(days.step_count, dtype=np.float64)[None, :]
    assert by_hour(series, days)[0, 1].tolist() == [161.5, 165.5, 169.5, 173.5, 177.5]
