"""What cars hold back for a reserve, and the best plan where it is paid for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from parkwatt.domain.errors import InputError
from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import BatchPrices, CarStays, ReservePrices, plan_batch
from tests.plan.batch.fleets import fleet_of

STEPS = 8


class Car:
    """One stay in plain numbers."""

    def __init__(self, cars: CarStays, row: int) -> None:
        for name, array in zip(cars._fields, cars, strict=True):
            setattr(self, name, array[row].item())

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


def held_kw(car: Car, hours_h: float, duration_h: FloatArray, power_kw: FloatArray) -> FloatArray:
    """[2, T] up and down, told anew: what the car could give for some hours from each step's beginning on."""
    found, energy = np.zeros((2, len(duration_h))), car.energy_kwh_at_arrival
    ends = np.cumsum(duration_h)
    begins = ends - duration_h
    leaves_h = begins[car.to_step - 1] + duration_h[car.to_step - 1]
    for step in range(car.from_step, car.to_step):
        rest_h = max(leaves_h - begins[step] - hours_h, 0.0)
        asked = np.nan_to_num(car.energy_kwh_at_departure)
        needed = max(car.energy_kwh_min, asked - car.charge_kw_max * car.charge_efficiency * rest_h)
        spare = energy - needed
        if spare >= 0:
            gives = min(car.discharge_kw_max, spare * car.discharge_efficiency / hours_h)
        else:
            gives = spare / car.charge_efficiency / hours_h
        room = (car.energy_kwh_max - energy) / car.charge_efficiency / hours_h
        power = power_kw[step]
        found[:, step] = power + gives, min(car.charge_kw_max, room) - power
        gained = max(power, 0) * car.charge_efficiency - max(-power, 0) / car.discharge_efficiency
        energy += gained * duration_h[step]
    return found


def best_cost(car: Car, prices: BatchPrices, reserve: ReservePrices) -> float:
    """The optimum by a linear program over charging, discharging, the energy before each step, and both parts held back."""
    steps = np.arange(car.from_step, car.to_step)
    n, hours, h = len(steps), prices.duration_h[steps], reserve.hours_h
    into, out = car.charge_efficiency, car.discharge_efficiency
    full_kwh = np.minimum(
        car.energy_kwh_at_arrival + np.cumsum(hours) * car.charge_kw_max * into, car.energy_kwh_max
    )
    asked = float(np.nan_to_num(car.energy_kwh_at_departure))
    least = np.minimum(car.energy_kwh_min, full_kwh)
    least[-1] = max(least[-1], min(asked, full_kwh[-1]))
    begins = np.cumsum(hours) - hours
    rest_h = np.maximum(hours.sum() - begins - h, 0.0)
    needed = np.maximum(car.energy_kwh_min, asked - car.charge_kw_max * into * rest_h)
    # Columns: charge [n], discharge [n], energy [n + 1], up [n], down [n].
    one, nothing, energy = np.eye(n), np.zeros((n, n)), np.eye(n, n + 1)
    power = np.hstack((one, -one, np.zeros((n, n + 1)), nothing, nothing))
    before = np.hstack((nothing, nothing, energy, nothing, nothing))
    up = np.hstack((nothing, nothing, 0 * energy, one, nothing))
    down = np.hstack((nothing, nothing, 0 * energy, nothing, one))
    rows = [
        up - power,
        up - power - before * out / h,
        up - power - before / into / h,
        down + power,
        down + power + before / into / h,
    ]
    most = [
        np.full(n, car.discharge_kw_max),
        -needed * out / h,
        -needed / into / h,
        np.full(n, car.charge_kw_max),
        np.full(n, car.energy_kwh_max / into / h),
    ]
    gains = np.hstack((-into * np.diag(hours), np.diag(hours) / out))
    grows = np.hstack((gains, np.eye(n, n + 1, 1) - energy, nothing, nothing))
    buys = prices.import_per_kwh[0, steps] * hours
    sells = (prices.export_per_kwh[0, steps] - car.wear_price_per_kwh / out) * hours
    end = np.append(np.zeros(n), -car.energy_value_per_kwh)
    paid = (-reserve.up_per_kwh[steps] * hours, -reserve.down_per_kwh[steps] * hours)
    bounds = [(0.0, car.charge_kw_max)] * n + [(0.0, car.discharge_kw_max)] * n
    bounds += [(car.energy_kwh_at_arrival, car.energy_kwh_at_arrival)]
    bounds += [(low, car.energy_kwh_max) for low in least] + [(None, None)] * (2 * n)
    cost = np.concatenate((buys, -sells, end, *paid))
    solved = linprog(cost, np.vstack(rows), np.concatenate(most), grows, np.zeros(n), bounds)
    assert solved.status == 0
    return float(solved.fun)


