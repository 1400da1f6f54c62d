"""Lives EV2Gym's problems with its own agents and ours, and keeps EV2Gym's own statistics."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from benchmarks.ev2gym.bound import ROUNDED_KWH, arrivals_of, profit_bound
from benchmarks.ev2gym.judge import PROFIT, TRACKING, Agent, Task, environment, own_agents
from benchmarks.ev2gym.ports import LEAST_ACTION
from benchmarks.ev2gym.profit import ProfitAgent
from benchmarks.ev2gym.tracking import TrackingAgent

OURS: Final = "Parkwatt"
AT_ONCE: Final = "ChargeAsFastAsPossible"
WEAR_PER_KWH: Final = 0.02
"""EUR per kWh that leaves a battery to the grid: taken for all cells, a column beside EV2Gym's scores."""

BOUND: Final = "bound"
BOUNDS: Final = {BOUND: 0.0, "bound, rounded up": ROUNDED_KWH}
"""What no agent is above, in kWh that each step of a car brings for nothing."""

_TRACKERS: Final = ("RoundRobin", "RoundRobin_GF", "RoundRobin_GF_off_allowed")

Scores = dict[str, float]


def agents_of(task: Task) -> dict[str, Callable[..., Agent]]:
    """Ours and EV2Gym's that fit the task: those that follow a set-point have none in the problem of money."""
    mine: Callable[..., Agent] = ProfitAgent if task == PROFIT else TrackingAgent
    own = own_agents()
    if task == PROFIT:
        own = {name: one for name, one in own.items() if name not in _TRACKERS}
    return {OURS: mine, **own}


def live(env: Any, make: Callable[..., Agent], seed: int) -> Scores:
    """One episode, to its end. Raises ValueError where an agent of ours would use what EV2Gym rounds up."""
    # EV2Gym's random agent draws from numpy's one generator for all.
    np.random.seed(seed)  # noqa: NPY002
    agent = make(env=env)
    ours = isinstance(agent, ProfitAgent | TrackingAgent)
    done = False
    while not done:
        actions = agent.get_action(env)
        if ours and ((actions != 0.0) & (np.abs(actions) < LEAST_ACTION)).any():
            raise ValueError("an action that moves nearly nothing")
        _, _, done, _, _ = env.step(actions)
    return {name: float(value) for name, value in env.stats.items() if np.ndim(value) == 0}


def episodes(task: Task, seeds: list[int]) -> Iterator[tuple[int, dict[str, Scores]]]:
    """For each seed the scores of each agent, all in the same episode; and for money the bounds, as agents'."""
    for seed in seeds:
        first = environment(task, seed)
        scores = {
            name: live(copy.deepcopy(first), make, seed) for name, make in agents_of(task).items()
        }
        if task == PROFIT:
            allowed_kw = scores[AT_ONCE]["total_transformer_overload"]
            arrivals = arrivals_of(first)
            for name, rounded_kwh in BOUNDS.items():
                best = profit_bound(first, arrivals, allowed_kw, rounded_kwh)
                scores[name] = {"total_profits": best}
        yield seed, scores


TASKS: Final = (PROFIT, TRACKING)
