"""The battery's ledger: energy and cycles add up, hours are those known, and the wear model stands beside them."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from parkwatt.domain.charger.event import MeterRead
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.site.event import CarInterval, SocTold
from parkwatt.site.account import Accounts, CarAccountSettings, sums_by
from parkwatt.site.account.battery import battery_account
from tests.site.account.made import MONDAY_UNIX_S, QUARTER_S, US, Home, Made, folded, settings

CAR = replace(settings().cars[0], cell_id="nmc622-denso")


def lived(days: int) -> Accounts:
    """Days of a home with a car that charges and gives."""

    def power_kw(chance: random.Random, _: int) -> float:
        return chance.choice([0.0, 6.0, 8.0, -4.0])

    home = Home()
    home.live(MONDAY_UNIX_S, days, seed=3, power_kw=power_kw)
    return folded(home.made.entries, settings(CAR))


def test_all_that_left_the_battery_is_told_once() -> None:
    accounts = lived(12)
    account = battery_account(accounts, CAR)
    total = account.total
    assert list(account.months) == ["2026-11", "2026-12"]
    sums = [row.sums for row in sums_by(accounts.ledger, "month", 0, 1 << 60)]
    assert total.driving_kwh + total.home_kwh + total.grid_kwh == pytest.approx(
        sum(one.used_kwh for one in sums)
    )
    assert total.in_kwh == pytest.approx(sum(one.in_kwh for one in sums))
    assert total.home_kwh > 0
    assert total.grid_kwh > 0
    assert total.driving_kwh > 0


def test_hours_at_high_charge_by_hand() -> None:
    made = Made()
    stay = made.began(MONDAY_UNIX_S, 30.0)
    for index, energy_kwh in enumerate([30.0, 49.0, 55.0, None]):
        car = CarInterval(energy_kwh=energy_kwh, plugged_s=QUARTER_S)
        made.quarter(MONDAY_UNIX_S + index * QUARTER_S, buy=0.3, cars={"car": car})
    made.ended(stay, MONDAY_UNIX_S + 4 * QUARTER_S)
    total = battery_account(folded(made.entries, settings(CAR)), CAR).total
    assert (total.known_h, total.high_h, total.highest_h) == pytest.approx((0.75, 0.5, 0.25))


def test_the_wear_model_needs_a_cell_and_two_weeks() -> None:
    assert battery_account(lived(5), CAR).ageing is None
    accounts = lived(20)
    assert battery_account(accounts, replace(CAR, cell_id=None)).ageing is None
    ageing = battery_account(accounts, CAR).ageing
    assert ageing is not None
    assert ageing.days == pytest.approx(20, abs=1.5)
    total = ageing.split.total_percent_per_year
    assert ageing.lowest_percent_per_year <= total <= ageing.highest_percent_per_year
    assert ageing.split.grid_use_cycling_percent_per_year > 0


def charged_home(*, by_hand: bool) -> Accounts:
    """A week of nights in each of which 30 kWh bring 50 per cent; the charge told by the car's service, or by its driver."""
    made, register_kwh = Made(), 100.0
    for day in range(7):
        start = MONDAY_UNIX_S + day * 86_400
        made.transaction(start, "started", register_kwh, transaction_id=f"T{day}")
        stay = made.began(start)
        for minute in range(0, 241, 10):
            at, soc = start + minute * 60, 0.3 + 0.5 * minute / 240
            reading = MeterReading(measured_unix_us=at * US, energy_import_kwh=register_kwh)
            made.charger(MeterRead(1, (reading,)), at)
            made.site(SocTold("car", soc, at * US, "api" if by_hand else "mqtt"), at)
            register_kwh += 30.0 / 24 if minute < 240 else 0.0
        made.transaction(start + 15_000, "ended", register_kwh, transaction_id=f"T{day}")
        made.ended(stay, start + 15_000)
    return folded(made.entries, settings(CAR))


def test_the_capacity_comes_from_what_the_car_told() -> None:
    capacity = battery_account(charged_home(by_hand=False), CAR).capacity
    assert capacity.rise_count == 7
    assert capacity.capacity_kwh == pytest.approx(30.0 * 0.9 / 0.5, rel=1e-6)


def test_a_drivers_word_is_no_measurement() -> None:
    assert battery_account(charged_home(by_hand=True), CAR).capacity.rise_count == 0


def test_a_charger_tells_the_charge_too() -> None:
    made, register_kwh = Made(), 100.0
    for day in range(5):
        start = MONDAY_UNIX_S + day * 86_400
        stay = made.began(start)
        for minute in range(0, 241, 10):
            at = start + minute * 60
            reading = MeterReading(
                measured_unix_us=at * US,
                energy_import_kwh=register_kwh,
                soc=0.3 + 0.5 * minute / 240,
            )
            made.charger(MeterRead(1, (reading,)), at)
            register_kwh += 30.0 / 24 if minute < 240 else 0.0
        made.ended(stay, start + 15_000)
    capacity = battery_account(folded(made.entries, settings(CAR)), CAR).capacity
    assert capacity.capacity_kwh == pytest.approx(54.0, rel=1e-6)


def test_a_snapshot_keeps_what_was_told_of_the_charge() -> None:
    accounts = charged_home(by_hand=False)
    again = Accounts.restored(accounts.settings, accounts.snapshot())
    assert again is not None
    assert battery_account(again, CAR) == battery_account(accounts, CAR)


def test_a_car_of_which_nothing_is_known() -> None:
    other = CarAccountSettings(charger_id="CP-9", storage=replace(CAR.storage, id="other"))
    account = battery_account(folded([], settings(other)), other)
    assert account.months == {}
    assert account.total.driving_kwh == 0
    assert account.ageing is None
