"""EV2Gym judges the planner, in an episode of each problem: it has to be installed, for nothing here is skipped.

The twenty seeds of the docs are `python -m benchmarks.ev2gym`.
"""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import numpy as np
import pytest

from benchmarks.ev2gym.judge import PROFIT, TRACKING, Task, environment
from benchmarks.ev2gym.ports import LEAST_ACTION, Port, ports_of
from benchmarks.ev2gym.study import AT_ONCE, BOUND, OURS, episodes
from benchmarks.ev2gym.tables import (
    Episodes,
    figures_of,
    more_reward,
    profit_table,
    saved,
    score,
    seed_table,
    tracking_table,
)

pytestmark = [
    pytest.mark.xdist_group("ev2gym"),
    # What EV2Gym's own packages say of each other is no matter of ours.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
]

SEED = 4
"""A day on which charging at once overloads the transformer, and giving back would."""


@cache
def lived(task: Task) -> Episodes:
    """One episode, with all agents."""
    return dict(episodes(task, [SEED]))


@cache
def fresh(task: Task) -> Any:
    """An environment at its first step; to be copied."""
    return environment(task, SEED)


def test_cars_are_full_for_less_and_the_transformer_is_not_overloaded() -> None:
    found = lived(PROFIT)
    assert score(found, OURS, "energy_user_satisfaction")[0] >= 99.9
    overload_kw = score(found, OURS, "total_transformer_overload")[0]
    assert overload_kw <= score(found, AT_ONCE, "total_transformer_overload")[0]
    assert overload_kw == 0.0
    assert saved(found, OURS) >= 0.85 * saved(found, BOUND) > 0.2


def test_the_set_point_is_followed_closer_than_by_any_agent_of_its_own_and_never_passed() -> None:
    found = lived(TRACKING)
    assert more_reward(found) >= 0.2
    assert score(found, OURS, "power_tracker_violation")[0] == 0.0
    assert score(found, OURS, "energy_user_satisfaction")[0] >= 99.9


def test_tables_tell_what_was_lived() -> None:
    profit, tracking = lived(PROFIT), lived(TRACKING)
    assert [line.count("|") for line in profit_table(profit)] == [9] * 9
    assert [line.count("|") for line in seed_table(profit)] == [9] * 3
    assert [line.count("|") for line in tracking_table(tracking)] == [7] * 10
    share = next(figures_of(profit, tracking))
    assert share.value == pytest.approx(100 * saved(profit, OURS))


@pytest.mark.parametrize("task", [PROFIT, TRACKING], ids=lambda task: task.name)
def test_what_an_action_brings_is_known_before(task: Task) -> None:
    env = copy.deepcopy(fresh(task))
    random, done, seen = np.random.default_rng(SEED), False, 0
    while not done:
        ports = [one for one in ports_of(env) if random.random() < 0.7]
        actions = np.zeros(env.number_of_ports)
        for port in ports:
            actions[port.place] = port.action_for(_drawn_kw(random, port))
        cars = _cars(env)
        _, _, done, _, _ = env.step(actions.copy())
        for port in ports:
            brought_kw = port.brought_kw(float(actions[port.place]))
            told_kw = cars[port.place].current_energy / port.step_h
            assert told_kw == pytest.approx(brought_kw, abs=1e-9)
            seen += 1
    assert seen > 100


@pytest.mark.parametrize("task", [PROFIT, TRACKING], ids=lambda task: task.name)
def test_an_action_brings_no_more_than_asked_and_is_none_or_one_that_counts(task: Task) -> None:
    random = np.random.default_rng(SEED)
    for port in _some_ports(task):
        for _ in range(20):
            wanted_kw = _drawn_kw(random, port)
            action = port.action_for(wanted_kw)
            assert action == 0.0 or abs(action) >= LEAST_ACTION
            assert abs(port.brought_kw(action)) <= abs(wanted_kw) + 1e-6


def test_a_port_that_only_charges_gives_nothing_back() -> None:
    for port in _some_ports(TRACKING):
        assert port.action_for(-1.0) == port.action_for(-1e-9) == 0.0


def test_full_power_from_the_needed_energy_fills_the_car() -> None:
    for port in _some_ports(PROFIT):
        needed_kwh = port.needed_kwh()
        assert (np.diff(needed_kwh) < 0).all()
        for steps in range(1, len(needed_kwh)):
            energy_kwh = float(needed_kwh[steps])
            if energy_kwh < 0.0:
                break
            for _ in range(steps):
                energy_kwh += port.charged_kwh(energy_kwh, 1.0)
            # Between full power and taper a step brings less than either.
            assert port.wanted_kwh - 1.0 < energy_kwh <= port.wanted_kwh


def _drawn_kw(random: np.random.Generator, port: Port) -> float:
    spare_kwh = port.energy_kwh - port.floor_kwh
    if spare_kwh > port.discharge_kw * port.step_h and random.random() < 0.5:
        return -float(random.uniform(0.0, port.discharge_kw))
    return float(random.uniform(0.0, port.charge_kw))


def _cars(env: Any) -> list[Any]:
    return [car for station in env.charging_stations for car in station.evs_connected]


def _some_ports(task: Task) -> list[Port]:
    """Those of an afternoon."""
    env = copy.deepcopy(fresh(task))
    for _ in range(40):
        env.step(np.zeros(env.number_of_ports))
    return ports_of(env)
