"""Whatever a car holds within its bounds, its driver's wishes can still be met after it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.fleet.dispatch.bounds import Batteries, bounds, weights

HOLD_S, EARLY_S = 60.0, 600.0


def batteries_of(rng: np.random.Generator, count: int) -> Batteries:
    full = rng.uniform(20.0, 100.0, count)
    asked = full * rng.choice([0.0, 0.5, 0.8, 1.0], count)
    charge = rng.choice([3.7, 7.4, 11.0, 22.0], count)
    return Batteries(
        *(
            one.astype(np.float32)
            for one in (
                full * rng.uniform(0.0, 1.0, count),
                full * rng.choice([0.0, 0.2, 0.4], count),
                full,
                asked,
                rng.choice([60.0, 900.0, 3600.0, 36000.0, np.inf], count),
                charge,
                charge * rng.choice([0.0, 1.0], count),
                rng.uniform(0.85, 1.0, count),
                rng.uniform(0.85, 1.0, count),
                np.zeros(count),
            )
        )
    )


def after_kwh(cars: Batteries, power_kw: np.ndarray, hold_s: float) -> np.ndarray:
    gives = np.maximum(-power_kw, 0.0) / cars.discharge_efficiency
    gain_kw = np.maximum(power_kw, 0.0) * cars.charge_efficiency - gives
    return np.asarray(cars.energy_kwh + gain_kw * hold_s / 3600.0)


def still_needed_kwh(cars: Batteries, passed_s: float) -> np.ndarray:
    """The least energy after a while with which full power to the end brings what is asked."""
    left_h = np.maximum(cars.ready_s - EARLY_S - passed_s, 0.0) / 3600.0
    gain = np.where(np.isinf(left_h), np.inf, cars.charge_kw_max * cars.charge_efficiency * left_h)
    return np.asarray(np.minimum(cars.asked_kwh, cars.full_kwh) - gain)


@given(seed=st.integers(0, 2**32 - 1), place=st.floats(0.0, 1.0))
@settings(max_examples=150, deadline=None)
def test_wishes_that_could_be_met_can_be_met_after_any_power_within_bounds(
    seed: int, place: float
) -> None:
    cars = batteries_of(np.random.default_rng(seed), 50)
    found = bounds(cars, hold_s=HOLD_S, early_s=EARLY_S)
    assert (found.low_kw <= found.high_kw).all()
    assert (found.low_kw >= -cars.discharge_kw_max).all()
    assert (found.high_kw <= cars.charge_kw_max).all()
    power_kw = found.low_kw + place * (found.high_kw - found.low_kw)
    end_kwh = after_kwh(cars, power_kw, HOLD_S)
    assert (end_kwh <= cars.full_kwh + 1e-3).all()
    had_floor = cars.energy_kwh >= cars.floor_kwh
    assert (end_kwh[had_floor] >= cars.floor_kwh[had_floor] - 1e-3).all()
    # Who could be ready before can be ready after.
    could = (cars.energy_kwh >= still_needed_kwh(cars, 0.0) + 1e-3) & (
        cars.ready_s > EARLY_S + HOLD_S
    )
    assert (end_kwh[could] >= still_needed_kwh(cars, HOLD_S)[could] - 2e-3).all()
    # Who could not, and who is below the floor, charges with all it can.
    late = (cars.energy_kwh < still_needed_kwh(cars, 0.0) - 0.5) | (
        cars.energy_kwh < cars.floor_kwh
    )
    room_kw = (cars.full_kwh - cars.energy_kwh) / (cars.charge_efficiency * HOLD_S / 3600.0)
    most_kw = np.minimum(cars.charge_kw_max, room_kw)
    assert found.low_kw[late] == pytest.approx(most_kw[late], abs=1e-2)


def test_a_car_of_unknown_energy_gives_nothing_and_is_left_alone() -> None:
    cars = batteries_of(np.random.default_rng(1), 4)
    cars = cars._replace(energy_kwh=np.full(4, np.nan, np.float32))
    found = bounds(cars, hold_s=HOLD_S, early_s=EARLY_S)
    assert (found.low_kw == 0.0).all()
    assert (found.high_kw == cars.charge_kw_max).all()
    nothing = np.zeros(4, np.float32)
    assert not weights(cars, found, given_kwh=nothing, wear_per_kwh=nothing, down=True).any()


def test_weights_spare_who_gave_and_who_wears() -> None:
    one = batteries_of(np.random.default_rng(2), 1)
    cars = Batteries(*(np.repeat(array, 3) for array in one))
    cars = cars._replace(
        energy_kwh=np.float32(0.9) * cars.full_kwh,
        floor_kwh=np.float32(0.2) * cars.full_kwh,
        asked_kwh=np.zeros(3, np.float32),
        discharge_kw_max=cars.charge_kw_max,
    )
    found = bounds(cars, hold_s=HOLD_S, early_s=EARLY_S)
    given_kwh, wear = np.array([0, 6, 0], np.float32), np.array([0, 0, 0.3], np.float32)
    weight = weights(cars, found, given_kwh=given_kwh, wear_per_kwh=wear, down=True)
    assert weight[0] > 2.0 * weight[1] > 0.0
    assert weight[0] > 2.0 * weight[2] > 0.0
    # To draw more wears no battery by discharging it.
    more = weights(cars, found, given_kwh=given_kwh, wear_per_kwh=wear, down=False)
    assert more[0] == more[2] > more[1]


def test_what_does_not_fit_is_named() -> None:
    cars = batteries_of(np.random.default_rng(3), 3)
    with pytest.raises(InputError, match="floor_kwh"):
        bounds(cars._replace(floor_kwh=cars.floor_kwh[:2]), hold_s=HOLD_S, early_s=EARLY_S)
    with pytest.raises(InputError, match="hold_s"):
        bounds(cars, hold_s=0.0, early_s=EARLY_S)
