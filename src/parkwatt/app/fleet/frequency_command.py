"""`parkwatt fleet frequency`: its options."""

from __future__ import annotations

import argparse
from pathlib import Path

from parkwatt.app.subcommand import Subparsers, add_command

_DESCRIPTION = """\
Lets a pool of virtual cars answer the frequency of the grid, second by second: the step test and the energy test of the
programme, then hours of a record with PJM's performance score, what was there when, and whether each driver's floor and
departure were kept. Some cars leave, some refuse; part of the chargers answer of their own (OCPP 2.1 LocalFrequency), the rest
is led by a central loop. Without RECORD a frequency is generated.

exit code: 0 done, 2 bad input"""

_EXAMPLES = """\
  parkwatt fleet frequency
  parkwatt fleet frequency grid.parquet --hours 12 --cars 1000 --local-share 0.5 --report frequency.html
  parkwatt fleet frequency grid.csv --local-share 0 --reserve 2000 --output frequency.json"""


def register(commands: Subparsers) -> None:
    """Add it."""
    parser = add_command(
        commands,
        "frequency",
        run,
        summary="answer the grid's frequency with virtual cars, and score it",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    add = parser.add_argument
    add(
        "record",
        metavar="RECORD",
        type=Path,
        nargs="?",
        help="columns ts_utc and freq_hz, CSV or Parquet; default: generated",
    )
    add("--programme", metavar="NAME", default="fcr", help="whose curve; default: fcr")
    add("--hours", metavar="H", type=int, default=4, help="of the record; default: 4")
    add("--cars", metavar="N", type=int, default=1000, help="default: 1000")
    add(
        "--reserve", metavar="KW", type=float, help="default: four fifths of what the cars can hold"
    )
    add("--local-share", metavar="S", type=float, default=0.5, help="of chargers; default: 0.5")
    add("--leave", metavar="S", type=float, default=0.05, help="of cars; default: 0.05")
    add("--refuse", metavar="S", type=float, default=0.02, help="of chargers; default: 0.02")
    add("--seed", metavar="N", type=int, default=1, help="decides all chance; default: 1")
    add("--output", metavar="FILE.json", type=Path, help="the figures")
    add("--report", metavar="REPORT.html", type=Path, help="a page with plots")


def run(arguments: argparse.Namespace) -> int:
    """Play and tell; returns 0. Raises InputError for bad input."""
    from parkwatt.app.fleet.plan import require_extra

    require_extra()
    from parkwatt.app.fleet.frequency import play_frequency, read_options

    return play_frequency(read_options(arguments))
