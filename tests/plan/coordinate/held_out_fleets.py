"""Fleets that the planner was not made with: workplaces, depots, odd stays, deep trees, export limits, negative prices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import BatchPrices, CarStays
from parkwatt.plan.coordinate import FleetProblem, Market, Nodes
from tests.plan.batch.fleets import without_bends

_DEPTH_MAX = 4


def held_out(seed: int, count: int, *, steps: int = 24, negative: bool = False) -> FleetProblem:
    """A random fleet and tree. ``negative``: prices are below 0 in some steps, so that cars would like to do both at once."""
    rng = np.random.default_rng(seed)
    hours = (
        rng.choice([0.25, 0.5, 1.0], steps) if rng.random() < 0.4 else np.full(steps, 24 / steps)
    )
    clock = 6.0 + np.concatenate(([0.0], np.cumsum(hours)[:-1]))
    tariffs = int(rng.integers(1, 4))
    cars = _stays(rng, count, hours, tariffs)
    parent = _tree(rng)
    # Some nodes have no cars, and cars may be at any other, inner ones too.
    has_cars = rng.random(len(parent)) < 0.7
    has_cars[rng.integers(len(parent))] = True
    node = rng.choice(np.flatnonzero(has_cars), count)
    nodes = _nodes(rng, parent, node, cars, clock)
    spot = 0.12 + 0.1 * np.cos((clock - 19) / 12 * np.pi) + rng.normal(0, 0.02, steps)
    spot = np.where(rng.random(steps) < 0.3, -0.05, spot) if negative else np.maximum(spot, 0.01)
    who = rng.choice(["cars", "pool", "both"])
    own = np.zeros((tariffs, steps))
    fee, spread = own.copy(), rng.choice([0.0, 0.03, 0.1])
    if who != "pool":
        own = spot * rng.uniform(0.5, 1.2, (tariffs, 1))
        fee = np.full_like(own, spread)
    pool = spot if who != "cars" else np.zeros(steps)
    bought_ahead = who != "cars" and rng.random() < 0.5
    at_all_kw = float(cars.charge_kw_max.sum())
    position_kw = rng.uniform(0.0, 0.3, steps) * at_all_kw
    return FleetProblem(
        cars=cars,
        prices=BatchPrices(own + fee, own, hours),
        node=node,
        nodes=nodes,
        market=Market(
            import_per_kwh=pool + (spread if who != "cars" else 0.0),
            export_per_kwh=pool,
            position_kw=np.where(bought_ahead & (rng.random(steps) < 0.5), position_kw, np.nan),
            more_per_kwh=rng.uniform(0.0, 0.1, steps),
            less_per_kwh=rng.uniform(0.0, 0.1, steps),
        ),
    )


def _tree(rng: np.random.Generator) -> NDArray[np.int64]:
    """[K] parents: a chain, a star or anything between, at most four deep."""
    count, kind = int(rng.integers(1, 9)), rng.choice(["chain", "star", "any"])
    parent, depth = [-1], [1]
    for node in range(1, count):
        may = [one for one in range(node) if depth[one] < _DEPTH_MAX]
        above = may[-1] if kind == "chain" else 0 if kind == "star" else int(rng.choice(may))
        parent.append(above)
        depth.append(depth[above] + 1)
    return np.array(parent, np.int64)


def _stays(rng: np.random.Generator, count: int, hours: FloatArray, tariffs: int) -> CarStays:
    """A third of each: a day at work, a night at the depot, anything at all."""
    steps = len(hours)
    edges = np.concatenate(([0.0], np.cumsum(hours)))
    kind = rng.integers(0, 3, count)
    arrives = np.choose(
        kind,
        [rng.normal(2.5, 1.0, count), rng.normal(12.0, 2.0, count), rng.uniform(0, 22, count)],
    )
    stays = np.choose(
        kind,
        [rng.normal(8.0, 1.5, count), rng.normal(11.0, 1.0, count), rng.exponential(4.0, count)],
    )
    from_step = np.clip(np.searchsorted(edges, arrives % edges[-1]), 0, steps - 1)
    end_h = edges[from_step] + np.maximum(stays, 0.2)
    to_step = np.clip(np.searchsorted(edges, end_h), from_step + 1, steps)
    maximum = np.choose(kind, [50.0, 180.0, 70.0]) * rng.uniform(0.6, 1.4, count)
    power = np.choose(kind, [6.7, 43.0, 11.0]) * rng.choice([0.5, 1.0], count)
    floor = maximum * rng.choice([0.0, 0.1, 0.3], count)
    arrival = maximum * rng.uniform(0.1, 0.9, count)
    arrival = np.where(rng.random(count) < 0.08, 0.5 * floor, arrival)
    above = rng.random(count) < 0.05
    arrival = np.where(above, maximum * 1.05, np.minimum(arrival, maximum))
    asked = np.where(rng.random(count) < 0.75, maximum * rng.uniform(0.4, 1.0, count), np.nan)
    gives = (rng.random(count) < 0.5) & ~above
    return CarStays(
        from_step=from_step.astype(np.int64),
        to_step=to_step.astype(np.int64),
        energy_kwh_at_arrival=arrival,
        energy_kwh_at_departure=asked,
        energy_kwh_min=floor,
        energy_kwh_max=maximum,
        charge_kw_max=power,
        discharge_kw_max=np.where(gives, power * rng.choice([0.5, 1.0], count), 0.0),
        charge_kw_min=np.zeros(count),
        discharge_kw_min=np.zeros(count),
        charge_efficiency=rng.uniform(0.85, 1.0, count),
        discharge_efficiency=rng.uniform(0.85, 1.0, count),
        wear_price_per_kwh=rng.choice([0.0, 0.02, 0.05], count),
        energy_value_per_kwh=rng.choice([0.0, 0.05, 0.12], count),
        price_row=rng.integers(0, tariffs, count),
        **without_bends(count),
    )


def _nodes(
    rng: np.random.Generator,
    parent: NDArray[np.int64],
    node: NDArray[np.int64],
    cars: CarStays,
    clock: FloatArray,
) -> Nodes:
    """Loads and sun at some nodes; limits from a share of what all cars below could take; some for export, too."""
    count, steps = len(parent), len(clock)
    could_kw = np.bincount(node, weights=cars.charge_kw_max, minlength=count)
    load = rng.uniform(0.0, 0.3, (count, 1)) * (1.0 + 0.5 * np.cos((clock - 19) / 12 * np.pi))
    sun = rng.choice([0.0, 0.4], (count, 1)) * np.exp(-(((clock % 24 - 13) / 2.5) ** 2))
    base_kw = (load - sun) * could_kw[:, None]
    for one in range(count - 1, 0, -1):
        could_kw[parent[one]] += could_kw[one]
    share = rng.uniform(0.3, 0.9, count)
    limited = rng.random(count) < 0.6
    limited[0] = True
    import_kw = np.where(limited, share * could_kw + 1.0, np.inf)
    export_kw = np.where(rng.random(count) < 0.4, 0.4 * could_kw + 5.0, np.inf)
    charged = rng.random(count) < 0.3
    limits: dict[str, FloatArray] = {
        "import_limit_kw": np.repeat(import_kw[:, None], steps, axis=1),
        "export_limit_kw": np.repeat(export_kw[:, None], steps, axis=1),
    }
    # A maintenance: at some time there is less.
    at = int(rng.integers(steps))
    limits["import_limit_kw"][:, at : at + 2] *= 0.9
    return Nodes(
        parent=parent,
        base_kw=base_kw,
        demand_charge_per_kw=np.where(charged, rng.uniform(0.05, 0.6, count), 0.0),
        peak_so_far_kw=np.where(rng.random(count) < 0.5, 0.2 * could_kw, 0.0),
        **limits,
    )
