"""`parkwatt fleet`: the arguments of its commands."""

from __future__ import annotations

import argparse
from pathlib import Path

from parkwatt.app.subcommand import Subparsers, add_command

_DESCRIPTION = """\
Plans many cars at once, from a Parquet file with one row a stay. `fleet make` generates such a file to try it with."""

_EXAMPLES = """\
  parkwatt fleet make fleet.parquet --cars 10000 --prices-output prices.parquet
  parkwatt fleet plan fleet.parquet --prices prices.parquet --output plan.parquet"""

_PLAN_DESCRIPTION = """\
Plans each stay of a fleet at the least cost that meets the driver's wish: when to charge, and to discharge where
that is allowed. Each car is planned as if alone: limits that cars share are not planned yet. Rows that break a
rule are listed on standard error and kept out. Needs the extra: pip install 'parkwatt[fleet]'.

exit code: 0 done; 1 planned, but rows were kept out; 2 bad input, nothing written; 3 the work could not be done"""

_PLAN_EXAMPLES = """\
  parkwatt fleet plan fleet.parquet --prices prices.parquet --output plan.parquet
  parkwatt fleet plan fleet.parquet --prices prices.csv                        figures only
  parkwatt fleet plan fleet.parquet --prices hourly.csv --step-minutes 15 --threads 2 --output plan.parquet"""

_MAKE_DESCRIPTION = """\
Generates a fleet that does not exist: cars of a catalogue, arriving, staying and charging as recorded sessions say.
The same arguments give the same fleet."""

_MAKE_EXAMPLES = """\
  parkwatt fleet make fleet.parquet --cars 10000 --prices-output prices.parquet
  parkwatt fleet make fleet.parquet --cars 500 --sessions workplaces --days 7 --start 2026-01-12 --seed 2
  parkwatt fleet make fleet.parquet --cars 10000 --v2g-share 1 --least-power"""


def register(subparsers: Subparsers) -> None:
    """Add `fleet` and its commands to the command line."""
    parser = add_command(
        subparsers,
        "fleet",
        run_plan,  # one of its commands is required, and sets its own
        summary="plan many cars at once",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True
    )
    _add_plan(commands)
    _add_make(commands)


def _add_plan(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "plan",
        run_plan,
        summary="plan the stays of a fleet",
        description=_PLAN_DESCRIPTION,
        examples=_PLAN_EXAMPLES,
    )
    add = parser.add_argument
    add("fleet", metavar="FLEET.parquet", type=Path, help="one row a stay (docs: fleet files)")
    add("--prices", metavar="FILE", type=Path, required=True, help="prices, Parquet or CSV")
    add("--output", metavar="PLAN.parquet", type=Path, help="the plan; without it figures only")
    add("--step-minutes", metavar="N", type=int, help="default: the prices' own step")
    add("--threads", metavar="N", type=int, help="default: as many as there are cores")


def _add_make(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "make",
        run_make,
        summary="generate a fleet to try it with",
        description=_MAKE_DESCRIPTION,
        examples=_MAKE_EXAMPLES,
    )
    add = parser.add_argument
    add("fleet", metavar="FLEET.parquet", type=Path, help="the file to write")
    add("--cars", metavar="N", type=int, required=True, help="how many cars")
    add("--prices-output", metavar="PRICES.parquet", type=Path, help="write prices for it, too")
    add("--sessions", choices=("homes", "workplaces"), default="homes", help="default: homes")
    add("--start", metavar="DATE", default="2026-06-18", help="first day; default: 2026-06-18")
    add("--days", metavar="N", type=int, default=1, help="default: 1")
    add("--step-minutes", metavar="N", type=int, default=15, help="of the prices; default: 15")
    add("--time-zone", metavar="ZONE", default="Europe/Berlin", help="default: Europe/Berlin")
    add(
        "--v2g-share",
        metavar="FRACTION",
        type=float,
        default=0.25,
        help="of the cars whose model can give energy back, how many do; default: 0.25",
    )
    add("--least-power", action="store_true", help="chargers take nothing below 6 A")
    add("--seed", metavar="N", type=int, default=1, help="decides all chance; default: 1")


def run_plan(arguments: argparse.Namespace) -> int:
    """Plan; returns 0, or 1 where rows were kept out. Raises InputError for bad input."""
    from parkwatt.app.fleet.plan import plan_fleet

    return plan_fleet(
        arguments.fleet,
        arguments.prices,
        arguments.output,
        step_minutes=arguments.step_minutes,
        threads=arguments.threads,
    )


def run_make(arguments: argparse.Namespace) -> int:
    """Generate; returns 0. Raises InputError for bad input."""
    from parkwatt.app.fleet.make import make_fleet, read_wanted

    make_fleet(read_wanted(arguments), arguments.fleet, arguments.prices_output)
    return 0
