"""Our planner as EV2Gym's agent for money: plans all cars at the transformers anew in each step.

The problem has no taper, as if a car charged at full power to the last kWh. So its plan is held against the
energy that a car needs at each step so that full power until departure still fills it. Where the plan is below, that energy is
asked at that step, from which on the car then charges at full power; and it is planned again.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from benchmarks.ev2gym.limits import actions_within
from benchmarks.ev2gym.ports import Port, ports_of
from benchmarks.ev2gym.problems import fleet, nodes_of, price_ahead, stays
from parkwatt.domain.record import FloatArray
from parkwatt.plan.coordinate import coordinate
from parkwatt.plan.coordinate.problem import IntArray

_ROUNDS: Final = 4
_SMALL_KWH: Final = 0.01
_EARLIER_PER_KWH: Final = 1e-5
"""Of equal prices, those of one hour, the earlier quarter: what a taper leaves is then charged in the next."""


class ProfitAgent:
    """Buys and sells at the prices that EV2Gym tells, each car full at its departure, within the transformers' limits."""

    def __init__(self, env: Any) -> None:
        """``env``: as for all of EV2Gym's agents; each step's is handed to `get_action`."""

    def get_action(self, env: Any) -> FloatArray:
        """[ports] of the coming step."""
        ports = ports_of(env)
        if not ports:
            return np.zeros(env.number_of_ports)
        nodes = nodes_of(env, [], np.zeros((1 + len(env.transformers), 1)))
        return actions_within(env.number_of_ports, ports, _planned_kw(env, ports), nodes)


def _planned_kw(env: Any, ports: list[Port]) -> FloatArray:
    """[N] of the coming step."""
    needed = [one.needed_kwh() for one in ports]
    full_steps = np.zeros(len(ports), np.int64)
    powers_kw = np.zeros((len(ports), max(one.steps_left for one in ports)))
    for _ in range(_ROUNDS):
        powers_kw = _coordinated_kw(env, ports, needed, full_steps)
        more = _steps_below(ports, needed, powers_kw)
        if (more <= full_steps).all():
            break
        full_steps = np.maximum(full_steps, more)
    least_kw = [
        (want[one.steps_left - 1] - one.energy_kwh) / one.step_h
        for one, want in zip(ports, needed, strict=True)
    ]
    most_kw = [one.charged_kwh(one.energy_kwh, 1.0) / one.step_h for one in ports]
    return np.minimum(np.maximum(powers_kw[:, 0], least_kw), most_kw)


def _steps_below(ports: list[Port], needed: list[FloatArray], powers_kw: FloatArray) -> IntArray:
    """[N] how many steps before departure a plan is furthest below what is needed; 0 where it never is."""
    found = np.zeros(len(ports), np.int64)
    for row, (port, want) in enumerate(zip(ports, needed, strict=True)):
        path_kwh = port.energy_kwh + np.cumsum(powers_kw[row, : port.steps_left]) * port.step_h
        below_kwh = want[port.steps_left - 1 :: -1] - path_kwh
        worst = int(below_kwh.argmax())
        if below_kwh[worst] > _SMALL_KWH:
            found[row] = port.steps_left - 1 - worst
    return found


def _coordinated_kw(
    env: Any, ports: list[Port], needed: list[FloatArray], full_steps: IntArray
) -> FloatArray:
    """[N, T] with each car at full power in its last ``full_steps`` [N], and planned before."""
    steps = max(one.steps_left for one in ports)
    powers_kw = np.zeros((len(ports), steps))
    for row, (port, want) in enumerate(zip(ports, needed, strict=True)):
        last = port.steps_left - int(full_steps[row])
        energy_kwh = max(port.energy_kwh, want[full_steps[row]]) if last > 0 else port.energy_kwh
        for step in range(max(0, last), port.steps_left):
            taken_kwh = port.charged_kwh(energy_kwh, 1.0)
            powers_kw[row, step] = taken_kwh / port.step_h
            energy_kwh += taken_kwh
    later = np.flatnonzero(full_steps < [one.steps_left for one in ports])
    if not len(later):
        return powers_kw
    some = [ports[row] for row in later]
    cars = stays(some, full_steps[later], [needed[row][full_steps[row]] for row in later])
    base_kw = np.zeros((1 + len(env.transformers), steps))
    np.add.at(base_kw, [one.transformer + 1 for one in ports], powers_kw)
    price = price_ahead(env, steps) + _EARLIER_PER_KWH * np.arange(steps)
    nodes = nodes_of(env, some, base_kw)
    powers_kw[later] += coordinate(fleet(cars, nodes, price, some[0].step_h)).power_kw
    return powers_kw
