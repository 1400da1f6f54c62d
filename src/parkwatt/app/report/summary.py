"""The study as one JSON document: every figure of the comparison with its unit in its name, without the steps.

Money is in ``currency`` over the whole span, except ``*_per_year``; cost is positive. What is unknown is null. The fields
are described in docs/concepts/study.md.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from parkwatt.app.atomic_file import replacing
from parkwatt.app.report.words import headline
from parkwatt.domain.series import utc
from parkwatt.site.outcome import STRATEGY_TITLES, StrategyResult, StudyResult

_VERSION = 1
_SIGNIFICANT_DIGITS = 9  # beyond that, digits are the arithmetic's and not the result's


def write_json(result: StudyResult, path: Path) -> None:
    """Write the summary of ``result`` to ``path``, whole or not at all.

    Raises `InputError` where ``path`` cannot be written.
    """
    with replacing(path) as stream:
        json.dump(_plain(summary(result)), stream, ensure_ascii=False, indent=2, allow_nan=False)
        stream.write("\n")


def summary(result: StudyResult) -> dict[str, object]:
    """The document before it is written."""
    grid = result.grid
    return {
        "format": "parkwatt-study",
        "version": _VERSION,
        "site": result.site_name,
        "headline": headline(result),
        "currency": result.currency,
        "time_zone": result.time_zone,
        "start": f"{utc(grid.start_unix_s):%Y-%m-%dT%H:%M:%SZ}",
        "end": f"{utc(grid.end_unix_s):%Y-%m-%dT%H:%M:%SZ}",
        "step_minutes": grid.step_s / 60.0,
        "step_count": grid.step_count,
        "duration_years": result.years,
        "battery": {
            "cell": result.cell,
            "energy_kwh_min": result.energy_kwh_min,
            "energy_kwh_max": result.energy_kwh_max,
            "pack_price_per_kwh": result.pack_price_per_kwh,
            "wear_price_per_kwh": result.wear_price_per_kwh,
        },
        "charger_price": result.charger_price,
        "strategies": [_strategy(result, strategy) for strategy in result.strategies],
        "notes": list(result.notes),
    }


def _strategy(result: StudyResult, strategy: StrategyResult) -> dict[str, object]:
    return {
        "name": strategy.name,
        "title": STRATEGY_TITLES[strategy.name],
        "gross_cost": strategy.gross_cost,
        "energy_cost": strategy.energy_cost,
        "demand_cost": strategy.demand_cost,
        "stored_value": strategy.stored_value,
        "wear_cost": strategy.wear_cost,
        "net_cost": strategy.net_cost,
        "net_saving_per_year": result.saving_per_year(strategy.name),
        "payback_years": result.payback_years(strategy.name),
        "bought_kwh": strategy.bought_kwh,
        "sold_kwh": strategy.sold_kwh,
        "discharged_kwh": strategy.discharged_kwh,
        "public_kwh": strategy.public_kwh,
        "import_peak_kw": strategy.import_peak_kw,
        "self_consumption": strategy.self_consumption,
        "departure_count": strategy.departure_count,
        "missed_count": strategy.missed_count,
        "shortfall_kwh": strategy.shortfall_kwh,
        "shortfall_kwh_avoidable": strategy.shortfall_kwh_avoidable,
        "below_floor_kwh_h": strategy.below_floor_kwh_h,
        "months": [
            {
                "month": month.month,
                "energy_cost": month.energy_cost,
                "demand_cost": month.demand_cost,
                "wear_cost": month.wear_cost,
            }
            for month in strategy.months
        ],
        "capacity_loss": [
            {
                "cell": wear.cell,
                "calendar_percent_per_year": wear.calendar_percent_per_year,
                "driving_percent_per_year": wear.driving_percent_per_year,
                "grid_use_percent_per_year": wear.grid_use_percent_per_year,
                "total_percent_per_year": wear.total_percent_per_year,
            }
            for wear in strategy.wear
        ],
    }


def _plain(value: object) -> object:
    """The value as JSON can hold it: numbers rounded to what they mean, unknown ones as null."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{_SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None
    return value
