"""What a study is given: a span of real data, a car with its trips, and what was known when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.domain.problem import Storage
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeGrid
from parkwatt.domain.tariff import DemandCharge
from parkwatt.forecast.power import PowerForecaster
from parkwatt.forecast.presence import PresenceModel


@dataclass(frozen=True, slots=True)
class PlugIn:
    """One stay of the car: steps [arrival_step, departure_step) of the study's grid.

    ``energy_kwh_used``: what the trip before the arrival took from the battery. ``energy_kwh_asked``: what the driver wants at
    departure; None = nothing.
    """

    arrival_step: int
    departure_step: int
    energy_kwh_used: float
    energy_kwh_asked: float | None


@dataclass(frozen=True, slots=True, eq=False)
class StudyInputs:
    """All that a replay needs; T = ``grid.step_count``.

    ``import_price_per_kwh``, ``export_price_per_kwh``, ``load_kw``, ``solar_kw``: [T] as they came true.
    ``prices_known_until``: maps a
    time to the time up to which prices were published then (None: all). The forecasters know more than the span: their history
    may begin earlier. ``public_price_per_kwh``: what energy costs that the car had to charge on the road.
    ``presence``: the car's habits,
    from which the stays after the present one are expected; None where nothing is known. ``early_probability``: None where
    drivers declare their departure when they plug in; otherwise departures are learned from the habits too: a reserve that
    covers all trips but this share is there at once, and what is asked by the time by which most cars would have left.
    ``trips_known``: all stays to come are known from a calendar.
    ``replan_steps``: steps between two plans. ``near_steps``: steps at full
    resolution at the start of a plan; from there on it plans in hours, up to ``horizon_h``.
    """

    site_name: str
    currency: str
    time_zone: ZoneInfo
    grid: TimeGrid
    import_price_per_kwh: FloatArray
    export_price_per_kwh: FloatArray
    prices_known_until: Callable[[int], int | None]
    load_kw: FloatArray
    solar_kw: FloatArray
    load_forecaster: PowerForecaster
    solar_forecaster: PowerForecaster
    car: Storage
    energy_kwh_at_start: float
    plug_ins: tuple[PlugIn, ...]
    solar_curtailable: bool = True
    import_limit_kw: float | None = None
    export_limit_kw: float | None = None
    demand_charge: DemandCharge | None = None
    public_price_per_kwh: float = 0.6
    energy_kwh_on_road_min: float = 0.0
    presence: PresenceModel | None = None
    early_probability: float | None = None
    trips_known: bool = False
    replan_steps: int = 4
    near_steps: int = 8
    horizon_h: float = 168.0
    holidays: frozenset[date] = frozenset()
    notes: tuple[str, ...] = ()

    def time_unix_s(self, step: int) -> int:
        """The start of a step of the grid."""
        return self.grid.start_unix_s + step * self.grid.step_s


def connected(inputs: StudyInputs) -> FloatArray:
    """[T] 1.0 while the car is plugged in."""
    plugged = np.zeros(inputs.grid.step_count)
    for plug_in in inputs.plug_ins:
        plugged[plug_in.arrival_step : plug_in.departure_step] = 1.0
    return plugged
