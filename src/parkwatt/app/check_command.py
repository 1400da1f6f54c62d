"""`parkwatt check`: judges a plan against its problem, independently of the planner."""

from __future__ import annotations

import argparse

from parkwatt.app.subcommand import Subparsers, add_command

INVALID = 1

_DESCRIPTION = """\
Recomputes everything in a plan from its problem alone, sharing no code with the planner: balance, powers,
energies, limits, cost, missed wishes and reasons. Prints one line, "valid: cost …", or one line for each
fault. Whether a cheaper plan exists is not judged.

exit code: 0 valid, 1 invalid, 2 a file that cannot be read as a problem or a plan"""

_EXAMPLES = """\
  parkwatt check problem.json plan.json"""


def register(subparsers: Subparsers) -> None:
    """Add `check` to the command line."""
    parser = add_command(
        subparsers,
        "check",
        run,
        summary="check a plan against its problem, independently",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument("problem", metavar="PROBLEM", help="JSON file; - for standard input")
    parser.add_argument("plan", metavar="PLAN", help="JSON file with the plan to judge")


def run(arguments: argparse.Namespace) -> int:
    """Judge; returns 0 for a valid plan, 1 for one that is not.

    Raises InputError where a file is no problem or no plan.
    """
    from parkwatt.app.contract_files import read_plan, read_problem
    from parkwatt.plan.check import check

    problem = read_problem(arguments.problem)
    plan, cost = read_plan(arguments.plan, problem)
    report = check(problem, plan, stated_cost=cost)
    if report.cost_parts is None or not report.valid:
        for fault in report.faults:
            print(fault)
        return INVALID
    parts = report.cost_parts
    print(
        f"valid: cost {parts.total:.4f} {problem.currency}, of it energy {parts.energy:.4f}, "
        f"demand {parts.demand:.4f}, wear {parts.wear:.4f}, end value {parts.end_value:.4f}; "
        f"wishes missed: {len(plan.violations)}"
    )
    return 0
