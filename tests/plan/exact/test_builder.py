"""The builder puts every value where it belongs, whatever the order of the blocks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.builder import Builder, LinearProgram


def dense(program: LinearProgram) -> FloatArray:
    """The program's matrix, row by row."""
    matrix = np.zeros((len(program.row_lower), len(program.cost)))
    for row in range(len(program.row_lower)):
        for at in range(program.row_start[row], program.row_start[row + 1]):
            matrix[row, program.entry_column[at]] += program.entry_value[at]
    return matrix


@given(rows=st.integers(1, 5), columns=st.integers(1, 5), seed=st.integers(0, 2**32))
def test_every_entry_lands_at_its_row_and_column(rows: int, columns: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    wanted = generator.integers(1, 4, (rows, columns)) * generator.choice([-1.0, 0.0, 1.0])
    builder = Builder()
    column_block, row_block = builder.columns(columns), builder.rows(rows)
    places = [(r, c) for r in range(rows) for c in range(columns)]
    for r, c in generator.permutation(places).tolist():
        builder.entries(
            slice(row_block.start + r, row_block.start + r + 1),
            np.array([column_block.start + c], dtype=np.int32),
            wanted[r, c],
        )
    np.testing.assert_array_equal(dense(builder.build()), wanted)


def test_blocks_follow_each_other_with_their_bounds_costs_and_kinds() -> None:
    builder = Builder()
    first = builder.columns(2, lower=-1.0, upper=np.array([3.0, 4.0]), cost=5.0)
    second = builder.columns(1, upper=1.0, integer=True)
    row = builder.rows(2, lower=0.0, upper=np.array([7.0, 8.0]))
    builder.entries(row, first, 1.0)
    program = builder.build()
    assert (first, second) == (slice(0, 2), slice(2, 3))
    assert program.column_lower.tolist() == [-1.0, -1.0, 0.0]
    assert program.column_upper.tolist() == [3.0, 4.0, 1.0]
    assert program.cost.tolist() == [5.0, 5.0, 0.0]
    assert program.integer.tolist() == [0, 0, 1]
    assert program.row_upper.tolist() == [7.0, 8.0]


def test_one_row_meets_every_column_and_one_column_every_row() -> None:
    builder = Builder()
    many, single = builder.columns(3), builder.columns(1)
    sum_row, rows = builder.rows(1), builder.rows(2)
    builder.entries(sum_row, many, np.array([1.0, 2.0, 3.0]))
    builder.entries(rows, single, -1.0)
    expected = [[1.0, 2.0, 3.0, 0.0], [0.0, 0.0, 0.0, -1.0], [0.0, 0.0, 0.0, -1.0]]
    assert dense(builder.build()).tolist() == expected
