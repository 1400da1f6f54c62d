"""Plans that agree with themselves in every number, and break one rule each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from parkwatt.domain.plan import Plan, Reason, Violation
from parkwatt.domain.problem import Problem, SiteProblem, Stay, Vehicle
from parkwatt.plan.check import check
from tests.plan.made_plan import plan_of

STEPS = 6
SUN_KW = np.array([0.0, 2.0, 2.0, 0.0, 0.0, 0.0])


def problem(
    site: dict[str, Any] | None = None, car: dict[str, Any] | None = None, **stay: Any
) -> Problem:
    """One car of 10 to 50 kWh, there in steps 1 to 5 of six hours."""
    stays: dict[str, Any] = {"from_step": 1, "to_step": 5, "energy_kwh_at_arrival": 20.0, **stay}
    fields: dict[str, Any] = {
        "energy_kwh_min": 10.0,
        "energy_kwh_max": 50.0,
        "charge_kw_max": 10.0,
        "discharge_kw_max": 10.0,
        "charge_efficiency": 0.9,
        "discharge_efficiency": 0.9,
        **(car or {}),
    }
    return Problem(
        start=datetime(2026, 6, 1, tzinfo=UTC),
        duration_h=np.ones(STEPS),
        currency="EUR",
        site=SiteProblem(
            import_price_per_kwh=np.full(STEPS, 0.3),
            export_price_per_kwh=np.full(STEPS, 0.1),
            load_kw=np.ones(STEPS),
            solar_kw=SUN_KW,
            **(site or {}),
        ),
        vehicles=(Vehicle(id="leaf", stays=(Stay(**stays),), **fields),),
    )


def faults(of: Problem, power_kw: list[float], used_kw: list[float] | None = None) -> list[str]:
    """The checker's faults of the plan with these powers in the stay."""
    sun = SUN_KW if used_kw is None else np.array(used_kw)
    return [str(fault) for fault in check(of, plan_of(of, sun, [np.array(power_kw)])).faults]


