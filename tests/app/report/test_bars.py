"""The plots' numbers are the study's."""

from __future__ import annotations

import numpy as np
import pytest

from parkwatt.app.report import bars
from tests.app.report.study_factory import make_study

RESULT = make_study(days=35)


def test_bars_of_worth_add_up() -> None:
    parts = {trace["name"]: trace["x"] for trace in bars.worth(RESULT)["data"]}
    for gross, wear, net in zip(parts["Gross saving"], parts["Wear"], parts["Net"], strict=True):
        assert net == pytest.approx(gross + wear)


def test_months_hold_the_cost_of_each_strategy() -> None:
    for index, strategy in enumerate(RESULT.strategies):
        axis = "x" if index == 0 else f"x{index + 1}"
        traces = [trace for trace in bars.months(RESULT)["data"] if trace["xaxis"] == axis]
        assert sum(sum(trace["y"]) for trace in traces) == pytest.approx(
            sum(m.energy_cost + m.demand_cost + m.wear_cost for m in strategy.months)
        )


def test_loss_bars_end_at_the_total() -> None:
    for strategy in RESULT.strategies:
        data = bars.capacity_loss(strategy)["data"]
        parts = np.array([trace["x"] for trace in data if trace["type"] == "bar"])
        totals = [wear.total_percent_per_year for wear in strategy.wear]
        np.testing.assert_allclose(parts.sum(axis=0), totals)
        assert "NMC622" in data[0]["y"][0]  # the chosen cell first
