"""Promises and floors: what was asked, what came of it, and what discharging took."""

from __future__ import annotations

import pytest

from parkwatt.domain.site.event import CarMinute, Measured, PromiseAtRisk, StayEnded, WishesSet
from parkwatt.domain.site.wish import Departure, Wishes
from parkwatt.site.account import StayAccount, sums_by
from parkwatt.site.account.stays import promise_of
from tests.site.account.made import MONDAY_UNIX_S, Made, folded

AT = MONDAY_UNIX_S + 7 * 3600
WANTED = Departure(AT, "ready_by")


def left(
    energy_kwh: float | None,
    *,
    kept: bool | None,
    departure: Departure | None = WANTED,
    possible_kwh: float | None = 50.0,
    at_unix_s: int = AT,
) -> StayEnded:
    """A stay's end at which 48 kWh were asked."""
    asked = None if departure is None else 48.0
    return StayEnded(
        "s", "car", at_unix_s, energy_kwh, departure, asked, possible_kwh, None, kept, "why"
    )


@pytest.mark.parametrize(
    ("ended", "name"),
    [
        (left(48.0, kept=True), "kept"),
        (left(40.0, kept=False), "broken"),
        (left(44.0, kept=None, possible_kwh=44.0), "not_possible"),
        (left(30.0, kept=None, at_unix_s=AT - 3600), "left_early"),
        (left(44.0, kept=None, possible_kwh=44.0, at_unix_s=AT - 3600), "not_possible"),
        (left(None, kept=None), "not_known"),
        (left(44.0, kept=None, departure=None), "nothing_asked"),
    ],
)
def test_each_departure_has_one_end(ended: StayEnded, name: str) -> None:
    promise = promise_of(ended)
    assert (promise.name, promise.reason) == (name, "why")
    assert promise.was_asked == (name != "nothing_asked")


def a_discharge(wishes: list[tuple[int, Wishes, bool]], lowest_kwh: float) -> StayAccount:
    """A stay in which the car gives until ``lowest_kwh``, ten minutes after midnight."""
    made = Made()
    for at, wish, until_departure in wishes:
        made.site(WishesSet("car", wish, "api", until_departure), at)
    made.began(MONDAY_UNIX_S, 30.0)
    for minute in range(10):
        energy_kwh = 30.0 - (30.0 - lowest_kwh) * (minute + 1) / 10
        cars = {"car": CarMinute(-6.0, energy_kwh, 0.0, 0.1)}
        at = MONDAY_UNIX_S + minute * 60
        made.site(Measured(at, 60, 0.0, 0.0, cars=cars), at + 60)
    return folded(made.entries).ledger.stays[0]


def test_a_floor_that_is_kept_is_told_with_the_lowest_energy() -> None:
    stay = a_discharge([], 12.0)  # the file's floor: 20 % of 60 kWh
    assert (stay.floor_broken, stay.energy_kwh_lowest, stay.floor_kwh) == (False, 12.0, 12.0)


def test_a_floor_that_is_broken_is_told() -> None:
    stay = a_discharge([], 10.0)
    assert (stay.floor_broken, stay.energy_kwh_lowest) == (True, 10.0)


def test_the_driver_moves_the_floor() -> None:
    lower = [(MONDAY_UNIX_S - 900, Wishes(floor_soc=0.1), False)]
    assert a_discharge(lower, 8.0).floor_broken is False
    higher = [(MONDAY_UNIX_S - 900, Wishes(floor_soc=0.4), False)]
    assert a_discharge(higher, 15.0).floor_broken is True


