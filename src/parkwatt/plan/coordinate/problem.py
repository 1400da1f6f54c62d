"""Cars that share something: a tree of nodes with limits and loads, and what the pool pays for its power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.cars import BatchPrices, CarStays, raise_if_wrong
from parkwatt.plan.batch.reserve import can_hold_back

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class Nodes(NamedTuple):
    """K nodes: sites, feeders, transformers, zones, and the pool, which is node 0 and holds all others.

    ``parent``: [K], of a smaller number than the node itself; -1 for node 0. ``base_kw``: [K, T] what is consumed at the
    node by other than cars, sun subtracted. ``import_limit_kw``, ``export_limit_kw``: [K, T] ≥ 0 for all below the node and
    itself, infinite for none. ``demand_charge_per_kw``: [K] for the highest import above ``peak_so_far_kw`` [K].
    """

    parent: IntArray
    base_kw: FloatArray
    import_limit_kw: FloatArray
    export_limit_kw: FloatArray
    demand_charge_per_kw: FloatArray
    peak_so_far_kw: FloatArray


class Market(NamedTuple):
    """What the pool pays at its own meter, beside what each car pays by its row of prices. [T] each, per kWh.

    ``import_per_kwh`` ≥ ``export_per_kwh``. ``position_kw``: bought ahead; each kWh more costs ``more_per_kwh``, each less
    ``less_per_kwh``, both ≥ 0 (NaN position: none).
    """

    import_per_kwh: FloatArray
    export_per_kwh: FloatArray
    position_kw: FloatArray
    more_per_kwh: FloatArray
    less_per_kwh: FloatArray


class Reserve(NamedTuple):
    """What the cars hold back together, so that the pool can draw more or less when frequency asks for it (`batch.reserve`).

    ``up_kw``, ``down_kw``: [T] ≥ 0, to give and to take more, from the beginning of each step on for ``hours_h``. Each kW and
    hour that is not held back costs ``short_per_kwh`` [T] > 0: the penalty for a promise, or, where all that can be sold is
    asked for, what it would be sold for. ``member``: [N] which stays may hold back; those with a least power, or that arrive
    below their floor or above their maximum, hold back nothing.
    """

    up_kw: FloatArray
    down_kw: FloatArray
    hours_h: float
    short_per_kwh: FloatArray
    member: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class FleetProblem:
    """``node``: [N] where each stay is plugged in; ``prices``: what cars pay themselves, 0 where the pool pays.

    Sums over cars are kept in rows: what is drawn at each node, then what is held back up and down, where a ``reserve`` is.
    """

    cars: CarStays
    prices: BatchPrices
    node: IntArray
    nodes: Nodes
    market: Market
    reserve: Reserve | None = None

    @property
    def step_count(self) -> int:
        """T."""
        return self.prices.step_count

    @property
    def node_count(self) -> int:
        """K."""
        return len(self.nodes.parent)

    @property
    def sum_count(self) -> int:
        """The rows of sums: K, and two more with a reserve."""
        return self.node_count + 2 * (self.reserve is not None)

    @property
    def members(self) -> BoolArray:
        """[N] which stays hold back a reserve."""
        if self.reserve is None:
            return np.zeros(self.cars.stay_count, np.bool_)
        return np.asarray(self.reserve.member & can_hold_back(self.cars))

    def with_reserve_rows(self, node_sums: FloatArray) -> FloatArray:
        """[K, T] sums at nodes, with nothing held back below them."""
        return np.vstack((node_sums, np.zeros((self.sum_count - self.node_count, self.step_count))))


def no_market(steps: int) -> Market:
    """A pool that pays nothing at its own meter."""
    nothing = np.zeros(steps)
    return Market(nothing, nothing, np.full(steps, np.nan), nothing, nothing)


def one_limit(
    steps: int, import_limit_kw: float = np.inf, export_limit_kw: float = np.inf
) -> Nodes:
    """A single node with the same limits in all steps."""
    return Nodes(
        np.array([-1]),
        np.zeros((1, steps)),
        np.full((1, steps), import_limit_kw),
        np.full((1, steps), export_limit_kw),
        np.zeros(1),
        np.zeros(1),
    )


def holds(parent: IntArray) -> BoolArray:
    """[K, K] whether the row's node is, or is below, the column's."""
    count = len(parent)
    found = np.eye(count, dtype=np.bool_)
    for node in range(1, count):
        found[node] |= found[parent[node]]
    return found


def up_the_tree(parent: IntArray, own: FloatArray) -> FloatArray:
    """[K, T] what each node has and all below it, of what each has alone."""
    found = own.astype(float)
    for node in range(len(parent) - 1, 0, -1):
        found[parent[node]] += found[node]
    return found


def down_the_tree(parent: IntArray, own: FloatArray) -> FloatArray:
    """[K, T] the sum over a node and all above it."""
    found = own.astype(float)
    for node in range(1, len(parent)):
        found[node] += found[parent[node]]
    return found


def raise_if_malformed(problem: FleetProblem) -> None:
    """Raises: InputError with what breaks a rule, if anything does."""
    raise_if_wrong(problem.cars, problem.prices)
    faults = [*_node_faults(problem), *_market_faults(problem), *_reserve_faults(problem)]
    if faults:
        raise InputError(faults)


def _node_faults(problem: FleetProblem) -> list[InputFault]:
    nodes, steps, count = problem.nodes, problem.step_count, problem.node_count
    faults = []
    for name in ("base_kw", "import_limit_kw", "export_limit_kw"):
        array = getattr(nodes, name)
        if array.shape != (count, steps):
            faults.append(InputFault(name, f"must have shape ({count}, {steps})", array.shape))
        elif np.isnan(array).any() or (name != "base_kw" and (array < 0).any()):
            faults.append(InputFault(name, "must be numbers, limits at least 0", "NaN or less"))
    for name in ("demand_charge_per_kw", "peak_so_far_kw"):
        array = getattr(nodes, name)
        if array.shape != (count,) or not (np.isfinite(array) & (array >= 0)).all():
            faults.append(InputFault(name, f"must be {count} numbers of at least 0", "others"))
    if not count or nodes.parent[0] != -1 or (nodes.parent[1:] < 0).any():
        faults.append(InputFault("parent", "must be -1 for node 0 and a node for all others"))
    elif (nodes.parent >= np.arange(count)).any():
        faults.append(InputFault("parent", "must be of a smaller number than the node"))
    inside = (problem.node >= 0) & (problem.node < count)
    if problem.node.shape != (problem.cars.stay_count,) or not inside.all():
        faults.append(InputFault("node", f"must name one of {count} nodes for each stay"))
    return faults


def _market_faults(problem: FleetProblem) -> list[InputFault]:
    market, faults = problem.market, []
    for name, array in zip(market._fields, market, strict=True):
        if array.shape != (problem.step_count,):
            faults.append(InputFault(name, f"must have {problem.step_count} values", array.shape))
        elif name != "position_kw" and not np.isfinite(array).all():
            faults.append(InputFault(name, "must be finite", "NaN or infinite"))
    if faults:
        return faults
    if (market.import_per_kwh < market.export_per_kwh).any():
        rule = "must be at least export_per_kwh: else the pool's cost is not convex"
        faults.append(InputFault("import_per_kwh", rule))
    if (market.more_per_kwh < 0).any() or (market.less_per_kwh < 0).any():
        faults.append(InputFault("more_per_kwh, less_per_kwh", "must be at least 0"))
    return faults


def _reserve_faults(problem: FleetProblem) -> list[InputFault]:
    reserve, steps, count = problem.reserve, problem.step_count, problem.cars.stay_count
    if reserve is None:
        return []
    faults = []
    for name in ("up_kw", "down_kw", "short_per_kwh"):
        array = getattr(reserve, name)
        if array.shape != (steps,) or not (np.isfinite(array) & (array >= 0.0)).all():
            rule = f"must be {steps} numbers of at least 0"
            faults.append(InputFault(f"reserve.{name}", rule, "others"))
    if not (np.isfinite(reserve.hours_h) and reserve.hours_h > 0.0):
        rule = "must be finite and above 0"
        faults.append(InputFault("reserve.hours_h", rule, reserve.hours_h))
    if reserve.member.shape != (count,) or reserve.member.dtype != np.bool_:
        rule = f"must be {count} times yes or no"
        faults.append(InputFault("reserve.member", rule, reserve.member.shape))
    return faults
