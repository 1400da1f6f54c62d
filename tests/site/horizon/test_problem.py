"""The problem of several cars: its steps, who may feed in, and each car's own stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.site.horizon.departure import DepartureAhead, departure_ahead, storage_with_reserve
from parkwatt.site.horizon.knowledge import CarAhead, SiteAhead
from parkwatt.site.horizon.problem import PresentCar, plan_edges, problem_ahead
from parkwatt.site.horizon.worth import StoredWorth
from parkwatt.site.study.horizon import car_ahead, site_ahead
from parkwatt.site.study.inputs import PlugIn
from tests.site.made import plain_inputs, random_inputs

_QUARTERS = site_ahead(replace(random_inputs(0, quarter_hours=True), near_steps=8))
_START_S = _QUARTERS.grid.start_unix_s

departures = st.lists(
    st.tuples(st.integers(1, 200_000), st.integers(0, 90_000)), min_size=1, max_size=4
)


@given(after_s=st.integers(0, 90_000), leaving=departures)
def test_steps_rise_from_now_to_the_last_departure_and_end_at_each(
    after_s: int, leaving: list[tuple[int, int]]
) -> None:
    now_s = _START_S + after_s
    ahead = [
        DepartureAhead(now_s + ready, now_s + ready + more, within=True) for ready, more in leaving
    ]
    edges = plan_edges(_QUARTERS, now_s, ahead)
    assert (np.diff(edges) > 0).all()
    assert edges[0] == now_s
    assert edges[-1] == max(one.leave_unix_s for one in ahead)
    told = {time for one in ahead for time in (one.ready_unix_s, one.leave_unix_s)}
    assert told <= set(edges.tolist())
    near_end = now_s // 900 * 900 + 7200
    for edge in set(edges[1:].tolist()) - told:
        assert edge % (900 if edge <= near_end else 3600) == 0
    assert np.diff(edges).max() <= 3600
    assert np.diff(edges[edges <= near_end]).max(initial=0) <= 900


def present(
    site: SiteAhead, car: CarAhead, now_s: int, hours: float, *, energy_kwh: float = 20.0
) -> PresentCar:
    """A car that leaves in some hours and wants 30 kWh."""
    leave_s = now_s + round(hours * 3600)
    departure = departure_ahead(site, car, now_s, now_s, leave_s)
    return PresentCar(car, StoredWorth(site, car), energy_kwh, now_s, 30.0, departure)


def test_each_car_has_its_stay_its_energy_and_its_wish() -> None:
    inputs = plain_inputs(96, ())
    site, now_s = site_ahead(inputs), inputs.time_unix_s(3)
    car = car_ahead(inputs, inputs.car, may_export=True)
    other = replace(car, storage=replace(car.storage, id="other", charge_kw_min=1.4))
    cars = (present(site, car, now_s, 2.5), present(site, other, now_s, 10.0, energy_kwh=5.0))
    problem = problem_ahead(site, cars, now_s, 0.0)
    assert problem.edges_h()[[0, -1]].tolist() == [0.0, 10.0]
    first, second = problem.vehicles
    assert problem.edges_h()[first.stays[0].to_step] == 2.5
    assert second.stays[0].to_step == problem.step_count
    assert [v.stays[0].energy_kwh_at_arrival for v in problem.vehicles] == [20.0, 5.0]
    assert [v.stays[0].energy_kwh_at_departure for v in problem.vehicles] == [30.0, 30.0]
    assert second.charge_kw_min == 0.0  # left to the control step


@pytest.mark.parametrize(
    ("may", "discharges", "expected"),
    [
        ((True, True), (True, True), True),
        ((True, False), (True, True), False),
        ((True, False), (True, False), True),
        ((False, True), (True, False), False),
        ((False, False), (False, False), False),
    ],
)
def test_batteries_feed_in_where_each_that_discharges_may(
    may: tuple[bool, bool], discharges: tuple[bool, bool], expected: bool
) -> None:
    inputs = plain_inputs(96, ())
    site, now_s = site_ahead(inputs), inputs.time_unix_s(0)
    cars = []
    for allowed, gives in zip(may, discharges, strict=True):
        storage = inputs.car if gives else replace(inputs.car, discharge_kw_max=0.0)
        cars.append(present(site, car_ahead(inputs, storage, may_export=allowed), now_s, 5.0))
    assert problem_ahead(site, cars, now_s, 0.0).site.batteries_may_export == expected


def test_without_cars_there_is_still_a_problem_of_load_and_sun() -> None:
    inputs = plain_inputs(96, ())
    now_s = inputs.time_unix_s(0)
    edges = now_s + 3600 * np.arange(5)
    problem = problem_ahead(site_ahead(inputs), (), now_s, 0.0, edges)
    assert problem.vehicles == ()
    assert problem.step_count == 4


def test_a_car_of_which_nothing_is_known_stays() -> None:
    inputs = plain_inputs(96, (), horizon_h=24.0)
    site, now_s = site_ahead(inputs), inputs.time_unix_s(0)
    car = car_ahead(inputs, inputs.car, may_export=True)
    end_s = now_s + 24 * 3600
    assert departure_ahead(site, car, now_s, now_s, None) == DepartureAhead(end_s, end_s, False)
    assert storage_with_reserve(car, now_s) == inputs.car


def test_a_battery_without_room_above_its_floor_leaves_with_what_a_filling_costs() -> None:
    inputs = random_inputs(3, days=6)
    full = replace(inputs.car, energy_kwh_min=inputs.car.energy_kwh_max)
    site, car = site_ahead(inputs), car_ahead(inputs, full, may_export=True)
    stay: PlugIn = inputs.plug_ins[0]
    now_s, leave_s = (inputs.time_unix_s(s) for s in (stay.arrival_step, stay.departure_step))
    worth = StoredWorth(site, car)
    found = worth.at_departure(now_s, now_s, leave_s, 40.0)
    assert found == worth.at_horizon(now_s, leave_s)
