"""Why a car charges when it does, though another step is cheaper: a node on its path is full there, and has a price."""

from __future__ import annotations

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


def sentence(passed: Passed, clocks: tuple[str, str]) -> str:
    """In words; ``clocks``: when the step in which it charges begins, and the cheaper one."""
    charged, cheaper = clocks
    words = (
        f"It charges at {charged} for {passed.own_charged_per_kwh:.4f} per kWh, although {cheaper} is cheaper at "
        f"{passed.own_cheaper_per_kwh:.4f}"
    )
    priced = [one for one in passed.parts if abs(one.price_per_kwh) > _PRICE_LEAST]
    if not priced or not passed.is_explained:
        return f"{words}: no limit on its way explains that; its energy, its stay or the proven gap do."
    told = []
    for one in priced:
        price = f"{one.price_per_kwh:.4f}"
        if one.is_full:
            limit = f"{one.drawn_kw:,.0f} of {one.import_limit_kw:,.0f} kW"
            told.append(f"{one.name} is full ({limit}), and a kWh there is worth {price}")
        else:
            told.append(f"at {one.name} a kWh is worth {price}")
    totals = (
        f"with that a kWh is worth {passed.total_cheaper_per_kwh:.4f} at {cheaper}, and "
        f"{passed.total_charged_per_kwh:.4f} at {charged}"
    )
    return f"{words}: at {cheaper} {'; '.join(told)}; {totals}."
