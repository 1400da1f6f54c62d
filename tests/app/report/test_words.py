"""The sentences: right in sign, period and size."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.app.report import words
from parkwatt.site.outcome import StrategyName, StudyResult
from tests.app.report.study_factory import make_study


def _with_costs(result: StudyResult, costs: dict[StrategyName, tuple[float, float]]) -> StudyResult:
    """The study with given (gross, wear) costs."""
    strategies = tuple(
        replace(
            strategy,
            energy_cost=costs[strategy.name][0],
            demand_cost=0.0,
            stored_value=0.0,
            wear_cost=costs[strategy.name][1],
        )
        for strategy in result.strategies
        if strategy.name in costs
    )
    return replace(result, strategies=strategies)


YEAR = make_study(days=366, step_minutes=360)
MONTH = make_study(days=31, step_minutes=60)


def test_headline_tells_saving_and_wear_of_the_best() -> None:
    costs: dict[StrategyName, tuple[float, float]] = {
        "charge_at_once": (1000.0, 0.0),
        "smart": (800.0, 0.0),
        "v2h": (550.0, 38.0),
    }
    text = words.headline(_with_costs(YEAR, costs))
    assert text == (
        "Running the house from the car would save 411\xa0€ a year, net of 38\xa0€ battery wear."
    )


def test_headline_is_honest_where_nothing_pays() -> None:
    costs: dict[StrategyName, tuple[float, float]] = {
        "charge_at_once": (1000.0, 0.0),
        "v2h": (990.0, 50.0),
        "v2g": (985.0, 90.0),
    }
    text = words.headline(_with_costs(YEAR, costs))
    assert text == (
        "Charging at once is the cheapest here: running the house from the car "
        "would cost 39.92\xa0€ more a year."
    )


def test_less_wear_is_told_as_a_gain() -> None:
    costs: dict[StrategyName, tuple[float, float]] = {
        "charge_at_once": (1000.0, 60.0),
        "smart": (800.0, 20.0),
    }
    text = words.headline(_with_costs(YEAR, costs))
    assert text.endswith(
        "would save 240\xa0€ a year, 40\xa0€ of it because the battery wears less."
    )


def test_short_span_is_not_scaled_to_a_year() -> None:
    costs: dict[StrategyName, tuple[float, float]] = {
        "charge_at_once": (100.0, 0.0),
        "smart": (80.0, 0.0),
    }
    text = words.headline(_with_costs(MONTH, costs))
    assert text == "Charging at the cheap hours would save 20.00\xa0€ in these 31 days."


def test_of_equal_savings_the_simplest_is_best() -> None:
    costs: dict[StrategyName, tuple[float, float]] = {
        "charge_at_once": (1000.0, 0.0),
        "smart": (700.0, 0.0),
        "v2h": (500.0, 50.0),
        "v2g": (497.0, 52.0),
    }
    assert words.best_choice(_with_costs(YEAR, costs)) == "v2h"
    assert words.best_choice(_with_costs(YEAR, costs | {"v2g": (480.0, 52.0)})) == "v2g"
    assert words.best_choice(_with_costs(YEAR, {"charge_at_once": (1.0, 0.0)})) is None


def test_span_is_told_in_local_dates() -> None:
    result = make_study(start=datetime(2024, 10, 6, 22, tzinfo=UTC), days=2)
    assert words.span_text(result) == "2024-10-07 to 2024-10-08"


def test_charger_is_counted_against_smart_charging_too() -> None:
    costs: dict[StrategyName, tuple[float, float]] = {
        "charge_at_once": (1000.0, 0.0),
        "smart": (900.0, 0.0),
        "v2h": (800.0, 0.0),
    }
    result = replace(_with_costs(YEAR, costs), charger_price=1000.0)
    text = words.payback(result)
    assert "paid back in 5.0 years" in text
    assert text.endswith("needs no such charger, in 10.0 years.")
    assert words.payback(replace(result, charger_price=None)) == ""


def test_wear_words_name_the_cells_that_live_longer() -> None:
    strategy = YEAR.strategy("v2g")
    assert strategy is not None
    text = words.life_saved(strategy)
    assert "LFP 250 Ah (−0.30 points a year)" in text
    assert "NMC622" not in text
    assert "from −0.30 to 1.35" in words.wear_range(strategy)
    at_once = YEAR.strategy("charge_at_once")
    assert at_once is not None
    assert words.life_saved(at_once) == ""


def test_missed_departures_are_told() -> None:
    strategies = tuple(
        replace(s, missed_count=2, shortfall_kwh=3.25, shortfall_kwh_avoidable=1.0)
        if s.name == "v2g"
        else s
        for s in MONTH.strategies
    )
    text = words.departures(replace(MONTH, strategies=strategies))
    assert text == (
        "Sell to the grid (V2G) missed 2 of 23 departures: 3.2 kWh short in all, "
        "of which 1.0 kWh could have been delivered in time."
    )


def test_what_was_impossible_is_not_called_missed() -> None:
    strategies = tuple(replace(s, shortfall_kwh=3.0) for s in MONTH.strategies)
    text = words.departures(replace(MONTH, strategies=strategies))
    assert "all that was possible" in text
    assert "3.0 kWh were asked for that could not be delivered in time" in text


@given(
    gross=st.floats(-5000, 5000),
    wear=st.floats(-200, 500),
)
def test_net_is_gross_less_wear_and_the_sign_decides_the_sentence(
    gross: float, wear: float
) -> None:
    costs: dict[StrategyName, tuple[float, float]] = {
        "charge_at_once": (gross, 0.0),
        "v2h": (0.0, wear),
    }
    result = _with_costs(YEAR, costs)
    found = words.saving(result, "v2h")
    assert found is not None
    expected = result.saving_per_year("v2h")
    assert expected is not None
    assert abs(found.net - expected) < 1e-6
    saves = "would save" in words.headline(result)
    assert saves == (found.net >= 0.005)


def test_a_saving_that_is_energy_not_delivered_is_told_and_not_compared_with_the_bound() -> None:
    costs: dict[StrategyName, tuple[float, float]] = {
        "charge_at_once": (1000.0, 0.0),
        "smart": (700.0, 0.0),
        "foresight": (750.0, 0.0),
    }
    study = _with_costs(YEAR, costs)
    strategies = tuple(
        replace(strategy, shortfall_kwh=52.8 if strategy.name == "smart" else 14.3)
        for strategy in study.strategies
    )
    text = words.other_choices(replace(study, strategies=strategies))
    assert "38.5 kWh more" in text
    assert "foresight" not in text
    assert "Perfect foresight" in words.other_choices(study)
