"""From what is known to the plan problem of the hours ahead.

Near steps keep the prices' resolution; further ahead the plan works in whole hours (cut where a car may leave), for only the
first hour of a plan is ever executed. Each car's one stay begins now and ends at its departure, or at the
horizon if that is nearer; what is left then is worth what the stays that follow make of it (`parkwatt.site.horizon.worth`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from parkwatt.domain.problem import Problem, SiteProblem, Stay, Storage, Vehicle
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, utc
from parkwatt.site.horizon.departure import DepartureAhead, storage_with_reserve
from parkwatt.site.horizon.knowledge import CarAhead, SiteAhead
from parkwatt.site.horizon.worth import EndValue, StoredWorth


@dataclass(frozen=True, slots=True, eq=False)
class PresentCar:
    """A car that has been plugged in since ``since_unix_s``.

    ``energy_kwh``: in the battery; ``energy_kwh_asked``: at its departure, None: nothing.
    """

    car: CarAhead
    worth: StoredWorth
    energy_kwh: float
    since_unix_s: int
    energy_kwh_asked: float | None
    departure: DepartureAhead


def problem_ahead(
    site: SiteAhead,
    cars: Sequence[PresentCar],
    now_unix_s: int,
    peak_so_far_kw: float,
    edges_unix_s: TimeArray | None = None,
) -> Problem:
    """The problem at ``now``.

    ``peak_so_far_kw``: the highest import of this month until now, where a demand charge is paid on it.
    ``edges_unix_s``: [S+1] of the plan's steps, if not those of `plan_edges`.
    Energy is fed in from the batteries only where every car that can discharge may do so.
    """
    if edges_unix_s is None:
        edges_unix_s = plan_edges(site, now_unix_s, [present.departure for present in cars])
    buy, sell = site.prices.over(now_unix_s, edges_unix_s)
    site_problem = SiteProblem(
        buy,
        sell,
        load_kw=known_power_kw(site.load_forecaster.forecast(now_unix_s, edges_unix_s, ()).mean_kw),
        solar_kw=known_power_kw(
            site.solar_forecaster.forecast(now_unix_s, edges_unix_s, ()).mean_kw
        ),
        solar_curtailable=site.solar_curtailable,
        import_limit_kw=site.import_limit_kw,
        export_limit_kw=site.export_limit_kw,
        demand_charge_per_kw=site.demand_charge_per_kw,
        peak_so_far_kw=peak_so_far_kw,
        batteries_may_export=_may_export(cars),
    )
    return Problem(
        start=utc(now_unix_s),
        duration_h=np.diff(edges_unix_s) / 3600.0,
        currency=site.currency,
        site=site_problem,
        vehicles=tuple(_vehicle(present, now_unix_s, edges_unix_s) for present in cars),
        time_zone=str(site.time_zone),
    )


def plan_edges(site: SiteAhead, now_unix_s: int, departures: Sequence[DepartureAhead]) -> TimeArray:
    """[S+1] the times at which the steps of a plan for cars with these departures begin and end; at least one departure."""
    grid, hour_s = site.grid, site.hour_s
    end = max(departure.leave_unix_s for departure in departures)
    first = site.floor_unix_s(now_unix_s)
    near_end = first + site.near_s
    near = np.arange(first + grid.step_s, min(near_end + 1, end), grid.step_s, dtype=np.int64)
    first_hour = -(-(near_end - grid.start_unix_s) // hour_s) * hour_s + grid.start_unix_s
    hours = np.arange(first_hour, end, hour_s, dtype=np.int64)
    leaving = [
        time
        for departure in departures
        for time in (departure.ready_unix_s, departure.leave_unix_s)
    ]
    return np.unique(np.concatenate(([now_unix_s], near, hours, leaving)).astype(np.int64))


def known_power_kw(power_kw: FloatArray) -> FloatArray:
    """Before anything was measured a forecast is unknown; the plan then counts on nothing."""
    return np.maximum(np.nan_to_num(power_kw, nan=0.0), 0.0)


def _may_export(cars: Sequence[PresentCar]) -> bool:
    discharging = [p.car for p in cars if p.car.storage.discharge_kw_max > 0]
    return all(car.may_export for car in discharging or [p.car for p in cars])


def _vehicle(present: PresentCar, now_unix_s: int, edges_unix_s: TimeArray) -> Vehicle:
    # The charger's least power is left to the control step: in the plan it would cost a mixed-integer solve each time.
    storage = replace(
        storage_with_reserve(present.car, now_unix_s), charge_kw_min=0.0, discharge_kw_min=0.0
    )
    return _as_vehicle(storage, _stay(present, now_unix_s, edges_unix_s))


def _stay(present: PresentCar, now_unix_s: int, edges_unix_s: TimeArray) -> Stay:
    """The present stay in steps of the plan, with what energy is worth at its end."""
    departure = present.departure
    leave, ready = np.searchsorted(
        edges_unix_s, (departure.leave_unix_s, departure.ready_unix_s)
    ).tolist()
    asked = present.energy_kwh_asked if departure.within else None
    worth = _end_value(present, now_unix_s)
    return Stay(
        from_step=0,
        to_step=leave,
        energy_kwh_at_arrival=present.energy_kwh,
        energy_kwh_at_departure=asked,
        energy_value_per_kwh=worth.value_per_kwh,
        end_value_drops=worth.drops,
        ready_from_step=ready if asked is not None and ready < leave else None,
    )


def _end_value(present: PresentCar, now_unix_s: int) -> EndValue:
    departure = present.departure
    if not departure.within:
        return present.worth.at_horizon(now_unix_s, departure.leave_unix_s)
    return present.worth.at_departure(
        now_unix_s, present.since_unix_s, departure.leave_unix_s, present.energy_kwh_asked
    )


def _as_vehicle(storage: Storage, stay: Stay) -> Vehicle:
    """The same battery with its stay; every field of a storage is carried over, also one that is added later."""
    carried = {item.name: getattr(storage, item.name) for item in fields(Storage)}
    return Vehicle(**carried, stays=(stay,))
