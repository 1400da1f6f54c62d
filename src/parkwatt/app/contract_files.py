"""Problems and plans in files of the published contract."""

from __future__ import annotations

from pathlib import Path

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.plan import Plan
from parkwatt.domain.problem import Problem
from parkwatt.domain.record import Faults
from parkwatt.io.contract import plan_from_json, problem_from_json, stated_cost
from parkwatt.io.json_file import read_json

STANDARD_INPUT = "-"


def read_problem(name: str) -> Problem:
    """The problem in the file ``name`` (``-``: standard input).

    Raises InputError with all faults of the file or of its fields.
    """
    return problem_from_json(_table(name))


def read_plan(name: str, problem: Problem) -> tuple[Plan, float]:
    """The plan for ``problem`` in the file ``name``, and the cost that is written there.

    Raises InputError with all faults; each names the file, for another file is read beside it.
    """
    table = _table(name)
    try:
        return plan_from_json(table, problem), stated_cost(table)
    except InputError as error:
        faults = [InputFault(f"{name}: {f.field}", f.rule, f.value) for f in error.faults]
        raise InputError(faults) from error


def _table(name: str) -> object:
    faults = Faults()
    table = read_json(Path("/dev/stdin" if name == STANDARD_INPUT else name), faults)
    faults.raise_if_any()
    return table
