"""Nothing comes from nowhere: what went in is what came out, what is left and what was lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.home.runtime import Generator
from parkwatt.home.runtime.balance import Courses
from parkwatt.home.runtime.variants import Variants
from tests.home.runtime.made_request import battery, request, sun


def ran(
    *,
    energy_kwh: float,
    sun_kw: float,
    standby_kw: float,
    fuel_kwh: float = 0.0,
    efficiency: float = 0.9,
) -> tuple[Variants, Courses]:
    has = None
    if fuel_kwh:
        has = Generator(
            power_kw_max=4.0, fuel_kwh=fuel_kwh, starts_below_kwh=5.0, stops_above_kwh=20.0
        )
    one = battery(
        energy_kwh=energy_kwh,
        discharge_efficiency=efficiency,
        charge_kw_max=5.0,
        charge_efficiency=efficiency,
    )
    asked = request(
        batteries=(one,),
        solar_kw=sun(sun_kw),
        standby_kw=standby_kw,
        generator=has,
        horizon_s=4 * 86_400,
    )
    variants = Variants.of(asked, 10, 0)
    on = np.array([[True] * 4, [True, False, False, True]])
    return variants, variants.run(on, np.ones(2, dtype=np.bool_))


@settings(max_examples=25, deadline=None)
@given(
    energy_kwh=st.floats(10.0, 80.0),
    sun_kw=st.floats(0.0, 10.0),
    standby_kw=st.floats(0.0, 0.3),
    fuel_kwh=st.sampled_from([0.0, 15.0]),
)
def test_energy_is_conserved(
    energy_kwh: float, sun_kw: float, standby_kw: float, fuel_kwh: float
) -> None:
    """Without losses and standby nothing is lost; with standby alone, standby while there was power."""
    variants, courses = ran(
        energy_kwh=energy_kwh,
        sun_kw=sun_kw,
        standby_kw=standby_kw,
        fuel_kwh=fuel_kwh,
        efficiency=1.0,
    )
    powered_h = 96.0 - courses.dark_h
    np.testing.assert_allclose(courses.lost_kwh, standby_kw * powered_h, atol=1e-6)
    assert (courses.left_kwh >= 10.0 - 1e-6).all()
    assert (courses.left_kwh <= 80.0 + 1e-6).all()
    assert (courses.generated_kwh <= fuel_kwh + 1e-6).all()
    offered = (variants.solar_kw * variants.step_h[:, np.newaxis]).sum(axis=0)
    assert (courses.sun_used_kwh <= offered + 1e-6).all()


def test_conversion_loses() -> None:
    _, courses = ran(energy_kwh=60.0, sun_kw=6.0, standby_kw=0.0)
    assert (courses.lost_kwh > 0.0).all()


def test_all_that_was_wanted_is_served_while_there_is_power() -> None:
    variants, courses = ran(energy_kwh=80.0, sun_kw=20.0, standby_kw=0.1)
    lasts = courses.reached[1]
    assert lasts.any()
    wanted = np.einsum("tcn,t->cn", variants.power_kw, variants.step_h)[[0, 3]].sum(axis=0)
    np.testing.assert_allclose(courses.served_kwh[1][lasts], wanted[lasts], rtol=1e-9)
    assert courses.dark_h[1][lasts] == pytest.approx(0.0)
