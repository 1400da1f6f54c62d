"""`parkwatt demo`: generate a believable home and study it."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from parkwatt.app.subcommand import Subparsers, add_command

_START = date(2024, 1, 1)
_DESCRIPTION = """\
Generates a home (load, sun, trips, day-ahead prices) by documented formulas with a seed, writes it as files
like your own would be, and studies it: what smart charging, V2H and V2G would have been worth, wear counted.
Nothing is fetched and no device is touched."""

_EXAMPLES = """\
  parkwatt demo                          a year, in the folder parkwatt-demo
  parkwatt demo --days 28 --seed 7       four weeks of another home"""


def register(subparsers: Subparsers) -> None:
    """Add `demo` to the command line."""
    parser = add_command(
        subparsers,
        "demo",
        run,
        summary="study a generated home, with no data of your own",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "--folder",
        metavar="FOLDER",
        default="parkwatt-demo",
        help="where to write; default: parkwatt-demo",
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=1, help="another seed, another home; default: 1"
    )
    parser.add_argument(
        "--days",
        metavar="N",
        type=int,
        default=366,
        help="length of the span from 2024-01-01; default: 366",
    )


def run(arguments: argparse.Namespace) -> int:
    """Generate and study; returns 0. Raises InputError where the folder or a number is no good."""
    from parkwatt.app.demo.home import make_demo_home
    from parkwatt.app.study.command import check_output, run_study
    from parkwatt.domain.record import Faults

    folder = Path(arguments.folder)
    faults = Faults()
    check_output("--folder", folder, faults)
    if not 7 <= arguments.days <= 3660:
        faults.add("--days", "must be from 7 to 3660", arguments.days)
    if arguments.seed < 0:
        faults.add("--seed", "must be at least 0", arguments.seed)
    faults.raise_if_any()
    home = make_demo_home(folder, arguments.seed, _START, arguments.days)
    print(f"a home of {arguments.days} days is in {folder}; studying it …", flush=True)
    return run_study(home.site, folder)
