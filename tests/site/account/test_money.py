"""Money by hand: every figure below can be followed with a pencil.

The battery takes 0.9 of what is charged and gives 0.8 of what leaves it; wear is 0.05 a kWh that leaves it.
"""

from __future__ import annotations

import pytest

from parkwatt.domain.site.event import CarInterval, PricesReceived
from parkwatt.site.account import CarAccountSettings, Sums, sums_by
from tests.site.account.made import (
    MONDAY_UNIX_S,
    QUARTER_S,
    Made,
    folded,
    settings,
    storage,
)

T0 = MONDAY_UNIX_S + 18 * 3600
ALL = (0, 1 << 60)


def a_stay(
    car_kwh: list[float],
    *,
    base_kwh: list[float],
    buy: list[float],
    sell: float = 0.08,
    metered: bool = True,
    load_told: bool = True,
) -> Made:
    """One stay from T0 on: what the car takes (+) or gives (−) in each quarter, what the house takes less the sun."""
    made = Made()
    imported, exported = 500.0, 20.0
    made.read(T0, imported, exported)
    stay = made.began(T0, 30.0)
    for index, (kwh, base) in enumerate(zip(car_kwh, base_kwh, strict=True)):
        start = T0 + index * QUARTER_S
        imported, exported = imported + max(kwh, 0.0), exported + max(-kwh, 0.0)
        made.read(start + QUARTER_S, imported, exported)
        made.quarter(
            start,
            buy=buy[index],
            sell=sell,
            import_kwh=max(base + kwh, 0.0) if metered else None,
            export_kwh=max(-base - kwh, 0.0) if metered else None,
            load_kwh=max(base, 0.0) if load_told else None,
            solar_kwh=max(-base, 0.0) if load_told else None,
            cars={"car": CarInterval(max(kwh, 0.0), max(-kwh, 0.0), None, QUARTER_S)},
        )
    made.ended(stay, T0 + len(car_kwh) * QUARTER_S)
    return made


def only(made: Made) -> Sums:
    """The sums of the only stay."""
    (row,) = sums_by(folded(made.entries).ledger, "session", *ALL)
    return row.sums


def test_energy_from_the_grid_costs_the_price_of_its_time_and_is_compared_with_full_power_at_once() -> (
    None
):
    # 2.5 kWh is a quarter at the full 10 kW: charging at once takes the first two quarters.
    made = a_stay([0, 0, 2.5, 2.5], base_kwh=[0.2] * 4, buy=[0.40, 0.30, 0.10, 0.20])
    sums = only(made)
    assert (sums.in_kwh, sums.out_kwh) == pytest.approx((5.0, 0.0))
    assert sums.cost == pytest.approx(2.5 * 0.10 + 2.5 * 0.20)
    assert sums.at_once_cost == pytest.approx(2.5 * 0.40 + 2.5 * 0.30)
    assert (sums.gross_saving, sums.wear_cost, sums.net_saving) == pytest.approx((1.0, 0.0, 1.0))
    assert sums.battery_in_kwh == pytest.approx(4.5)


def test_who_charges_at_once_saves_nothing() -> None:
    made = a_stay([2.5, 1.0, 0], base_kwh=[0.2, -0.4, 0.3], buy=[0.40, 0.30, 0.10])
    sums = only(made)
    assert sums.at_once_cost == pytest.approx(sums.cost)
    assert sums.net_saving == pytest.approx(0.0)


def test_sun_that_is_charged_is_export_forgone() -> None:
    # The roof gives 1 kWh more than the house takes: of 1.5 kWh charged, 1 kWh would have been sold for 0.08.
    sums = only(a_stay([1.5], base_kwh=[-1.0], buy=[0.30]))
    assert sums.cost == pytest.approx(1.0 * 0.08 + 0.5 * 0.30)
    assert sums.from_sun_kwh == pytest.approx(1.0)


def test_the_house_run_from_the_car_is_import_avoided() -> None:
    made = a_stay([-0.5, 1.25], base_kwh=[0.5, 0.5], buy=[0.50, 0.20])
    sums = only(made)
    assert sums.worth_discharged == pytest.approx(0.5 * 0.50)
    assert sums.cost == pytest.approx(1.25 * 0.20 - 0.25)
    # Out of the battery 0.5 / 0.8 = 0.625 kWh, into it 1.125 kWh: 0.5 kWh more, for which at once takes 0.5 / 0.9 kWh.
    assert (sums.battery_out_kwh, sums.battery_in_kwh) == pytest.approx((0.625, 1.125))
    assert sums.at_once_cost == pytest.approx(0.5 / 0.9 * 0.50)
    assert sums.wear_cost == pytest.approx(0.625 * 0.05)
    assert (sums.to_home_kwh, sums.to_grid_kwh) == pytest.approx((0.5, 0.0))
    assert sums.net_saving == pytest.approx(sums.gross_saving - 0.625 * 0.05)