def random_cars(rng: np.random.Generator, count: int) -> CarStays:
    """Cars that may hold back: between floor and maximum, of no least power."""
    first = rng.integers(0, STEPS - 1, count)
    maximum = rng.choice([20.0, 40.0, 77.0], count)
    floor = rng.choice([0.0, 0.2], count) * maximum
    asked = np.where(rng.random(count) < 0.7, rng.uniform(0.3, 1.0, count) * maximum, np.nan)
    return fleet_of(
        count,
        from_step=first,
        to_step=first + 1 + (rng.random(count) * (STEPS - first)).astype(int),
        energy_kwh_at_arrival=floor + rng.random(count) * (maximum - floor),
        energy_kwh_at_departure=asked,
        energy_kwh_min=floor,
        energy_kwh_max=maximum,
        charge_kw_max=rng.choice([7.4, 11.0, 22.0], count),
        discharge_kw_max=rng.choice([0.0, 7.4, 11.0], count),
        charge_efficiency=rng.choice([0.85, 0.93, 1.0], count),
        discharge_efficiency=rng.choice([0.85, 0.93, 1.0], count),
        wear_price_per_kwh=rng.choice([0.0, 0.05], count),
        energy_value_per_kwh=rng.uniform(0.0, 0.3, count),
    )


def random_prices(rng: np.random.Generator, paid: float) -> BatchPrices:
    """Prices that stay above what is paid for the reserve, so that nothing pays both ways at once."""
    buy = rng.uniform(paid + 0.02, paid + 0.4, (1, STEPS))
    hours = rng.choice([0.25, 0.5, 1.0], STEPS)
    return BatchPrices(buy, buy * rng.uniform(0.4, 0.9, (1, STEPS)), hours)


@given(
    seed=st.integers(0, 2**32 - 1),
    hours_h=st.sampled_from([0.25, 0.5, 1.0]),
    paid=st.floats(0, 0.3),
)
@settings(max_examples=40, deadline=None)
def test_plan_is_the_optimum_of_a_linear_program(seed: int, hours_h: float, paid: float) -> None:
    rng = np.random.default_rng(seed)
    cars, prices = random_cars(rng, 6), random_prices(rng, paid)
    up, down = (rng.uniform(0, paid, STEPS) * (rng.random(STEPS) < 0.7) for _ in range(2))
    reserve = ReservePrices(up, down, hours_h, np.ones(6, np.bool_))
    found = plan_batch(cars, prices, reserve=reserve)
    without = plan_batch(cars, prices)
    assert found.power_kw is not None
    assert found.shortfall_kwh == pytest.approx(without.shortfall_kwh, abs=1e-6)
    for row in range(6):
        car = Car(cars, row)
        power = found.power_kw[row].astype(float)
        held = held_kw(car, hours_h, prices.duration_h, power)
        money = prices.duration_h @ np.where(
            power > 0, prices.import_per_kwh[0] * power, prices.export_per_kwh[0] * power
        )
        out_kwh = prices.duration_h @ np.maximum(-power, 0) / car.discharge_efficiency
        told = money + car.wear_price_per_kwh * out_kwh
        told -= car.energy_value_per_kwh * found.energy_kwh_end[row]
        told -= prices.duration_h @ (up * held[0] + down * held[1])
        assert found.cost[row] == pytest.approx(told, abs=2e-4, rel=1e-5)
        assert found.cost[row] == pytest.approx(best_cost(car, prices, reserve), abs=1e-6, rel=1e-6)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_relaxed_cost_is_between_the_linear_program_and_the_plan(seed: int) -> None:
    # So dear a reserve makes charging and discharging at once pay.
    rng = np.random.default_rng(seed)
    cars, prices = random_cars(rng, 6), random_prices(rng, 0.0)
    up, down = rng.uniform(0, 2.0, STEPS), rng.uniform(0, 0.5, STEPS)
    reserve = ReservePrices(up, down, 0.5, np.ones(6, np.bool_))
    followed = plan_batch(cars, prices, reserve=reserve).cost
    relaxed = plan_batch(cars, prices, reserve=reserve, relaxed=True).cost
    assert (relaxed <= followed + 1e-9).all()
    for row in range(6):
        assert relaxed[row] >= best_cost(Car(cars, row), prices, reserve) - 1e-6


def test_a_car_waits_for_its_reserve() -> None:
    # Charging first is cheapest, but a full car could not take more when it is asked to.
    cars = fleet_of(1, energy_kwh_at_departure=60.0, energy_kwh_at_arrival=51.0)
    prices = BatchPrices(np.array([[0.1, 0.2, 0.2, 0.2]]), np.zeros((1, 4)), np.ones(4))
    paid = ReservePrices(np.zeros(4), np.full(4, 0.5), 0.5, np.ones(1, np.bool_))
    alone = plan_batch(cars, prices)
    holds = plan_batch(cars, prices, reserve=paid)
    assert alone.power_kw is not None
    assert holds.power_kw is not None
    assert alone.power_kw[0, 0] == pytest.approx(10.0)
    assert holds.power_kw[0, 3] > 4.0
    assert holds.energy_kwh_end[0] == pytest.approx(60.0)


def test_members_that_cannot_hold_back_are_named() -> None:
    cars = fleet_of(2, energy_kwh_at_arrival=[5.0, 20.0])
    prices = BatchPrices(np.ones((1, 4)), np.zeros((1, 4)), np.ones(4))
    wrong = ReservePrices(np.full(4, -1.0), np.zeros(3), 0.0, np.ones(2, np.bool_))
    with pytest.raises(InputError) as told:
        plan_batch(cars, prices, reserve=wrong)
    fields = {fault.field for fault in told.value.faults}
    assert fields == {"up_per_kwh", "down_per_kwh", "hours_h", "member[0]"}
