"""The plots over time show the study's numbers, on the local clock."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from parkwatt.app.report import over_time
from parkwatt.app.report.plot_spec import packed
from tests.app.report.study_factory import make_study

RESULT = make_study(days=35)


def test_typical_week_keeps_the_mean_and_the_day() -> None:
    week = over_time.week_series(RESULT, RESULT.strategies[0])
    away = np.frombuffer(base64.b64decode(week["away"]["bdata"]), "<f4") / RESULT.energy_kwh_max
    by_day = away.reshape(7, 24)
    assert (by_day[:5, 10] == 1.0).all()  # at work from Monday to Friday
    assert (by_day[5:] == 0.0).all()
    price = np.frombuffer(base64.b64decode(week["buy"]["bdata"]), "<f4")
    assert float(price.mean()) == pytest.approx(float(RESULT.import_price_per_kwh.mean()), rel=1e-5)


def test_gap_in_a_series_is_left_out_of_the_mean() -> None:
    assert np.isnan(np.frombuffer(base64.b64decode(packed([np.nan])["bdata"]), "<f4")[0])
