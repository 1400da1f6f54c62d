"""Fleets that share something, made at random: trees of feeders whose limits bind, sun and load, a market with two prices."""

from __future__ import annotations

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import BatchPrices, CarStays
from parkwatt.plan.coordinate import FleetProblem, Market, Nodes
from tests.plan.batch.fleets import without_bends


def stays(rng: np.random.Generator, count: int, steps: int) -> CarStays:
    """Cars of some models, there for at least a third of the horizon, most of which ask for charge."""
    model = rng.integers(0, 4, count)
    maximum = np.array([40.0, 58.0, 64.0, 77.0])[model]
    from_step = rng.integers(0, steps // 2, count)
    to_step = np.minimum(from_step + rng.integers(steps // 3, steps, count), steps)
    power = np.array([7.4, 11.0, 11.0, 22.0])[model]
    asked = np.where(rng.random(count) < 0.7, rng.uniform(0.5, 0.95, count) * maximum, np.nan)
    return CarStays(
        from_step=from_step,
        to_step=to_step,
        energy_kwh_at_arrival=rng.uniform(0.1, 0.8, count) * maximum,
        energy_kwh_at_departure=asked,
        energy_kwh_min=0.2 * maximum,
        energy_kwh_max=maximum,
        charge_kw_max=power,
        discharge_kw_max=np.where(rng.random(count) < 0.7, power, 0.0),
        charge_kw_min=np.zeros(count),
        discharge_kw_min=np.zeros(count),
        charge_efficiency=np.array([0.9, 0.91, 0.92, 0.93])[model],
        discharge_efficiency=np.array([0.91, 0.92, 0.93, 0.94])[model],
        wear_price_per_kwh=np.array([0.02, 0.025, 0.03, 0.035])[model],
        energy_value_per_kwh=rng.uniform(0.05, 0.2, count),
        price_row=np.zeros(count, np.int64),
        **without_bends(count),
    )


def day(steps: int) -> FloatArray:
    """[T] hours of a day from noon on."""
    return 12.0 + np.arange(steps) / steps * 24.0


def fleet(seed: int, count: int, *, steps: int = 48, feeders: int = 0) -> FleetProblem:
    """A pool with so many feeders; its limit and some of theirs bind in many steps."""
    rng = np.random.default_rng(seed)
    hour = day(steps)
    price = 0.22 + 0.08 * np.cos((hour - 19) / 12 * np.pi) + rng.normal(0, 0.01, steps)
    load = 0.5 + 0.3 * np.cos((hour - 19) / 12 * np.pi)
    sun = np.exp(-(((hour % 24 - 13) / 2.5) ** 2))
    nodes = 1 + feeders
    node = rng.integers(min(1, feeders), nodes, count)
    share = np.bincount(node, minlength=nodes)[:, None].astype(float)
    import_limit_kw = np.broadcast_to(
        share * rng.uniform(1.4, 2.2, (nodes, 1)), (nodes, steps)
    ).copy()
    import_limit_kw[0] = 0.9 * count
    export_limit_kw = np.full((nodes, steps), np.inf)
    export_limit_kw[0] = 0.8 * count
    nothing = np.zeros((1, steps))
    return FleetProblem(
        cars=stays(rng, count, steps),
        prices=BatchPrices(nothing, nothing, np.full(steps, 24.0 / steps)),
        node=node,
        nodes=Nodes(
            parent=np.array([-1] + [0] * feeders),
            base_kw=share * (load - 0.9 * sun),
            import_limit_kw=import_limit_kw,
            export_limit_kw=export_limit_kw,
            demand_charge_per_kw=np.array([0.5] + [0.0] * feeders),
            peak_so_far_kw=np.zeros(nodes),
        ),
        market=Market(
            import_per_kwh=price,
            export_per_kwh=price - 0.08,
            position_kw=np.where(rng.random(steps) < 0.3, count * rng.uniform(0, 1, steps), np.nan),
            more_per_kwh=np.full(steps, 0.05),
            less_per_kwh=np.full(steps, 0.03),
        ),
    )
