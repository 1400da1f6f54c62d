"""Small problems for the planner's tests: one hour a step, one car, unless said otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from parkwatt.domain.problem import Problem, SiteProblem, StationaryBattery, Stay, Vehicle

START = datetime(2026, 1, 15, 16, tzinfo=UTC)


def car(*stays: Stay, **fields: Any) -> Vehicle:
    """A 50 kWh car of 10 kW with a floor of 10 kWh and no losses."""
    given: dict[str, Any] = {
        "id": "ev",
        "energy_kwh_min": 10.0,
        "energy_kwh_max": 50.0,
        "charge_kw_max": 10.0,
        "discharge_kw_max": 10.0,
        "charge_efficiency": 1.0,
        "discharge_efficiency": 1.0,
    }
    return Vehicle(**(given | fields), stays=stays)


def stay(end: int, arrival_kwh: float, asked_kwh: float | None = None, **fields: Any) -> Stay:
    """A stay from step 0 (or ``from_step``) to ``end``."""
    given: dict[str, Any] = {"from_step": 0}
    return Stay(
        **(given | fields),
        to_step=end,
        energy_kwh_at_arrival=arrival_kwh,
        energy_kwh_at_departure=asked_kwh,
    )


def wall(**fields: Any) -> StationaryBattery:
    """A 10 kWh battery of 5 kW, half full, with no losses."""
    given: dict[str, Any] = {
        "id": "wall",
        "energy_kwh_min": 1.0,
        "energy_kwh_max": 10.0,
        "charge_kw_max": 5.0,
        "discharge_kw_max": 5.0,
        "charge_efficiency": 1.0,
        "discharge_efficiency": 1.0,
        "energy_kwh_at_start": 5.0,
    }
    return StationaryBattery(**(given | fields))


def problem(
    buy: Sequence[float],
    *vehicles: Vehicle,
    sell: Sequence[float] | None = None,
    load_kw: Sequence[float] | None = None,
    solar_kw: Sequence[float] | None = None,
    duration_h: Sequence[float] | None = None,
    batteries: Sequence[StationaryBattery] = (),
    start: datetime = START,
    currency: str = "EUR",
    time_zone: str = "UTC",
    **site: Any,
) -> Problem:
    """A problem with these import prices; export pays nothing, there is no load and no sun, unless given."""
    steps = len(buy)
    nothing = [0.0] * steps
    return Problem(
        start=start,
        duration_h=np.array(duration_h or [1.0] * steps, dtype=float),
        currency=currency,
        site=SiteProblem(
            import_price_per_kwh=np.array(buy, dtype=float),
            export_price_per_kwh=np.array(sell or nothing, dtype=float),
            load_kw=np.array(load_kw or nothing, dtype=float),
            solar_kw=np.array(solar_kw or nothing, dtype=float),
            **site,
        ),
        batteries=tuple(batteries),
        vehicles=vehicles,
        time_zone=time_zone,
    )
