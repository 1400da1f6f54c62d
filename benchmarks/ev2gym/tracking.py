"""Our planner as EV2Gym's agent for tracking: as near below the set-point as the cars allow, all of them full in time.

The set-point of the coming step alone is used, as by EV2Gym's own agents: those ahead are made from cars that have yet to come.
For a forecast it stays as it is. A kWh now earns, the more the less is missing in the car, so that cars get full one after
another and not all taper at once.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from benchmarks.ev2gym.limits import actions_within
from benchmarks.ev2gym.ports import Port, ports_of
from benchmarks.ev2gym.problems import fleet, nodes_of, stays
from parkwatt.domain.record import FloatArray
from parkwatt.plan.coordinate import Nodes, coordinate

_NOW_PER_KWH: Final = 1.0
_RANK_PER_KWH: Final = 0.01
_FULL_STEPS: Final = 4


class TrackingAgent:
    """Follows the set-point from below with what is connected, in the order in which cars get full."""

    def __init__(self, env: Any) -> None:
        """``env``: as for all of EV2Gym's agents; each step's is handed to `get_action`."""

    def get_action(self, env: Any) -> FloatArray:
        """[ports] of the coming step."""
        ports = ports_of(env)
        if not ports:
            return np.zeros(env.number_of_ports)
        nodes = _below_set_point(env, nodes_of(env, [], np.zeros((1 + len(env.transformers), 1))))
        return actions_within(env.number_of_ports, ports, _planned_kw(env, ports), nodes)


def _below_set_point(env: Any, nodes: Nodes) -> Nodes:
    """The nodes with the set-point as limit of the transformers, which PublicPST has one of."""
    limit_kw = nodes.import_limit_kw.copy()
    set_point_kw = float(env.power_setpoints[env.current_step])
    transformers = slice(1, 1 + len(env.transformers))
    limit_kw[transformers] = np.minimum(limit_kw[transformers], set_point_kw)
    return nodes._replace(import_limit_kw=limit_kw)


def _planned_kw(env: Any, ports: list[Port]) -> FloatArray:
    """[N] of the coming step."""
    steps = max(one.steps_left for one in ports)
    full_steps = np.array([min(_FULL_STEPS, one.steps_left - 1) for one in ports], np.int64)
    wanted_kwh = [
        float(one.needed_kwh()[last]) for one, last in zip(ports, full_steps, strict=True)
    ]
    missing_kwh = np.array([one.capacity_kwh - one.energy_kwh for one in ports])
    price = np.zeros((len(ports), steps))
    price[:, 0] = -_NOW_PER_KWH + _RANK_PER_KWH * missing_kwh.argsort().argsort()
    cars = stays(ports, full_steps, wanted_kwh)
    nodes = _below_set_point(
        env, nodes_of(env, ports, np.zeros((1 + len(env.transformers), steps)))
    )
    return np.asarray(coordinate(fleet(cars, nodes, price, ports[0].step_h)).power_kw[:, 0], float)
