"""`parkwatt report`: what the car saved, cost and wore, from the journal."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from parkwatt.app.subcommand import Subparsers, add_command

if TYPE_CHECKING:
    from parkwatt.domain.errors import InputFault
    from parkwatt.site.account import Accounts

_DESCRIPTION = """\
Reads a site's journal, with or beside a running server, and accounts for each car: energy in and out, what it cost,
what charging at once would have cost, battery wear, and what became of each departure. Without --from and
--to: the last 31 days that the journal tells of.

  --by session   a row for each stay that ended in the span, and for one that goes on
  --by day       a row for each local day (default); month and year likewise

  --format table   for the terminal (default)
  --format csv     the same rows with every figure
  --format json    the same as GET /v1/report answers
  --format html    one page with plots that needs no network"""

_EXAMPLES = """\
  parkwatt report home.toml
  parkwatt report home.toml --from 2026-11-01 --to 2026-12-01 --by session
  parkwatt report home.toml --by month --from 2026-01-01 --output year.html"""

_FORMATS = ("table", "csv", "json", "html")
_BY = ("session", "day", "month", "year")
_DAYS: Final = 31
_US: Final = 1_000_000


def register(subparsers: Subparsers) -> None:
    """Add `report` to the command line."""
    parser = add_command(
        subparsers,
        "report",
        run,
        summary="account for a running site: energy, cost, savings, wear, departures",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument("site", metavar="SITE.toml", type=Path, help="the site's settings")
    parser.add_argument(
        "--from", dest="start", metavar="TIME", help="a local date, or a time as 2026-11-22T18:00Z"
    )
    parser.add_argument("--to", dest="end", metavar="TIME", help="the end, not included")
    parser.add_argument("--by", choices=_BY, default="day", help="default: day")
    parser.add_argument(
        "--format", choices=_FORMATS, help="default: by the output's ending, else table"
    )
    parser.add_argument("--output", metavar="FILE", type=Path, help="default: the terminal")


def run(arguments: argparse.Namespace) -> int:
    """Report; returns 0.

    Raises InputError for bad input and where the output cannot be written, JournalDamaged where the journal cannot be read.
    """
    from parkwatt.app.journal.progress import entries_bar
    from parkwatt.app.live_settings import load_live_settings
    from parkwatt.app.site_report.journal_accounts import JournalAccounts
    from parkwatt.app.site_report.output import write
    from parkwatt.app.site_report.settings import account_settings
    from parkwatt.app.site_report.view import account_view
    from parkwatt.domain.errors import InputError, InputFault

    faults: list[InputFault] = []
    form = _format(arguments, faults)
    settings = load_live_settings(arguments.site)
    zone = settings.site.time_zone
    start = _unix_s("--from", arguments.start, zone, faults)
    end = _unix_s("--to", arguments.end, zone, faults)
    if start is not None and end is not None and end <= start:
        faults.append(InputFault("--to", "must be after --from", arguments.end))
    path = settings.serve.store.journal
    if not path.exists():
        faults.append(InputFault(str(path), "is not there: the site has not run yet"))
    if faults:
        raise InputError(faults)
    with entries_bar("Reading") as on_progress:
        accounts = JournalAccounts(path, account_settings(settings.site)).caught_up(on_progress)
    if start is None:
        start = _first_unix_s(accounts, end, zone)
    write(accounts, account_view(accounts, start, end, arguments.by), form, arguments.output)
    return 0


def _format(arguments: argparse.Namespace, faults: list[InputFault]) -> str:
    from parkwatt.domain.errors import InputFault

    output: Path | None = arguments.output
    form = str(arguments.format or "")
    if not form:
        form = "table" if output is None else output.suffix.removeprefix(".").lower()
        form = {"txt": "table", "htm": "html"}.get(form, form)
        if form not in _FORMATS:
            rule = "must end in .csv, .json, .html or .txt, or --format must say what it is"
            faults.append(InputFault("--output", rule, str(output)))
    if form == "html" and output is None:
        faults.append(InputFault("--output", "must name the file of the page"))
    return form


def _unix_s(option: str, text: str | None, zone: ZoneInfo, faults: list[InputFault]) -> int | None:
    """A time; a date, or one without a zone, is by the site's clock."""
    from parkwatt.domain.errors import InputFault

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        rule = "must be a date or time such as 2026-11-22 or 2026-11-22T18:00Z"
        faults.append(InputFault(option, rule, text))
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp())


def _first_unix_s(accounts: Accounts, end_unix_s: int | None, zone: ZoneInfo) -> int:
    """The local midnight with which the last days begin."""
    last = accounts.ledger.until_unix_s if end_unix_s is None else end_unix_s
    today: date = datetime.fromtimestamp(max(last - 1, 0), tz=UTC).astimezone(zone).date()
    first = datetime.combine(today - timedelta(days=_DAYS - 1), time(), tzinfo=zone)
    return max(int(first.timestamp()), min(accounts.ledger.from_unix_s, last))
