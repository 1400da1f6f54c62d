"""The whole program of a problem, put together from its elements, and the objectives that are minimised over it.

Two forms: *hard*, where every wish is a bound at the best that each battery could do alone, and *soft*, where each wish has a
column for what is missing. Either may carry binaries (`modes`). Costs are scaled so that the largest coefficient is 1: the
solver's tolerances then mean the same for cents, euros and yen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.builder import Builder, LinearProgram
from parkwatt.plan.exact.connection import Connection, add_connection
from parkwatt.plan.exact.modes import (
    BoolArray,
    add_direction,
    add_on,
    add_phase,
    steps_where_export_is_dearer,
)
from parkwatt.plan.exact.storage import StayColumns, StorageStay, add_stay

# Earlier charging is worth less than this share of what discharging a kWh counts, summed over the horizon: so the tie-break
# never cycles energy only to hold it earlier.
_EARLINESS_SHARE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """One kind of wish in the soft form: Σ weight · column is what is missing, and ``row`` can hold it down."""

    name: str
    parts: list[tuple[slice, FloatArray | float]]
    row: slice


@dataclass(frozen=True, slots=True, eq=False)
class Formulation:
    """A program with the places of its elements.

    ``wishes``: in the order in which they come before money; empty in the hard form. ``money_scale``: money in the program =
    money in the problem × this. ``idle``: a value for each column, of which the integer ones are those of doing nothing.
    """

    program: LinearProgram
    connection: Connection
    items: list[StorageStay]
    stays: list[StayColumns]
    wishes: list[Wish]
    duration_h: FloatArray
    money_scale: float
    idle: FloatArray

    def with_integers(self, values: FloatArray) -> Formulation:
        """The same with its integer columns fixed at these values, a value for each column."""
        program = self.program
        integer = program.integer.astype(bool)
        lower, upper = program.column_lower.copy(), program.column_upper.copy()
        lower[integer] = upper[integer] = np.round(values[integer])
        return replace(self, program=replace(program, column_lower=lower, column_upper=upper))

    def wish_objective(self, wish: Wish) -> FloatArray:
        """What is missing of one kind of wish, as an objective."""
        cost = np.zeros_like(self.program.cost)
        for columns, weight in wish.parts:
            cost[columns] = weight
        return cost

    def excess_kwh(self, values: FloatArray) -> float:
        """kWh over the limits in a solution's values."""
        connection = self.connection
        return sum(
            float(values[over] @ self.duration_h)
            for over in (connection.import_over, connection.export_over)
            if over is not None
        )

    def tie_objective(self) -> FloatArray:
        """Discharge least, and among the rest hold energy as early as possible: charge early, in one go, discharge late."""
        cost = np.zeros_like(self.program.cost)
        earliness = _EARLINESS_SHARE / self.duration_h.sum()
        for item, stay in zip(self.items, self.stays, strict=True):
            duration_h = self.duration_h[item.steps]
            cost[stay.energy] = -earliness * duration_h
            if stay.discharge is not None:
                cost[stay.discharge] = duration_h
        return cost


def formulate(
    problem: Problem, items: list[StorageStay], *, soft: bool, exclusive: BoolArray | None
) -> Formulation:
    """The program of the problem.

    ``items``: all stays (`storage_stays`). ``soft``: wishes as columns instead of bounds. ``exclusive``: None for the
    relaxation without binaries; otherwise all binaries are added, and no battery may charge and discharge at once in the steps
    [T] that it marks.
    """
    builder = Builder()
    charge_kw_most = np.zeros(problem.step_count)
    discharge_kw_most = np.zeros(problem.step_count)
    for item in items:
        charge_kw_most[item.steps] += item.charge_kw_most
        discharge_kw_most[item.steps] += item.discharge_kw_most
    connection = add_connection(builder, problem, charge_kw_most, discharge_kw_most, soft=soft)
    stays = [add_stay(builder, problem, item, connection.balance, soft=soft) for item in items]
    importing = slice(0, 0)
    dearer = np.zeros(problem.step_count, dtype=bool)
    if exclusive is not None:
        dearer = steps_where_export_is_dearer(problem, connection)
        importing = add_direction(builder, connection, dearer)
        for item, columns in zip(items, stays, strict=True):
            add_on(builder, item, columns, exclusive)
            add_phase(builder, item, columns)
    wishes = _add_wishes(builder, problem, connection, items, stays) if soft else []
    program = builder.build()
    largest = float(np.abs(program.cost).max(initial=0.0))
    money_scale = 1.0 / largest if largest > 0 else 1.0
    program.cost[:] *= money_scale
    idle = np.zeros_like(program.cost)
    idle[importing] = problem.site.load_kw[dearer] >= problem.site.solar_kw[dearer]
    return Formulation(
        program,
        connection,
        items,
        stays,
        wishes,
        problem.duration_h,
        money_scale,
        idle,
    )


def _add_wishes(
    builder: Builder,
    problem: Problem,
    connection: Connection,
    items: list[StorageStay],
    stays: list[StayColumns],
) -> list[Wish]:
    """A row for each kind of wish that can be missed, in the contract's order.

    Limits: kWh over them. Floors: kWh below them times hours. Departures: kWh missing, the mean over the instants at which
    the driver may leave.
    """
    duration_h = problem.duration_h
    excess: list[tuple[slice, FloatArray | float]] = [
        (over, duration_h)
        for over in (connection.import_over, connection.export_over)
        if over is not None
    ]
    floors: list[tuple[slice, FloatArray | float]] = [
        (columns.below_floor, duration_h[item.steps])
        for item, columns in zip(items, stays, strict=True)
        if columns.below_floor is not None
    ]
    departures: list[tuple[slice, FloatArray | float]] = [
        (columns.missing, 1.0 / (columns.missing.stop - columns.missing.start))
        for columns in stays
        if columns.missing is not None
    ]
    wishes = []
    for name, parts in (("limits", excess), ("floors", floors), ("departures", departures)):
        if not parts:
            continue
        row = builder.rows(1)
        for block, weight in parts:
            builder.entries(row, block, weight)
        wishes.append(Wish(name, parts, row))
    return wishes
