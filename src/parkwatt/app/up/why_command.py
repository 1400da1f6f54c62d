"""`parkwatt why`: why a car does what it does, now or at any time that the journal holds."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from parkwatt.app.printable import printable
from parkwatt.app.subcommand import Subparsers, add_command

_DESCRIPTION = """\
Tells why a car charges, gives back or rests: what the plan wanted and why, what the guard changed with its numbers, what
both knew, when a car that waits will charge, and the decisions before; with a [backup] also what became of the house. It
reads the journal, so the server may run or not.

exit code: 0 told, 2 bad input, 3 the journal is damaged"""

_EXAMPLES = """\
  parkwatt why home.toml
  parkwatt why home.toml ID.4 --at 18:30
  parkwatt why home.toml --at 2026-11-22T18:30+01:00"""

_US: Final = 1_000_000
_DAY_S: Final = 86_400


def register(subparsers: Subparsers) -> None:
    """Add `why` to the command line."""
    parser = add_command(
        subparsers,
        "why",
        run,
        summary="tell why a car charges, gives back or rests",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument("site", metavar="SITE.toml", type=Path, help="the site's settings")
    parser.add_argument("car", metavar="CAR", nargs="?", help="the car's name; default: all")
    parser.add_argument(
        "--at",
        metavar="TIME",
        help="at that time: 18:30 by the site's clock, or ISO 8601 with a zone (default: the journal's last entry)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Tell. Raises InputError for bad input, JournalDamaged."""
    from parkwatt.app.api.site_words import local
    from parkwatt.app.live_settings import load_live_settings
    from parkwatt.app.up.why import explain_all, last_time_unix_us
    from parkwatt.domain.errors import InputError, InputFault

    settings = load_live_settings(arguments.site)
    site, journal = settings.site, settings.serve.store.journal
    cars = site.cars
    if arguments.car is not None:
        cars = tuple(car for car in cars if car.car_id == arguments.car)
        if not cars:
            known = ", ".join(car.car_id for car in site.cars)
            raise InputError([InputFault("CAR", f"must be one of {known}", arguments.car)])
    if not journal.exists():
        raise InputError([InputFault(str(journal), "is not there: the site has not run yet")])
    at_unix_us = last_time_unix_us(journal)
    if arguments.at is not None:
        at_unix_us = _time_unix_us(arguments.at, at_unix_us, site.time_zone)
    print(f"{site.name}, {local(at_unix_us / _US, site.time_zone):%A %Y-%m-%d %H:%M:%S}")
    has_backup = settings.backup is not None
    for line in explain_all(journal, cars, at_unix_us, site.time_zone, has_backup=has_backup):
        print(printable(line))
    return 0


def _time_unix_us(text: str, last_unix_us: int, zone: ZoneInfo) -> int:
    """A whole time, or a time of day: the last one before the journal's end."""
    from parkwatt.domain.errors import InputError, InputFault

    last = datetime.fromtimestamp(last_unix_us / _US, tz=zone)
    try:
        time_of_day = datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a time of day
    except ValueError:
        pass
    else:
        found = datetime.combine(last.date(), time_of_day, tzinfo=zone)
        if found > last:
            found = datetime.fromtimestamp(found.timestamp() - _DAY_S, tz=zone)
        return int(found.timestamp() * _US)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        rule = "must be a time such as 18:30, or with a zone, as in 2026-11-22T18:30+01:00"
        raise InputError([InputFault("--at", rule, text)])
    return int(moment.timestamp() * _US)
