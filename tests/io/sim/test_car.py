"""Energy is neither made nor lost, and the battery stays within its bounds."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.sim.car import Car, interpolate
from parkwatt.io.sim.meter import Meter
from parkwatt.io.sim.settings import CarSettings, Trip

ASKED = st.lists(st.tuples(st.floats(-30, 30), st.floats(0.1, 600)), max_size=40)


@given(asked=ASKED, soc=st.floats(0, 1))
def test_battery_and_meter_agree_and_bounds_hold(
    asked: list[tuple[float, float]], soc: float
) -> None:
    car = Car(CarSettings(soc=soc))
    meter = Meter(0.0, 0.0, 0.0, Random(1))  # noqa: S311
    begun_kwh = car.energy_kwh
    stored_kwh = 0.0
    for power_kw, seconds in asked:
        before_kwh, before_wh = car.energy_kwh, (meter.import_wh, meter.export_wh)
        got_kw = car.step(power_kw, seconds)
        meter.add(got_kw, seconds)
        assert (meter.import_wh, meter.export_wh) >= before_wh
        assert meter.export_wh >= before_wh[1]
        change_kwh = car.energy_kwh - before_kwh
        plug_kwh = got_kw * seconds / 3600
        # What is stored is less than what came in, what is taken more than what went out.
        assert change_kwh <= plug_kwh * (1 if plug_kwh < 0 else 0.96) + 1e-9
        stored_kwh += change_kwh
        assert 0 <= car.energy_kwh <= car.settings.capacity_kwh + 1e-9
        if change_kwh < -1e-9:
            assert car.soc >= car.settings.soc_floor - 1e-9
    assert stored_kwh == pytest.approx(car.energy_kwh - begun_kwh, abs=1e-9)


def test_power_tapers_to_a_tenth_and_stops_when_full() -> None:
    car = Car(CarSettings(soc=0.79))
    assert car.charge_kw_max == 11.0
    car.soc = 0.9
    assert car.charge_kw_max == pytest.approx(11 * 0.55)
    car.soc = 1.0
    assert car.step(11.0, 60.0) == 0.0


def test_power_ramps() -> None:
    car = Car(CarSettings(ramp_kw_per_s=0.5))
    assert [car.step(10.0, 1.0) for _ in range(3)] == [0.5, 1.0, 1.5]
    assert car.step(-10.0, 2.0) == 0.5


def test_a_car_without_discharging_gives_nothing() -> None:
    car = Car(CarSettings(discharge_kw_max=0.0))
    assert car.step(-5.0, 10.0) == 0.0


def test_interpolation_is_flat_beyond_its_ends() -> None:
    curve = ((49.0, -10.0), (50.0, 0.0), (51.0, 10.0))
    assert [interpolate(curve, hz) for hz in (48, 49.5, 50, 50.25, 60)] == [-10, -5, 0, 2.5, 10]


def test_a_trip_may_pass_midnight() -> None:
    night = Trip(22 * 3600, 6 * 3600, 5.0)
    assert night.is_away(23 * 3600)
    assert night.is_away(0)
    assert not night.is_away(6 * 3600)
    assert not night.is_away(12 * 3600)
