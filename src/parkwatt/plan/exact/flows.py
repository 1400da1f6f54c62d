"""From a solution's columns to powers that hardware can follow, and whether they keep every rule that is not linear.

A relaxation may charge and discharge at once. The two are netted into one power with the same change of the battery's
energy, which draws no more from the connection. What netting does to the cost is computed, not assumed: `meets_rules`
compares the true cost of the netted powers with the relaxation's bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.connection import surplus_kw
from parkwatt.plan.exact.formulation import Formulation
from parkwatt.plan.exact.storage import StorageStay

# kW and kWh; ten times the solver's own tolerance, a thousandth of what a meter shows.
TOLERANCE = 1e-6
_DIGITS = 9


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """What happens: ``power_kw`` and ``energy_kwh`` of each stay ([n], [n+1]), and the connection's flows ([T])."""

    power_kw: list[FloatArray]
    energy_kwh: list[FloatArray]
    import_kw: FloatArray
    export_kw: FloatArray
    solar_used_kw: FloatArray


def read_flows(problem: Problem, form: Formulation, values: FloatArray) -> Flows:
    """The flows of a solution, netted, rounded to 1e-9 and recomputed from the powers, so that they agree exactly."""
    site = problem.site
    powers_kw: list[FloatArray] = []
    energies_kwh: list[FloatArray] = []
    net_kw = site.load_kw.copy()
    for item, columns in zip(form.items, form.stays, strict=True):
        discharge_kw = None if columns.discharge is None else values[columns.discharge]
        power_kw = _netted(item, values[columns.charge], discharge_kw)
        powers_kw.append(power_kw)
        energies_kwh.append(_energy_kwh(item, power_kw, problem.duration_h))
        net_kw[item.steps] += power_kw
    solar_kw = _solar_used_kw(problem, form, values, net_kw)
    net_kw = np.round(net_kw - solar_kw, _DIGITS) + 0.0
    import_kw, export_kw = np.maximum(net_kw, 0.0), np.maximum(-net_kw, 0.0)
    return Flows(powers_kw, energies_kwh, import_kw, export_kw, solar_kw)


def _solar_used_kw(
    problem: Problem, form: Formulation, values: FloatArray, used_kw: FloatArray
) -> FloatArray:
    site, columns = problem.site, form.connection.solar_used
    if columns is None:
        return np.zeros_like(site.solar_kw) if site.solar_curtailable else site.solar_kw
    solar_kw = np.clip(values[columns], 0.0, site.solar_kw).round(_DIGITS)
    return _without_export_at_a_loss(problem, used_kw, solar_kw)


def _without_export_at_a_loss(
    problem: Problem, used_kw: FloatArray, solar_kw: FloatArray
) -> FloatArray:
    """Solar used where netting has made some of it surplus: leave it unused where its export costs or has no room."""
    site = problem.site
    export_kw = solar_kw - used_kw
    room_kw = np.full_like(
        export_kw, np.inf if site.export_limit_kw is None else site.export_limit_kw
    )
    room_kw[site.export_price_per_kwh < 0] = 0.0
    surplus = np.clip(export_kw - room_kw, 0.0, solar_kw)
    surplus[surplus < TOLERANCE] = 0.0
    return solar_kw - surplus


def _netted(
    item: StorageStay, charge_kw: FloatArray, discharge_kw: FloatArray | None
) -> FloatArray:
    """One power for both, with the same change of the battery's energy; what is within tolerance of a bound is put on it."""
    storage = item.storage
    if discharge_kw is None:
        power_kw = charge_kw.copy()
    else:
        power_kw = charge_kw - discharge_kw
        both = (charge_kw > TOLERANCE) & (discharge_kw > TOLERANCE)
        if both.any():
            gained_kw = charge_kw * storage.charge_efficiency
            gained_kw -= discharge_kw / storage.discharge_efficiency
            netted_kw = np.where(
                gained_kw > 0,
                gained_kw / storage.charge_efficiency,
                gained_kw * storage.discharge_efficiency,
            )
            power_kw[both] = netted_kw[both]
    power_kw[np.abs(power_kw) < TOLERANCE] = 0.0
    for least, most, sign in (
        (storage.charge_kw_min, storage.charge_kw_max, 1.0),
        (storage.discharge_kw_min, storage.discharge_kw_max, -1.0),
    ):
        amount_kw = sign * power_kw
        amount_kw[np.abs(amount_kw - most) < TOLERANCE] = most
        if least > 0:
            amount_kw[np.abs(amount_kw - least) < TOLERANCE] = least
        power_kw = sign * np.minimum(amount_kw, most)
    return np.round(power_kw, _DIGITS) + 0.0


def _energy_kwh(item: StorageStay, power_kw: FloatArray, duration_h: FloatArray) -> FloatArray:
    storage = item.storage
    gained_kw = np.where(
        power_kw > 0,
        power_kw * storage.charge_efficiency,
        power_kw / storage.discharge_efficiency,
    )
    energy_kwh = np.empty(len(power_kw) + 1)
    energy_kwh[0] = 0.0
    np.cumsum(gained_kw * duration_h[item.steps], out=energy_kwh[1:])
    energy_kwh += item.stay.energy_kwh_at_arrival
    return energy_kwh


def meets_rules(
    problem: Problem, items: list[StorageStay], flows: Flows, excess_kwh: float
) -> bool:
    """Whether the flows keep what a relaxation may break: minimum powers, phases, and the limits after netting.

    ``excess_kwh``: what cannot be avoided over the limits.
    """
    kept = map(_keeps_stay_rules, items, flows.power_kw, flows.energy_kwh)
    return all(kept) and _keeps_connection_rules(problem, flows, excess_kwh)


def _keeps_stay_rules(item: StorageStay, power_kw: FloatArray, energy_kwh: FloatArray) -> bool:
    storage = item.storage
    if storage.charge_kw_min > 0 and _between(power_kw, storage.charge_kw_min):
        return False
    if storage.discharge_kw_min > 0 and _between(-power_kw, storage.discharge_kw_min):
        return False
    if item.starts_below:
        below = energy_kwh < storage.energy_kwh_min - TOLERANCE
        if np.any((power_kw < 0) & below[:-1]) or np.any(below[1:] & ~below[:-1]):
            return False
    if item.starts_above:
        above = energy_kwh > storage.energy_kwh_max + TOLERANCE
        if np.any((power_kw > 0) & above[:-1]) or np.any(above[1:] & ~above[:-1]):
            return False
    return True


def _keeps_connection_rules(problem: Problem, flows: Flows, excess_kwh: float) -> bool:
    site = problem.site
    if not site.batteries_may_export and np.any(flows.export_kw > surplus_kw(problem) + TOLERANCE):
        return False
    found_kwh = 0.0
    for flow, limit_kw in (
        (flows.import_kw, site.import_limit_kw),
        (flows.export_kw, site.export_limit_kw),
    ):
        if limit_kw is not None:
            found_kwh += float(np.maximum(flow - limit_kw, 0.0) @ problem.duration_h)
    return found_kwh <= excess_kwh + TOLERANCE * len(flows.import_kw)


def _between(power_kw: FloatArray, least_kw: float) -> bool:
    return bool(np.any((power_kw > 0) & (power_kw < least_kw - TOLERANCE)))
