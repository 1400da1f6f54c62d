"""One step of a pool: from what is known of its cars and what is asked of it to set-points. Pure, in arrays.

The plan without a target is simple so far: a car charges at once until it holds what its driver asked for, and then rests; what
it does beyond is for targets. (`parkwatt.plan.coordinate` makes better plans; they come here as ``planned_kw``.)
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.fleet.disaggregate import PowerArray
from parkwatt.fleet.dispatch.bounds import Batteries, BoolArray, Bounds, bounds, weights
from parkwatt.fleet.dispatch.follow import (
    Following,
    FollowSettings,
    IndexArray,
    SecondsArray,
    Seen,
    Told,
    follow,
)
from parkwatt.fleet.guard.admission import Admission, Admitted, Limits, admit

_HOUR_S = 3600.0
_SAME_KW = 1e-6


class Members(NamedTuple):
    """N cars that take part; arrays [N] in single precision. ``discharge_kw_max``: 0 without the driver's consent.

    ``floor_kwh``: below it nothing is given; ``asked_kwh``: wanted at departure; ``wear_per_kwh``: what a kWh given costs the
    battery; ``least_kw``: below it the charger rests. ``cohort``: [N] cars that share a message.
    """

    capacity_kwh: PowerArray
    floor_kwh: PowerArray
    asked_kwh: PowerArray
    charge_kw_max: PowerArray
    discharge_kw_max: PowerArray
    charge_efficiency: PowerArray
    discharge_efficiency: PowerArray
    wear_per_kwh: PowerArray
    least_kw: PowerArray
    cohort: IndexArray


class Now(NamedTuple):
    """What is known of them; arrays [N]. ``present``: plugged in; ``linked``: can be told something; ``discharges``: its
    charger can be told to, as far as it has shown. ``power_kw``, ``read_s``: the newest reading (NaN: none), and when;
    ``energy_kwh``: NaN: unknown. ``ready_s``: seconds until departure, infinite: nobody told. ``pool_kw``: the pool's own
    meter, None: none.
    """

    present: BoolArray
    linked: BoolArray
    discharges: BoolArray
    power_kw: PowerArray
    read_s: SecondsArray
    answer_s: SecondsArray
    energy_kwh: PowerArray
    ready_s: PowerArray
    pool_kw: float | None = None
    pool_read_s: float = 0.0


class Wanted(NamedTuple):
    """What is asked of the pool: ``power_kw`` at its meter, or ``change_kw`` from its plan; both None: nothing.

    ``import_kw_max``, ``export_kw_max`` ≥ 0: what the grid lets it draw and give now, whatever is asked.
    """

    power_kw: float | None = None
    change_kw: float | None = None
    import_kw_max: float = math.inf
    export_kw_max: float = math.inf

    def deviation_kw(self, planned_kw: float) -> float | None:
        """By how much the pool is to leave its plan; None: it may follow it."""
        changed_kw = planned_kw + (self.change_kw or 0.0)
        aim_kw = changed_kw if self.power_kw is None else self.power_kw
        bounded_kw = min(max(aim_kw, -self.export_kw_max), self.import_kw_max)
        asks = self.power_kw is not None or self.change_kw is not None
        return bounded_kw - planned_kw if asks or bounded_kw != aim_kw else None


class PoolMemory(NamedTuple):
    """What a step leaves to the next. ``given_kwh``: [N] what each car gave or took beside its plan, of late."""

    following: Following
    admission: Admission
    given_kwh: PowerArray
    at_s: float


class PoolStep(NamedTuple):
    """What one step says. ``power_kw``: what the cars' meters come to; ``planned_kw``: what they would without a target;
    ``target_kw``: what was let through, None: nothing is asked; ``up_kw``, ``down_kw``: how far above and below the plan the
    pool could go now, both ≥ 0. ``wanted_kw``: by how much it was asked to leave its plan.
    """

    told: Told
    admitted: Admitted
    power_kw: float
    planned_kw: float
    target_kw: float | None
    up_kw: float
    down_kw: float
    wanted_kw: float
    within: Bounds
    plan_kw: PowerArray


def step(
    memory: PoolMemory,
    members: Members,
    now: Now,
    wanted: Wanted,
    limits: Limits,
    settings: FollowSettings,
    now_s: float,
    *,
    early_s: float,
    threads: int = 1,
) -> tuple[PoolMemory, PoolStep]:
    """One step at ``now_s`` seconds. ``early_s``: so long before departures cars are to be ready."""
    cars = batteries(members, now)
    within = bounds(cars, hold_s=settings.lease_s, early_s=early_s)
    plan_kw = np.clip(_at_once_kw(cars, members), within.low_kw, within.high_kw)
    reach = now.present & now.linked
    planned_kw = _sum(np.where(now.present, plan_kw, 0.0))
    wanted_kw = wanted.deviation_kw(planned_kw)
    admission, admitted = admit(memory.admission, wanted_kw or 0.0, limits, now_s)
    leads = wanted_kw is not None or abs(admitted.deviation_kw) > _SAME_KW
    target_kw = planned_kw + admitted.deviation_kw if leads else None
    weight = weights(
        cars,
        within,
        given_kwh=memory.given_kwh,
        wear_per_kwh=members.wear_per_kwh,
        down=admitted.deviation_kw < 0.0,
    )
    seen = Seen(
        now.power_kw,
        now.read_s,
        now.answer_s,
        now.present,
        now.linked,
        # Without a link and a lease a charger charges for its driver.
        np.where(now.energy_kwh >= cars.full_kwh, np.float32(0.0), members.charge_kw_max),
        now.pool_kw,
        now.pool_read_s,
    )
    following, told = follow(
        memory.following,
        seen,
        plan_kw,
        within,
        weight,
        target_kw,
        now_s,
        settings,
        threads=threads,
    )
    measured = np.where(now.present, now.power_kw, np.float32(0.0))
    given_kwh = _given(memory, np.abs(np.nan_to_num(measured - plan_kw)), leads, now_s)
    found = PoolStep(
        told,
        admitted,
        float(np.nansum(measured, dtype=np.float64)),
        planned_kw,
        target_kw,
        _sum(np.where(reach, within.high_kw - plan_kw, 0.0)),
        _sum(np.where(reach, plan_kw - within.low_kw, 0.0)),
        wanted_kw or 0.0,
        within,
        plan_kw,
    )
    return PoolMemory(following, admission, given_kwh, now_s), found


def batteries(members: Members, now: Now) -> Batteries:
    """What bounds each car now."""
    can_give = now.discharges & now.present & now.linked
    return Batteries(
        energy_kwh=now.energy_kwh,
        floor_kwh=members.floor_kwh,
        full_kwh=members.capacity_kwh,
        asked_kwh=members.asked_kwh,
        ready_s=now.ready_s,
        charge_kw_max=np.where(now.present, members.charge_kw_max, np.float32(0.0)),
        discharge_kw_max=np.where(can_give, members.discharge_kw_max, np.float32(0.0)),
        charge_efficiency=members.charge_efficiency,
        discharge_efficiency=members.discharge_efficiency,
        least_kw=members.least_kw,
    )


def _at_once_kw(cars: Batteries, members: Members) -> PowerArray:
    # Of unknown energy: it charges, as it would without a pool.
    short = ~(cars.energy_kwh >= np.maximum(members.asked_kwh, members.floor_kwh))
    return np.where(short, cars.charge_kw_max, np.float32(0.0))


def _given(memory: PoolMemory, beside_kw: PowerArray, leads: bool, now_s: float) -> PowerArray:
    """What each gave, forgotten by half in a day."""
    passed_h = max(now_s - memory.at_s, 0.0) / _HOUR_S if np.isfinite(memory.at_s) else 0.0
    kept = memory.given_kwh * np.float32(0.5 ** (passed_h / 24.0))
    return (
        np.asarray(kept + beside_kw * np.float32(min(passed_h, 0.1)), np.float32) if leads else kept
    )


def _sum(array: NDArray[np.float32]) -> float:
    return float(array.sum(dtype=np.float64))
