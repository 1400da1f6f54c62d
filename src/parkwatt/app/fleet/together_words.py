"""What a plan of cars that share limits comes to, in words."""

from __future__ import annotations

from typing import Final

import numpy as np

from parkwatt.app.fleet.summary import counted, missing_words
from parkwatt.app.fleet.together import TogetherPlan
from parkwatt.app.fleet.warm import WarmStart
from parkwatt.app.report.number_text import number_text
from parkwatt.domain.series import TimeGrid, utc
from parkwatt.io.fleet_files.prices import FleetPrices

_TOLD_MAX: Final = 5
# A price below this would be told as nothing.
_PRICE_LEAST: Final = 5e-5


def together_summary(
    planned: TogetherPlan,
    known: FleetPrices,
    elapsed_s: float,
    gap_wanted: float,
    start: WarmStart | None = None,
) -> str:
    """A few lines: cost and what is proven of it, limits, departures, the dearest place of each node."""
    grid, tree = known.grid, planned.tree
    cars = len(set(planned.rows.car_id.tolist()))
    stays = counted(len(planned.car_cost), "stay")
    below = counted(len(tree.names), "node")
    span = f"{utc(grid.start_unix_s):%Y-%m-%d %H:%M} to {utc(grid.end_unix_s):%Y-%m-%d %H:%M} UTC"
    charged, given_back = planned.energy_kwh(grid.step_h)
    lines = [
        f"planned {stays} of {counted(cars, 'car')} together below {below} in {elapsed_s:.1f} s",
        f"span: {grid.step_count} steps of {grid.step_s / 60:g} minutes, {span}",
        f"cost: {number_text(planned.cost, 2)}, in the currency of the prices",
        *start_words(planned, start),
        proof_words(planned, gap_wanted),
        *limit_words(planned, grid),
        *reserve_words(planned, grid),
        f"energy: {number_text(charged, 1)} kWh charged, {number_text(given_back, 1)} kWh given back",
        missing_words(planned.shortfall_kwh),
        *(f"price: {one}" for one in worth_words(planned, grid)[:_TOLD_MAX]),
    ]
    return "\n".join(lines)


def start_words(planned: TogetherPlan, start: WarmStart | None) -> list[str]:
    """What an earlier plan knew, where there was one."""
    if start is None:
        return []
    stays, nodes = len(planned.car_cost), len(planned.tree.names)
    known = f"{start.stay_count:,} of {counted(stays, 'stay')}, {start.node_count} of {counted(nodes, 'node')}"
    return [f"begun from the earlier plan: {known}"]


def proof_words(planned: TogetherPlan, gap_wanted: float) -> str:
    """How far from the best the plan can be, and whether that is what was asked."""
    bound = number_text(planned.bound, 2)
    proven = max(planned.gap, 0.0) * 100
    reached = "" if planned.gap <= gap_wanted else f"; {gap_wanted * 100:.3g} % was asked"
    return f"proven gap: {proven:.3f} %: no plan comes below {bound}{reached}"


def limit_words(planned: TogetherPlan, grid: TimeGrid) -> list[str]:
    """Whether limits are kept; else where, when and by how much not."""
    excess_kw = planned.excess_kw()
    nodes = np.flatnonzero(excess_kw.any(axis=1))
    if not len(nodes):
        return ["limits: kept at all nodes and times"]
    nodes = nodes[np.argsort(-excess_kw[nodes].sum(axis=1), kind="stable")]
    energy_kwh = float(excess_kw.sum()) * grid.step_h
    lines = [f"limits: exceeded at {counted(len(nodes), 'node')}, by {energy_kwh:,.3f} kWh in all"]
    for node in nodes[:_TOLD_MAX].tolist():
        step = int(excess_kw[node].argmax())
        most = f"most at {clock(grid, step)}: {excess_kw[node, step]:,.3f} kW"
        steps = counted(int((excess_kw[node] > 0).sum()), "step")
        lines.append(f"  {planned.tree.names[node]}: in {steps}, {most}")
    if len(nodes) > _TOLD_MAX:
        lines.append(f"  and {counted(len(nodes) - _TOLD_MAX, 'node')} more")
    return lines


def reserve_words(planned: TogetherPlan, grid: TimeGrid) -> list[str]:
    """Whether the reserve is held, and what a kWh of it is worth when it is dearest; nothing without a reserve."""
    reserve, lines = planned.tree.reserve, []
    if reserve is None:
        return []
    missing_kw = planned.reserve_missing_kw()
    for one, (name, asked_kw) in enumerate((("up", reserve.up_kw), ("down", reserve.down_kw))):
        if not asked_kw.any():
            continue
        asked = f"{number_text(float(asked_kw.max()), 1)} kW for {reserve.hours_h:g} h"
        line = f"reserve {name}: {asked} held in all steps"
        if missing_kw[one].any():
            step = int(missing_kw[one].argmax())
            short = f"{missing_kw[one].sum() * grid.step_h:,.1f} kWh"
            most = f"{missing_kw[one, step]:,.1f} kW at {clock(grid, step)}"
            line = f"reserve {name}: {asked} asked, {short} of it missing, most {most}"
        step = int(planned.reserve_per_kwh[one].argmax())
        price = float(planned.reserve_per_kwh[one, step])
        if price >= _PRICE_LEAST:
            line += f"; one kW less of it at {clock(grid, step)} would save {price:.4f} an hour"
        lines.append(line)
    return lines


def worth_words(planned: TogetherPlan, grid: TimeGrid) -> list[str]:
    """For each node that has a price, the dearest first: what one kWh less is worth there when it is dearest."""
    size = np.abs(planned.node_per_kwh)
    steps = size.argmax(axis=1)
    dearest = size[np.arange(len(steps)), steps]
    found = []
    for node in np.argsort(-dearest, kind="stable").tolist():
        price = float(planned.node_per_kwh[node, steps[node]])
        if abs(price) < _PRICE_LEAST:
            break
        change = "less" if price > 0 else "more"
        where = node_words(planned, node)
        when = clock(grid, int(steps[node]))
        found.append(f"one kWh {change} at {where} at {when} is worth {abs(price):.4f}")
    return found


def node_words(planned: TogetherPlan, node: int) -> str:
    """`feeder north`; the name alone where it says the kind."""
    kind, name = planned.tree.kinds[node], planned.tree.names[node]
    return name if kind.lower() in name.lower() else f"{kind} {name}"


def clock(grid: TimeGrid, step: int) -> str:
    """When a step begins; with the day where the span has several."""
    when = utc(grid.start_unix_s + step * grid.step_s)
    several = grid.step_count * grid.step_s > 86_400
    return f"{when:%Y-%m-%d %H:%M} UTC" if several else f"{when:%H:%M} UTC"
