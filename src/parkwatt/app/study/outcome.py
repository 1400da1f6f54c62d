"""From finished replays to the `StudyResult` that is shown: accounts, and what the use would do to each cell."""

from __future__ import annotations

import numpy as np

from parkwatt.app.study.load import LoadedStudy
from parkwatt.domain.record import FloatArray
from parkwatt.plan.wear import CELLS, split_loss
from parkwatt.site.outcome import StrategyName, StrategyResult, StudyResult, WearResult
from parkwatt.site.study.account import account
from parkwatt.site.study.inputs import connected
from parkwatt.site.study.replay import ReplayState

_KNOWLEDGE = {
    "declared": "The driver declares the departure when plugging in; later trips are expected from the car's habits.",
    "calendar": "The trips of the next days are known from a calendar.",
    "learned": "Nothing is declared: departures are learned from past sessions.",
}


def study_result(loaded: LoadedStudy, states: dict[StrategyName, ReplayState]) -> StudyResult:
    """The result of all strategies; charging at once is what loss by grid use is measured against."""
    inputs, car = loaded.inputs, loaded.settings.car
    reference = states["charge_at_once"].energy_kwh
    strategies: list[StrategyResult] = []
    for name, state in states.items():
        wear = _wear(loaded, state.energy_kwh, reference)
        strategies.append(
            account(inputs, name, state.power_kw, state.energy_kwh, state.departures, wear)
        )
    span, cell = loaded.settings.span, CELLS[car.cell]
    rolling = (
        f"Plans are made anew every {span.replan_minutes:g} minutes for the next {inputs.horizon_h:g} hours; "
        "between two plans the car follows the house's real load and sun."
    )
    notes = (
        _KNOWLEDGE[span.departures],
        rolling,
        f"Wear of {cell.name} ({cell.chemistry}), {cell.source}. {cell.limits}",
        *inputs.notes,
    )
    return StudyResult(
        site_name=inputs.site_name,
        currency=inputs.currency,
        time_zone=str(inputs.time_zone),
        grid=inputs.grid,
        import_price_per_kwh=inputs.import_price_per_kwh,
        export_price_per_kwh=inputs.export_price_per_kwh,
        load_kw=inputs.load_kw,
        solar_kw=inputs.solar_kw,
        connected=connected(inputs),
        energy_kwh_min=inputs.car.energy_kwh_min,
        energy_kwh_max=inputs.car.energy_kwh_max,
        cell=cell.name,
        wear_price_per_kwh=inputs.car.wear_price_per_kwh,
        pack_price_per_kwh=car.pack_price_per_kwh,
        charger_price=car.charger_cost,
        strategies=tuple(strategies),
        notes=notes,
    )


def _wear(
    loaded: LoadedStudy, energy_kwh: FloatArray, reference_kwh: FloatArray
) -> tuple[WearResult, ...]:
    """Loss by cell, the chosen one first."""
    car, grid = loaded.settings.car, loaded.inputs.grid
    time_s = (grid.edges_unix_s() - grid.start_unix_s).astype(np.float64)
    temperature_c = np.append(loaded.temperature_c, loaded.temperature_c[-1])
    soc, reference_soc = (
        np.clip(energy / car.battery_kwh, 0.0, 1.0) for energy in (energy_kwh, reference_kwh)
    )
    chosen = CELLS[car.cell]
    others = [cell for cell in CELLS.values() if cell is not chosen]
    results = []
    for cell in (chosen, *others):
        loss = split_loss(cell, time_s, soc, temperature_c, reference_soc)
        results.append(
            WearResult(
                cell=cell.name,
                calendar_percent_per_year=loss.calendar_percent_per_year,
                driving_percent_per_year=loss.driving_percent_per_year,
                grid_use_percent_per_year=loss.grid_use_percent_per_year,
            )
        )
    return tuple(results)
