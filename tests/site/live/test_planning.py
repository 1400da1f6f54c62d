"""The plan of a running site: its laws on random sites, and small cases by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.series import TimeGrid
from parkwatt.domain.site.live_plan import LivePlan
from parkwatt.domain.tariff import FlatPrice, Price
from parkwatt.forecast.power import GivenForecaster
from parkwatt.plan.check import check
from parkwatt.plan.exact import plan
from parkwatt.site.live.planning import make_plan, pose
from parkwatt.site.live.request import Habits, KnownStay
from tests.site.live.made_request import NOONS, ZONE, one_car, one_request, random_request

_DAY_S = 86_400
# The judge knows the contract, in which energy left has one price; the horizon's worth falls with the energy.
_NOT_JUDGED = "cost_parts.end_value"
# So that no solve ends for the time it took.
_PATIENT_S = 30.0


def joined(found: LivePlan) -> str:
    """All reasons in one text."""
    return "\n".join(reason.message for reason in found.reasons)


@settings(max_examples=60)
@given(seed=st.integers(0, 1_000_000))
def test_a_plan_always_exists_and_keeps_every_rule(seed: int) -> None:
    request = random_request(seed)
    posed = pose(request)
    report = check(posed.problem, plan(posed.problem))
    assert [fault for fault in report.faults if fault.field != _NOT_JUDGED] == []
    found = make_plan(request).plan
    edges = np.array(found.edges_unix_s)
    assert edges[0] == found.made_unix_s == request.now_unix_s
    assert (np.diff(edges) > 0).all()
    count = len(edges) - 1
    for series in (
        *(found.grid_kw, found.load_kw, found.solar_kw),
        *(found.import_price_per_kwh, found.export_price_per_kwh),
    ):
        assert len(series) == count
        assert np.isfinite(series).all()
    assert len(found.cars) == len(request.cars)
    hours = np.diff(edges) / 3600
    for now, car, vehicle in zip(request.cars, found.cars, posed.problem.vehicles, strict=True):
        power, energy = np.array(car.power_kw), np.array(car.energy_kwh)
        assert (len(power), len(energy)) == (count, count + 1)
        assert energy[0] == pytest.approx(now.energy_kwh, abs=1e-5)
        assert power.max() <= now.storage.charge_kw_max + 1e-5
        assert power.min() >= -now.storage.discharge_kw_max - 1e-5
        gain = np.where(power > 0, power * now.storage.charge_efficiency, 0.0)
        gain += np.where(power < 0, power / now.storage.discharge_efficiency, 0.0)
        np.testing.assert_allclose(np.diff(energy), gain * hours, atol=1e-4)
        below = energy[:-1] < vehicle.energy_kwh_min - 1e-4
        assert not (power[below] < -1e-5).any()
        discharged = power < -1e-5
        assert (energy[1:][discharged] >= vehicle.energy_kwh_min - 1e-4).all()
        if now.departs_unix_s is not None and now.departs_unix_s < edges[-1]:
            assert now.departs_unix_s in found.edges_unix_s
            assert not power[edges[:-1] >= now.departs_unix_s].any()


@settings(max_examples=25)
@given(seed=st.integers(0, 1_000_000))
def test_the_same_request_gives_the_same_plan_and_fits_the_journal(seed: int) -> None:
    first, again = (make_plan(random_request(seed), time_limit_s=_PATIENT_S) for _ in range(2))
    assert first == again
    encoded = msgspec.json.encode(first.plan)
    assert msgspec.json.decode(encoded, type=LivePlan) == first.plan


@settings(max_examples=60)
@given(seed=st.integers(0, 1_000_000))
def test_steps_are_quarter_hours_then_whole_local_hours_also_when_the_clock_changes(
    seed: int,
) -> None:
    request = random_request(seed)
    edges = make_plan(request).plan.edges_unix_s
    now_s = request.now_unix_s
    leaving = {car.departs_unix_s for car in request.cars}
    learned = any(departs is None for departs in leaving)
    for edge in edges[1:-1]:
        if edge in leaving or learned:
            continue
        step_s = 900 if edge <= now_s // 900 * 900 + 7200 else 3600
        offset = datetime.fromtimestamp(edge, tz=ZONE).utcoffset()
        assert offset is not None
        assert (edge + offset.total_seconds()) % step_s == 0
    quarters = np.arange(now_s // 900 * 900 + 900, min(now_s // 900 * 900 + 7201, edges[-1]), 900)
    assert set(quarters.tolist()) <= set(edges)


def test_it_charges_in_the_cheap_night_and_says_so_in_local_time() -> None:
    """From midnight to 06:00 energy costs a third."""
    found = make_plan(one_request(one_car(energy_kwh_asked=48.0))).plan
    (car,) = found.cars
    edges, power = np.array(found.edges_unix_s[:-1]), np.array(car.power_kw)
    price = np.array(found.import_price_per_kwh)
    assert price[power > 0.1] == pytest.approx(0.1)
    assert car.energy_kwh[-1] >= 48.0 - 0.01
    night = [datetime.fromtimestamp(edge, tz=ZONE).hour for edge in edges[power > 0.1]]
    assert set(night) <= set(range(6))
    assert "refilled from 01:00 at 10.0" in joined(found)
    assert found.risks == ()
    assert found.price_known_until_unix_s == NOONS[0] + 12 * 3600


def test_a_plan_begins_at_any_second() -> None:
    request = one_request(one_car(), now_unix_s=NOONS[0] + 437)
    assert make_plan(request).plan.edges_unix_s[:3] == (
        *(NOONS[0] + 437, NOONS[0] + 900, NOONS[0] + 1800),
    )


def test_a_car_that_leaves_in_three_minutes_charges_all_it_can_and_the_rest_is_a_risk() -> None:
    car = one_car(departs_unix_s=NOONS[0] + 180)
    found = make_plan(one_request(car)).plan
    assert found.edges_unix_s == (NOONS[0], NOONS[0] + 180)
    assert found.cars[0].power_kw == (11.0,)
    assert found.cars[0].shortfall_kwh == pytest.approx(40 - 20 - 11 * 0.93 * 0.05)
    assert "19.5 kWh short" in found.risks[0]


def test_a_driver_who_is_late_finds_what_was_asked() -> None:
    car = one_car(energy_kwh=40.0, departs_unix_s=NOONS[0] - 60)
    found = make_plan(one_request(car)).plan
    assert found.cars[0].energy_kwh[-1] == pytest.approx(40.0, abs=1e-3)


def test_below_the_floor_it_charges_at_once_and_says_so() -> None:
    found = make_plan(one_request(one_car(energy_kwh=6.0))).plan
    assert found.cars[0].power_kw[0] == pytest.approx(11.0)
    assert "charges at once: 6.0 kWh is below the floor of 12.0 kWh" in joined(found)
    assert "below its floor" in found.risks[0]


def test_without_a_car_it_tells_load_sun_and_prices_of_a_day() -> None:
    found = make_plan(one_request()).plan
    assert (found.cars, found.reasons) == ((), ())
    assert found.edges_unix_s[-1] - found.edges_unix_s[0] == _DAY_S
    assert found.load_kw == pytest.approx([0.5] * len(found.load_kw))
    assert found.grid_kw == pytest.approx(found.load_kw)


def test_cars_that_charge_whatever_the_plan_says_count_as_load() -> None:
    """Eleven kW for the first twenty minutes: all of the first quarter hour, a third of the second."""
    found = make_plan(one_request(fixed_kw=11.0, fixed_until_unix_s=NOONS[0] + 1200)).plan
    assert found.load_kw[:3] == pytest.approx([11.5, 0.5 + 11 / 3, 0.5])


def test_before_anything_is_measured_the_load_is_the_prior_and_there_is_no_sun() -> None:
    nothing = {
        "history": TimeGrid(NOONS[0], 900, 0),
        "load_kw": np.zeros(0),
        "solar_kw": np.zeros(0),
    }
    found = make_plan(one_request(one_car(), load_prior_kw=0.7, **nothing)).plan
    assert found.load_kw == pytest.approx([0.7] * len(found.load_kw))
    assert not any(found.solar_kw)
    assert found.cars[0].energy_kwh[-1] >= 40.0 - 0.01


def test_a_measurement_that_ended_hours_ago_is_not_taken_for_the_last_hour() -> None:
    """The last measured hour was far above its profile; five hours later that says little."""
    load = np.full(7 * 96 - 20, 0.5)
    load[-4:] = 8.0
    history = TimeGrid(NOONS[0] - 7 * _DAY_S, 900, len(load))
    found = make_plan(one_request(history=history, load_kw=load, solar_kw=0 * load)).plan
    assert found.load_kw[0] < 2.0


def test_a_given_solar_forecast_counts() -> None:
    grid = TimeGrid(NOONS[0], 900, 200)
    given_kw = GivenForecaster(grid, np.full(200, 3.0))
    found = make_plan(one_request(solar_forecaster=given_kw)).plan
    assert found.solar_kw == pytest.approx([3.0] * len(found.solar_kw))
    assert found.grid_kw == pytest.approx([-2.5] * len(found.grid_kw))


def test_two_cars_share_the_connection() -> None:
    """Both need 20 kWh within four hours through 12 kW, of which the house takes half a kW."""
    first = one_car(departs_unix_s=NOONS[0] + 4 * 3600)
    second = replace(first, car_id="other", storage=replace(first.storage, id="other"))
    found = make_plan(one_request(first, second, import_limit_kw=12.0)).plan
    assert max(found.grid_kw) <= 12.0 + 1e-4
    assert [car.energy_kwh[-1] for car in found.cars] == pytest.approx([40.0, 40.0], abs=1e-3)
    assert found.risks == ()
    tight = make_plan(one_request(first, second, import_limit_kw=9.0)).plan
    assert max(tight.grid_kw) <= 9.0 + 1e-4
    missing = sum(car.shortfall_kwh for car in tight.cars)
    assert missing == pytest.approx(40.0 - 4 * 8.5 * 0.93, abs=1e-3)
    assert "limits and floors come first" in "\n".join(tight.risks)


def test_each_car_has_its_own_departure() -> None:
    early = one_car(departs_unix_s=NOONS[0] + 3600, energy_kwh_asked=25.0)
    late = replace(one_car(), car_id="late", storage=replace(early.storage, id="late"))
    found = make_plan(one_request(early, late)).plan
    gone = found.edges_unix_s.index(NOONS[0] + 3600)
    assert not any(found.cars[0].power_kw[gone:])
    assert found.cars[0].energy_kwh[gone:] == pytest.approx(
        [25.0] * (len(found.grid_kw) - gone + 1)
    )
    assert found.edges_unix_s[-1] == late.departs_unix_s


def dear_evening() -> dict[str, object]:
    """Export earns 40 cents at once, and import costs 10 in the night."""
    request = one_request()
    tariff = replace(request.tariff, export_price=Price((FlatPrice(0.28),)))
    return {"tariff": tariff}


def test_energy_is_fed_in_only_where_every_car_that_discharges_may() -> None:
    full = one_car(energy_kwh=58.0, may_export=True)
    alone = make_plan(one_request(full, **dear_evening())).plan
    assert min(alone.grid_kw) < -5.0
    other = replace(
        full, car_id="other", storage=replace(full.storage, id="other"), may_export=False
    )
    both = make_plan(one_request(full, other, **dear_evening())).plan
    assert min(both.grid_kw) >= -1e-5
    charged_only = replace(other, storage=replace(other.storage, discharge_kw_max=0.0))
    found = make_plan(one_request(full, charged_only, **dear_evening())).plan
    assert min(found.grid_kw) < -5.0


def test_what_a_calendar_tells_decides_what_is_left_in_the_battery() -> None:
    """It comes back for three dear hours after 20 kWh, and 40 are asked then: what is charged tonight costs a third."""
    car = one_car(energy_kwh_asked=15.0)
    back = KnownStay(NOONS[0] + 29 * 3600, NOONS[0] + 32 * 3600, 20.0, 40.0)
    with_trip = make_plan(one_request(car, known_stays={"car": (back,)})).plan
    without = make_plan(one_request(car, known_stays={"car": ()})).plan
    assert with_trip.cars[0].energy_kwh[-1] > without.cars[0].energy_kwh[-1] + 10.0


def test_a_departure_nobody_told_is_learned_and_keeps_a_reserve() -> None:
    """Each day gone from 08:00 to 17:00 with 9 kWh used."""
    day = np.arange(-40, 0) * _DAY_S
    arrival, departure = NOONS[0] + 5 * 3600 + day, NOONS[0] + 20 * 3600 + day
    habits = Habits(arrival[:-1], departure[:-1], np.full(39, 9.0))
    car = one_car(
        energy_kwh=13.0, departs_unix_s=None, since_unix_s=int(arrival[-1]), energy_kwh_asked=50.0
    )
    found = make_plan(one_request(car, habits={"car": habits})).plan
    assert found.cars[0].departs_unix_s is None
    # At once up to what covers nearly all trips, and what is asked by the morning.
    assert found.cars[0].power_kw[0] == pytest.approx(11.0)
    assert max(found.cars[0].energy_kwh) >= 50.0 - 0.01
    stranger = make_plan(one_request(car)).plan
    assert max(stranger.cars[0].energy_kwh) >= 50.0 - 0.01


def test_the_import_is_paid_for_the_sun_is_left_unused_and_the_car_is_filled() -> None:
    request = one_request(
        one_car(departs_unix_s=NOONS[0] + 7200, energy_kwh_asked=None),
        solar_forecaster=GivenForecaster(TimeGrid(NOONS[0], 900, 200), np.full(200, 3.0)),
    )
    tariff = replace(
        request.tariff,
        import_price=Price((FlatPrice(-0.1),)),
        export_price=Price((FlatPrice(-0.12),)),
    )
    found = make_plan(replace(request, tariff=tariff)).plan
    assert found.grid_kw == pytest.approx([11.5] * len(found.grid_kw))
    assert "power is paid for" in joined(found)


def test_the_month_s_peak_counts_from_what_is_paid_already() -> None:
    request = random_request(0)
    for seed in range(40):
        request = random_request(seed)
        charge = request.tariff.demand_charge
        peak_kw = pose(request).problem.site.peak_so_far_kw
        if charge is None:
            assert peak_kw == 0.0
        else:
            assert peak_kw == max(request.peak_so_far_kw, charge.minimum_kw)
