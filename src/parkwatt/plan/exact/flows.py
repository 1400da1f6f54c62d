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
    powers: list[FloatArray] = []
    energies: list[FloatArray] = []
    net_kw = site.load_kw.copy()
    for item, columns in zip(form.items, form.stays, strict=True):
        charge = values[columns.charge]
        discharge = None if columns.discharge is None else values[columns.discharge]
        power = _netted(item, charge, discharge)
        powers.append(power)
        arrival_kwh = item.stay.energy_kwh_at_arrival
        if item.stay.energy_kwh_used_before is not None and columns.bought is not None:
            arrival_kwh = float(energies[-1][-1]) - item.stay.energy_kwh_used_before
            arrival_kwh += float(values[columns.bought][0])
        energies.append(_energy(item, arrival_kwh, power, problem.duration_h))
        net_kw[item.steps] += power
    solar: FloatArray
    if form.connection.solar_used is not None:
        most = np.minimum(values[form.connection.solar_used], site.solar_kw)
        solar = np.maximum(most, 0.0).round(_DIGITS)
        solar = _without_export_at_a_loss(problem, net_kw, solar)
    else:
        solar = np.zeros_like(site.solar_kw) if site.solar_curtailable else site.solar_kw
    net_kw = np.round(net_kw - solar, _DIGITS) + 0.0
    return Flows(powers, energies, np.maximum(net_kw, 0.0), np.maximum(-net_kw, 0.0), solar)


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


def _netted(item: StorageStay, charge: FloatArray, discharge: FloatArray | None) -> FloatArray:
    storage = item.storage
    if discharge is None:
        power = charge.copy()
    else:
        power = charge - discharge
        both = (charge > TOLERANCE) & (discharge > TOLERANCE)
        if both.any():
            gained = charge * storage.charge_efficiency - discharge / storage.discharge_efficiency
            netted = np.where(
                gained > 0,
                gained / storage.charge_efficiency,
                gained * storage.discharge_efficiency,
            )
            power[both] = netted[both]
    power[np.abs(power) < TOLERANCE] = 0.0
    for least, most, sign in (
        (storage.charge_kw_min, storage.charge_kw_max, 1.0),
        (storage.discharge_kw_min, storage.discharge_kw_max, -1.0),
    ):
        amount = sign * power
        amount[np.abs(amount - most) < TOLERANCE] = most
        if least > 0:
            amount[np.abs(amount - least) < TOLERANCE] = least
        power = sign * np.minimum(amount, most)
    return np.round(power, _DIGITS) + 0.0


def _energy(
    item: StorageStay, arrival_kwh: float, power: FloatArray, duration_h: FloatArray
) -> FloatArray:
    storage = item.storage
    gained = np.where(
        power > 0, power * storage.charge_efficiency, power / storage.discharge_efficiency
    )
    energy = np.empty(len(power) + 1)
    energy[0] = 0.0
    np.cumsum(gained * duration_h[item.steps], out=energy[1:])
    energy += arrival_kwh
    return energy


def meets_rules(
    problem: Problem, items: list[StorageStay], flows: Flows, excess_kwh: float
) -> bool:
    """Whether the flows keep what a relaxation may break: minimum powers, phases, and the limits after netting.

    ``excess_kwh``: what cannot be avoided over the limits.
    """
    for item, power, energy in zip(items, flows.power_kw, flows.energy_kwh, strict=True):
        storage = item.storage
        if storage.charge_kw_min > 0 and _between(power, storage.charge_kw_min):
            return False
        if storage.discharge_kw_min > 0 and _between(-power, storage.discharge_kw_min):
            return False
        if item.starts_below:
            below = energy < storage.energy_kwh_min - TOLERANCE
            if np.any((power < 0) & below[:-1]) or np.any(below[1:] & ~below[:-1]):
                return False
        if item.starts_above:
            above = energy > storage.energy_kwh_max + TOLERANCE
            if np.any((power > 0) & above[:-1]) or np.any(above[1:] & ~above[:-1]):
                return False
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


def _between(power: FloatArray, least_kw: float) -> bool:
    return bool(np.any((power > 0) & (power < least_kw - TOLERANCE)))
