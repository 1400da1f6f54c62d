"""Whose fault a loss is: time, driving, or grid use; and the range over cells.

Grid use is charged with the difference it makes: the loss with it, less the loss of the same trips
without it. It may be negative: a battery that gives energy away in the evening rests at a lower
charge, and for many cells that saves more calendar life than the cycles cost.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from parkwatt.plan.wear.ageing import DAYS_PER_YEAR, AgeingResult, simulate_ageing
from parkwatt.plan.wear.cells import Cell
from parkwatt.plan.wear.spans import FloatArray

# Differences below this (percent of capacity a year) are not worth a sentence.
PERCENT_PER_YEAR_MIN = 0.005


@dataclass(frozen=True)
class LossSplit:
    """Loss of capacity by cause, in percent of the capacity when new, a year.

    `calendar` and `driving` are those of the trips without grid use. `grid_use` is the sum of
    `grid_use_calendar` (by resting elsewhere) and `grid_use_cycling` (by moving more energy); each
    may be negative.
    """

    calendar_percent_per_year: float
    driving_percent_per_year: float
    grid_use_calendar_percent_per_year: float
    grid_use_cycling_percent_per_year: float

    @property
    def grid_use_percent_per_year(self) -> float:
        """What grid use adds; negative where it saves life."""
        return self.grid_use_calendar_percent_per_year + self.grid_use_cycling_percent_per_year

    @property
    def total_percent_per_year(self) -> float:
        """The whole loss with grid use."""
        return (
            self.calendar_percent_per_year
            + self.driving_percent_per_year
            + self.grid_use_percent_per_year
        )

    @property
    def grid_use_saves_life(self) -> bool:
        """Whether the battery lasts longer with grid use than without."""
        return self.grid_use_percent_per_year <= -PERCENT_PER_YEAR_MIN

    @property
    def sentence(self) -> str:
        """What grid use does to this battery, in words."""
        total = self.grid_use_percent_per_year
        rest = self.grid_use_calendar_percent_per_year
        cycling = self.grid_use_cycling_percent_per_year
        if self.grid_use_saves_life:
            return (
                f"Grid use saves battery life: {-total:.2f} % a year less is lost: resting at "
                f"another charge saves {-rest:.2f} % and the energy moved costs {cycling:.2f} %."
                if rest < 0
                else f"Grid use saves battery life: {-total:.2f} % a year less is lost by cycling."
            )
        if total < PERCENT_PER_YEAR_MIN:
            return "Grid use makes no difference to battery life that could be measured."
        if rest <= -PERCENT_PER_YEAR_MIN:
            return (
                f"Grid use costs {total:.2f} % of capacity a year: {cycling:.2f} % by the energy moved, "
                f"less {-rest:.2f} % saved by resting at another charge."
            )
        return f"Grid use costs {total:.2f} % of capacity a year."


@dataclass(frozen=True)
class CellLoss:
    """What one cell would lose, in percent of the capacity when new, a year."""

    cell: Cell
    loss_percent_per_year: float
    notes: tuple[str, ...]


def split_loss(
    cell: Cell,
    time_s: FloatArray,
    soc: FloatArray,
    temperature_c: FloatArray,
    driving_only_soc: FloatArray,
    years: float = 10.0,
    driving_only_temperature_c: FloatArray | None = None,
) -> LossSplit:
    """Split a history's loss into calendar, driving and grid use.

    Args:
        cell: one of `CELLS`.
        time_s, soc, temperature_c: the full history, as for `simulate_ageing`.
        driving_only_soc: charge at the same times with the same trips and no grid use (charged at
            once, or when cheap).
        years: how long the history is repeated, in years of 365 days.
        driving_only_temperature_c: temperature then; the same if None.

    Raises:
        InputError: as `simulate_ageing`.
    """
    if driving_only_temperature_c is None:
        driving_only_temperature_c = temperature_c
    full = simulate_ageing(cell, time_s, soc, temperature_c, years)
    driving = simulate_ageing(cell, time_s, driving_only_soc, driving_only_temperature_c, years)
    full_calendar, full_cycling = _percent_per_year(full, years)
    calendar, cycling = _percent_per_year(driving, years)
    return LossSplit(
        calendar_percent_per_year=calendar,
        driving_percent_per_year=cycling,
        grid_use_calendar_percent_per_year=full_calendar - calendar,
        grid_use_cycling_percent_per_year=full_cycling - cycling,
    )


def wear_range(
    cells: Iterable[Cell],
    time_s: FloatArray,
    soc: FloatArray,
    temperature_c: FloatArray,
    years: float = 10.0,
) -> tuple[CellLoss, ...]:
    """What each of some cells would lose from the same use: the range behind any single figure.

    Args:
        cells: for example `CELLS.values()`.
        time_s, soc, temperature_c, years: as for `simulate_ageing`.

    Raises:
        InputError: as `simulate_ageing`.
    """
    losses = []
    for cell in cells:
        result = simulate_ageing(cell, time_s, soc, temperature_c, years)
        percent = sum(_percent_per_year(result, years))
        losses.append(CellLoss(cell, percent, result.notes))
    return tuple(losses)


def _percent_per_year(result: AgeingResult, years: float) -> tuple[float, float]:
    """Calendar and cycling loss at exactly `years`, a year; results end a little past it."""
    days = years * DAYS_PER_YEAR
    calendar, cycling = (
        100 * float(np.interp(days, result.time_days, loss)) / years
        for loss in (result.calendar_loss, result.cycle_loss)
    )
    return calendar, cycling
