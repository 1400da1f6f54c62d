"""A whole year, small: energy adds up, a choice more never costs, promises hold in each way, money is what a hand finds."""

from dataclasses import replace

import numpy as np
import pytest

from parkwatt.fleet.year.car import day_prices
from parkwatt.fleet.year.drivers import DrawnStays, draw_drivers
from parkwatt.fleet.year.played import Played, Way, play
from parkwatt.fleet.year.study import PROGRAMMES, Programme, play_year
from parkwatt.fleet.year.wear import climate_c, wear_of_year
from parkwatt.plan.wear import CELLS
from tests.fleet.year.years import a_car, plain_days, recorded, terms_of_year

DRIVERS = 12


def drawn_stays(day_count: int = 42) -> DrawnStays:
    """Of some drivers."""
    return draw_drivers(recorded(4, 10, 2), DRIVERS, plain_days(day_count), 1).stays


def played(way: Way, reserve_per_kwh: float = 0.0, free_share: float = 0.0) -> Played:
    """Six weeks of them."""
    terms = terms_of_year("arbitrage")
    prices = day_prices(terms.import_per_kwh, terms.export_per_kwh, terms.days)
    return play(
        drawn_stays(),
        DRIVERS,
        terms.days,
        terms.car,
        prices,
        way,
        reserve_per_kwh=reserve_per_kwh,
        free_share=free_share,
    )


@pytest.mark.parametrize(
    ("way", "reserve_per_kwh", "free_share"),
    [
        ("at once", 0.0, 0.0),
        ("smart", 0.0, 0.0),
        ("both ways", 0.0, 0.0),
        ("both ways", 0.02, 0.75),
    ],
)
def test_each_car_leaves_with_what_was_asked_and_moves_only_while_plugged_in(
    way: Way, reserve_per_kwh: float, free_share: float
) -> None:
    found, stays, car = played(way, reserve_per_kwh, free_share), drawn_stays(), a_car()
    assert found.shortfall_kwh.max() < 1e-6
    at_departure = found.energy_kwh[stays.driver, stays.to_step]
    assert at_departure.min() > car.asked_kwh - 1e-3
    arrival = car.arrival_kwh(stays.energy_kwh)
    assert np.allclose(found.energy_kwh[stays.driver, stays.from_step], arrival, atol=1e-3)
    plugged = np.zeros(found.power_kw.shape, dtype=np.bool_)
    for driver, begins, ends in zip(stays.driver, stays.from_step, stays.to_step, strict=True):
        plugged[driver, begins:ends] = True
    assert not found.power_kw[~plugged].any()
    assert np.abs(found.power_kw).max() <= car.power_kw_max + 1e-5
    lowest = np.minimum(arrival.min(), car.floor_soc * car.energy_kwh_max)
    assert found.energy_kwh.min() >= lowest - 1e-3
    if way != "both ways":
        assert found.power_kw.min() >= 0.0
    # What goes in and out is what the battery gained in each step.
    power = found.power_kw.astype(np.float64)
    gain = np.where(power > 0.0, power * car.efficiency, power / car.efficiency) * 0.25
    assert np.allclose(np.diff(found.energy_kwh, axis=1)[plugged], gain[plugged], atol=1e-3)


def test_at_once_has_full_power_from_arrival_on() -> None:
    found, stays = played("at once"), drawn_stays()
    need = stays.energy_kwh > 11.0 * 0.25
    assert np.allclose(found.power_kw[stays.driver[need], stays.from_step[need]], 11.0, atol=1e-4)
    quiet = stays.from_step + np.ceil(stays.energy_kwh / 11.0 * 4).astype(np.int64)
    for driver, begins, ends in zip(stays.driver, quiet, stays.to_step, strict=True):
        assert not found.power_kw[driver, begins:ends].any()


def test_power_that_is_left_free_is_held_by_every_car_all_the_time() -> None:
    terms, stays = terms_of_year("fcr"), drawn_stays()
    free, none = played("both ways", 0.02, 0.75), played("both ways", 0.02, 0.0)
    count = np.zeros(terms.days.step_count)
    for begins, ends in zip(stays.from_step, stays.to_step, strict=True):
        # Before the departure what was asked has to be there again, so it holds back less.
        count[begins : max(ends - 24, begins)] += 1.0
    busy = count > 3
    least = np.minimum(free.up_kw, free.down_kw)[busy] / count[busy]
    assert np.median(least) >= 0.75 * 11.0 - 1e-6
    worst = np.minimum(none.up_kw, none.down_kw)[busy] / count[busy]
    assert worst.min() < least.min()


