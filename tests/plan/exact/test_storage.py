"""What follows from a stay before anything is solved: its best energy, and what each step has room for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.problem import Vehicle
from parkwatt.plan.exact.storage import StorageStay, storage_stays
from tests.plan.exact.made_problem import car, problem, stay, wall


def only(vehicle: Vehicle, steps: int = 4, duration_h: list[float] | None = None) -> StorageStay:
    """The only stay of the only car."""
    (item,) = storage_stays(problem([0.1] * steps, vehicle, duration_h=duration_h))
    return item


def test_best_energy_rises_at_full_power_to_the_maximum() -> None:
    item = only(car(stay(4, 25.0), charge_efficiency=0.9))
    np.testing.assert_allclose(item.best_kwh, [25.0, 34.0, 43.0, 50.0, 50.0])


def test_best_energy_follows_the_length_of_each_step() -> None:
    item = only(car(stay(4, 10.0)), duration_h=[0.25, 0.5, 1.0, 2.0])
    np.testing.assert_allclose(item.best_kwh, [10.0, 12.5, 17.5, 27.5, 47.5])


def test_what_arrives_above_the_maximum_is_best_left_there() -> None:
    item = only(car(stay(4, 55.0)))
    assert item.starts_above
    np.testing.assert_allclose(item.best_kwh, 55.0)


def test_the_floor_asks_for_no_more_than_can_be_reached() -> None:
    item = only(car(stay(4, 0.0), energy_kwh_min=25.0))
    assert item.starts_below
    np.testing.assert_allclose(item.floor_kwh(), [10.0, 20.0, 25.0, 25.0])


def test_a_full_battery_has_no_room_and_an_empty_one_nothing_to_give() -> None:
    full = only(car(stay(4, 50.0)))
    assert full.charge_kw_most[0] == pytest.approx(0.0, abs=1e-6)
    assert full.charge_kw_most[1] == pytest.approx(10.0)
    empty = only(car(stay(4, 10.0)))
    assert empty.discharge_kw_most[0] == pytest.approx(0.0, abs=1e-6)
    assert empty.discharge_kw_most[1] == pytest.approx(10.0)


def test_below_the_floor_nothing_is_given_before_it_can_be_reached() -> None:
    item = only(car(stay(4, 0.0), energy_kwh_min=15.0))
    np.testing.assert_allclose(item.discharge_kw_most, [0.0, 0.0, 5.0, 10.0], atol=1e-6)


def test_above_the_maximum_nothing_is_taken_before_it_can_be_within() -> None:
    item = only(car(stay(4, 65.0)))
    np.testing.assert_allclose(item.charge_kw_most, [0.0, 0.0, 5.0, 10.0], atol=1e-6)


@given(
    arrival_kwh=st.floats(0.0, 60.0),
    minimum_kwh=st.floats(0.0, 30.0),
    shares=st.lists(st.floats(-1.0, 1.0), min_size=4, max_size=4),
    efficiency=st.floats(0.5, 1.0),
)
def test_no_allowed_power_is_above_the_most(
    arrival_kwh: float, minimum_kwh: float, shares: list[float], efficiency: float
) -> None:
    """Any plan that keeps the contract's rules stays within the bounds that tighten the program."""
    vehicle = car(
        stay(4, arrival_kwh),
        energy_kwh_min=minimum_kwh,
        charge_efficiency=efficiency,
        discharge_efficiency=efficiency,
    )
    item, energy_kwh = only(vehicle), arrival_kwh
    for step, share in enumerate(shares):
        if share > 0:
            room_kwh = max(50.0 - energy_kwh, 0.0)
            charge_kw = min(share * 10.0, room_kwh / efficiency)
            assert charge_kw <= item.charge_kw_most[step] + 1e-9
            energy_kwh += charge_kw * efficiency
        else:
            given_kwh = max(energy_kwh - minimum_kwh, 0.0)
            discharge_kw = min(-share * 10.0, given_kwh * efficiency)
            assert discharge_kw <= item.discharge_kw_most[step] + 1e-9
            energy_kwh -= discharge_kw / efficiency
        assert energy_kwh <= item.best_kwh[step + 1] + 1e-9


def test_stationary_batteries_come_first_and_span_the_horizon() -> None:
    made = problem([0.1] * 4, car(stay(2, 20.0)), batteries=[wall()])
    battery, vehicle = storage_stays(made)
    assert (battery.is_vehicle, battery.steps, battery.owner_index) == (False, slice(0, 4), 0)
    assert (vehicle.is_vehicle, vehicle.steps, vehicle.owner_index) == (True, slice(0, 2), 0)
