"""Powers of the coming step as actions that keep limits now, whatever a plan believed."""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.ev2gym.ports import Port
from parkwatt.domain.record import FloatArray
from parkwatt.plan.coordinate import Nodes

# A car takes or gives somewhat less than asked where currents are few or it is nearly full; that moves the sum.
_PASSES: Final = 4


def actions_within(
    count: int, ports: list[Port], powers_kw: FloatArray, nodes: Nodes
) -> FloatArray:
    """[count] actions that bring ``powers_kw`` [N] within each transformer's limits; who has most time left gives way first."""
    kept_kw = powers_kw.copy()
    patient = sorted(range(len(ports)), key=lambda row: -_spare_steps(ports[row]))
    for _ in range(_PASSES):
        kept_kw = np.array(
            [
                one.brought_kw(one.action_for(power_kw))
                for one, power_kw in zip(ports, kept_kw, strict=True)
            ]
        )
        for node in range(1, len(nodes.parent)):
            mine = [row for row in patient if ports[row].transformer + 1 == node]
            drawn_kw = float(nodes.base_kw[node, 0] + kept_kw[mine].sum())
            _give_way(kept_kw, mine, 1.0, drawn_kw - float(nodes.import_limit_kw[node, 0]))
            _give_way(kept_kw, mine, -1.0, -drawn_kw - float(nodes.export_limit_kw[node, 0]))
    actions = np.zeros(count)
    for port, power_kw in zip(ports, kept_kw, strict=True):
        actions[port.place] = port.action_for(power_kw)
    return actions


def _give_way(kept_kw: FloatArray, rows: list[int], sign: float, over_kw: float) -> None:
    """Lessens charging (``sign`` 1) or discharging (-1) in the order of ``rows``, until nothing is over."""
    for row in rows:
        less_kw = min(max(0.0, over_kw), max(0.0, sign * float(kept_kw[row])))
        kept_kw[row] -= sign * less_kw
        over_kw -= less_kw


def _spare_steps(port: Port) -> float:
    """Steps left beyond those that full power would take."""
    return port.steps_left - (port.capacity_kwh - port.energy_kwh) / (port.charge_kw * port.step_h)