@pytest.mark.parametrize("programme", PROGRAMMES)
def test_a_choice_more_never_costs(programme: Programme) -> None:
    terms = terms_of_year(programme)
    terms = replace(terms, capacity=replace(terms.capacity, price_per_mw_h=100.0))
    found = play_year(drawn_stays(), DRIVERS, terms)
    drivers = found.drivers
    assert (drivers.smart_cost <= drivers.at_once_cost + 1e-6).all()
    assert drivers.gross.sum() > 0.0
    assert drivers.net == pytest.approx(drivers.gross - drivers.wear + drivers.at_once_wear)
    assert drivers.net == pytest.approx(drivers.smart_net + drivers.both_ways_net)
    assert found.short_count == 0
    if programme == "arbitrage":
        given_wear = drivers.given_kwh / terms.car.efficiency * terms.car.wear_price_per_kwh
        assert (drivers.energy_cost + given_wear <= drivers.smart_cost + 1e-6).all()
        assert not drivers.paid.any()
    else:
        assert drivers.paid.sum() > 0.0


def test_a_reserve_that_pays_next_to_nothing_is_not_sold_and_changes_nothing() -> None:
    terms, stays = terms_of_year("fcr"), drawn_stays()
    poor = replace(terms, capacity=replace(terms.capacity, price_per_mw_h=0.01))
    found = play_year(stays, DRIVERS, poor)
    alone = play_year(stays, DRIVERS, replace(terms, programme="arbitrage"))
    assert found.free_share is None
    for one, two in zip(found.drivers, alone.drivers, strict=True):
        assert np.array_equal(one, two)
    rich = play_year(
        stays, DRIVERS, replace(terms, capacity=replace(terms.capacity, price_per_mw_h=100.0))
    )
    assert rich.free_share is not None
    assert rich.drivers.net.sum() > alone.drivers.net.sum()


def test_the_order_and_the_number_of_drivers_at_a_time_change_nothing() -> None:
    """61 drivers are played in two parts; the first of them alone are the same."""
    days = plain_days(28)
    stays = draw_drivers(recorded(4, 10, 2), 61, days, 1).stays
    terms = terms_of_year("arbitrage", 28)
    whole = play_year(stays, 61, terms).drivers
    part = play_year(stays.of_drivers(55, 61), 6, terms).drivers
    for one, two in zip(whole, part, strict=True):
        assert one[55:] == pytest.approx(two)


def test_a_driver_who_never_plugs_in_is_left_with_nothing() -> None:
    stays = drawn_stays()
    without = DrawnStays._make(array[stays.driver != 3] for array in stays)
    drivers = play_year(without, DRIVERS, terms_of_year("elrp")).drivers
    assert drivers.gross[3] == 0.0
    assert drivers.net[3] == pytest.approx(0.0)
    assert drivers.plugged_share[3] == 0.0


def test_a_dearer_pack_wears_more_money_and_a_programme_is_asked_for_less() -> None:
    terms, stays = terms_of_year("arbitrage"), drawn_stays()
    dear = replace(terms, pack_price_per_kwh=200.0)
    once, twice = (play_year(stays, DRIVERS, one).drivers for one in (terms, dear))
    assert twice.wear == pytest.approx(2 * once.wear)
    assert twice.gross == pytest.approx(once.gross)
    unwilling = replace(terms, car=a_car(wear_price_per_kwh=10.0))
    assert not play_year(stays, DRIVERS, unwilling).drivers.given_kwh.any()


def test_wear_of_a_year_at_rest_is_that_of_the_calendar_and_dearer_when_full() -> None:
    days = plain_days(365)
    temperature = climate_c(days, 1)
    assert temperature.min() == pytest.approx(2.0, abs=0.01)
    assert temperature.max() == pytest.approx(22.0, abs=0.01)
    costs = [
        wear_of_year(
            np.full(days.step_count + 1, level, np.float32),
            days,
            temperature,
            CELLS["lfp-sony-murata"],
            60.0,
            100.0,
        )
        for level in (20.0, 57.0)
    ]
    assert 0.0 < costs[0] < costs[1]
    # Half of such a year costs about half, as both halves of it are repeated for ten years (here: at one temperature).
    half = plain_days(182)
    even = np.full(days.step_count + 1, 12.0)
    whole_cost, half_cost = (
        wear_of_year(
            np.full(one.step_count + 1, 57.0, np.float32),
            one,
            even[: one.step_count + 1],
            CELLS["lfp-sony-murata"],
            60.0,
            100.0,
        )
        for one in (days, half)
    )
    assert half_cost == pytest.approx(whole_cost * 182 / 365, rel=0.01)
    # A pack of 6,000 that is used up at 70 %: each percent costs 200.
    assert costs[1] < 2.0 * 200.0
