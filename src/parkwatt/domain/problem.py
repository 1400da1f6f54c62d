"""The problem that a planner solves: one site, its prices and loads, its batteries and vehicles.

These types mirror the published contract (docs/reference/contract.md). They are values: made once, checked where they
are made (`parkwatt.io.contract` reads them from JSON), never changed. T is the number of steps; series have T
values, energies in a plan T+1. Powers are at the charger (AC), energies in the battery.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from parkwatt.domain.record import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class SiteProblem:
    """One grid connection over the horizon.

    ``import_price_per_kwh``, ``export_price_per_kwh``: [T], currency per kWh. ``load_kw``: [T] ≥ 0, what is consumed
    in any case. ``solar_kw``: [T] ≥ 0, what the sun offers; where ``solar_curtailable`` less may be used. Limits in kW,
    None = none. The demand charge is paid per kW of the highest import above ``peak_so_far_kw``.
    ``batteries_may_export``: where
    False, export is at most the surplus of the sun over the load (running the house without feeding in from the battery).
    """

    import_price_per_kwh: FloatArray
    export_price_per_kwh: FloatArray
    load_kw: FloatArray
    solar_kw: FloatArray
    solar_curtailable: bool = True
    import_limit_kw: float | None = None
    export_limit_kw: float | None = None
    demand_charge_per_kw: float = 0.0
    peak_so_far_kw: float = 0.0
    batteries_may_export: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What a stationary battery and a vehicle have in common.

    Energies in kWh inside the battery; powers in kW at the charger; ``*_kw_min`` makes a power semi-continuous (0 or at
    least this); efficiencies in (0, 1]; ``wear_price_per_kwh`` is paid per kWh that leaves the battery by discharge;
    ``holding_price_per_kwh_h`` per hour for each kWh that stands above ``holding_from_kwh`` (calendar ageing).
    """

    id: str
    energy_kwh_min: float
    energy_kwh_max: float
    charge_kw_max: float
    discharge_kw_max: float
    charge_kw_min: float = 0.0
    discharge_kw_min: float = 0.0
    charge_efficiency: float
    discharge_efficiency: float
    wear_price_per_kwh: float = 0.0
    holding_price_per_kwh_h: float = 0.0
    holding_from_kwh: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StationaryBattery(Storage):
    """A battery that is always there. ``energy_value_per_kwh`` is what a kWh left at the end is worth."""

    energy_kwh_at_start: float
    energy_value_per_kwh: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A plugged-in span of steps [from_step, to_step).

    ``energy_kwh_at_departure`` is asked for at ``to_step`` (None: nothing asked) and, where ``ready_from_step`` is given,
    at each instant from there on: the driver may leave early. What is missing then counts as the mean over those instants.
    ``end_value_drops``: (energy_kwh, drop_per_kwh > 0) each: beyond that energy a kWh left at the end is worth that much less.
    """

    from_step: int
    to_step: int
    energy_kwh_at_arrival: float
    energy_kwh_at_departure: float | None = None
    energy_value_per_kwh: float = 0.0
    end_value_drops: tuple[tuple[float, float], ...] = ()
    ready_from_step: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle(Storage):
    """A vehicle with its stays in order of time, not overlapping."""

    stays: tuple[Stay, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A whole problem.

    ``start``: aware UTC time of step 0. ``duration_h``: [T], hours of each step (all equal in the contract; the study
    uses longer steps far ahead). ``currency`` (ISO 4217) and ``time_zone`` (IANA): for words only.
    """

    start: datetime
    duration_h: FloatArray
    currency: str
    site: SiteProblem
    batteries: tuple[StationaryBattery, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    time_zone: str = "UTC"

    @property
    def step_count(self) -> int:
        """T, the number of steps."""
        return len(self.duration_h)

    def edges_h(self) -> FloatArray:
        """[T+1] hours from ``start`` to each step's start, and to the end of the last."""
        return np.concatenate(([0.0], np.cumsum(self.duration_h)))
