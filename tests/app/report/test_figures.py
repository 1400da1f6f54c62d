"""The plots' numbers are the study's."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from parkwatt.app.report import figures
from tests.app.report.study_factory import make_study

RESULT = make_study(days=35)


def test_bars_of_worth_add_up() -> None:
    bars = {trace["name"]: trace["x"] for trace in figures.worth(RESULT)["data"]}
    for gross, wear, net in zip(bars["Gross saving"], bars["Wear"], bars["Net"], strict=True):
        assert net == pytest.approx(gross + wear)


def test_months_hold_the_cost_of_each_strategy() -> None:
    for index, strategy in enumerate(RESULT.strategies):
        axis = "x" if index == 0 else f"x{index + 1}"
        bars = [trace for trace in figures.months(RESULT)["data"] if trace["xaxis"] == axis]
        assert sum(sum(trace["y"]) for trace in bars) == pytest.approx(
            sum(m.energy_cost + m.demand_cost + m.wear_cost for m in strategy.months)
        )


def test_loss_bars_end_at_the_total() -> None:
    for strategy in RESULT.strategies:
        data = figures.capacity_loss(strategy)["data"]
        bars = np.array([trace["x"] for trace in data if trace["type"] == "bar"])
        totals = [wear.total_percent_per_year for wear in strategy.wear]
        np.testing.assert_allclose(bars.sum(axis=0), totals)
        assert "NMC622" in data[0]["y"][0]  # the chosen cell first


def test_typical_week_keeps_the_mean_and_the_day() -> None:
    week = figures.week_series(RESULT, RESULT.strategies[0])
    away = np.frombuffer(base64.b64decode(week["away"]["bdata"]), "<f4") / RESULT.energy_kwh_max
    by_day = away.reshape(7, 24)
    assert (by_day[:5, 10] == 1.0).all()  # at work from Monday to Friday
    assert (by_day[5:] == 0.0).all()
    price = np.frombuffer(base64.b64decode(week["buy"]["bdata"]), "<f4")
    assert float(price.mean()) == pytest.approx(float(RESULT.import_price_per_kwh.mean()), rel=1e-5)


def test_gap_in_a_series_is_left_out_of_the_mean() -> None:
    assert np.isnan(np.frombuffer(base64.b64decode(figures.packed([np.nan])["bdata"]), "<f4")[0])