@pytest.mark.parametrize(
    ("of", "power_kw", "field", "rule"),
    [
        (problem(), [0, 11, 0, 0], "vehicles[0].power_kw[2]", "charge_kw_max"),
        (
            problem(energy_kwh_at_arrival=40.0),
            [0, 0, 0, -10.5],
            "vehicles[0].power_kw[4]",
            "discharge_kw_max",
        ),
        (problem(), [-5, -5, 0, 0], "vehicles[0].stays[0].energy_kwh[2]", "energy_kwh_min"),
        (problem(), [10, 10, 10, 10], "vehicles[0].stays[0].energy_kwh[4]", "energy_kwh_max"),
        (problem(car={"charge_kw_min": 3}), [0, 2, 0, 0], "vehicles[0].power_kw[2]", "charge_kw_m"),
        (
            problem(car={"discharge_kw_min": 3}),
            [-2, 0, 0, 0],
            "vehicles[0].power_kw[1]",
            "discharge_kw_min",
        ),
        (
            problem(energy_kwh_at_arrival=5.0),
            [0, -1, 10, 0],
            "vehicles[0].power_kw[2]",
            "must not discharge below",
        ),
        (
            problem(energy_kwh_at_arrival=55.0),
            [-1, 1, 0, 0],
            "vehicles[0].power_kw[2]",
            "must not charge above",
        ),
        (
            problem(site={"batteries_may_export": False}),
            [0, -2, 0, 0],
            "export_kw[2]",
            "batteries may not export",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_decision_that_breaks_one_rule(
    of: Problem, power_kw: list[float], field: str, rule: str
) -> None:
    (fault,) = faults(of, power_kw)
    assert fault.startswith(f"{field}: ")
    assert rule in fault


@pytest.mark.parametrize(
    ("of", "power_kw"),
    [
        (problem(), [10, -10, 10, -5]),
        (problem(energy_kwh_at_arrival=5.0), [1, 1, 10, -4]),
        (problem(energy_kwh_at_arrival=55.0), [0, -1, -8, 1]),
        (problem(energy_kwh_at_arrival=55.0, car={"discharge_kw_max": 0.0}), [0, 0, 0, 0]),
        (problem(car={"charge_kw_min": 3, "discharge_kw_min": 3}), [3, -3, 0, 10]),
        (problem(site={"import_limit_kw": 4.0, "export_limit_kw": 0.5}), [5, 6, 0, -5]),
        (problem(energy_kwh_at_departure=60.0, ready_from_step=3), [10, 10, 0, 0]),
    ],
)
def test_a_decision_within_the_rules_is_valid(of: Problem, power_kw: list[float]) -> None:
    assert faults(of, power_kw) == []


def test_the_sun_is_used_as_the_rules_allow() -> None:
    rest = [0.0, 0, 0, 0]
    less = [0.0, 1, 0, 0, 0, 0]
    assert faults(problem(), rest, less) == []
    (fault,) = faults(problem(site={"solar_curtailable": False}), rest, less)
    assert fault.startswith("solar_used_kw[1]: must be 2 (all that the sun offers")


def limited() -> tuple[Problem, Plan]:
    """A plan over both limits, below the floor and short at departure, that says so."""
    of = problem(
        site={"import_limit_kw": 4.0, "export_limit_kw": 0.5},
        energy_kwh_at_arrival=5.0,
        energy_kwh_at_departure=30.0,
    )
    # Energies: 5, 5, 8.6, 17.6, 12.04; import 1, 0, 3, 11, 0, 1; export 0, 1, 0, 0, 4, 0.
    return of, plan_of(of, SUN_KW, [np.array([0.0, 4, 10, -5.004])])


def test_misses_are_named_as_the_contract_says() -> None:
    of, plan = limited()
    named = {(v.kind, v.id, v.step): (round(v.amount, 6), v.unit) for v in plan.violations}
    assert named == {
        ("import_limit", None, 3): (7.0, "kW"),
        ("export_limit", None, 1): (0.5, "kW"),
        ("export_limit", None, 4): (3.504, "kW"),
        ("floor", "leaf", 4): (5.0, "kWh"),
        ("departure", "leaf", 5): (17.96, "kWh"),
    }
    assert plan.status == "best_effort"
    assert check(of, plan).faults == ()


def test_each_miss_must_be_named_once_and_nothing_else() -> None:
    of, plan = limited()
    for index, violation in enumerate(plan.violations):
        without = plan.violations[:index] + plan.violations[index + 1 :]
        (fault,) = check(of, replace(plan, violations=without)).faults
        assert fault.rule.startswith("must name this missed wish")
        (fault,) = check(of, replace(plan, violations=(*plan.violations, violation))).faults
        assert fault.rule == "must name a wish that is missed, once"
    invented = Violation("floor", "leaf", 2, 1.0, "kWh", "below the floor")
    assert not check(of, replace(plan, violations=(*plan.violations, invented))).valid
    assert not check(of, replace(plan, status="optimal")).valid


def test_reasons_belong_to_runs() -> None:
    of, plan = limited()
    right = (
        Reason("leaf", 1, 2, 0.0, "rests"),
        Reason("leaf", 2, 4, 7.0, "charges"),
        Reason("leaf", 4, 5, -5.004, "discharges"),
    )
    assert check(of, replace(plan, reasons=right)).faults == ()
    assert check(of, replace(plan, reasons=right[1:2])).faults == ()
    for wrong in (
        replace(right[1], from_step=3),
        replace(right[1], to_step=3),
        replace(right[1], power_kw=10.0),
        replace(right[1], id="other"),
    ):
        assert not check(of, replace(plan, reasons=(wrong,))).valid
    assert not check(of, replace(plan, reasons=(right[0], right[0]))).valid


def test_a_plan_of_broken_form_is_told_and_judged_no_further() -> None:
    of, plan = limited()
    short = replace(plan, import_kw=plan.import_kw[1:])
    unknown = replace(plan, export_kw=np.full(STEPS, np.nan))
    nobody = replace(plan, vehicles=())
    for broken, field in ((short, "import_kw"), (unknown, "export_kw[0]"), (nobody, "vehicles")):
        report = check(of, broken)
        assert [fault.field for fault in report.faults] == [field]
        assert report.cost_parts is None


def test_the_cost_is_recomputed_part_by_part() -> None:
    of = problem(
        site={"demand_charge_per_kw": 2.0, "peak_so_far_kw": 3.0},
        car={
            "wear_price_per_kwh": 0.05,
            "holding_price_per_kwh_h": 0.01,
            "holding_from_kwh": 25.0,
        },
        energy_value_per_kwh=0.2,
    )
    # Energies: 20, 29, 29, 24, 24; import 1, 9, 0, 0, 1, 1; export 0, 0, 1, 3.5, 0, 0.
    report = check(of, plan_of(of, SUN_KW, [np.array([10.0, 0, -4.5, 0])]))
    assert report.faults == ()
    parts = report.cost_parts
    assert parts is not None
    assert parts.energy == pytest.approx(0.3 * 12 - 0.1 * 4.5)
    assert parts.demand == pytest.approx(2.0 * 6.0)
    assert parts.wear == pytest.approx(0.05 * 5.0 + 0.01 * (4.0 + 4.0))
    assert parts.end_value == pytest.approx(-0.2 * 24.0)