def test_a_floor_that_was_just_raised_is_not_broken_by_what_was_given_before() -> None:
    made = Made()
    made.began(MONDAY_UNIX_S, 30.0)
    giving = {"car": CarMinute(-6.0, 20.0, 0.0, 0.1)}
    made.site(Measured(MONDAY_UNIX_S, 60, 0.0, 0.0, cars=giving), MONDAY_UNIX_S + 60)
    made.site(WishesSet("car", Wishes(floor_soc=0.5), "api"), MONDAY_UNIX_S + 90)
    made.site(Measured(MONDAY_UNIX_S + 60, 60, 0.0, 0.0, cars=giving), MONDAY_UNIX_S + 120)
    assert folded(made.entries).ledger.stays[0].floor_broken is False


def test_a_wish_for_one_departure_ends_with_it() -> None:
    made = Made()
    made.site(WishesSet("car", Wishes(floor_soc=0.5), "api", True), MONDAY_UNIX_S - 3600)
    first = made.began(MONDAY_UNIX_S - 1800, 40.0)
    made.ended(first, MONDAY_UNIX_S - 900, 40.0)
    made.began(MONDAY_UNIX_S, 30.0)
    giving = {"car": CarMinute(-6.0, 20.0, 0.0, 0.1)}
    made.site(Measured(MONDAY_UNIX_S, 60, 0.0, 0.0, cars=giving), MONDAY_UNIX_S + 60)
    stay = folded(made.entries).ledger.stays[1]
    assert (stay.floor_broken, stay.floor_kwh) == (False, 12.0)


def test_a_stay_without_discharging_says_nothing_of_the_floor() -> None:
    made = Made()
    made.began(MONDAY_UNIX_S, 5.0)
    charging = {"car": CarMinute(6.0, 5.1, 0.1, 0.0)}
    made.site(Measured(MONDAY_UNIX_S, 60, 6.0, 0.0, cars=charging), MONDAY_UNIX_S + 60)
    assert folded(made.entries).ledger.stays[0].floor_broken is None


def test_what_the_trip_took_is_counted_on_the_return() -> None:
    made = Made()
    first = made.began(MONDAY_UNIX_S, 30.0)
    made.ended(first, MONDAY_UNIX_S + 3600, 48.0, departure=WANTED, asked_kwh=48.0, kept=True)
    made.began(MONDAY_UNIX_S + 30_000, 41.5)
    for quarter in range(40):
        made.quarter(MONDAY_UNIX_S + quarter * 900, buy=0.3, import_kwh=0.0, export_kwh=0.0)
    accounts = folded(made.entries)
    rows = sums_by(accounts.ledger, "session", 0, 1 << 60)
    assert [row.sums.driven_kwh for row in rows] == [0.0, 6.5]
    (day,) = sums_by(accounts.ledger, "day", 0, 1 << 60)
    assert (day.sums.driven_kwh, day.stay_count, day.promises) == (6.5, 1, {"kept": 1})


def test_what_the_driver_was_told_stays_with_the_stay() -> None:
    made = Made()
    made.began(MONDAY_UNIX_S, 5.0)
    made.site(PromiseAtRisk("car", WANTED, 48.0, 40.0, None, "67 % at most"), MONDAY_UNIX_S + 5)
    assert folded(made.entries).ledger.stays[0].risks == ("67 % at most",)


def test_what_a_car_came_with_is_told_by_the_first_minute_that_knows() -> None:
    made = Made()
    first = made.began(MONDAY_UNIX_S, 30.0)
    made.ended(first, MONDAY_UNIX_S + 600, 30.0)
    made.read(MONDAY_UNIX_S + 1200, 10.0)
    made.began(MONDAY_UNIX_S + 1200)
    made.read(MONDAY_UNIX_S + 1320, 10.5)
    cars = {"car": CarMinute(15.0, 22.45, 0.25, 0.0)}
    made.site(Measured(MONDAY_UNIX_S + 1260, 60, 15.0, 0.0, cars=cars), MONDAY_UNIX_S + 1320)
    second = folded(made.entries).ledger.stays[1]
    # 0.5 kWh were charged until then, of which 0.45 kWh are in the battery.
    assert second.energy_kwh_begin == pytest.approx(22.0)
    assert second.driven_kwh == pytest.approx(8.0)
