"""`parkwatt plan`: a problem in, its cheapest plan out."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from parkwatt.app.subcommand import Subparsers, add_command
from parkwatt.domain.errors import InputError, InputFault

_DESCRIPTION = """\
Reads a problem (one site, its prices and loads, its batteries and vehicles) and writes the plan of least
cost that meets the wishes: limits first, then floors, then what is asked at departure. A plan always
exists; wishes that cannot be met are named in it. Both files are JSON (docs: reference, contract)."""

_EXAMPLES = """\
  parkwatt plan problem.json                       the plan on standard output
  parkwatt plan problem.json --output plan.json    the plan in a file, written whole or not at all
  parkwatt plan - < problem.json                   the problem from standard input"""


def register(subparsers: Subparsers) -> None:
    """Add `plan` to the command line."""
    parser = add_command(
        subparsers,
        "plan",
        run,
        summary="plan a site: a problem in, its cheapest plan out",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument("problem", metavar="PROBLEM", help="JSON file; - for standard input")
    parser.add_argument("--output", metavar="PLAN", help="JSON file to write in place of printing")


def run(arguments: argparse.Namespace) -> int:
    """Plan; returns 0. Raises InputError where the problem or the output's path is no good."""
    from parkwatt.app.contract_files import read_problem

    output = None if arguments.output is None else Path(arguments.output)
    faults = _output_faults(output)
    try:
        problem = read_problem(arguments.problem)
    except InputError as error:
        raise InputError([*faults, *error.faults]) from error
    if faults:
        raise InputError(faults)

    import json

    from parkwatt.io.contract import plan_to_json
    from parkwatt.plan.exact import plan

    table = plan_to_json(plan(problem), problem)
    text = json.dumps(table, ensure_ascii=False, allow_nan=False) + "\n"
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
    else:
        _write(output, text)
    return 0


def _output_faults(output: Path | None) -> list[InputFault]:
    """What would keep the plan from being written, found before any work is done."""
    if output is None:
        return []
    rule = None
    try:
        if output.is_dir():
            rule = "must be a file, not a folder"
        elif not output.parent.is_dir():
            rule = "must lie in a folder that exists"
        elif not os.access(output.parent, os.W_OK | os.X_OK):
            rule = "must lie in a folder that may be written to"
    except (OSError, ValueError) as error:
        rule = f"must be a path that can be written ({error})"
    return [] if rule is None else [InputFault("--output", rule, str(output))]


def _write(output: Path, text: str) -> None:
    from parkwatt.app.atomic_file import replacing

    with replacing(output) as stream:
        stream.write(text)
