"""What the planner of a running site is given: all that is known at one moment, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from parkwatt.domain.problem import Storage
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid
from parkwatt.domain.site.live_plan import LivePlan
from parkwatt.domain.tariff import Tariff
from parkwatt.forecast.power import PowerForecaster


@dataclass(frozen=True, slots=True)
class CarNow:
    """A car that is plugged in and may be planned for.

    ``storage``: its bounds as the wishes and the guard allow (discharge 0 where it may not; the floor; the highest
    energy).
    ``energy_kwh``: now. ``since_unix_s``: plugged in since. ``departs_unix_s``: declared, None: learned from habits.
    ``energy_kwh_asked``: at the departure, None: nothing. ``may_export``: the battery may feed in.
    ``used_kwh``: what the trip before the stay took, None where it is not known.
    """

    car_id: str
    storage: Storage
    energy_kwh: float
    since_unix_s: int
    departs_unix_s: int | None = None
    energy_kwh_asked: float | None = None
    may_export: bool = False
    used_kwh: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Habits:
    """[N] past stays of one car: plugged in and out, and the energy that the trip before each took (NaN: unknown)."""

    arrival_unix_s: TimeArray
    departure_unix_s: TimeArray
    energy_kwh_used: FloatArray


@dataclass(frozen=True, slots=True)
class KnownStay:
    """A stay to come that a calendar tells of. ``energy_kwh_used``: by the trip before it."""

    arrival_unix_s: int
    departure_unix_s: int
    energy_kwh_used: float
    energy_kwh_asked: float | None


@dataclass(frozen=True, slots=True, eq=False)
class PlanRequest:
    """A request for a plan. ``history``: the grid of what was measured [H], up to now or a little before; NaN unknown.

    ``load_kw``: household without chargers and without what ``fixed_kw`` tells. ``fixed_kw``: power of cars that are
    not planned
    (charging at once), drawn for ``fixed_until_unix_s``. ``tariff``: with all prices known by now.
    ``load_guess``, ``solar_guess``: what is taken until the meters have told enough, None: nothing is known beforehand.
    ``solar_forecaster``: None: learned from ``solar_kw``. ``running``: the plan that is followed, to be kept unless a
    new one is better.
    ``peak_so_far_kw``: the month's highest import until now.
    """

    now_unix_s: int
    site_name: str
    tariff: Tariff
    history: TimeGrid
    load_kw: FloatArray
    solar_kw: FloatArray
    cars: tuple[CarNow, ...]
    habits: dict[str, Habits] = field(default_factory=dict)
    known_stays: dict[str, tuple[KnownStay, ...]] = field(default_factory=dict)
    solar_forecaster: PowerForecaster | None = None
    load_guess: PowerForecaster | None = None
    solar_guess: PowerForecaster | None = None
    load_prior_kw: float = 0.4
    fixed_kw: float = 0.0
    fixed_until_unix_s: int = 0
    solar_curtailable: bool = True
    import_limit_kw: float | None = None
    export_limit_kw: float | None = None
    peak_so_far_kw: float = 0.0
    public_price_per_kwh: float = 0.6
    energy_kwh_on_road_min: float = 3.0
    early_probability: float = 0.02
    horizon_h: float = 168.0
    holidays: frozenset[date] = frozenset()
    running: LivePlan | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A new plan, and what the running one would cost from now on by the same knowledge (None: it cannot be kept)."""

    plan: LivePlan
    running_cost: float | None = None
