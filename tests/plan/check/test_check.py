"""The checker accepts right plans and rejects a plan in which any single number is changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.domain.problem import Problem
from parkwatt.io.contract import plan_from_json, plan_to_json, stated_cost
from parkwatt.plan.check import CheckReport, check
from parkwatt.plan.exact import plan as exact_plan
from tests.plan.generator import random_problem
from tests.plan.made_plan import resting_plan
from tests.plan.oracle import solve

SEEDS = range(25)
Place = tuple[str | int, ...]


@cache
def solved(seed: int) -> tuple[Problem, str]:
    """A problem and its plan as JSON text, with reasons."""
    problem = random_problem(seed)
    return problem, json.dumps(plan_to_json(exact_plan(problem), problem))


def judged(problem: Problem, table: Any) -> CheckReport:
    """The verdict on a plan as it would come from a file."""
    return check(problem, plan_from_json(table, problem), stated_cost=stated_cost(table))


def numbers(table: object, place: Place = ()) -> Iterator[Place]:
    """The places of all numbers in a table."""
    if isinstance(table, dict):
        for key, value in table.items():
            yield from numbers(value, (*place, key))
    elif isinstance(table, list):
        for index, value in enumerate(table):
            yield from numbers(value, (*place, index))
    elif isinstance(table, int | float) and not isinstance(table, bool):
        yield place


@pytest.mark.parametrize("seed", SEEDS)
def test_the_planners_plan_is_valid(seed: int) -> None:
    problem, text = solved(seed)
    assert judged(problem, json.loads(text)).faults == ()


@pytest.mark.parametrize("seed", range(5))
def test_the_oracles_plan_is_valid(seed: int) -> None:
    problem = random_problem(seed)
    table = plan_to_json(solve(problem).plan, problem)
    assert judged(problem, table).faults == ()


@given(st.integers(0, 10_000))
def test_doing_nothing_is_always_a_valid_plan(seed: int) -> None:
    problem = random_problem(seed)
    report = judged(problem, plan_to_json(resting_plan(problem), problem))
    assert report.faults == ()


@given(
    seed=st.sampled_from(SEEDS),
    choice=st.floats(0.0, 1.0, exclude_max=True),
    kind=st.sampled_from(["up", "down", "far", "zero", "negated"]),
)
@example(seed=0, choice=0.0, kind="up")
def test_any_single_changed_number_is_rejected(seed: int, choice: float, kind: str) -> None:
    problem, text = solved(seed)
    table = json.loads(text)
    places = list(numbers(table))
    place = places[int(choice * len(places))]
    parent = table
    for key in place[:-1]:
        parent = parent[key]
    before = parent[place[-1]]
    step = 1 if isinstance(before, int) else 3e-6 * scale_of(place, before, problem)
    after = {
        "up": before + step,
        "down": before - step,
        "far": before + 1000,
        "zero": 0 * before,
        "negated": -before,
    }[kind]
    if abs(after - before) < step:
        after = before + step
    parent[place[-1]] = after
    try:
        report = judged(problem, table)
    except InputError:
        return  # rejected by its form, such as a step outside the horizon
    assert not report.valid, f"{place}: {before} became {after}"


def scale_of(place: Place, before: float, problem: Problem) -> float:
    """What the tolerance of a number is relative to: kW and kWh to 1, money to its amount."""
    if place[0] not in ("cost", "cost_parts"):
        return 1.0
    return max(1.0, abs(before), problem.site.demand_charge_per_kw)


def test_every_number_of_one_plan_is_guarded() -> None:
    problem, text = solved(2)
    unguarded = []
    for place in numbers(json.loads(text)):
        table = json.loads(text)
        parent = table
        for key in place[:-1]:
            parent = parent[key]
        parent[place[-1]] += 1 if isinstance(parent[place[-1]], int) else 1e-3
        try:
            if judged(problem, table).valid:
                unguarded.append(place)
        except InputError:
            pass
    assert unguarded == []
