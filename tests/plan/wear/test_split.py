"""Loss by cause, and by cell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.plan.wear import CELLS, Cell, LossSplit, simulate_ageing, split_loss, wear_range
from tests.plan.wear.histories import car_history

few = settings(max_examples=25, deadline=None)


def split(cell: Cell, grid_use: float, years: float = 5, rest: float = 0.8) -> LossSplit:
    with_grid = car_history(days=20, grid_use=grid_use, top=rest)
    without = car_history(days=20)
    return split_loss(
        cell, with_grid.time_s, with_grid.soc, with_grid.temperature_c, without.soc, years
    )


@few
@given(st.sampled_from(list(CELLS.values())), st.floats(0.05, 0.5), st.floats(1, 10))
def test_causes_sum_to_the_loss(cell: Cell, grid_use: float, years: float) -> None:
    found = split(cell, grid_use, years)
    history = car_history(days=20, grid_use=grid_use)
    whole = simulate_ageing(cell, history.time_s, history.soc, history.temperature_c, years)
    lost = 100 * np.interp(years * 365, whole.time_days, 1 - whole.capacity_fraction) / years
    assert found.total_percent_per_year == pytest.approx(lost)
    assert found.calendar_percent_per_year > 0
    assert found.driving_percent_per_year >= 0


@pytest.mark.parametrize("cell", CELLS.values(), ids=lambda cell: cell.id)
def test_no_grid_use_is_no_cause(cell: Cell) -> None:
    found = split(cell, 0.0)
    assert found.grid_use_percent_per_year == 0
    assert not found.grid_use_saves_life
    assert "no difference" in found.sentence


def test_grid_use_that_lowers_the_resting_charge_saves_life_and_says_so() -> None:
    found = split(CELLS["nmc-b2"], 0.3)
    assert found.grid_use_percent_per_year < 0
    assert found.grid_use_calendar_percent_per_year < 0
    assert found.grid_use_saves_life
    assert "saves battery life" in found.sentence


def test_grid_use_that_costs_life_says_how_much() -> None:
    found = split(CELLS["nmc-a"], 0.3)
    assert found.grid_use_percent_per_year > 0.3
    assert found.sentence.startswith(f"Grid use costs {found.grid_use_percent_per_year:.2f} %")


def test_range_holds_every_cell_and_they_differ() -> None:
    history = car_history(days=30, grid_use=0.3)
    losses = wear_range(
        CELLS.values(), history.time_s, history.soc, history.temperature_c, years=10
    )
    assert [loss.cell.id for loss in losses] == list(CELLS)
    percents = [loss.loss_percent_per_year for loss in losses]
    assert max(percents) > 4 * min(percents) > 0


def test_a_reference_of_another_length_is_named() -> None:
    history = car_history(days=3)
    with pytest.raises(InputError):
        split_loss(
            CELLS["nmc-a"], history.time_s, history.soc, history.temperature_c, history.soc[1:]
        )
