"""A plan is written with 9 digits and read back against its problem."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.domain.plan import Plan, Reason
from parkwatt.io.contract import plan_from_json, plan_to_json, stated_cost
from tests.plan.generator import random_problem
from tests.plan.made_plan import resting_plan

PROBLEM = random_problem(2)


def table() -> dict[str, Any]:
    """A sound plan for `PROBLEM`, as a program would load it."""
    written: dict[str, Any] = json.loads(json.dumps(plan_to_json(resting_plan(PROBLEM), PROBLEM)))
    return written


def faults_of(written: object) -> list[str]:
    """The faults as a user reads them."""
    with pytest.raises(InputError) as caught:
        plan_from_json(written, PROBLEM)
    return [str(fault) for fault in caught.value.faults]


@given(st.integers(0, 10_000))
def test_writing_and_reading_changes_nothing(seed: int) -> None:
    problem = random_problem(seed)
    written = plan_to_json(resting_plan(problem), problem)
    read = plan_from_json(json.loads(json.dumps(written)), problem)
    again = plan_to_json(read, problem)
    assert {**again, "cost": 0, "cost_parts": 0} == {**written, "cost": 0, "cost_parts": 0}
    assert again["cost"] == pytest.approx(written["cost"], abs=1e-8)


def test_numbers_have_at_most_9_digits_and_no_negative_zero() -> None:
    plan = resting_plan(PROBLEM)
    plan.import_kw[0], plan.import_kw[1] = 1 / 3, -0.0
    text = json.dumps(plan_to_json(plan, PROBLEM)["import_kw"])
    assert text.startswith("[0.333333333, 0.0,")


def test_reasons_are_kept() -> None:
    resting = resting_plan(PROBLEM)
    reason = Reason(PROBLEM.vehicles[0].id, 0, 1, 0.0, "rests: nothing to gain")
    plan = Plan(
        resting.status,
        resting.cost_parts,
        resting.import_kw,
        resting.export_kw,
        resting.solar_used_kw,
        resting.batteries,
        resting.vehicles,
        resting.violations,
        (reason,),
    )
    read = plan_from_json(plan_to_json(plan, PROBLEM), PROBLEM)
    assert read.reasons == (reason,)


def test_a_plan_of_wrong_length_is_not_written() -> None:
    with pytest.raises(ValueError, match="must have"):
        plan_to_json(resting_plan(random_problem(3)), PROBLEM)


def test_the_stated_cost_is_read() -> None:
    assert stated_cost({"cost": 3.5}) == 3.5
    with pytest.raises(InputError, match="cost: is required"):
        stated_cost({})


@pytest.mark.parametrize("name", sorted(table()))
def test_each_field_is_required(name: str) -> None:
    written = table()
    del written[name]
    assert f"{name}: is required" in faults_of(written)[0]


def test_all_faults_of_form_are_told_at_once() -> None:
    written = table()
    written["version"] = 2
    written["status"] = "good"
    written["surprise"] = 1
    written["import_kw"].append(0.0)
    written["export_kw"][0] = "1"
    written["vehicles"][0]["id"] = "other"
    written["vehicles"][0]["stays"][0]["energy_kwh"].pop()
    written["vehicles"][0]["stays"][0]["shortfall_kwh"] = float("nan")
    written["reasons"] = [{"id": "x", "from_step": -1, "to_step": 1, "power_kw": 1, "message": "m"}]
    written["violations"] = [
        {"kind": "storm", "step": 0, "amount": 1, "unit": "kW", "message": "m"}
    ]
    found = faults_of(written)
    fields = [fault.split(":")[0] for fault in found]
    assert fields == [
        "version",
        "status",
        "import_kw",
        "export_kw[0]",
        "vehicles[0].id",
        "vehicles[0].stays[0].energy_kwh",
        "vehicles[0].stays[0].shortfall_kwh",
        "violations[0].kind",
        "violations[0].id",
        "reasons[0].from_step",
        "surprise",
    ]


def test_a_missing_stay_or_vehicle_is_told() -> None:
    written = table()
    written["vehicles"][0]["stays"].pop()
    written["vehicles"].append(written["vehicles"][0])
    found = faults_of(written)
    assert any(fault.startswith("vehicles: must have") for fault in found)
    assert any(fault.startswith("vehicles[0].stays: must have") for fault in found)


def test_what_is_read_are_arrays_of_floats() -> None:
    written = table()
    written["import_kw"] = [int(kw) for kw in written["import_kw"]]
    assert plan_from_json(written, PROBLEM).import_kw.dtype == np.float64
