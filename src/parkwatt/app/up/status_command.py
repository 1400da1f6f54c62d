"""`parkwatt status`: what happens at a site now, in words."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parkwatt.app.printable import printable
from parkwatt.app.subcommand import Subparsers, add_command

if TYPE_CHECKING:
    from parkwatt.app.api.client import Client

_DESCRIPTION = """\
Tells what happens at a running site: powers, prices, what each car does and until when, whether it will be ready for
its next departure, what was saved today, and what is wrong. Needs the server of `parkwatt up`.

exit code: 0 told, 2 bad input, 3 no server answers, or it serves chargers alone"""

_EXAMPLES = """\
  parkwatt status home.toml
  parkwatt status home.toml --json              for programs; the same as GET /v1/site"""


def register(subparsers: Subparsers) -> None:
    """Add `status` to the command line."""
    parser = add_command(
        subparsers,
        "status",
        run,
        summary="tell what happens at a running site now",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument("site", metavar="SITE.toml", type=Path, help="the site's settings")
    parser.add_argument("--json", action="store_true", help="print JSON in place of words")


def run(arguments: argparse.Namespace) -> int:
    """Tell. Raises InputError for bad input, ServerUnreachableError where no server runs."""
    from parkwatt.app.api.client import Client, load_settings
    from parkwatt.app.up.status import midnight, status_lines

    client = Client(load_settings(arguments.site))
    view = client.get("/v1/site")
    if arguments.json:
        print(json.dumps(view, indent=2, ensure_ascii=False))
        return 0
    today = client.get("/v1/report", **{"from": midnight(view)})
    for line in (*status_lines(view, today), *_backup_lines(client, view)):
        print(printable(line))
    return 0


def _backup_lines(client: Client, view: dict[str, Any]) -> list[str]:
    """The home's backup in short; nothing where there is none."""
    from zoneinfo import ZoneInfo

    from parkwatt.app.api.client import ServerRefusedError
    from parkwatt.app.backup.words import short_lines

    try:
        backup = client.get("/v1/backup")
    except ServerRefusedError:
        return []
    return list(short_lines(backup, ZoneInfo(view["time_zone"])))
