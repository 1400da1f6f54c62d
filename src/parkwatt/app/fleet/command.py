"""`parkwatt fleet`: the arguments of its commands."""

from __future__ import annotations

import argparse
from pathlib import Path

from parkwatt.app.fleet import bid_command, frequency_command, pool_command, settle_command
from parkwatt.app.subcommand import Subparsers, add_command

_DESCRIPTION = """\
Plans many cars at once, from a Parquet file with one row a stay; `fleet make` generates such a file to try it with.
Leads many cars as one pool; `fleet make-pool` writes one to try it with."""

_EXAMPLES = """\
  parkwatt fleet make fleet.parquet --cars 10000 --prices-output prices.parquet
  parkwatt fleet plan fleet.parquet --prices prices.parquet --output plan.parquet"""

_PLAN_DESCRIPTION = """\
Plans each stay of a fleet at the least cost that meets the driver's wish: when to charge, and to discharge where
that is allowed. Each car is planned as if alone; with --limits together, so that shared limits are kept. Rows that
break a rule are listed on standard error and kept out. Needs the extra: pip install 'parkwatt[fleet]'.

exit code: 0 done, also where a departure is missed; 1 planned, but rows were kept out; 2 bad input, nothing written;
3 the work could not be done; 4 planned, but a limit is exceeded, whether or not rows were kept out"""

_PLAN_EXAMPLES = """\
  parkwatt fleet plan fleet.parquet --prices prices.parquet --output plan.parquet
  parkwatt fleet plan fleet.parquet --prices prices.csv                        figures only
  parkwatt fleet plan fleet.parquet --prices prices.parquet --limits tree.toml --output plan.parquet
  parkwatt fleet plan later.parquet --prices late.parquet --limits tree.toml --after plan.parquet \\
      --after-nodes nodes.parquet --output plan.parquet --nodes-output nodes.parquet
  parkwatt fleet plan fleet.parquet --prices prices.csv --limits tree.toml --engine ray --workers 2
  parkwatt fleet plan fleet.parquet --prices hourly.csv --step-minutes 15 --threads 2 --output plan.parquet"""

_WHY_DESCRIPTION = """\
Says in words, with numbers, why a car of a plan with --limits charges when it does although another time is cheaper:
which node on its way is full then, and what a kWh is worth there."""

_WHY_EXAMPLES = """\
  parkwatt fleet why plan.parquet --nodes nodes.parquet --prices prices.parquet --car car-0000042"""

_MAKE_DESCRIPTION = """\
Generates a fleet that does not exist: cars of a catalogue, arriving, staying and charging as recorded sessions say.
The same arguments give the same fleet."""

_MAKE_EXAMPLES = """\
  parkwatt fleet make fleet.parquet --cars 10000 --prices-output prices.parquet
  parkwatt fleet make fleet.parquet --cars 500 --sessions workplaces --days 7 --start 2026-01-12 --seed 2
  parkwatt fleet make fleet.parquet --cars 10000 --v2g-share 1 --least-power"""

_YEAR_DESCRIPTION = """\
Plays a year of many drivers in one programme and says what is left for each: gross, battery wear and net, with percentiles, and
what sets drivers apart. Drivers are recorded users whose weeks are drawn again; the car and the rules of the programme are
assumed, and told. Needs the extra: pip install 'parkwatt[fleet]'."""

_YEAR_EXAMPLES = """\
  parkwatt fleet year sessions.parquet --prices dayahead.parquet --programme arbitrage
  parkwatt fleet year sessions.parquet --prices dayahead.parquet --programme fcr --drivers 1000 --seed 1 --report year.html
  parkwatt fleet year sessions.parquet --prices dayahead.parquet --programme elrp --from 2022-01-01 --output drivers.parquet"""


def register(subparsers: Subparsers) -> None:
    """Add `fleet` and its commands to the command line."""
    parser = add_command(
        subparsers,
        "fleet",
        run_plan,  # one of its commands is required, and sets its own
        summary="plan many cars at once, and lead them as a pool",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True
    )
    _add_plan(commands)
    _add_make(commands)
    _add_why(commands)
    _add_year(commands)
    pool_command.register(commands)
    settle_command.register(commands)
    frequency_command.register(commands)
    bid_command.register(commands)


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
    add("--limits", metavar="TREE.toml", type=Path, help="what cars share: plans them together")
    add("--node-series", metavar="FILE", type=Path, help="loads and limits over time at its nodes")
    add("--gap", metavar="GAP", help="with --limits: proven distance from the best; default: 0.1%%")
    add("--gap-money", metavar="M", type=float, help="or so much in currency; default: 0")
    add("--time-limit", metavar="S", type=float, help="with --limits: seconds to search for it")
    add("--nodes-output", metavar="NODES.parquet", type=Path, help="power and prices at each node")
    add("--report", metavar="REPORT.html", type=Path, help="with --limits: a page with plots")
    add("--after", metavar="PLAN.parquet", type=Path, help="with --limits: begin from this plan")
    add("--after-nodes", metavar="NODES.parquet", type=Path, help="its --nodes-output")
    add("--engine", metavar="ENGINE", help="with --limits: threads (default), or ray for processes")
    add("--workers", metavar="N", type=int, help="with --engine ray; default: as many as cores")
    add("--ray-address", metavar="HOST:PORT", help="of a Ray cluster; default: this machine alone")
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
    add("--feeders", metavar="N", type=int, help="spread the cars over so many feeders")
    add("--limits-output", metavar="TREE.toml", type=Path, help="write the feeders' limits")
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


