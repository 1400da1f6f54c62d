"""`parkwatt doctor`: whether a site is set up well, and what to do where it is not."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from parkwatt.app.printable import printable
from parkwatt.app.subcommand import Subparsers, add_command

TO_DO = 1

_DESCRIPTION = """\
Checks a site's set-up: the file, the data folder, ports, the clock, chargers and what they can do, consent, limits,
meters, the broker, prices, calendars, the journal, what backs up the home. Each check is one line: ✓ well, ! worth a
look, ✗ to be done, – not checked; what is to be done stands behind an arrow. With the server running it tells what the
server sees, else it tries meters, prices, calendars and the gateway itself. Nothing is changed.

exit code: 0 all is well, 1 something is to be done, 2 the file has faults"""

_EXAMPLES = """\
  parkwatt doctor home.toml
  parkwatt doctor home.toml --json"""


def register(subparsers: Subparsers) -> None:
    """Add `doctor` to the command line."""
    parser = add_command(
        subparsers,
        "doctor",
        run,
        summary="check a site's set-up and say what to do",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument("site", metavar="SITE.toml", type=Path, help="the site's settings")
    parser.add_argument("--json", action="store_true", help="print JSON in place of lines")


def run(arguments: argparse.Namespace) -> int:
    """Check. Raises InputError with every fault of the file."""
    from parkwatt.app.live_settings import load_live_settings
    from parkwatt.app.up.doctor import examine

    checks = []
    for check in examine(load_live_settings(arguments.site)):
        checks.append(check)
        if not arguments.json:
            print(printable(check.line), flush=True)
    if arguments.json:
        print(json.dumps([asdict(check) for check in checks], indent=2, ensure_ascii=False))
    return TO_DO if any(check.level in ("warning", "error") for check in checks) else 0
