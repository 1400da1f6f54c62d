"""One stay of one battery: charge, discharge, energy, and the wishes that hang on it.

Columns for each step of the stay: charge c and discharge d (kW, AC), energy at the step's end e (kWh). Rows:

    e[t+1] − e[t] = Δ (η_c c[t] − d[t] / η_d)

*Alone.* What could the battery reach if it charged at full power from arrival on, with nothing else at the connection? That
energy, ``best``, rises to the maximum. A wish can never be met beyond it, and no plan comes closer to any wish than
``best`` does, to all of them at once. So in the hard form the wishes are bounds: e ≥ min(floor, best), and
e ≥ min(asked, best) where the driver leaves or may leave. If the connection carries that, it is the optimum of all
wishes, and no weights or further solves are needed.

*Soft.* If it does not, each wish has a column for what is missing: below the floor, and short at departure.

A stationary battery is a stay over the whole horizon with nothing asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parkwatt.domain.problem import Problem, StationaryBattery, Stay, Storage
from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.builder import Builder

# Far above what float arithmetic loses, far below the solver's tolerance.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class StorageStay:
    """One stay of one battery, with what follows from it before anything is solved.

    ``best_kwh``: [n+1] energy when charged at full power from arrival on. ``charge_kw_most``, ``discharge_kw_most``: [n] what
    the charger allows and the energy has room for. ``owner_index``: its vehicle's or battery's place in the problem.
    """

    storage: Storage
    stay: Stay
    is_vehicle: bool
    owner_index: int
    best_kwh: FloatArray
    charge_kw_most: FloatArray
    discharge_kw_most: FloatArray

    @property
    def steps(self) -> slice:
        """The steps of the stay within the horizon."""
        return slice(self.stay.from_step, self.stay.to_step)

    @property
    def step_count(self) -> int:
        """n, the number of steps of the stay."""
        return self.stay.to_step - self.stay.from_step

    @property
    def starts_below(self) -> bool:
        """Whether it arrives with less than the floor: it may not discharge until the floor is reached."""
        return self.stay.energy_kwh_at_arrival < self.storage.energy_kwh_min

    @property
    def starts_above(self) -> bool:
        """Whether it arrives with more than the maximum: it may not charge until it is within."""
        return self.stay.energy_kwh_at_arrival > self.storage.energy_kwh_max

    @property
    def ready_offset(self) -> int:
        """Steps from arrival to the first instant at which the asked energy must be there."""
        ready = self.stay.ready_from_step
        return (self.stay.to_step if ready is None else ready) - self.stay.from_step

    def floor_kwh(self) -> FloatArray:
        """[n] the highest lower bound on e[1..n] that the floor can ask for."""
        return np.minimum(self.storage.energy_kwh_min, self.best_kwh[1:])


@dataclass(frozen=True, slots=True, eq=False)
class StayColumns:
    """Where a stay's columns and rows are. ``discharge`` is None where none is allowed."""

    charge: slice
    discharge: slice | None
    energy: slice
    recursion: slice
    below_floor: slice | None
    missing: slice | None


def storage_stays(problem: Problem) -> list[StorageStay]:
    """All stays of all batteries, stationary ones first, each in the order of the problem."""
    whole = slice(0, problem.step_count)
    stays = [
        _storage_stay(problem, battery, _as_stay(battery, whole.stop), False, index)
        for index, battery in enumerate(problem.batteries)
    ]
    for index, vehicle in enumerate(problem.vehicles):
        stays += [_storage_stay(problem, vehicle, stay, True, index) for stay in vehicle.stays]
    return stays


def _as_stay(battery: StationaryBattery, step_count: int) -> Stay:
    return Stay(
        from_step=0,
        to_step=step_count,
        energy_kwh_at_arrival=battery.energy_kwh_at_start,
        energy_value_per_kwh=battery.energy_value_per_kwh,
    )


def _storage_stay(
    problem: Problem, storage: Storage, stay: Stay, is_vehicle: bool, owner_index: int
) -> StorageStay:
    edges_h = problem.edges_h()[stay.from_step : stay.to_step + 1]
    since_h = edges_h - edges_h[0]
    arrival_kwh = stay.energy_kwh_at_arrival
    full = arrival_kwh + storage.charge_kw_max * storage.charge_efficiency * since_h
    best = np.minimum(full, max(storage.energy_kwh_max, arrival_kwh))
    emptied = arrival_kwh - storage.discharge_kw_max / storage.discharge_efficiency * since_h
    worst = np.maximum(emptied, min(storage.energy_kwh_min, arrival_kwh))
    duration_h = problem.duration_h[stay.from_step : stay.to_step]
    # Charging ends at or below the maximum, discharging at or above the floor, wherever the stay began.
    room_kwh = np.minimum(best[1:], storage.energy_kwh_max) - worst[:-1]
    stored_kwh = best[:-1] - np.maximum(worst[1:], storage.energy_kwh_min)
    return StorageStay(
        storage,
        stay,
        is_vehicle,
        owner_index,
        best,
        _most(storage.charge_kw_max, room_kwh / (duration_h * storage.charge_efficiency)),
        _most(storage.discharge_kw_max, stored_kwh * storage.discharge_efficiency / duration_h),
    )


