"""Each kind of sentence, with the numbers that follow from the problem."""

from dataclasses import replace

import numpy as np
import pytest

from parkwatt.domain.problem import Problem
from parkwatt.plan.exact import plan
from tests.plan.exact.made_problem import car, problem, stay


def messages(made: Problem) -> list[tuple[int, int, str]]:
    """Steps and sentence of each reason."""
    return [(r.from_step, r.to_step, r.message) for r in plan(made).reasons]


def test_waiting_tells_until_when_how_much_cheaper_and_what_is_still_reached() -> None:
    made = problem([0.301, 0.30, 0.21, 0.21, 0.35], car(stay(5, 20.0, 40.0)))
    waits, charges, rests = messages(made)
    assert waits == (
        0,
        2,
        "waits until 18:00: 9.1 ct/kWh cheaper than now, and 40.0 kWh (80 %) is still reached by 21:00",
    )
    assert charges[:2] == (2, 4)
    assert charges[2].startswith("charges at 21.0 ct/kWh, 10.7 below the rest of the stay")
    assert charges[2].endswith("40.0 kWh (80 %) by 21:00")
    assert rests[:2] == (4, 5)


def test_powers_and_prices_are_means_over_time_where_steps_differ_by_hand() -> None:
    """A quarter hour at 10 kW and an hour at 6; the rest is an hour at 0.4 and three at 0.6."""
    made = problem(
        [0.2, 0.2, 0.4, 0.6], car(stay(4, 20.0, 28.5)), import_limit_kw=10.0, load_kw=[0, 4, 0, 0]
    )
    made = replace(made, duration_h=np.array([0.25, 1.0, 1.0, 3.0]))
    charges = plan(made).reasons[0]
    assert charges.power_kw == pytest.approx((0.25 * 10 + 6) / 1.25)
    assert "35.0 below the rest of the stay" in charges.message


def test_times_are_local() -> None:
    made = problem([0.3, 0.1], car(stay(2, 20.0, 30.0)), time_zone="America/New_York")
    assert "waits until 12:00" in messages(made)[0][2]


def test_other_currencies_have_their_own_words() -> None:
    made = problem([30.0, 10.0], car(stay(2, 20.0, 30.0)), currency="JPY")
    assert "20.000 JPY/kWh cheaper" in messages(made)[0][2]


def test_a_battery_below_its_floor_charges_at_once() -> None:
    made = problem([0.9, 0.1], car(stay(2, 4.0)))
    assert messages(made)[0][2] == "charges at once: 4.0 kWh is below the floor of 10.0 kWh"


def test_running_the_house_tells_what_a_kwh_brings_and_costs() -> None:
    vehicle = car(stay(2, 20.0, 20.0), discharge_efficiency=0.8, wear_price_per_kwh=0.04)
    made = problem([0.5, 0.1], vehicle, load_kw=[4.0, 0.0])
    discharges, charges = messages(made)
    assert discharges[:2] == (0, 1)
    # (0.10 to buy a kWh back + 0.04 of wear) / 0.8
    assert discharges[2] == (
        "runs the house: a kWh brings 50.0 ct/kWh and costs 17.5 with losses and 5.0 of wear; "
        "refilled from 17:00 at 10.0"
    )
    assert charges[:2] == (1, 2)


def test_selling_says_so() -> None:
    made = problem([0.5, 0.1], car(stay(2, 20.0, 20.0)), sell=[0.4, 0.05])
    assert messages(made)[0][2].startswith("sells to the grid: a kWh brings 40.0 ct/kWh")


def test_charging_for_later_names_when_it_is_used_and_what_it_brings() -> None:
    made = problem([0.1, 0.5], car(stay(2, 10.0)), load_kw=[0.0, 5.0])
    assert messages(made)[0][2].endswith("used from 17:00 on, when a kWh brings 50.0")


def test_charging_from_the_sun_names_the_price_given_up() -> None:
    made = problem([0.3, 0.3], car(stay(2, 20.0, 24.0)), sell=[0.08, 0.08], solar_kw=[4.0, 0.0])
    told = messages(made)[0][2]
    assert told.startswith("charges from the sun, which would otherwise sell for 8.0 ct/kWh")


def test_being_paid_for_taking_power_is_told() -> None:
    made = problem([-0.05, 0.2], car(stay(2, 20.0)), sell=[-0.1, 0.0])
    told = messages(made)[0][2]
    assert told.startswith("charges because power is paid for: 5.0 ct/kWh for taking it")


def test_charging_for_what_is_left_names_its_worth() -> None:
    made = problem([0.1], car(stay(1, 20.0, energy_value_per_kwh=0.25), discharge_kw_max=0.0))
    assert messages(made)[0][2].endswith("a kWh left at the end is worth 25.0")


def test_holding_tells_from_which_price_selling_would_pay() -> None:
    vehicle = car(stay(2, 20.0, energy_value_per_kwh=0.3), wear_price_per_kwh=0.02)
    made = problem([0.4, 0.4], vehicle, sell=[0.1, 0.15])
    ((first, end, held),) = messages(made)
    assert (first, end) == (0, 2)
    assert held == (
        "holds 20.0 kWh (40 %): selling brings at most 15.0 ct/kWh "
        "and would pay from 32.0, with refill, losses and wear"
    )


def test_waiting_for_the_sun_counts_what_the_sun_would_sell_for() -> None:
    made = problem([0.3, 0.3], car(stay(2, 20.0, 24.0)), sell=[0.08, 0.08], solar_kw=[0.0, 4.0])
    assert messages(made)[0][2].startswith("waits until 17:00: 22.0 ct/kWh cheaper than now")


def test_resting_tells_that_what_was_asked_is_there() -> None:
    made = problem([0.3, 0.3], car(stay(2, 40.0, 30.0), discharge_kw_max=0.0))
    told = messages(made)[0][2]
    assert told == "rests: 30.0 kWh (60 %) for 18:00 is already in the battery"


def test_shaving_a_peak_names_it() -> None:
    vehicle = car(stay(3, 30.0, 30.0))
    made = problem([0.2, 0.2, 0.2], vehicle, load_kw=[1.0, 8.0, 0.0], demand_charge_per_kw=5.0)
    told = [message for _, _, message in messages(made) if message.startswith("runs the house")]
    assert told
    assert all("the peak stays at 3.0 kW" in message for message in told)
