"""What the running plan would cost from now on, by the knowledge and in the objective of a new one.

A plan can be kept where it was made for the same cars with the same declared departures and wishes, and still tells what
to do for the near part of the new horizon; beyond its own end the new plan's powers complete it. Its powers are laid
on the new plan's steps (means over time, so energy is exact) and followed from the present energies within what is
possible then: the charger, the battery between floor and maximum, the connection, no feeding in where that is not allowed.

The cost is that of the problem. Wishes come before money: where the kept plan misses more than the new plan must miss too
(kWh over a limit, kWh·h below a floor, kWh at a departure), what it saves by that does not count, and each kWh is charged at
a weight far above all prices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from parkwatt.domain.plan import Plan
from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray
from parkwatt.domain.site.live_plan import LivePlan
from parkwatt.plan.exact.costs import cost_of
from parkwatt.plan.exact.flows import Flows
from parkwatt.plan.exact.storage import StorageStay, storage_stays
from parkwatt.plan.exact.violations import shortfall_kwh
from parkwatt.site.live.request import CarNow

# The near part of a plan: in quarter hours.
_NEAR_S: Final = 7200
# In units of the dearest price of the problem.
_MISSED_WEIGHT: Final = 20.0


def running_cost(
    running: LivePlan,
    cars: Sequence[CarNow],
    problem: Problem,
    edges_unix_s: TimeArray,
    new: Plan,
) -> float | None:
    """What ``running`` costs from ``edges_unix_s[0]`` on, as an answer to ``problem``; None where it cannot be kept."""
    if not _can_be_kept(running, cars, edges_unix_s):
        return None
    items = storage_stays(problem)
    wanted_kw = [
        _completed(running, item.storage.id, edges_unix_s, vehicle.power_kw)[item.steps]
        for item, vehicle in zip(items, new.vehicles, strict=True)
    ]
    kept = follow(problem, items, wanted_kw, peak_kw=float(new.import_kw.max()))
    missed = np.maximum(
        _missed(problem, items, kept) - _missed(problem, items, flows_of(items, new)), 0.0
    )
    cost, missed_sum = cost_of(problem, items, kept).total, float(missed.sum())
    if missed_sum > 0:
        cost = max(cost, new.cost) + _MISSED_WEIGHT * _dearest(problem, items) * missed_sum
    return cost


def _can_be_kept(running: LivePlan, cars: Sequence[CarNow], edges_unix_s: TimeArray) -> bool:
    if {car.car_id for car in cars} != {car.car_id for car in running.cars}:
        return False
    for now in cars:
        planned = running.car(now.car_id)
        if planned is None or planned.departs_unix_s != now.departs_unix_s:
            return False
        if planned.energy_kwh_asked != now.energy_kwh_asked:
            return False
    now_s, end_s = int(edges_unix_s[0]), int(edges_unix_s[-1])
    begins, ends = running.edges_unix_s[0], running.edges_unix_s[-1]
    return begins <= now_s and ends >= min(now_s + _NEAR_S, end_s)


def _completed(
    running: LivePlan, car_id: str, edges_unix_s: TimeArray, new_kw: FloatArray
) -> FloatArray:
    """[T] the running plan's mean power in each of the new steps, and the new plan's beyond its end."""
    planned = running.car(car_id)
    power_kw = np.zeros(len(running.edges_unix_s) - 1)
    if planned is not None:
        power_kw = np.array(planned.power_kw)
    old_edges = np.array(running.edges_unix_s, dtype=np.float64)
    energy_kws = np.concatenate(([0.0], np.cumsum(power_kw * np.diff(old_edges))))
    told_s = np.diff(np.minimum(edges_unix_s, old_edges[-1]))
    moved_kws = np.diff(np.interp(edges_unix_s, old_edges, energy_kws))
    spans_s = np.diff(edges_unix_s)
    return np.asarray((moved_kws + new_kw * (spans_s - told_s)) / spans_s)


def follow(
    problem: Problem, items: list[StorageStay], wanted_kw: list[FloatArray], peak_kw: float
) -> Flows:
    """What happens where each stay is given its ``wanted_kw`` [n], as far as battery, charger and connection allow.

    ``peak_kw``: where a demand charge is paid, sun is left unused for paid import up to this import only.
    """
    site, duration_h = problem.site, problem.duration_h.tolist()
    load_kw, solar_kw = site.load_kw.tolist(), site.solar_kw.tolist()
    powers = [np.zeros(item.step_count) for item in items]
    energies = [np.full(item.step_count + 1, item.stay.energy_kwh_at_arrival) for item in items]
    for step, hours in enumerate(duration_h):
        here = [
            (place, item, step - item.stay.from_step)
            for place, item in enumerate(items)
            if item.stay.from_step <= step < item.stay.to_step
        ]
        possible = [
            _possible_kw(item, float(wanted_kw[place][at]), float(energies[place][at]), hours)
            for place, item, at in here
        ]
        within = _within_connection(problem, possible, load_kw[step], solar_kw[step])
        for (place, item, at), power in zip(here, within, strict=True):
            powers[place][at] = power
            energies[place][at + 1] = energies[place][at] + hours * _gain_kw(item, power)
    net_kw = site.load_kw.copy()
    for item, power_kw in zip(items, powers, strict=True):
        net_kw[item.steps] += power_kw
    solar_used_kw = _solar_used_kw(problem, net_kw, peak_kw)
    net_kw = net_kw - solar_used_kw
    return Flows(powers, energies, np.maximum(net_kw, 0.0), np.maximum(-net_kw, 0.0), solar_used_kw)


def _possible_kw(item: StorageStay, wanted_kw: float, energy_kwh: float, hours: float) -> float:
    storage = item.storage
    if wanted_kw >= 0:
        room_kwh = max(storage.energy_kwh_max - energy_kwh, 0.0)
        return min(wanted_kw, storage.charge_kw_max, room_kwh / (hours * storage.charge_efficiency))
    stored_kwh = max(energy_kwh - storage.energy_kwh_min, 0.0)
    most_kw = stored_kwh * storage.discharge_efficiency / hours
    return -min(-wanted_kw, storage.discharge_kw_max, most_kw)


def _within_connection(
    problem: Problem, power_kw: list[float], load_kw: float, solar_kw: float
) -> list[float]:
    """The powers, all discharging reduced alike to what may be fed in, then all charging to what the connection carries."""
    site = problem.site
    charged = sum(power for power in power_kw if power > 0)
    given = -sum(power for power in power_kw if power < 0)
    if given > 0:
        room_kw = np.inf if site.export_limit_kw is None else site.export_limit_kw
        if not site.batteries_may_export:
            room_kw = min(room_kw, max(solar_kw - load_kw, 0.0))
        solar_least_kw = 0.0 if site.solar_curtailable else solar_kw
        most = max(charged + load_kw - solar_least_kw + room_kw, 0.0)
        share = min(most / given, 1.0)
        power_kw = [power * share if power < 0 else power for power in power_kw]
        given *= share
    if charged > 0 and site.import_limit_kw is not None:
        most = max(site.import_limit_kw - load_kw + solar_kw + given, 0.0)
        share = min(most / charged, 1.0)
        power_kw = [power * share if power > 0 else power for power in power_kw]
    return power_kw


def _gain_kw(item: StorageStay, power_kw: float) -> float:
    if power_kw >= 0:
        return power_kw * item.storage.charge_efficiency
    return power_kw / item.storage.discharge_efficiency


def _solar_used_kw(problem: Problem, used_kw: FloatArray, peak_kw: float) -> FloatArray:
    """[T] of all, none, or what is ``used_kw``, whichever costs least within the limits: the cost is linear between them."""
    site = problem.site
    if not site.solar_curtailable:
        return site.solar_kw
    room_kw = np.full_like(
        used_kw, np.inf if site.export_limit_kw is None else site.export_limit_kw
    )
    if not site.batteries_may_export:
        room_kw = np.minimum(room_kw, np.maximum(site.solar_kw - site.load_kw, 0.0))
    all_kw = np.clip(site.solar_kw, 0.0, np.maximum(used_kw + room_kw, 0.0))
    exact_kw = np.clip(used_kw, 0.0, all_kw)
    most_kw = np.inf if site.import_limit_kw is None else site.import_limit_kw
    if site.demand_charge_per_kw > 0:
        most_kw = min(most_kw, max(peak_kw, site.peak_so_far_kw))
    least_kw = np.clip(used_kw - most_kw, 0.0, all_kw)
    candidates = np.stack((all_kw, exact_kw, least_kw))
    net_kw = used_kw - candidates
    cost = site.import_price_per_kwh * np.maximum(net_kw, 0.0)
    cost -= site.export_price_per_kwh * np.maximum(-net_kw, 0.0)
    best = np.argmin(cost, axis=0)
    return np.asarray(candidates[best, np.arange(len(best))])


def flows_of(items: list[StorageStay], plan: Plan) -> Flows:
    """The plan's flows, in the order of its stays."""
    return Flows(
        [plan.vehicles[item.owner_index].power_kw[item.steps] for item in items],
        [plan.vehicles[item.owner_index].stays[0].energy_kwh for item in items],
        plan.import_kw,
        plan.export_kw,
        plan.solar_used_kw,
    )