def test_what_is_fed_in_earns_the_export_price_beyond_what_the_house_takes() -> None:
    sums = only(a_stay([-2.0], base_kwh=[0.5], buy=[0.50], sell=0.30))
    assert sums.worth_discharged == pytest.approx(0.5 * 0.50 + 1.5 * 0.30)
    assert (sums.to_home_kwh, sums.to_grid_kwh) == pytest.approx((0.5, 1.5))


def test_negative_prices_pay_for_charging() -> None:
    made = a_stay([0, 2.5], base_kwh=[0.1, 0.1], buy=[0.20, -0.10])
    sums = only(made)
    assert sums.cost == pytest.approx(-0.25)
    assert sums.at_once_cost == pytest.approx(0.50)
    assert sums.gross_saving == pytest.approx(0.75)


def test_within_a_quarter_the_car_is_never_made_cheaper_than_it_may_have_been() -> None:
    # Import 1.0 and export 0.6 in the same quarter, in which the car took 1.2: of that, 1.0 counts as imported.
    made = Made()
    made.read(T0, 0.0)
    made.read(T0 + QUARTER_S, 1.2)
    stay = made.began(T0)
    made.quarter(T0, buy=0.30, sell=0.10, import_kwh=1.0, export_kwh=0.6)
    made.ended(stay, T0 + QUARTER_S)
    assert only(made).cost == pytest.approx(1.0 * 0.30 + 0.2 * 0.10)


def test_both_directions_in_a_quarter_count_with_one_price() -> None:
    # The car took 1.0 and gave 0.4; the house takes 0.2: import 0.8. Without the car 0.2 is imported: 0.6 at 0.30.
    made = Made()
    made.read(T0, 0.0, 0.0)
    made.read(T0 + QUARTER_S, 1.0, 0.4)
    stay = made.began(T0)
    made.quarter(T0, buy=0.30, sell=0.10, import_kwh=0.8, export_kwh=0.0)
    made.ended(stay, T0 + QUARTER_S)
    sums = only(made)
    assert sums.cost == pytest.approx(0.6 * 0.30)
    assert (sums.cost_charged, sums.worth_discharged) == pytest.approx((0.30, 0.12))


def test_without_a_grid_meter_load_and_sun_tell_the_exchange() -> None:
    told = a_stay([1.5], base_kwh=[-1.0], buy=[0.30], metered=False)
    sums = only(told)
    assert sums.cost == pytest.approx(1.0 * 0.08 + 0.5 * 0.30)
    assert sums.unmetered_kwh == 0.0


def test_during_an_outage_of_all_meters_charging_is_bought_and_discharging_worth_the_lower_price() -> (
    None
):
    made = a_stay([1.5, -1.0], base_kwh=[-1, 1], buy=[0.3, 0.5], metered=False, load_told=False)
    sums = only(made)
    assert sums.cost_charged == pytest.approx(1.5 * 0.3)
    assert sums.worth_discharged == pytest.approx(1.0 * 0.08)
    assert sums.unmetered_kwh == pytest.approx(2.5)


def test_an_unknown_price_is_the_mean_of_its_day() -> None:
    made = a_stay([1.0, 1.0, 1.0], base_kwh=[0.1] * 3, buy=[0.20, 0.40, 0.30])
    made.quarter(T0 + 3 * QUARTER_S, buy=None, import_kwh=1.1, export_kwh=0.0)
    stay = made.began(T0 + 3 * QUARTER_S)
    made.read(T0 + 4 * QUARTER_S, 504.0, 20.0)
    made.ended(stay, T0 + 4 * QUARTER_S)
    rows = sums_by(folded(made.entries).ledger, "session", *ALL)
    assert rows[1].sums.cost == pytest.approx(0.30, abs=1e-6)
    assert rows[1].sums.unpriced_kwh == pytest.approx(1.0)


def test_a_price_that_comes_late_is_put_in() -> None:
    made = a_stay([1.0], base_kwh=[0.1], buy=[0.20])
    made.quarter(T0 + QUARTER_S, buy=None, import_kwh=1.1, export_kwh=0.0)
    stay = made.began(T0 + QUARTER_S)
    made.read(T0 + 2 * QUARTER_S, 502.0, 20.0)
    made.ended(stay, T0 + 2 * QUARTER_S)
    start = T0 - T0 % 3600
    event = PricesReceived("import.day_ahead", "a test", start, 3600, (0.25,))
    made.site(event, T0 + 7200)
    rows = sums_by(folded(made.entries).ledger, "session", *ALL)
    assert rows[1].sums.cost == pytest.approx(0.25)
    assert rows[1].sums.unpriced_kwh == 0.0


