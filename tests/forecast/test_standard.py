"""Standard shapes: a year holds what its owner says, the sun stands where it does, and measurements take over."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.series import TimeGrid
from parkwatt.forecast.load import LoadForecaster
from parkwatt.forecast.standard import Beginning, StandardLoad, StandardSun

ZONE = "Europe/Berlin"
YEAR = 1_767_225_600  # 2026-01-01 UTC
EDGES = YEAR + 900 * np.arange(365 * 96 + 1, dtype=np.int64)


@given(st.floats(500.0, 20_000.0), st.floats(0.0, 15_000.0))
def test_a_year_holds_what_was_said(kwh: float, heat_kwh: float) -> None:
    told = StandardLoad(kwh, heat_kwh, ZONE).forecast(YEAR, EDGES, ())
    assert told.mean_kw.sum() / 4 == pytest.approx(kwh + heat_kwh, rel=0.01)
    assert told.mean_kw.min() >= 0.0


def test_evenings_use_more_than_nights_and_heat_is_of_the_winter() -> None:
    load = StandardLoad(3500, 0, ZONE).forecast(YEAR, EDGES, (0.1, 0.9))
    day = load.mean_kw[6 * 96 : 7 * 96]
    assert day[18 * 4] > 2 * day[3 * 4]  # 19:00 and 04:00 local
    assert (np.diff(load.quantile_kw, axis=0) > 0).all()
    heat = StandardLoad(0, 4000, ZONE).forecast(YEAR, EDGES, ()).mean_kw
    assert heat[: 31 * 96].sum() > 8 * heat[180 * 96 : 211 * 96].sum()


@pytest.mark.parametrize(
    ("azimuth_deg", "least", "most"), [(180, 950, 1150), (90, 700, 900), (0, 350, 650)]
)
def test_a_roof_in_berlin_yields_by_its_direction(
    azimuth_deg: float, least: float, most: float
) -> None:
    sun = StandardSun(1.0, azimuth_deg, 35.0, 52.5, 13.4).forecast(YEAR, EDGES, ()).mean_kw
    assert least < sun.sum() / 4 < most
    nights = np.arange(len(sun)) % 96 < 8  # 01:00 to 03:00 local in winter
    assert sun[nights].max() == 0.0
    noon, sunrise = sun[180 * 96 + 11 * 4], sun[180 * 96 + 5 * 4]
    assert noon > sunrise


def test_the_sun_of_the_south_shines_in_january() -> None:
    sun = StandardSun(1.0, 0.0, 30.0, -33.9, 151.2).forecast(YEAR, EDGES, ()).mean_kw
    assert sun[: 31 * 96].sum() > 1.5 * sun[151 * 96 : 182 * 96].sum()


def test_measurements_take_over_within_a_week() -> None:
    guess = StandardLoad(8766, 0, ZONE)  # a mean of 1 kW
    edges = YEAR + 30 * 86_400 + 3600 * np.arange(25, dtype=np.int64)
    for days, share in ((0, 0.0), (3, 3 / 7), (7, 1.0), (14, 1.0)):
        grid = TimeGrid(YEAR + (30 - days) * 86_400, 900, max(days * 96, 1))
        measured = np.full(grid.step_count, 5.0 if days else np.nan)
        both = Beginning(guess, LoadForecaster(grid, measured, ZONE))
        told = both.forecast(YEAR + 30 * 86_400, edges)
        expected = share * 5.0 + (1 - share) * guess.forecast(0, edges).mean_kw
        assert told.mean_kw == pytest.approx(expected, rel=0.05)
        assert np.isfinite(told.quantile_kw).all()
