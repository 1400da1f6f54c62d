"""Random plan problems from a seed, with every feature of the contract mixed in.

Sizes stay small enough that the plain MILP of `tests.plan.oracle` solves most in a fraction of a
second. Values are rounded, so that a problem can be written down and read back unchanged.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from parkwatt.domain.problem import Problem, SiteProblem, StationaryBattery, Stay, Vehicle
from parkwatt.domain.record import FloatArray

START = datetime(2026, 1, 15, 16, tzinfo=UTC)
STEPS_OF_ALL_MAX = 90  # steps of all batteries together: what the MILP's size grows with


def random_problem(seed: int, *, steps_of_all_max: int = STEPS_OF_ALL_MAX) -> Problem:
    """The problem of that seed; ``steps_of_all_max``: the most steps, all vehicles together."""
    rng = np.random.default_rng(seed)
    step_minutes = float(rng.choice([15, 30, 60]))
    step_count = int(rng.integers(8, 49))
    vehicle_count = int(rng.choice([1, 1, 2, 2, 3, 5]))
    step_count = max(8, min(step_count, steps_of_all_max // vehicle_count))
    step_h = step_minutes / 60.0
    return Problem(
        start=START,
        duration_h=np.full(step_count, step_h),
        currency="EUR",
        site=_site(rng, step_count),
        batteries=(_wall_battery(rng),) if rng.random() < 0.35 else (),
        vehicles=tuple(
            _vehicle(rng, f"ev{index}", step_count, step_h) for index in range(vehicle_count)
        ),
    )


def _site(rng: np.random.Generator, step_count: int) -> SiteProblem:
    return SiteProblem(
        *_prices(rng, step_count),
        load_kw=np.round(rng.uniform(0.2, 2.5, step_count), 4),
        solar_kw=_solar_kw(rng, step_count),
        solar_curtailable=bool(rng.random() < 0.6),
        import_limit_kw=_one_of(rng, None, None, 2.0, 6.0, 11.0, 25.0),
        export_limit_kw=_one_of(rng, None, None, 0.0, 1.5, 5.0),
        demand_charge_per_kw=float(np.round(rng.uniform(1, 10), 3)) if rng.random() < 0.3 else 0.0,
        peak_so_far_kw=float(rng.choice([0.0, 3.0, 6.0])),
        batteries_may_export=bool(rng.random() < 0.8),
    )


def _prices(rng: np.random.Generator, step_count: int) -> tuple[FloatArray, FloatArray]:
    """Import and export prices: with spikes, below zero, and sometimes export dearer than import."""
    hours = np.arange(step_count)
    buy = 0.25 + 0.08 * np.sin(hours * 2 * np.pi / 24 + rng.uniform(0, 6))
    buy += rng.normal(0.0, 0.02, step_count)
    if rng.random() < 0.5:
        below_zero = rng.random(step_count) < 0.1
        buy[below_zero] = -rng.uniform(0.01, 0.2, int(below_zero.sum()))
    if rng.random() < 0.3:
        buy[rng.integers(step_count)] += 1.0
    margin = float(rng.choice([0.08, 0.08, 0.15, 0.0]))
    sell = buy - margin
    if rng.random() < 0.25:
        dearer = rng.random(step_count) < 0.3
        sell[dearer] = buy[dearer] + rng.uniform(0.01, 0.1, int(dearer.sum()))
    return np.round(buy, 5), np.round(sell, 5)


def _solar_kw(rng: np.random.Generator, step_count: int) -> FloatArray:
    if rng.random() < 0.4:
        return np.zeros(step_count)
    bell = np.sin(np.linspace(0.0, np.pi, step_count)) ** 2
    return np.round(rng.uniform(2, 8) * bell * rng.uniform(0.2, 1.0, step_count), 4)


def _wall_battery(rng: np.random.Generator) -> StationaryBattery:
    size_kwh = float(rng.choice([5.0, 10.0, 13.5]))
    power_kw = float(rng.choice([3.0, 5.0]))
    return StationaryBattery(
        id="wall",
        energy_kwh_min=size_kwh / 10,
        energy_kwh_max=size_kwh,
        charge_kw_max=power_kw,
        discharge_kw_max=power_kw,
        charge_efficiency=0.95,
        discharge_efficiency=0.95,
        wear_price_per_kwh=float(rng.choice([0.0, 0.02])),
        energy_kwh_at_start=float(np.round(size_kwh * rng.uniform(0.02, 1.05), 3)),
        energy_value_per_kwh=float(rng.choice([0.0, 0.2, 0.3])),
    )


def _vehicle(rng: np.random.Generator, name: str, step_count: int, step_h: float) -> Vehicle:
    size_kwh = float(rng.choice([24.0, 40.0, 60.0, 77.0]))
    charge_kw_max = float(rng.choice([3.7, 7.4, 11.0]))
    discharge_kw_max = float(rng.choice([0.0, charge_kw_max, charge_kw_max]))
    least_kw = 1.4 if rng.random() < 0.3 else 0.0
    floor_kwh = float(np.round(size_kwh * rng.choice([0.1, 0.2, 0.3]), 1))
    holding = rng.random() < 0.2
    return Vehicle(
        id=name,
        energy_kwh_min=floor_kwh,
        energy_kwh_max=float(np.round(size_kwh * rng.choice([0.8, 0.9, 1.0]), 1)),
        charge_kw_max=charge_kw_max,
        discharge_kw_max=discharge_kw_max,
        charge_kw_min=least_kw,
        discharge_kw_min=least_kw if discharge_kw_max else 0.0,
        charge_efficiency=float(rng.choice([0.88, 0.93, 1.0])),
        discharge_efficiency=float(rng.choice([0.87, 0.93, 1.0])),
        wear_price_per_kwh=float(rng.choice([0.0, 0.02, 0.06])),
        holding_price_per_kwh_h=0.0005 if holding else 0.0,
        holding_from_kwh=float(np.round(size_kwh * 0.6, 1)) if holding else 0.0,
        stays=_stays(rng, step_count, step_h, size_kwh, charge_kw_max),
    )


def _stays(
    rng: np.random.Generator,
    step_count: int,
    step_h: float,
    size_kwh: float,
    charge_kw_max: float,
) -> tuple[Stay, ...]:
    """One to three stays; some arrive below any floor or above any maximum, some ask too much."""
    count = int(rng.choice([1, 1, 2, 3]))
    edges = np.sort(rng.choice(step_count + 1, size=2 * count, replace=False)).tolist()
    stays = []
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        arrival_kwh = float(np.round(size_kwh * rng.uniform(0.05, 1.05), 3))
        reach_kwh = charge_kw_max * 0.9 * step_h * (end - first)
        asked_kwh = None
        if rng.random() < 0.75:
            asked_kwh = float(np.round(arrival_kwh + reach_kwh * rng.uniform(-0.5, 1.15), 3))
            asked_kwh = max(0.0, min(asked_kwh, size_kwh))
        ready = None
        if asked_kwh is not None and end - first > 3 and rng.random() < 0.2:
            ready = int(rng.integers(first + 1, end))
        stays.append(
            Stay(
                from_step=first,
                to_step=end,
                energy_kwh_at_arrival=arrival_kwh,
                energy_kwh_at_departure=asked_kwh,
                energy_value_per_kwh=float(np.round(rng.choice([0.0, 0.2, 0.25, 0.32]), 4)),
                ready_from_step=ready,
            )
        )
    return tuple(stays)


def _one_of(rng: np.random.Generator, *choices: float | None) -> float | None:
    return choices[int(rng.integers(len(choices)))]
