"""`parkwatt demo`: a believable home that runs live on a fast clock, or is studied."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from parkwatt.app.subcommand import Subparsers, add_command

if TYPE_CHECKING:
    from parkwatt.app.live_settings import LiveSettings

_START = date(2024, 1, 1)
_LIVE_START = date(2024, 2, 19)
_STUDY_DAYS, _LIVE_DAYS = 366, 2
_LIVE_DAYS_MAX = 60
_DESCRIPTION = """\
Generates a home (load, sun, trips, day-ahead prices) by documented formulas with a seed, and runs it live: a virtual
charger and car over OCPP 2.1, a virtual meter over Modbus, prices as they are published, and Parkwatt that plans,
guards, commands and accounts as it would for a real home, on a clock that runs faster. On the second evening the grid
fails, and the car runs the house. It tells in words what happens, and says where its page is. It ends after --days, in a
terminal with Ctrl-C, and shows what came of it. With --study it studies a year of such a home instead: what smart charging, V2H
and V2G would have been worth, wear counted.
Nothing is fetched and no device is touched."""

_EXAMPLES = """\
  parkwatt demo                          two days in about three minutes, in the folder parkwatt-demo
  parkwatt demo --days 7 --speed 0       a week, as fast as this machine can
  parkwatt demo --study                  a year's study of a generated home
  parkwatt demo --study --days 28 --seed 7"""


def register(subparsers: Subparsers) -> None:
    """Add `demo` to the command line."""
    parser = add_command(
        subparsers,
        "demo",
        run,
        summary="run or study a generated home, with no data of your own",
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
        help=f"how many days to live ({_LIVE_DAYS}), or to study ({_STUDY_DAYS})",
    )
    parser.add_argument(
        "--speed",
        metavar="N",
        type=float,
        default=1800.0,
        help="how many times as fast as the wall's clock, 0: as fast as it goes; default: 1800",
    )
    parser.add_argument(
        "--stay",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="keep the page open after the days that were lived, until Ctrl-C; default: in a terminal",
    )
    parser.add_argument(
        "--study", action="store_true", help="study the home instead of running it live"
    )


def run(arguments: argparse.Namespace) -> int:
    """Generate, and live or study; returns 0. Raises InputError where the folder or a number is no good."""
    from parkwatt.app.study.command import check_output
    from parkwatt.domain.record import Faults

    folder, days = Path(arguments.folder), arguments.days
    if days is None:
        days = _STUDY_DAYS if arguments.study else _LIVE_DAYS
    faults = Faults()
    check_output("--folder", folder, faults)
    least, most = (7, 3660) if arguments.study else (1, _LIVE_DAYS_MAX)
    if not least <= days <= most:
        faults.add("--days", f"must be from {least} to {most}", days)
    if arguments.seed < 0:
        faults.add("--seed", "must be at least 0", arguments.seed)
    if not 0 <= arguments.speed <= 1e6:
        faults.add("--speed", "must be from 0 to 1000000", arguments.speed)
    faults.raise_if_any()
    if arguments.study:
        return _study(folder, arguments.seed, days)
    stay = arguments.stay
    if stay is None:
        stay = sys.stdin.isatty() and sys.stdout.isatty()
    return _live(folder, arguments.seed, days, arguments.speed, stay=stay)


def _study(folder: Path, seed: int, days: int) -> int:
    from parkwatt.app.demo.home import make_demo_home
    from parkwatt.app.study.command import run_study

    home = make_demo_home(folder, seed, _START, days)
    print(f"a home of {days} days is in {folder}; studying it …", flush=True)
    return run_study(home.site, folder)


def _live(folder: Path, seed: int, days: int, speed: float, *, stay: bool) -> int:
    from parkwatt.app.demo.live import make_live_demo, run_live_demo
    from parkwatt.app.printable import printable

    demo = make_live_demo(folder, seed, _LIVE_START, days)
    site = demo.settings.path
    pace = f"{speed:g} times as fast" if speed else "as fast as it goes"
    print(f"A home with a car lives for {days} days in {folder}, {pace}.", flush=True)
    run_live_demo(demo, speed, lambda line: print(printable(line), flush=True), stay=stay)
    print()
    _report(demo.settings, folder / "report.html")
    print(f"""
The same from its journal, at any time:   parkwatt report {site}
Every decision with its reason:           parkwatt why {site}
What a whole year would have been worth:  parkwatt demo --study""")
    return 0


def _report(settings: LiveSettings, page: Path) -> None:
    """The accounts of the days that were lived: a table here, and a page."""
    from parkwatt.app.site_report.journal_accounts import JournalAccounts
    from parkwatt.app.site_report.output import write
    from parkwatt.app.site_report.settings import account_settings
    from parkwatt.app.site_report.view import account_view

    accounts = JournalAccounts(
        settings.serve.store.journal, account_settings(settings.site)
    ).caught_up()
    view = account_view(accounts, None, None, "day")
    write(accounts, view, "table", None)
    write(accounts, view, "html", page)
