"""Solar power from irradiance agrees with physics, and asks for its extra by name."""

import sys
from datetime import UTC, datetime

import numpy as np
import pytest

from parkwatt.domain.errors import InputError
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeGrid, unix_s
from parkwatt.forecast.irradiance import (
    MissingExtraError,
    SolarPlant,
    solar_power_from_irradiance,
)
from tests.forecast.made import HOUR_S

JUNE_21 = TimeGrid(unix_s(datetime(2024, 6, 21, tzinfo=UTC)), HOUR_S, 24)
MUNICH_SOUTH = SolarPlant(48.1, 11.6, tilt_deg=35.0, azimuth_deg=180.0, peak_kw=10.0)


def clear_day() -> tuple[FloatArray, FloatArray, FloatArray]:
    """([T] global, [T] direct normal, [T] diffuse irradiance, W/m²) of a clear June day near Munich."""
    hour = np.arange(24) + 0.5
    height = np.maximum(np.sin((hour - 3.5) / 15.5 * np.pi), 0.0) * 0.9
    height[(hour < 3.5) | (hour > 19.0)] = 0.0
    direct = np.where(height > 0.0, 850.0 * height**0.3, 0.0)
    diffuse = 90.0 * (height > 0.0)
    return direct * height + diffuse, direct, diffuse


def test_a_clear_day_yields_what_such_a_plant_yields() -> None:
    power_kw = solar_power_from_irradiance(JUNE_21, MUNICH_SOUTH, *clear_day(), 22.0, 2.0)
    assert power_kw.shape == (24,)
    assert 45.0 < power_kw.sum() < 70.0  # kWh of 10 kWp
    assert 10 <= int(power_kw.argmax()) <= 12
    np.testing.assert_array_equal(power_kw[[0, 1, 22, 23]], 0.0)


def test_power_is_proportional_to_the_plant_and_never_above_its_inverter() -> None:
    double = SolarPlant(48.1, 11.6, 35.0, 180.0, peak_kw=20.0)
    small = SolarPlant(48.1, 11.6, 35.0, 180.0, peak_kw=10.0, inverter_kw_max=4.0)
    one, two, clipped = (
        solar_power_from_irradiance(JUNE_21, plant, *clear_day())
        for plant in (MUNICH_SOUTH, double, small)
    )
    np.testing.assert_allclose(two, 2.0 * one)
    assert clipped.max() == pytest.approx(4.0)


def test_east_is_early_and_west_is_late() -> None:
    hours = np.arange(24)
    centre = []
    for azimuth in (90.0, 180.0, 270.0):
        plant = SolarPlant(48.1, 11.6, 35.0, azimuth, 10.0)
        power_kw = solar_power_from_irradiance(JUNE_21, plant, *clear_day())
        centre.append(float(power_kw @ hours / power_kw.sum()))
    assert centre[0] < centre[1] < centre[2]


def test_heat_costs_power_and_unknown_stays_unknown() -> None:
    sky = clear_day()
    cool = solar_power_from_irradiance(JUNE_21, MUNICH_SOUTH, *sky, 10.0)
    hot = solar_power_from_irradiance(JUNE_21, MUNICH_SOUTH, *sky, 35.0)
    assert hot.sum() == pytest.approx(cool.sum() * (1.0 - 0.0035 * 25.0), rel=0.02)
    sky[1][11] = np.nan
    holed = solar_power_from_irradiance(JUNE_21, MUNICH_SOUTH, *sky, 10.0)
    assert np.isnan(holed[11])
    np.testing.assert_allclose(np.delete(holed, 11), np.delete(cool, 11))


def test_all_faults_of_a_plant_are_told() -> None:
    with pytest.raises(InputError) as caught:
        SolarPlant(91.0, 11.6, -1.0, 180.0, float("nan"), loss_share=1.5)
    fields = [fault.field for fault in caught.value.faults]
    assert fields == ["latitude_deg", "tilt_deg", "peak_kw", "loss_share"]


def test_a_wrong_length_is_told() -> None:
    ghi, dni, _ = clear_day()
    with pytest.raises(ValueError, match="diffuse_horizontal_w_m2 must have 24 values"):
        solar_power_from_irradiance(JUNE_21, MUNICH_SOUTH, ghi, dni, np.zeros(3))


def test_a_missing_pvlib_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pvlib", None)
    with pytest.raises(MissingExtraError, match=r"parkwatt\[solar\]"):
        solar_power_from_irradiance(JUNE_21, MUNICH_SOUTH, *clear_day())
