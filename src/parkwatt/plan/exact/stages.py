"""Wishes one after the other, then money: each minimised among the plans that are best in all before it.

*Linear.* Each stage is held by its face of optima (`ties`): exact, and the next stage starts from the last basis. Where
rounding has left a face empty, a row bounds what is missing instead.

*Mixed-integer.* A row bounds what is missing. The relaxation's stages tell how little of each wish could be missed at best.
So the last wish is tried first, with all wishes before it held at that best: where that has a solution, the stages before it
need no mixed-integer solve; where not, the first wish begins. A stage that finds nothing in time keeps the solution of the one
before, the first that of doing nothing, so that a plan is always at hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parkwatt.domain.errors import SolverError
from parkwatt.plan.exact.formulation import Formulation, Wish
from parkwatt.plan.exact.solver import Solution, Solver
from parkwatt.plan.exact.ties import hold_face

# Slack on a row that holds what an earlier stage reached, in its own unit (kWh): ten times the solver's feasibility tolerance
# for mixed-integer solves (with one time, its presolve has called feasible stages infeasible); for large amounts, what float
# arithmetic leaves.
_SLACK, _SLACK_RELATIVE = 1e-5, 1e-9
# A wish is minimised more closely than money: the next stages build on it.
_WISH_GAP_RELATIVE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Stages:
    """The last stage's solution, what each wish's stage reached, and the solver as the last stage left it."""

    solver: Solver
    solution: Solution
    reached: list[float]


def linear_stages(form: Formulation) -> Stages | None:
    """All stages of the form, its integer columns relaxed; None where it has no feasible point."""
    try:
        stages = _linear(form, by_face=True)
    except SolverError:
        stages = None
    if stages is not None or not form.wishes:
        return stages
    return _linear(form, by_face=False)


def _linear(form: Formulation, *, by_face: bool) -> Stages | None:
    solver = Solver(form.program, whole=False, time_limit_s=np.inf)
    reached = []
    for wish in form.wishes:
        solver.set_costs(form.wish_objective(wish))
        solution = solver.solve(wish.name)
        if solution is None:
            return None
        reached.append(solution.objective)
        if by_face:
            hold_face(solver, form.program, solution)
        else:
            _hold(solver, wish, solution.objective)
    if form.wishes:
        solver.set_costs(form.program.cost)
    solution = solver.solve("money")
    return None if solution is None else Stages(solver, solution, reached)


def whole_stages(form: Formulation, *, time_limit_s: float) -> Solution | None:
    """The mixed-integer optimum of all stages; None where the form has no feasible point, or none was found in time."""
    solver = Solver(form.program, whole=True, time_limit_s=time_limit_s)
    if not form.wishes:
        return solver.solve("money")
    relaxed = linear_stages(form)
    if relaxed is None:
        return None
    solver.set_gap(_WISH_GAP_RELATIVE)
    position, solution = _first_stage(solver, form, relaxed.reached)
    for wish in form.wishes[position + 1 :]:
        solver.set_costs(form.wish_objective(wish))
        solution = _next(solver, wish.name, solution)
        _hold(solver, wish, _missed(form, wish, solution))
    solver.set_gap()
    solver.set_costs(form.program.cost)
    return _next(solver, "money", solution)


def _first_stage(solver: Solver, form: Formulation, reached: list[float]) -> tuple[int, Solution]:
    """The last wish that can be minimised with all before it held at the relaxation's best, and its solution."""
    for wish, best in zip(form.wishes[:-1], reached, strict=False):
        _hold(solver, wish, best)
    last = len(form.wishes) - 1
    solver.set_costs(form.wish_objective(form.wishes[last]))
    solution = solver.solve(form.wishes[last].name)
    if solution is not None:
        _hold(solver, form.wishes[last], solution.objective)
        return last, solution
    idle = linear_stages(form.with_integers(form.idle))
    if idle is None:
        raise SolverError("doing nothing", "infeasible")
    for wish in form.wishes:
        _release(solver, wish)
    solver.set_costs(form.wish_objective(form.wishes[0]))
    solution = _next(solver, form.wishes[0].name, idle.solution)
    _hold(solver, form.wishes[0], _missed(form, form.wishes[0], solution))
    return 0, solution


def _missed(form: Formulation, wish: Wish, solution: Solution) -> float:
    return float(form.wish_objective(wish) @ solution.values)


def _next(solver: Solver, stage: str, before: Solution) -> Solution:
    """The stage's solution, or the one before where none was found in time."""
    found = solver.solve(stage, feasible=True)
    return before if found is None else found


def _hold(solver: Solver, wish: Wish, reached: float) -> None:
    """Let no later solve miss more of a wish than was missed here."""
    most = max(reached, 0.0)
    _bound(solver, wish, most + _SLACK + _SLACK_RELATIVE * most)


def _release(solver: Solver, wish: Wish) -> None:
    _bound(solver, wish, np.inf)


def _bound(solver: Solver, wish: Wish, most: float) -> None:
    row = np.array([wish.row.start], dtype=np.int32)
    solver.set_row_bounds(row, np.array([-np.inf]), np.array([most]))