def test_a_stay_that_ends_with_less_leaves_the_rest_to_the_next_of_charging_at_once() -> None:
    made = a_stay([2.5, -1.0], base_kwh=[0.5, 1.0], buy=[0.20, 0.50])
    # The first stay gains 2.25 − 1.25 = 1.0 kWh; the second gives 0.8 kWh (1.0 kWh from the battery), the third gains 1.8.
    imported, exported = 502.5, 21.0
    for number, (kwh, buy) in enumerate([(-0.8, 0.40), (2.0, 0.30)]):
        start = T0 + (4 + 4 * number) * QUARTER_S
        stay = made.began(start)
        imported, exported = imported + max(kwh, 0.0), exported + max(-kwh, 0.0)
        made.read(start, imported - max(kwh, 0.0), exported - max(-kwh, 0.0))
        made.read(start + QUARTER_S, imported, exported)
        made.quarter(start, buy=buy, import_kwh=1.0 + max(kwh, 0.0), export_kwh=0.0)
        made.ended(stay, start + QUARTER_S)
    first, second, third = (
        row.sums for row in sums_by(folded(made.entries).ledger, "session", *ALL)
    )
    assert first.at_once_cost == pytest.approx(1.0 / 0.9 * 0.20)
    # A kWh in the battery had cost 0.5 / 2.25.
    assert second.at_once_cost == 0.0
    assert second.stored_worth == pytest.approx(-1.0 * 0.5 / 2.25)
    assert second.gross_saving == pytest.approx(0.8 * 0.40 - 0.5 / 2.25)
    assert third.at_once_cost == pytest.approx((1.8 - 1.0) / 0.9 * 0.30)
    assert third.stored_worth == pytest.approx(0.5 / 2.25)


def test_charging_at_once_keeps_the_connections_limit() -> None:
    made = a_stay([0, 0, 2.0], base_kwh=[1.5, 1.5, 0.5], buy=[0.50, 0.40, 0.10])
    accounts = folded(made.entries, settings(import_limit_kw=10.0))
    (row,) = sums_by(accounts.ledger, "session", *ALL)
    # 10 kW are 2.5 kWh a quarter, of which the house takes 1.5: 1.0 kWh in each.
    assert row.sums.at_once_cost == pytest.approx(1.0 * 0.50 + 1.0 * 0.40)


def test_two_cars_share_the_bill_and_pay_it_once() -> None:
    made = Made()
    made.read(T0, 0.0, 0.0, charger_id="A")
    made.read(T0, 0.0, 0.0, charger_id="B")
    stays = [made.began(T0, car_id=car, at=at) for car, at in (("one", "A"), ("two", "B"))]
    made.read(T0 + QUARTER_S, 2.0, 0.0, charger_id="A")
    made.read(T0 + QUARTER_S, 0.0, 0.5, charger_id="B")
    made.quarter(T0, buy=0.30, sell=0.10, import_kwh=0.0, export_kwh=0.5, load_kwh=0.0)
    for car, stay in zip(("one", "two"), stays, strict=True):
        made.ended(stay, T0 + QUARTER_S, car_id=car)
    cars = [
        CarAccountSettings(charger_id=at, storage=storage(car))
        for car, at in (("one", "A"), ("two", "B"))
    ]
    rows = sums_by(folded(made.entries, settings(*cars)).ledger, "session", *ALL)
    # Without the cars 2.0 kWh of sun would have been exported, not 0.5: together they cost 0.15, a kWh 0.10.
    assert [row.sums.cost for row in rows] == pytest.approx([0.20, -0.05])


def test_standing_charged_counts_against_charging_at_once() -> None:
    made = Made()
    imported = 0.0
    made.read(T0, imported)
    stay = made.began(T0, 40.0)
    for index, (kwh, energy_kwh) in enumerate([(0.0, 40.0), (0.0, 40.0), (2.5, 42.25)]):
        start = T0 + index * QUARTER_S
        imported += kwh
        made.read(start + QUARTER_S, imported)
        cars = {"car": CarInterval(kwh, 0.0, energy_kwh, QUARTER_S)}
        made.quarter(start, buy=0.3, import_kwh=kwh, export_kwh=0.0, cars=cars)
    made.ended(stay, T0 + 3 * QUARTER_S, 42.25)
    car = storage(holding_price_per_kwh_h=0.01, holding_from_kwh=41.0)
    accounts = folded(made.entries, settings(CarAccountSettings(charger_id="CP-1", storage=car)))
    (row,) = sums_by(accounts.ledger, "session", *ALL)
    # At once the battery holds 42.25 kWh in all three quarters, 1.25 above 41; really in the last one only.
    assert row.sums.wear_cost == pytest.approx(-2 * 1.25 * 0.25 * 0.01)
