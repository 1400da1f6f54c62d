"""`parkwatt fleet up|status|dispatch|make-pool|virtual`: the arguments of the commands of a running pool."""

from __future__ import annotations

import argparse
from pathlib import Path

from parkwatt.app.subcommand import Subparsers, add_command

_UP_DESCRIPTION = """\
Runs a pool: serves its members' chargers over OCPP, leads all cars together so that their meters come to what is asked
of the pool, and journals everything. Each set-point has a lease: when Parkwatt falls silent, chargers charge for their
drivers and discharge nothing. Ends on SIGINT or SIGTERM. Needs the extra: pip install 'parkwatt[fleet]'.

exit code: 0 stopped as asked, 2 something given cannot be used (a key of POOL.toml, a row of its members, a port that is
taken), 3 the journal is damaged"""

_UP_EXAMPLES = """\
  parkwatt fleet make-pool north --cars 200     write north/pool.toml and north/members.csv to try it with
  parkwatt fleet up north/pool.toml
  parkwatt fleet virtual north/pool.toml        its cars, in another terminal
  parkwatt fleet dispatch north/pool.toml --power -500 --minutes 15"""

_STATUS_DESCRIPTION = """\
Tells what a running pool does now: its power, what it could do, what is asked of it, and what holds it back.

exit code: 0 told, 2 bad input, 3 no server answers, or it leads no pool"""

_STATUS_EXAMPLES = """\
  parkwatt fleet status north/pool.toml
  parkwatt fleet status north/pool.toml --json  for programs; the same as GET /v1/pool"""

_DISPATCH_DESCRIPTION = """\
Asks a running pool for a power: --power at its meter (below 0: into the grid), or --change from what it would do. It holds
until it is over, --cancel takes it back, or another one is asked for. --stop lets nothing pass any more, by one person;
--resume proposes to end that, and a second person agrees with --approve, signed in by a token of their own.

exit code: 0 done, 2 bad input, 3 no server answers, or it leads no pool"""

_DISPATCH_EXAMPLES = """\
  parkwatt fleet dispatch north/pool.toml --power -500 --minutes 15 --reason "evening peak"
  parkwatt fleet dispatch north/pool.toml --change 200 --minutes 60 --watch
  parkwatt fleet dispatch north/pool.toml --cancel 3f2a9c0d1e4b
  parkwatt fleet dispatch north/pool.toml --stop --reason "smoke in the depot\""""

_MAKE_DESCRIPTION = """\
Writes a pool that does not exist, to try things with: FOLDER/pool.toml and FOLDER/members.csv. The same arguments give the
same pool."""

_MAKE_EXAMPLES = """\
  parkwatt fleet make-pool north --cars 1000 --time-zone Europe/Amsterdam"""

_VIRTUAL_DESCRIPTION = """\
Plays the members of a pool: a virtual charger with a car for each, over real sockets. Some may refuse, or leave."""

_VIRTUAL_EXAMPLES = """\
  parkwatt fleet virtual north/pool.toml
  parkwatt fleet virtual north/pool.toml --refuse 0.02 --protocol 2.0.1"""


def register(commands: Subparsers) -> None:
    """Add them."""
    up = add_command(
        commands,
        "up",
        run_up,
        summary="run a pool",
        description=_UP_DESCRIPTION,
        examples=_UP_EXAMPLES,
    )
    _add_pool(up)
    status = add_command(
        commands,
        "status",
        run_status,
        summary="tell what a running pool does now",
        description=_STATUS_DESCRIPTION,
        examples=_STATUS_EXAMPLES,
    )
    _add_pool(status)
    status.add_argument("--json", action="store_true", help="print JSON in place of words")
    _add_dispatch(commands)
    _add_make(commands)
    _add_virtual(commands)


def _add_pool(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pool", metavar="POOL.toml", type=Path, help="the pool's settings")


def _add_dispatch(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "dispatch",
        run_dispatch,
        summary="ask a running pool for a power, or stop it",
        description=_DISPATCH_DESCRIPTION,
        examples=_DISPATCH_EXAMPLES,
    )
    _add_pool(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--power", metavar="KW", type=float, help="at the pool's meter")
    what.add_argument("--change", metavar="KW", type=float, help="from what it would do")
    what.add_argument("--cancel", metavar="ID", help="take a target back")
    what.add_argument("--stop", action="store_true", help="let nothing pass any more")
    what.add_argument("--resume", action="store_true", help="propose to end a stop")
    what.add_argument("--approve", metavar="N", type=int, help="agree to proposal N of somebody")
    parser.add_argument("--minutes", metavar="N", type=float, help="how long; with a power")
    parser.add_argument("--reason", metavar="TEXT", default="", help="why, for the journal")
    parser.add_argument("--watch", action="store_true", help="show the pool until it is over")


def _add_make(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "make-pool",
        run_make_pool,
        summary="write a pool to try things with",
        description=_MAKE_DESCRIPTION,
        examples=_MAKE_EXAMPLES,
    )
    add = parser.add_argument
    add("folder", metavar="FOLDER", type=Path, help="is made where it is not there")
    add("--cars", metavar="N", type=int, required=True, help="how many cars")
    add("--time-zone", metavar="ZONE", default="Europe/Berlin", help="default: Europe/Berlin")
    add("--ocpp", metavar="HOST:PORT", default="127.0.0.1:9000", help="where chargers come")
    add("--api", metavar="HOST:PORT", default="127.0.0.1:8080", help="where programs come")
    add("--seed", metavar="N", type=int, default=1, help="decides all chance; default: 1")


def _add_virtual(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "virtual",
        run_virtual,
        summary="play the cars of a pool",
        description=_VIRTUAL_DESCRIPTION,
        examples=_VIRTUAL_EXAMPLES,
    )
    _add_pool(parser)
    add = parser.add_argument
    add("--protocol", choices=("1.6", "2.0.1", "2.1"), default="2.1", help="default: 2.1")
    add("--refuse", metavar="FRACTION", type=float, default=0.0, help="ignore set-points")
    add("--meter-interval", metavar="S", type=int, default=5, help="default: 5")
    add("--seed", metavar="N", type=int, default=1, help="decides all chance; default: 1")


def run_up(arguments: argparse.Namespace) -> int:
    """Run the pool until asked to stop. Raises InputError, JournalDamaged, OSError."""
    from parkwatt.app.fleet.up import up_until_stopped

    up_until_stopped(arguments.pool)
    return 0


def run_status(arguments: argparse.Namespace) -> int:
    """Tell. Raises InputError for bad input, ServerUnreachableError where no server runs."""
    from parkwatt.app.fleet.pool_status import tell_status

    tell_status(arguments.pool, as_json=arguments.json)
    return 0


def run_dispatch(arguments: argparse.Namespace) -> int:
    """Ask. Raises InputError for bad input, ServerUnreachableError where no server runs."""
    from parkwatt.app.fleet.pool_dispatch import dispatch

    dispatch(arguments)
    return 0


def run_make_pool(arguments: argparse.Namespace) -> int:
    """Write. Raises InputError for bad input."""
    from parkwatt.app.fleet.make_pool import make_pool

    make_pool(arguments)
    return 0


def run_virtual(arguments: argparse.Namespace) -> int:
    """Play until asked to stop. Raises InputError for bad input."""
    from parkwatt.app.fleet.pool_virtual import play

    return play(arguments)
