"""A thin sparse builder for linear programs: blocks of columns, blocks of rows, entries between them.

Each element of the problem (one file each) adds its own blocks; nothing here knows what they mean. Columns and rows are
handed out as `slice`s, so that an element can read its part of a solution without copying indices around.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray

IndexArray = NDArray[np.int32]
Values = FloatArray | float
# Some of the rows or columns: a whole block, or the numbers of single ones.
Places = slice | IndexArray


@dataclass(frozen=True, slots=True, eq=False)
class LinearProgram:
    """min cost·x, column_lower ≤ x ≤ column_upper, row_lower ≤ A x ≤ row_upper; A row by row (CSR).

    ``integer``: 1 where the column must be whole. ``row_start``: [rows + 1].
    """

    cost: FloatArray
    column_lower: FloatArray
    column_upper: FloatArray
    integer: IndexArray
    row_lower: FloatArray
    row_upper: FloatArray
    row_start: IndexArray
    entry_column: IndexArray
    entry_value: FloatArray


class Builder:
    """Collects blocks; `build` assembles them."""

    def __init__(self) -> None:
        self._columns = 0
        self._rows = 0
        self._column_blocks: list[tuple[int, Values, Values, Values, bool]] = []
        self._row_blocks: list[tuple[int, Values, Values]] = []
        self._entries: list[tuple[IndexArray, IndexArray, Values]] = []

    def columns(
        self,
        count: int,
        *,
        lower: Values = 0.0,
        upper: Values = np.inf,
        cost: Values = 0.0,
        integer: bool = False,
    ) -> slice:
        """Add ``count`` columns; bounds and costs are numbers or arrays of that length."""
        first = self._columns
        self._columns += count
        self._column_blocks.append((count, lower, upper, cost, integer))
        return slice(first, self._columns)

    def rows(self, count: int, *, lower: Values = -np.inf, upper: Values = np.inf) -> slice:
        """Add ``count`` rows with these bounds on their activity."""
        first = self._rows
        self._rows += count
        self._row_blocks.append((count, lower, upper))
        return slice(first, self._rows)

    def entries(self, rows: Places, columns: Places, value: Values) -> None:
        """Put ``value`` (a number or one each) where the k-th row meets the k-th column.

        A block of one row or one column meets every column or row of the other.
        """
        row_indices, column_indices = _indices(rows), _indices(columns)
        count = max(len(row_indices), len(column_indices))
        if len(row_indices) < count:
            row_indices = np.repeat(row_indices, count)
        elif len(column_indices) < count:
            column_indices = np.repeat(column_indices, count)
        self._entries.append((row_indices, column_indices, value))

    def build(self) -> LinearProgram:
        """The program in the form that the solver takes."""
        counts = [block[0] for block in self._column_blocks]
        row_counts = [block[0] for block in self._row_blocks]
        integer = np.repeat(
            np.array([block[4] for block in self._column_blocks], dtype=np.int32), counts
        )
        rows = np.concatenate([entry[0] for entry in self._entries])
        columns = np.concatenate([entry[1] for entry in self._entries])
        values = _joined(
            [len(entry[0]) for entry in self._entries], [entry[2] for entry in self._entries]
        )
        order = np.argsort(rows, kind="stable")
        entries_per_row = np.bincount(rows, minlength=self._rows)
        row_start = np.zeros(self._rows + 1, dtype=np.int32)
        np.cumsum(entries_per_row, out=row_start[1:])
        return LinearProgram(
            cost=_joined(counts, [block[3] for block in self._column_blocks]),
            column_lower=_joined(counts, [block[1] for block in self._column_blocks]),
            column_upper=_joined(counts, [block[2] for block in self._column_blocks]),
            integer=integer,
            row_lower=_joined(row_counts, [block[1] for block in self._row_blocks]),
            row_upper=_joined(row_counts, [block[2] for block in self._row_blocks]),
            row_start=row_start,
            entry_column=columns[order],
            entry_value=values[order],
        )


def _indices(places: Places) -> IndexArray:
    if not isinstance(places, slice):
        return places
    return np.arange(places.start, places.stop, dtype=np.int32)


def _joined(counts: list[int], values: list[Values]) -> FloatArray:
    """One array of the blocks' values, each a number for the whole block or an array of its length."""
    joined = np.empty(sum(counts))
    at = 0
    for count, value in zip(counts, values, strict=True):
        joined[at : at + count] = value
        at += count
    return joined
