"""`parkwatt up`: the whole site, from the chargers' back end to the plan."""

from __future__ import annotations

import argparse
from pathlib import Path

from parkwatt.app.subcommand import Subparsers, add_command

_DESCRIPTION = """\
Runs a site: serves its chargers as `parkwatt serve` does, reads its meters, prices and calendars, plans, and tells each
charger what to do. Each set-point has a lease: when Parkwatt falls silent, chargers charge for their drivers and
discharge nothing. Everything is journalled; a restart, also after a crash, goes on where it stopped. Ends on SIGINT or
SIGTERM.

Where SITE.toml does not exist yet, the site is set up in the browser: open the link that is printed, answer five
questions, and the site begins with the file that they made.

exit code: 0 stopped as asked, 2 something given cannot be used (a key of SITE.toml, a port that is taken, a folder),
3 the journal is damaged"""

_EXAMPLES = """\
  parkwatt doctor home.toml                     what is still to do
  parkwatt up home.toml                         set up in the browser where there is no such file yet
  parkwatt status home.toml                     what happens now
  parkwatt why home.toml                        why it happens"""


def register(subparsers: Subparsers) -> None:
    """Add `up` to the command line."""
    parser = add_command(
        subparsers,
        "up",
        run,
        summary="run a site: chargers, meters, prices, plan and control",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument("site", metavar="SITE.toml", type=Path, help="the site's settings")
    for name, what in (
        ("web", "browsers come"),
        ("api", "programs come"),
        ("ocpp", "chargers come"),
    ):
        told = f"where {what}, for a site that is set up now; later the file says it"
        parser.add_argument(f"--{name}", metavar="HOST:PORT", help=told)


def run(arguments: argparse.Namespace) -> int:
    """Run the site until asked to stop.

    Raises InputError for faults in the file, a port that is taken and a folder that cannot be used, JournalDamaged, OSError.
    """
    from parkwatt.app.up.run import up_until_stopped
    from parkwatt.app.up.set_up_mode import set_up_addresses

    addresses = set_up_addresses(arguments.web, arguments.api, arguments.ocpp)
    up_until_stopped(arguments.site, addresses)
    return 0
