"""Decimals that add up: days to months to years, on days of 23 and 25 hours too, and never far from the floats."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.site.account import Accounts, sums_by
from parkwatt.site.account.amounts import Amounts, Period, added, amounts_by, daily_amounts
from tests.site.account.made import MONDAY_UNIX_S, QUARTER_S, Home, Made, folded

# In Berlin: three days before the clocks go back, in the last week of October 2026.
OCTOBER_UNIX_S = int(datetime(2026, 10, 22, 22, tzinfo=UTC).timestamp())
# Three days before they go forward, in March 2027.
MARCH_UNIX_S = int(datetime(2027, 3, 25, 23, tzinfo=UTC).timestamp())
NAMES = (
    "charged",
    "discharged",
    "at_once",
    "stored",
    "wear",
    "smart",
    "smart_stored",
    "smart_wear",
)


def lived(start_unix_s: int, seed: int, days: int = 12) -> Accounts:
    """Days of a home with a car that charges and gives."""

    def power_kw(chance: random.Random, _: int) -> float:
        return chance.choice([0.0, 6.0, 8.0, -4.0])

    home = Home()
    home.live(start_unix_s, days, seed=seed, power_kw=power_kw)
    return folded(home.made.entries)


@given(seed=st.integers(0, 100_000), start=st.sampled_from([OCTOBER_UNIX_S, MARCH_UNIX_S]))
@settings(max_examples=10, deadline=None)
def test_periods_add_up_to_the_cent(seed: int, start: int) -> None:
    ledger = lived(start, seed).ledger
    days = daily_amounts(ledger)
    whole = added(day.amounts for day in days)
    periods: tuple[Period, ...] = ("month", "year")
    for by in periods:
        rows = amounts_by(days, by)
        assert added(row.amounts for row in rows) == whole
        for row in rows:
            named = [day.amounts for day in days if day.name.startswith(row.name)]
            assert row.amounts == added(named)
    for name in NAMES:
        assert all(getattr(day.amounts, name).as_tuple().exponent == -2 for day in days)
    assert (
        whole.net
        == whole.gross - whole.wear
        == whole.at_once - whole.cost + whole.stored - whole.wear
    )
    assert whole.smart_net == whole.smart - whole.cost + whole.smart_stored - whole.smart_wear


@given(seed=st.integers(0, 100_000))
@settings(max_examples=5, deadline=None)
def test_a_sum_is_never_off_by_more_than_a_cent(seed: int) -> None:
    ledger = lived(OCTOBER_UNIX_S, seed).ledger
    whole = added(day.amounts for day in daily_amounts(ledger))
    (year,) = sums_by(ledger, "year", 0, 1 << 60)
    for name, computed in (
        ("charged", year.sums.cost_charged),
        ("smart", year.sums.smart_cost),
        ("wear", year.sums.wear_cost),
        ("stored", year.sums.stored_worth),
    ):
        assert float(getattr(whole, name)) == pytest.approx(computed, abs=0.005 + 1e-9)


@pytest.mark.parametrize(
    ("start", "day", "hours"),
    [(OCTOBER_UNIX_S, "2026-10-25", 25), (MARCH_UNIX_S, "2027-03-28", 23)],
)
def test_days_are_the_sites(start: int, day: str, hours: int) -> None:
    (row,) = [row for row in daily_amounts(lived(start, 1, 5).ledger) if row.name == day]
    assert row.end_unix_s - row.start_unix_s == hours * 3600


def test_nothing_is_no_minus_nothing() -> None:
    assert str(added([]).net) == "0.00"
    small = Amounts(charged=Decimal("0.10"), at_once=Decimal("0.10"))
    assert str(small.net) == "0.00"


def test_a_day_says_what_was_saved_on_it() -> None:
    """A car could charge for 0.40 from 22:00 on, and waits for midnight, for 0.20: the evening saved, the night did not."""
    made, start, register_kwh = Made(), MONDAY_UNIX_S + 22 * 3600, 100.0
    made.read(start, register_kwh)
    stay = made.began(start, 30.0)
    for quarter in range(16):
        at, charges = start + quarter * QUARTER_S, 8 <= quarter < 12
        register_kwh += 2.5 if charges else 0.0
        made.read(at + QUARTER_S, register_kwh)
        bought = 2.6 if charges else 0.1
        made.quarter(at, buy=0.4 if quarter < 8 else 0.2, import_kwh=bought, export_kwh=0.0)
    made.ended(stay, start + 16 * QUARTER_S, 39.0)
    evening, night = (row.amounts for row in daily_amounts(folded(made.entries).ledger))
    assert [str(one) for one in (evening.at_once, evening.cost, evening.stored)] == [
        "4.00",
        "0.00",
        "-2.00",
    ]
    assert [str(one) for one in (evening.gross, night.gross)] == ["2.00", "0.00"]
    assert [str(one) for one in (evening.smart_gross, night.smart_gross)] == ["0.00", "0.00"]


@given(seed=st.integers(0, 100_000))
@settings(max_examples=5, deadline=None)
def test_what_is_stored_comes_to_the_same_for_both_ways_in_every_stay(seed: int) -> None:
    for row in sums_by(lived(OCTOBER_UNIX_S, seed).ledger, "session", 0, 1 << 60):
        assert row.sums.stored_worth == pytest.approx(row.sums.smart_stored_worth, abs=1e-9)
        if row.stay is not None:
            assert row.stay.stored_worth == pytest.approx(row.sums.stored_worth, abs=1e-9)
