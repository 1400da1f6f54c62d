"""Choosing among plans of equal cost, in a second solve, and holding one objective's optimum while the next is minimised.

The set of all optima of a linear program is a face: columns with a reduced cost stay at their bound, rows with a dual stay at
theirs. Fixing those keeps the optimum exactly, without a row that bounds the objective (whose slack a dear next objective
would spend) and without a weight that could trade one objective for the other.
"""

from __future__ import annotations

import numpy as np

from parkwatt.domain.errors import SolverError
from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.builder import LinearProgram
from parkwatt.plan.exact.solver import Solution, Solver

# In the units of the objective, whose largest coefficient is about 1: a dual below this is the solver's noise.
_DUAL_TOLERANCE = 1e-7


def hold_face(solver: Solver, program: LinearProgram, optimum: Solution) -> None:
    """Let the solver move only among the optima of the objective that it just minimised.

    ``solver`` must hold the linear form of ``program``, just solved to ``optimum``; it is changed.
    """
    columns = np.flatnonzero(
        (np.abs(optimum.column_dual) > _DUAL_TOLERANCE)
        & (program.column_lower < program.column_upper)
    ).astype(np.int32)
    rows = np.flatnonzero(
        (np.abs(optimum.row_dual) > _DUAL_TOLERANCE) & (program.row_lower < program.row_upper)
    ).astype(np.int32)
    if len(columns):
        held = optimum.values[columns]
        solver.set_column_bounds(columns, held, held)
    if len(rows):
        held = optimum.row_value[rows]
        solver.set_row_bounds(rows, held, held)


def break_ties(
    solver: Solver, program: LinearProgram, optimum: Solution, tie_objective: FloatArray
) -> Solution | None:
    """The optimum with the least ``tie_objective``; None where the solver finds none (then keep the first).

    ``solver`` must hold the program's linear form, just solved to ``optimum``; it is changed.
    """
    hold_face(solver, program, optimum)
    solver.set_costs(tie_objective)
    solver.prefer_primal()
    try:
        return solver.solve("ties", duals=False)
    except SolverError:
        # A face fixed at rounded values can be numerically empty. The first optimum costs the same.
        return None