def _most(charger_kw: float, energy_kw: FloatArray) -> FloatArray:
    """The smaller of both, with room for rounding: what just fits must not become too much."""
    return np.clip(energy_kw * (1.0 + _ROUNDING) + _ROUNDING, 0.0, charger_kw)


def add_stay(
    builder: Builder, problem: Problem, item: StorageStay, balance: slice, *, soft: bool
) -> StayColumns:
    """Add the stay's blocks and tie them to the connection's ``balance`` rows."""
    storage, stay = item.storage, item.stay
    duration_h = problem.duration_h[item.steps]
    count = item.step_count
    at_balance = slice(balance.start + stay.from_step, balance.start + stay.to_step)
    charge = builder.columns(count, upper=item.charge_kw_most)
    builder.entries(at_balance, charge, -1.0)
    discharge = None
    if storage.discharge_kw_max > 0:
        wear = storage.wear_price_per_kwh / storage.discharge_efficiency
        discharge = builder.columns(count, upper=item.discharge_kw_most, cost=wear * duration_h)
        builder.entries(at_balance, discharge, 1.0)
    energy = builder.columns(
        count,
        lower=_energy_lower(item, soft=soft),
        upper=_energy_upper(item),
        cost=_end_value(item),
    )
    start = np.zeros(count)
    start[0] = stay.energy_kwh_at_arrival
    recursion = builder.rows(count, lower=start, upper=start)
    builder.entries(recursion, energy, 1.0)
    builder.entries(
        slice(recursion.start + 1, recursion.stop), slice(energy.start, energy.stop - 1), -1.0
    )
    builder.entries(recursion, charge, -duration_h * storage.charge_efficiency)
    if discharge is not None:
        builder.entries(recursion, discharge, duration_h / storage.discharge_efficiency)
    if storage.holding_price_per_kwh_h > 0:
        _add_holding(builder, storage, energy, duration_h)
    if stay.end_value_drops:
        _add_value_drops(builder, stay, energy)
    below_floor = missing = None
    if soft and item.starts_below:
        below_floor = _add_below_floor(builder, item, energy)
    if soft and stay.energy_kwh_at_departure is not None:
        missing = _add_missing(builder, item, energy)
    return StayColumns(charge, discharge, energy, recursion, below_floor, missing)


def _energy_lower(item: StorageStay, *, soft: bool) -> FloatArray:
    if soft:
        floor = 0.0 if item.starts_below else item.storage.energy_kwh_min
        return np.full(item.step_count, floor)
    lower = item.floor_kwh()
    asked = item.stay.energy_kwh_at_departure
    if asked is not None:
        ready = slice(item.ready_offset - 1, None)
        lower[ready] = np.maximum(lower[ready], np.minimum(asked, item.best_kwh[1:][ready]))
    return lower


def _energy_upper(item: StorageStay) -> float:
    return max(item.storage.energy_kwh_max, item.stay.energy_kwh_at_arrival)


def _end_value(item: StorageStay) -> FloatArray:
    cost = np.zeros(item.step_count)
    cost[-1] = -item.stay.energy_value_per_kwh
    return cost


def _add_holding(builder: Builder, storage: Storage, energy: slice, duration_h: FloatArray) -> None:
    count = len(duration_h)
    held = builder.columns(count, cost=storage.holding_price_per_kwh_h * duration_h)
    above = builder.rows(count, upper=storage.holding_from_kwh)
    builder.entries(above, energy, 1.0)
    builder.entries(above, held, -1.0)


def _add_value_drops(builder: Builder, stay: Stay, energy: slice) -> None:
    """Beyond each of these energies the last kWh is worth less: what stands above it pays the difference."""
    from_kwh, drop_per_kwh = np.array(stay.end_value_drops).T
    above = builder.columns(len(from_kwh), cost=drop_per_kwh)
    rows = builder.rows(len(from_kwh), upper=from_kwh)
    builder.entries(rows, slice(energy.stop - 1, energy.stop), 1.0)
    builder.entries(rows, above, -1.0)


def _add_below_floor(builder: Builder, item: StorageStay, energy: slice) -> slice:
    """Columns for the kWh below the floor at each step's end; they may only shrink."""
    storage, count = item.storage, item.step_count
    at_arrival = storage.energy_kwh_min - item.stay.energy_kwh_at_arrival
    below = builder.columns(count, upper=at_arrival)
    rows = builder.rows(count, lower=storage.energy_kwh_min)
    builder.entries(rows, energy, 1.0)
    builder.entries(rows, below, 1.0)
    shrinking = builder.rows(count - 1, upper=0.0)
    builder.entries(shrinking, slice(below.start + 1, below.stop), 1.0)
    builder.entries(shrinking, slice(below.start, below.stop - 1), -1.0)
    return below


def _add_missing(builder: Builder, item: StorageStay, energy: slice) -> slice:
    """Columns for what is missing at each instant at which the driver leaves or may leave."""
    asked = item.stay.energy_kwh_at_departure or 0.0
    instants = slice(energy.start + item.ready_offset - 1, energy.stop)
    count = instants.stop - instants.start
    missing = builder.columns(count)
    rows = builder.rows(count, lower=asked)
    builder.entries(rows, instants, 1.0)
    builder.entries(rows, missing, 1.0)
    return missing