def _missed(problem: Problem, items: list[StorageStay], flows: Flows) -> FloatArray:
    """[3] kWh over limits, kWh·h below floors, kWh missing at departures."""
    site, duration_h = problem.site, problem.duration_h
    over_kwh = below_kwh_h = short_kwh = 0.0
    for flow_kw, limit_kw in (
        (flows.import_kw, site.import_limit_kw),
        (flows.export_kw, site.export_limit_kw),
    ):
        if limit_kw is not None:
            over_kwh += float(np.maximum(flow_kw - limit_kw, 0.0) @ duration_h)
    for item, energy_kwh in zip(items, flows.energy_kwh, strict=True):
        below = np.maximum(item.storage.energy_kwh_min - energy_kwh[1:], 0.0)
        below_kwh_h += float(below @ duration_h[item.steps])
        short_kwh += shortfall_kwh(item, energy_kwh)
    return np.array([over_kwh, below_kwh_h, short_kwh])


def _dearest(problem: Problem, items: list[StorageStay]) -> float:
    """The highest worth of a kWh anywhere in the problem."""
    site = problem.site
    prices = np.abs(np.concatenate((site.import_price_per_kwh, site.export_price_per_kwh)))
    ends = [abs(item.stay.energy_value_per_kwh) for item in items]
    return max(float(prices.max()), *ends, 0.01)
