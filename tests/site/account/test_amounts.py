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
from tests.site.account.made import Home, folded

# In Berlin: three days before the clocks go back, in the last week of October 2026.
OCTOBER_UNIX_S = int(datetime(2026, 10, 22, 22, tzinfo=UTC).timestamp())
# Three days before they go forward, in March 2027.
MARCH_UNIX_S = int(datetime(2027, 3, 25, 23, tzinfo=UTC).timestamp())
NAMES = ("charged", "discharged", "stored", "at_once", "smart", "wear", "smart_wear")


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
    assert whole.smart_net == whole.smart - whole.cost + whole.stored - whole.smart_wear


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
