"""Laws of ageing, whatever the cell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.plan.wear import CELLS, AgeingResult, Cell, simulate_ageing
from tests.plan.wear.histories import History, car_history, random_history, storage_history

cells = st.sampled_from(list(CELLS.values()))
histories = st.builds(
    random_history,
    days=st.integers(2, 12),
    step_s=st.sampled_from([900.0, 1800.0, 3600.0]),
    seed=st.integers(0, 10_000),
    uneven=st.booleans(),
)
few = settings(max_examples=40, deadline=None)


def age(cell: Cell, history: History, years: float) -> AgeingResult:
    return simulate_ageing(cell, history.time_s, history.soc, history.temperature_c, years)


@few
@given(cells, histories, st.floats(0.05, 3))
def test_more_time_never_gives_more_capacity(cell: Cell, history: History, years: float) -> None:
    result = age(cell, history, years)
    assert np.all(np.diff(result.capacity_fraction) <= 1e-12)
    assert result.capacity_fraction[0] == pytest.approx(1, abs=1e-9)
    assert np.all(np.diff(result.time_days) >= 0)
    assert result.time_days[-1] > years * 365 >= result.time_days[-2]


@few
@given(cells, histories)
def test_capacity_is_one_less_the_losses(cell: Cell, history: History) -> None:
    result = age(cell, history, 1)
    assert result.capacity_fraction == pytest.approx(1 - result.calendar_loss - result.cycle_loss)
    assert np.all(result.calendar_loss >= 0)
    assert np.all(result.cycle_loss >= 0)


@few
@given(cells, histories, st.floats(0.1, 1), st.floats(0.1, 2))
def test_a_longer_run_begins_like_a_shorter_one(
    cell: Cell, history: History, years: float, further: float
) -> None:
    short, long = age(cell, history, years), age(cell, history, years + further)
    count = len(short.capacity_fraction)
    assert long.time_days[:count] == pytest.approx(short.time_days)
    assert long.capacity_fraction[:count] == pytest.approx(short.capacity_fraction, abs=2e-4)


@few
@given(cells, st.floats(0, 1), st.floats(-10, 45))
def test_without_cycling_there_is_no_cycling_loss(
    cell: Cell, soc: float, temperature_c: float
) -> None:
    result = age(cell, storage_history(soc, temperature_c, days=30), 2)
    assert result.cycle_loss[-1] == pytest.approx(0, abs=1e-9)
    assert result.calendar_loss[-1] >= 0


@few
@given(cells, st.floats(0.1, 0.9), st.floats(10, 40), st.floats(1, 15))
def test_hotter_storage_never_loses_less(
    cell: Cell, soc: float, temperature_c: float, warmer_c: float
) -> None:
    cool = age(cell, storage_history(soc, temperature_c, days=20), 1)
    hot = age(cell, storage_history(soc, temperature_c + warmer_c, days=20), 1)
    assert hot.calendar_loss[-1] >= cool.calendar_loss[-1] - 1e-9


@pytest.mark.parametrize("cell", CELLS.values(), ids=lambda cell: cell.id)
def test_a_history_laid_end_to_end_ages_like_its_repetition(cell: Cell) -> None:
    week = car_history(days=7, grid_use=0.3)
    year = car_history(days=7 * 52, grid_use=0.3)
    warmth = np.full(len(year.time_s), 20.0)
    repeated = simulate_ageing(cell, week.time_s, week.soc, warmth[: len(week.soc)], 5)
    laid = simulate_ageing(cell, year.time_s, year.soc, warmth, 5)
    assert repeated.capacity_fraction[-1] == pytest.approx(laid.capacity_fraction[-1], abs=0.02)


@pytest.mark.parametrize("cell", CELLS.values(), ids=lambda cell: cell.id)
def test_a_first_day_almost_unused_settles(cell: Cell) -> None:
    """A square-root law takes a huge first step after a tiny one: the iteration must still agree."""
    soc = np.concatenate((0.7 - 0.001 * (np.arange(96 * 3) % 96 < 2), car_history(days=30).soc))
    time_s = np.arange(len(soc), dtype=np.float64) * 900.0
    result = simulate_ageing(cell, time_s, soc, np.full(len(soc), 25.0), 3)
    assert np.all(np.isfinite(result.capacity_fraction))
    assert result.capacity_fraction[-1] < 1


def test_notes_name_what_lies_outside_the_experiments() -> None:
    outside = age(CELLS["nmc811-lg-m50"], car_history(mean_c=30), 1)
    assert len(outside.notes) == 2
    assert "0 to 25 C" in outside.notes[0]
    inside = age(CELLS["nmc111-sanyo"], car_history(mean_c=30, yearly_c=3, daily_c=2), 1)
    assert inside.notes == ()


def test_loss_per_year_is_the_mean_over_the_years() -> None:
    result = age(CELLS["lfp-prismatic"], car_history(), 4)
    mean = 100 * (1 - result.capacity_fraction[-1]) / result.years
    assert result.loss_percent_per_year == pytest.approx(mean)
    assert 0.3 < result.loss_percent_per_year < 2


DAY = np.arange(97, dtype=np.float64) * 900.0
HALF = np.full(97, 0.5)


@pytest.mark.parametrize(
    ("field", "time_s", "soc", "temperature_c", "years"),
    [
        ("soc", DAY, HALF[:-1], HALF, 1),
        ("temperature_c", DAY, HALF, HALF[:5], 1),
        ("soc[3]", DAY, np.where(np.arange(97) == 3, np.nan, 0.5), HALF, 1),
        ("soc[4]", DAY, np.where(np.arange(97) == 4, 1.01, 0.5), HALF, 1),
        ("soc[5]", DAY, np.where(np.arange(97) == 5, -0.01, 0.5), HALF, 1),
        ("time_s[6]", np.where(np.arange(97) == 6, 0, DAY), HALF, HALF, 1),
        ("time_s[7]", np.where(np.arange(97) == 7, np.inf, DAY), HALF, HALF, 1),
        ("temperature_c[8]", DAY, HALF, np.where(np.arange(97) == 8, 300.0, 20.0), 1),
        ("time_s", DAY[:1], HALF[:1], HALF[:1], 1),
        ("soc", DAY, np.array(["half"] * 97), HALF, 1),
        ("years", DAY, HALF, HALF, 0),
        ("years", DAY, HALF, HALF, np.nan),
    ],
)
def test_bad_input_is_named(
    field: str, time_s: np.ndarray, soc: np.ndarray, temperature_c: np.ndarray, years: float
) -> None:
    with pytest.raises(InputError) as caught:
        simulate_ageing(CELLS["nmc-a"], time_s, soc, temperature_c, years)
    assert field in [fault.field for fault in caught.value.faults]


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        simulate_ageing(CELLS["nmc-a"], DAY[::-1], HALF + 1, HALF[:3] + 500, 1)
    assert len(caught.value.faults) == 4