def _add_why(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "why",
        run_why,
        summary="say why a car charges when it does",
        description=_WHY_DESCRIPTION,
        examples=_WHY_EXAMPLES,
    )
    add = parser.add_argument
    add("plan", metavar="PLAN.parquet", type=Path, help="as `fleet plan --limits` wrote it")
    add("--nodes", metavar="NODES.parquet", type=Path, required=True, help="its --nodes-output")
    add("--prices", metavar="FILE", type=Path, required=True, help="the prices of the plan")
    add("--car", metavar="ID", required=True, help="which car")


def _add_year(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "year",
        run_year,
        summary="play a year of many drivers: gross, wear and net",
        description=_YEAR_DESCRIPTION,
        examples=_YEAR_EXAMPLES,
    )
    add, number = parser.add_argument, float
    add("sessions", metavar="SESSIONS.parquet", type=Path, help="recorded sessions, one row each")
    add("--prices", metavar="FILE", type=Path, required=True, help="a market's, or as fleet plan's")
    add("--programme", choices=("arbitrage", "fcr", "elrp"), required=True, help="what pays")
    add("--drivers", metavar="N", type=int, default=1000, help="default: 1000")
    add("--seed", metavar="N", type=int, default=1, help="decides all chance; default: 1")
    add("--from", metavar="DATE", dest="first_day", help="default: the first day with prices")
    add("--days", metavar="N", type=int, default=365, help="default: 365")
    add("--time-zone", metavar="ZONE", default="Europe/Amsterdam", help="default: Europe/Amsterdam")
    add("--import-extra", metavar="P", type=number, default=0.03, help="per kWh; default: 0.03")
    add("--export-less", metavar="P", type=number, default=0.0, help="per kWh; default: 0")
    add("--battery-kwh", metavar="E", type=number, default=60.0, help="default: 60")
    add("--charger-kw", metavar="P", type=number, default=11.0, help="both ways; default: 11")
    add("--cell", metavar="CELL", default="nmc-a", help="that ages; default: nmc-a")
    add("--pack-price", metavar="P", type=number, default=100.0, help="per kWh new; default: 100")
    add("--capacity-price", metavar="P", type=number, default=15.0, help="fcr: per MW and hour")
    add("--pool-cars", metavar="N", type=int, default=10_000, help="fcr: of the whole pool")
    add("--threads", metavar="N", type=int, help="default: as many as there are cores")
    add("--output", metavar="DRIVERS.parquet", type=Path, help="one row a driver")
    add("--report", metavar="REPORT.html", type=Path, help="a page with plots")


def run_plan(arguments: argparse.Namespace) -> int:
    """Plan; returns 0, 1 where rows were kept out, 4 where a limit is not kept. Raises InputError for bad input."""
    from parkwatt.app.fleet.plan import plan_fleet
    from parkwatt.app.fleet.shared import read_shared

    return plan_fleet(
        arguments.fleet,
        arguments.prices,
        arguments.output,
        step_minutes=arguments.step_minutes,
        threads=arguments.threads,
        shared=read_shared(arguments),
    )


def run_make(arguments: argparse.Namespace) -> int:
    """Generate; returns 0. Raises InputError for bad input."""
    from parkwatt.app.fleet.make import make_fleet, read_tree, read_wanted

    wanted, (feeder_count, limits) = read_wanted(arguments), read_tree(arguments)
    make_fleet(wanted, arguments.fleet, arguments.prices_output, feeder_count, limits)
    return 0


def run_why(arguments: argparse.Namespace) -> int:
    """Explain; returns 0. Raises InputError for bad input."""
    from parkwatt.app.fleet.why import why

    return why(arguments.plan, arguments.nodes, arguments.prices, arguments.car)


def run_year(arguments: argparse.Namespace) -> int:
    """Play a year; returns 0. Raises InputError for bad input."""
    from parkwatt.app.fleet.plan import require_extra

    require_extra()
    from parkwatt.app.fleet.year import read_options
    from parkwatt.app.fleet.year import run_year as run

    return run(read_options(arguments))
