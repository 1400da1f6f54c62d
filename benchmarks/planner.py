"""The planner: a whole `plan()` call against a bare HiGHS solve of the same matrix, in turn.

The whole call builds the matrix, solves, breaks ties, checks rules, names violations and gives reasons. The bare solve passes
the finished matrix to HiGHS and runs it, and nothing more: once with the planner's options (no presolve, one thread) and
once with HiGHS's own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import highspy
import numpy as np

from benchmarks.harness import Figure, time_pair_s
from parkwatt.domain.problem import Problem, SiteProblem, Stay, Vehicle
from parkwatt.plan.exact import plan
from parkwatt.plan.exact.builder import LinearProgram
from parkwatt.plan.exact.formulation import formulate
from parkwatt.plan.exact.storage import storage_stays

STEPS = 96
STEP_H = 0.25
REPEAT = {1: 200, 50: 20}
SEED = 7


def figures() -> list[Figure]:
    """Time of a whole call for one car and for fifty, over 96 steps."""
    measured = []
    for cars, repeat in REPEAT.items():
        problem = depot(cars)
        program = formulate(problem, storage_stays(problem), soft=False, exclusive=None).program
        for bare, options in (
            (bare_solve(program, ours=True), "the planner's options"),
            (bare_solve(program, ours=False), "HiGHS's default options"),
        ):
            whole_s, bare_s = time_pair_s(partial(plan, problem), bare, repeat)
            measured.append(
                Figure(
                    f"plan, {cars} {'car' if cars == 1 else 'cars'}, {STEPS} steps",
                    1e3 * whole_s,
                    "ms",
                    f"bare solve of the same matrix, {options}: {1e3 * bare_s:.2f} ms",
                    whole_s / bare_s,
                )
            )
    return measured


def depot(cars: int) -> Problem:
    """A site with sun, a day of prices, and ``cars`` cars that come in the evening and leave charged in the morning."""
    generator = np.random.default_rng(SEED)
    hours = np.arange(STEPS) * STEP_H
    buy = 0.25 + 0.08 * np.sin((hours - 4.0) * 2 * np.pi / 12) + generator.normal(0, 0.02, STEPS)
    return Problem(
        start=datetime(2026, 1, 15, 16, tzinfo=UTC),
        duration_h=np.full(STEPS, STEP_H),
        currency="EUR",
        site=SiteProblem(
            import_price_per_kwh=np.round(buy, 4),
            export_price_per_kwh=np.round(buy - 0.06, 4),
            load_kw=np.round(generator.uniform(0.3, 2.0, STEPS), 3),
            solar_kw=np.round(4.0 * np.maximum(np.sin((hours - 14.0) * np.pi / 8), 0.0), 3),
            import_limit_kw=11.0 + 6.0 * cars,
        ),
        vehicles=tuple(_car(generator, f"car {index + 1}") for index in range(cars)),
    )


def _car(generator: np.random.Generator, name: str) -> Vehicle:
    arrival, departure = int(generator.integers(0, 12)), int(generator.integers(56, 72))
    return Vehicle(
        id=name,
        energy_kwh_min=10.0,
        energy_kwh_max=60.0,
        charge_kw_max=11.0,
        discharge_kw_max=11.0,
        charge_efficiency=0.93,
        discharge_efficiency=0.93,
        wear_price_per_kwh=0.03,
        stays=(
            Stay(
                from_step=arrival,
                to_step=departure,
                energy_kwh_at_arrival=float(np.round(generator.uniform(15.0, 45.0), 1)),
                energy_kwh_at_departure=float(np.round(generator.uniform(40.0, 60.0), 1)),
            ),
        ),
    )


def bare_solve(program: LinearProgram, *, ours: bool) -> Callable[[], float]:
    """Pass the finished matrix to HiGHS and run it; with the planner's options where ``ours``. Returns the objective."""
    model = highspy.HighsLp()
    model.num_col_ = len(program.cost)
    model.num_row_ = len(program.row_lower)
    model.col_cost_ = program.cost
    model.col_lower_, model.col_upper_ = program.column_lower, program.column_upper
    model.row_lower_, model.row_upper_ = program.row_lower, program.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = program.row_start
    model.a_matrix_.index_ = program.entry_column
    model.a_matrix_.value_ = program.entry_value

    def run() -> float:
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        if ours:
            highs.setOptionValue("presolve", "off")
            highs.setOptionValue("threads", 1)
        highs.passModel(model)
        highs.run()
        return float(highs.getObjectiveValue())

    return run
