"""HiGHS, as little of it as is needed: pass a program, solve, change costs and bounds, solve again from the last basis.

One `Solver` holds one program. All options that decide an answer are set here, so that a plan does not depend on who
asked for it or on how many threads the machine has.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from parkwatt.domain.errors import SolverError
from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.builder import IndexArray, LinearProgram

# A gap this small is below a cent on any bill, and 20 times below what the contract is judged by (0.02 %).
_GAP_RELATIVE = 1e-5
# In the scaled money of the program, where the largest coefficient is 1.
_GAP_ABSOLUTE = 1e-6

# HiGHS's numbers for its simplex strategies.
_DUAL_SIMPLEX, _PRIMAL_SIMPLEX = 1, 4
_STOPPED_EARLY = (highspy.HighsModelStatus.kTimeLimit, highspy.HighsModelStatus.kSolutionLimit)
_NO_POINT = (
    highspy.HighsModelStatus.kInfeasible,
    highspy.HighsModelStatus.kUnboundedOrInfeasible,
)
_CONCLUSIVE = (highspy.HighsModelStatus.kOptimal, *_NO_POINT, *_STOPPED_EARLY)


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Values and duals of one solve. Duals are empty after a mixed-integer solve; they and row values, if not asked for."""

    objective: float
    values: FloatArray
    column_dual: FloatArray
    row_value: FloatArray
    row_dual: FloatArray


class Solver:
    """One linear or mixed-integer program in HiGHS."""

    def __init__(self, program: LinearProgram, *, whole: bool, time_limit_s: float) -> None:
        """``whole``: keep the integer columns whole; otherwise they are relaxed."""
        self._whole = whole and bool(program.integer.any())
        self._highs = highspy.Highs()
        for option, value in (
            ("output_flag", False),
            ("threads", 1),
            ("random_seed", 1),
            ("presolve", "on" if self._whole else "off"),
            ("mip_rel_gap", _GAP_RELATIVE),
            ("mip_abs_gap", _GAP_ABSOLUTE),
            ("time_limit", time_limit_s),
        ):
            self._highs.setOptionValue(option, value)
        integer = program.integer if self._whole else np.zeros_like(program.integer)
        self._highs.passModel(
            len(program.cost),
            len(program.row_lower),
            len(program.entry_value),
            int(highspy.MatrixFormat.kRowwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            program.cost,
            program.column_lower,
            program.column_upper,
            program.row_lower,
            program.row_upper,
            program.row_start,
            program.entry_column,
            program.entry_value,
            integer,
        )

    def solve(self, stage: str, *, duals: bool = True, feasible: bool = False) -> Solution | None:
        """Solve; None where no point satisfies all rows, or none was found in time. ``duals``: whether they will be asked for.
        ``feasible``: a point is known to satisfy all rows, so presolve is not believed where it finds none.

        Where the solver stumbles from its last basis, it tries once more from nothing. Raises SolverError where it gives up
        with neither an answer nor a proof that there is none; ``stage`` names the solve there.
        """
        if self._whole:
            # HiGHS would start from the last solution, found for other costs and bounds, and has been seen to call it optimal.
            self._highs.clearSolver()
        self._highs.run()
        if self._highs.getModelStatus() not in _CONCLUSIVE:
            self._highs.clearSolver()
            self._highs.setOptionValue("presolve", "on")
            self._highs.setOptionValue("simplex_strategy", _DUAL_SIMPLEX)
            self._highs.run()
        if feasible and self._highs.getModelStatus() in _NO_POINT:
            self._highs.setOptionValue("presolve", "off")
            self._highs.clearSolver()
            self._highs.run()
            self._highs.setOptionValue("presolve", "on" if self._whole else "off")
        status = self._highs.getModelStatus()
        if status == highspy.HighsModelStatus.kOptimal:
            return self._solution(duals=duals)
        if status in _NO_POINT:
            return None
        if status not in _STOPPED_EARLY:
            raise SolverError(stage, self._highs.modelStatusToString(status))
        found = self._highs.getInfo().primal_solution_status
        if found != highspy.SolutionStatus.kSolutionStatusFeasible:
            return None
        return self._solution(duals=duals)

    def _solution(self, *, duals: bool) -> Solution:
        solution = self._highs.getSolution()
        nothing = np.empty(0)
        return Solution(
            objective=self._highs.getObjectiveValue(),
            values=np.array(solution.col_value),
            column_dual=np.array(solution.col_dual) if duals else nothing,
            row_value=np.array(solution.row_value) if duals else nothing,
            row_dual=np.array(solution.row_dual) if duals else nothing,
        )

    def set_costs(self, cost: FloatArray) -> None:
        """Minimise another objective from the last basis."""
        self._highs.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)

    def set_column_bounds(self, columns: IndexArray, lower: FloatArray, upper: FloatArray) -> None:
        """Change the bounds of some columns."""
        self._highs.changeColsBounds(len(columns), columns, lower, upper)

    def set_row_bounds(self, rows: IndexArray, lower: FloatArray, upper: FloatArray) -> None:
        """Change the bounds of some rows."""
        # The method exists; highspy's stubs leave it out.
        self._highs.changeRowsBounds(len(rows), rows, lower, upper)  # type: ignore[attr-defined]

    def set_gap(self, gap_relative: float = _GAP_RELATIVE) -> None:
        """End a mixed-integer solve where the best plan is proven to be this close."""
        self._highs.setOptionValue("mip_rel_gap", gap_relative)

    def prefer_primal(self) -> None:
        """Continue from a point that stays feasible: after a change of costs the primal simplex needs no first phase."""
        self._highs.setOptionValue("simplex_strategy", _PRIMAL_SIMPLEX)
