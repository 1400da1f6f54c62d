"""Numbers as a driver reads them."""

from datetime import UTC, datetime

import pytest

from parkwatt.plan.exact.words import Words
from tests.plan.exact.made_problem import car, problem, stay


@pytest.mark.parametrize(
    ("currency", "expected"),
    [
        ("EUR", "17.2 ct/kWh"),
        ("GBP", "17.2 p/kWh"),
        ("SEK", "17.2 öre/kWh"),
        ("CHF", "17.2 Rp/kWh"),
        ("JPY", "0.172 JPY/kWh"),
    ],
)
def test_prices_are_told_in_the_unit_that_people_quote_them_in(
    currency: str, expected: str
) -> None:
    assert Words(problem([0.1], currency=currency)).price(0.1724) == expected


def test_there_is_no_minus_zero() -> None:
    assert Words(problem([0.1])).price_number(-0.0001) == "0.0"
    assert Words(problem([0.1], currency="JPY")).price_number(-0.0001) == "0.000"


def test_energy_is_told_with_its_share_of_the_usable() -> None:
    assert Words.energy(car(stay(1, 20.0)), 40.0) == "40.0 kWh (80 %)"
    assert Words.energy(car(stay(1, 0.0), energy_kwh_max=0.0, energy_kwh_min=0.0), 0.0) == "0.0 kWh"


def test_times_are_local_and_name_their_weekday_from_the_next_day_on() -> None:
    words = Words(problem([0.1] * 30, time_zone="Europe/Amsterdam"))
    assert words.clock(0) == "17:00"
    assert words.clock(24) == "Fri 17:00"


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (datetime(2026, 3, 29, 0, tzinfo=UTC), ["01:00", "03:00", "04:00"]),
        (datetime(2026, 10, 25, 0, tzinfo=UTC), ["02:00", "02:00", "03:00"]),
    ],
)
def test_clocks_follow_summer_time(start: datetime, expected: list[str]) -> None:
    words = Words(problem([0.1] * 3, start=start, time_zone="Europe/Amsterdam"))
    assert [words.clock(step) for step in range(3)] == expected


def test_times_follow_the_length_of_each_step() -> None:
    words = Words(problem([0.1] * 3, duration_h=[0.25, 0.5, 1.0]))
    assert [words.clock(step) for step in range(4)] == ["16:00", "16:15", "16:45", "17:45"]
