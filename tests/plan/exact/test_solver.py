"""HiGHS as the planner uses it."""

import numpy as np
import pytest

from parkwatt.plan.exact.builder import Builder
from parkwatt.plan.exact.solver import Solver


def knapsack(*, whole: bool) -> tuple[Builder, Solver]:
    """Three things of weight 2 in a sack for 5, worth 3, 2 and 1."""
    builder = Builder()
    taken = builder.columns(3, upper=1.0, cost=np.array([-3.0, -2.0, -1.0]), integer=True)
    builder.entries(builder.rows(1, upper=5.0), taken, 2.0)
    return builder, Solver(builder.build(), whole=whole, time_limit_s=20.0)


def test_whole_columns_stay_whole() -> None:
    solution = knapsack(whole=True)[1].solve("test")
    assert solution is not None
    assert solution.objective == pytest.approx(-5.0)
    np.testing.assert_allclose(solution.values, [1.0, 1.0, 0.0])


def test_relaxed_columns_have_values_between_and_duals() -> None:
    solution = knapsack(whole=False)[1].solve("test")
    assert solution is not None
    np.testing.assert_allclose(solution.values, [1.0, 1.0, 0.5])
    np.testing.assert_allclose(solution.row_dual, [-0.5])


def test_costs_and_bounds_can_change_between_solves() -> None:
    solver = knapsack(whole=False)[1]
    solver.solve("first")
    solver.set_costs(np.array([0.0, 0.0, -1.0]))
    solver.set_column_bounds(np.array([0], dtype=np.int32), np.array([1.0]), np.array([1.0]))
    solver.set_row_bounds(np.array([0], dtype=np.int32), np.array([-np.inf]), np.array([3.0]))
    solution = solver.solve("second")
    assert solution is not None
    np.testing.assert_allclose(solution.values, [1.0, 0.0, 0.5])


@pytest.mark.parametrize("whole", [False, True])
def test_no_point_is_no_solution(whole: bool) -> None:
    solver = knapsack(whole=whole)[1]
    solver.set_row_bounds(np.array([0], dtype=np.int32), np.array([7.0]), np.array([9.0]))
    assert solver.solve("test") is None


def test_duals_are_left_out_where_nobody_asks() -> None:
    solution = knapsack(whole=False)[1].solve("test", duals=False)
    assert solution is not None
    assert len(solution.row_dual) == len(solution.column_dual) == len(solution.row_value) == 0
