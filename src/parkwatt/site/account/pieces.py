"""Rows cut where a car comes and another follows: the pieces that everything is summed from.

A register stands still while no car charges. So a stay reaches to the edges of the quarters that it begins and ends in, and
clocks that differ by seconds leave nothing over; where two stays share a quarter, the cut lies in the middle between them.
What a register moved outside of all stays is nobody's stay, and is still counted for the car that hangs there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray
from parkwatt.site.account.curve import Curve
from parkwatt.site.account.quarters import QUARTER_S
from parkwatt.site.account.rows import Rows
from parkwatt.site.account.stays import StayFacts

NO_STAY: Final = -1
IndexArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """[N] each. ``row``, ``stay``, ``car``: indices; ``stay`` is -1 outside of all stays. ``in_kwh``, ``out_kwh``: at the
    charger. ``guessed_kwh``: of both, spread evenly over a gap between readings. ``told_in_kwh``, ``told_out_kwh``: what
    the site's own quarters say, NaN where they say nothing.
    """

    row: IndexArray
    stay: IndexArray
    car: IndexArray
    start_unix_s: TimeArray
    end_unix_s: TimeArray
    in_kwh: FloatArray
    out_kwh: FloatArray
    guessed_kwh: FloatArray
    told_in_kwh: FloatArray
    told_out_kwh: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A connection point: the curves of its registers, None where it has none; the car that hangs there; the indices of the
    stays there. ``told_in_kwh``, ``told_out_kwh``: [R] of that car, by the site's own quarters.
    """

    imported: Curve | None
    exported: Curve | None
    car: int
    stays: tuple[int, ...]
    told_in_kwh: FloatArray
    told_out_kwh: FloatArray


def cut(rows: Rows, point: Point, stays: Sequence[StayFacts], car_index: dict[str, int]) -> Pieces:
    """The pieces of one connection point. ``stays``: all of the site."""
    begins, ends = _bounds([stays[index] for index in point.stays])
    start, end = rows.start_unix_s, rows.end_unix_s
    row = np.arange(len(start), dtype=np.int64)
    cuts = np.unique(np.concatenate([begins, ends]))
    inside = np.searchsorted(start, cuts, side="left") - 1
    is_cut = (inside >= 0) & (inside < len(start))
    is_cut[is_cut] &= cuts[is_cut] < end[inside[is_cut]]
    cuts, inside = cuts[is_cut], inside[is_cut]
    start = np.insert(start, inside + 1, cuts)
    row = np.insert(row, inside + 1, inside)
    following = np.append(start[1:], np.iinfo(np.int64).max)
    end = np.minimum(end[row], following)
    stay = _stay_of(start, begins, ends, np.array(point.stays, dtype=np.int64))
    cars = np.array([car_index[facts.car_id] for facts in stays] or [0], dtype=np.int64)
    car = np.where(stay == NO_STAY, point.car, cars[stay])
    last_of_row = np.append(row[1:] != row[:-1], True) if len(row) else np.zeros(0, dtype=np.bool_)
    told_in = np.where(last_of_row, point.told_in_kwh[row], np.nan)
    told_out = np.where(last_of_row, point.told_out_kwh[row], np.nan)
    in_kwh, guessed_in = _energy(point.imported, start, end, told_in)
    out_kwh, guessed_out = _energy(point.exported, start, end, told_out)
    return Pieces(
        row, stay, car, start, end, in_kwh, out_kwh, guessed_in + guessed_out, told_in, told_out
    )


def joined(parts: Sequence[Pieces]) -> Pieces:
    """All pieces, in order of time."""
    start = np.concatenate([part.start_unix_s for part in parts])
    order = np.argsort(start, kind="stable")

    def column(name: str) -> NDArray[np.float64]:
        values: NDArray[np.float64] = np.concatenate([getattr(part, name) for part in parts])[order]
        return values

    def indices(name: str) -> IndexArray:
        values: IndexArray = np.concatenate([getattr(part, name) for part in parts])[order]
        return values

    return Pieces(
        indices("row"),
        indices("stay"),
        indices("car"),
        start[order],
        indices("end_unix_s"),
        column("in_kwh"),
        column("out_kwh"),
        column("guessed_kwh"),
        column("told_in_kwh"),
        column("told_out_kwh"),
    )


def summed(index: IndexArray, values: FloatArray, count: int) -> FloatArray:
    """[count] the sum of ``values`` by index."""
    return np.asarray(np.bincount(index, values, minlength=count), dtype=np.float64)


def _bounds(stays: Sequence[StayFacts]) -> tuple[TimeArray, TimeArray]:
    """Where each stay's energy begins and ends to count; ``stays`` in order of their beginning."""
    begins: list[int] = []
    ends: list[int] = []
    for stay in stays:
        begin = stay.since_unix_s - stay.since_unix_s % QUARTER_S
        if ends and begin < ends[-1]:
            left = stays[len(ends) - 1].end_unix_s
            middle = stay.since_unix_s if left is None else (left + stay.since_unix_s) // 2
            begin = ends[-1] = max(min(middle, ends[-1]), begins[-1])
        begins.append(begin)
        end = stay.end_unix_s
        ends.append(_FOREVER if end is None else max(-(-end // QUARTER_S) * QUARTER_S, begin))
    return np.array(begins, dtype=np.int64), np.array(ends, dtype=np.int64)


_FOREVER: Final = 1 << 60


def _stay_of(start: TimeArray, begins: TimeArray, ends: TimeArray, index: IndexArray) -> IndexArray:
    if not len(begins):
        return np.full(len(start), NO_STAY, dtype=np.int64)
    found = np.searchsorted(begins, start, side="right") - 1
    within = (found >= 0) & (start < ends[found])
    return np.where(within, index[found], NO_STAY)


def _energy(
    curve: Curve | None, start: TimeArray, end: TimeArray, told_kwh: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """[N] energy of each piece, and what of it is guessed; without a register what the site's own quarters told."""
    if curve is None or not curve.known:
        return np.nan_to_num(told_kwh), np.zeros(len(start))
    energy = curve.until(end) - curve.until(start)
    guessed = curve.guessed_until(end) - curve.guessed_until(start)
    return energy, guessed
