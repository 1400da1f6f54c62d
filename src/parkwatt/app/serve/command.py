"""`parkwatt serve`: the back end that chargers connect to."""

from __future__ import annotations

import argparse
from pathlib import Path

from parkwatt.app.subcommand import Subparsers, add_command

_DESCRIPTION = """\
Runs the back end of a site's chargers: OCPP 1.6-J, 2.0.1 and 2.1 on one port. What chargers report is written to
the journal before it is acknowledged; a restart, also after a crash, goes on where it stopped. A REST API shows
chargers and transactions and takes commands. Ends on SIGINT or SIGTERM.

exit code: 0 stopped as asked, 2 something given cannot be used (a key of SITE.toml, a port that is taken, a folder),
3 the journal is damaged"""

_EXAMPLES = """\
  parkwatt serve home.toml
  parkwatt charger add home.toml CP-1            what to type into the charger
  parkwatt virtual --url ws://localhost:9000 --id CP-1 --password …"""


def register(subparsers: Subparsers) -> None:
    """Add `serve` to the command line."""
    parser = add_command(
        subparsers,
        "serve",
        run,
        summary="run the back end that chargers connect to",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument("site", metavar="SITE.toml", type=Path, help="the site's settings")


def run(arguments: argparse.Namespace) -> int:
    """Serve until asked to stop.

    Raises InputError for faults in the file, a port that is taken and a folder that cannot be used, JournalDamaged, OSError.
    """
    from parkwatt.app.api.client import load_settings
    from parkwatt.app.serve.run import serve_until_stopped

    serve_until_stopped(load_settings(arguments.site))
    return 0
