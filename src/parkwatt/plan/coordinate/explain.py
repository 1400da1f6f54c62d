"""Why a car charges when it does, though another step is cheaper: a node on its path is full there, and has a price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from parkwatt.domain.record import FloatArray

# Powers below this are rounding, and so are differences of prices; a node is full from this share of its limit on.
_POWER_LEAST_KW: Final = 0.01
_PRICE_LEAST: Final = 1e-6
_FULL: Final = 0.999


class PathNode(NamedTuple):
    """A node on the way from a car to the pool: what it draws, its limit (infinite: none) and its own price, [T] each."""

    name: str
    drawn_kw: FloatArray
    import_limit_kw: FloatArray
    price_per_kwh: FloatArray


class NodePart(NamedTuple):
    """What a node adds to the price in the cheaper step; ``is_full``: its limit binds there."""

    name: str
    price_per_kwh: float
    drawn_kw: float
    import_limit_kw: float
    is_full: bool


@dataclass(frozen=True, slots=True)
class Passed:
    """A step with a lower price of the car's own that it did not use fully, beside a dearer one in which it charges.

    ``own_…``: the car's own price; ``total_…``: with the prices of all nodes on its path. ``parts``: of the cheaper step.
    """

    charged_step: int
    cheaper_step: int
    own_charged_per_kwh: float
    own_cheaper_per_kwh: float
    total_charged_per_kwh: float
    total_cheaper_per_kwh: float
    parts: tuple[NodePart, ...]

    @property
    def is_explained(self) -> bool:
        """Whether, with the nodes' prices, the step that was passed over is no cheaper."""
        return self.total_cheaper_per_kwh >= self.total_charged_per_kwh - _PRICE_LEAST


def passed_over(
    power_kw: FloatArray,
    own_per_kwh: FloatArray,
    path: tuple[PathNode, ...],
    charge_kw_max: float,
    within: tuple[int, int],
) -> list[Passed]:
    """For each step in which the car charges, the step with the lowest own price that it left at least partly unused.

    ``power_kw``, ``own_per_kwh``: [T]. ``path``: from the car's node to the pool. ``charge_kw_max``: what the car takes at
    most. ``within``: steps [from, to) in which it is plugged in. A step with nothing cheaper left is not in the list.
    """
    steps = np.arange(*within)
    total = own_per_kwh + sum((one.price_per_kwh for one in path), np.zeros_like(own_per_kwh))
    free = steps[power_kw[steps] < charge_kw_max - _POWER_LEAST_KW]
    found = []
    for step in steps[power_kw[steps] > _POWER_LEAST_KW].tolist():
        others = free[free != step]
        if not len(others):
            continue
        cheapest = int(others[own_per_kwh[others].argmin()])
        if own_per_kwh[cheapest] >= own_per_kwh[step] - _PRICE_LEAST:
            continue
        found.append(
            Passed(
                step,
                cheapest,
                float(own_per_kwh[step]),
                float(own_per_kwh[cheapest]),
                float(total[step]),
                float(total[cheapest]),
                tuple(_part(one, cheapest) for one in path),
            )
        )
    return found


def _part(node: PathNode, step: int) -> NodePart:
    drawn, limit = float(node.drawn_kw[step]), float(node.import_limit_kw[step])
    is_full = bool(np.isfinite(limit)) and drawn >= limit * _FULL
    return NodePart(node.name, float(node.price_per_kwh[step]), drawn, limit, is_full)


def in_runs(passed: Sequence[Passed]) -> list[tuple[Passed, ...]]:
    """The same in runs that one sentence tells: one step after the other in which the car charges, for the same reason."""
    runs: list[tuple[Passed, ...]] = []
    for one in passed:
        if runs and _goes_on(runs[-1][-1], one):
            runs[-1] += (one,)
        else:
            runs.append((one,))
    return runs


def _goes_on(before: Passed, one: Passed) -> bool:
    # What nodes add is of the cheaper step, so that it is the same, too.
    follows = one.charged_step == before.charged_step + 1
    return (
        follows
        and one.cheaper_step == before.cheaper_step
        and one.is_explained == before.is_explained
    )


def sentence(run: Sequence[Passed], clocks: tuple[str, str]) -> str:
    """In words what `in_runs` found. ``clocks``: when it charges ("at 03:00", "from 03:00 to 04:15"), and the cheaper time."""
    charged, cheaper = clocks
    first = run[0]
    own = _from_to([one.own_charged_per_kwh for one in run])
    words = (
        f"It charges {charged} for {own} per kWh, although {cheaper} is cheaper at "
        f"{first.own_cheaper_per_kwh:.4f}"
    )
    priced = [one for one in first.parts if abs(one.price_per_kwh) > _PRICE_LEAST]
    if not priced or not first.is_explained:
        return f"{words}: no limit on its way explains that; its energy, its stay or the proven gap do."
    told = []
    for one in priced:
        price = f"{one.price_per_kwh:.4f}"
        if one.is_full:
            limit = f"{one.drawn_kw:,.0f} of {one.import_limit_kw:,.0f} kW"
            told.append(f"{one.name} is full ({limit}), and a kWh there is worth {price}")
        else:
            told.append(f"at {one.name} a kWh is worth {price}")
    total = _from_to([one.total_charged_per_kwh for one in run])
    totals = (
        f"with that a kWh is worth {first.total_cheaper_per_kwh:.4f} at {cheaper}, and "
        f"{total} {charged}"
    )
    return f"{words}: at {cheaper} {'; '.join(told)}; {totals}."


def _from_to(prices: Sequence[float]) -> str:
    """The lowest and the highest, or one where both read the same."""
    low, high = f"{min(prices):.4f}", f"{max(prices):.4f}"
    return low if low == high else f"{low} to {high}"
