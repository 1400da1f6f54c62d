"""`parkwatt charger`: credentials for chargers, and what they are and do."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from parkwatt.app.printable import printable
from parkwatt.app.subcommand import Subparsers, add_command

_DESCRIPTION = """\
Makes, lists and shows the chargers of a site.

  add SITE.toml ID      makes a credential and prints what to type into the charger
  list SITE.toml        all chargers: connected or not, power, charge, rung of the ladder
  show SITE.toml ID     one charger: state, what it says it can, last messages
  password SITE.toml ID makes a new password (profile 3: a new certificate); the old password is refused from then on
  remove SITE.toml ID   takes the credential away; the journal keeps what the charger reported

`add`, `password` and `remove` work on the site's files, also before the first start and while the server runs: it
cuts a link whose credential was changed within seconds. `list` knows more where the server runs, `show` needs it.

exit code: 0 done, 2 bad input, 3 no server answers, or it knows no such charger"""

_EXAMPLES = """\
  parkwatt charger add home.toml CP-1
  parkwatt charger add depot.toml VAN-7 --profile 3
  parkwatt charger list depot.toml
  parkwatt charger show home.toml CP-1"""

_COLUMNS_IN_A_FILE = 240
_PROFILES = {
    1: "password, no encryption",
    2: "TLS and password",
    3: "TLS with a certificate of its own",
}


def register(subparsers: Subparsers) -> None:
    """Add `charger` to the command line."""
    parser = add_command(
        subparsers,
        "charger",
        run,
        summary="add, list and show chargers",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "what", choices=("add", "list", "show", "password", "remove"), help="what to do"
    )
    parser.add_argument("site", metavar="SITE.toml", type=Path, help="the site's settings")
    parser.add_argument("charger_id", metavar="ID", nargs="?", help="the charger's identity")
    parser.add_argument(
        "--profile",
        type=int,
        choices=(1, 2, 3),
        help="security profile: 1 password, 2 TLS and password, 3 TLS and certificate "
        "(default: 2 where the site has TLS, else 1)",
    )
    parser.add_argument(
        "--password",
        metavar="TEXT",
        help="a password that the charger has already (default: one is made)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it. Raises InputError for bad input, ServerUnreachableError where the server is needed and does not run."""
    from parkwatt.domain.errors import InputError, InputFault

    if arguments.what != "list" and arguments.charger_id is None:
        raise InputError([InputFault("ID", "must name the charger")])
    return {
        "add": _add,
        "list": _list,
        "show": _show,
        "password": _password,
        "remove": _remove,
    }[arguments.what](arguments)


def _add(arguments: argparse.Namespace) -> int:
    from parkwatt.app.admission import admit
    from parkwatt.app.api.client import load_settings
    from parkwatt.app.charger.typing import print_what_to_type

    settings = load_settings(arguments.site)
    admission = admit(
        settings, arguments.charger_id, arguments.profile, arguments.password, datetime.now(UTC)
    )
    print_what_to_type(settings, admission)
    return 0


def _password(arguments: argparse.Namespace) -> int:
    from parkwatt.app.admission import readmit
    from parkwatt.app.api.client import load_settings
    from parkwatt.app.charger.typing import print_what_to_type

    settings = load_settings(arguments.site)
    admission = readmit(settings, arguments.charger_id, arguments.password, datetime.now(UTC))
    print_what_to_type(settings, admission)
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    from parkwatt.app.admission import revoke
    from parkwatt.app.api.client import load_settings

    revoke(load_settings(arguments.site), arguments.charger_id)
    print(f"{arguments.charger_id} may no longer connect; a server that runs cuts its link now")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    from parkwatt.app.api.client import Client, ServerUnreachableError, load_settings
    from parkwatt.io.credentials.store import CredentialStore

    settings = load_settings(arguments.site)
    profiles: dict[str, int] = {}
    if settings.store.credentials.exists():
        with CredentialStore(settings.store.credentials) as store:
            profiles = {known.charger_id: known.security_profile for known in store.chargers()}
    note = None
    heard: dict[str, dict[str, Any]] = {}
    try:
        heard = {view["charger_id"]: view for view in Client(settings).pages("/v1/chargers")}
    except ServerUnreachableError as error:
        note = str(error)
    table = Table(
        "charger", "link", "version", "model", "state", "power", "charge", "rung", box=None
    )
    for charger_id in sorted({*profiles, *heard}):
        for row in _rows(charger_id, heard.get(charger_id), profiles.get(charger_id), note is None):
            table.add_row(*map(printable, row))
    # A charger's words are shown as they are: never as markup.
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = _COLUMNS_IN_A_FILE
    if table.row_count:
        console.print(table)
    else:
        print("no chargers yet: parkwatt charger add SITE.toml ID")
    if note:
        print(f"\n{note}")
    return 0


def _rows(
    charger_id: str, view: dict[str, Any] | None, profile: int | None, is_served: bool
) -> list[list[str]]:
    """A line for each connection point of a charger, or one where none is known."""
    if view is None:
        link = "never connected" if is_served else "unknown"
        return [[charger_id, f"{link} ({_PROFILES[profile or 1]})", "", "", "", "", "", ""]]
    link = "connected" if view["connected"] else "no link"
    head = [
        charger_id,
        link,
        view["protocol"].removeprefix("ocpp"),
        f"{view['vendor']} {view['model']}",
    ]
    rows: list[list[str]] = []
    for evse in view["evses"]:
        rung = evse["rung"]
        rows.append(
            [
                *(head if not rows else ["", "", "", ""]),
                f"{evse['evse_id']}: {evse['availability']}",
                "–" if evse["power_kw"] is None else f"{evse['power_kw']:.2f} kW",
                "–" if evse["soc"] is None else f"{evse['soc']:.0%}",
                f"L{rung['level']} {'proven' if rung['proven'] else 'not proven'}",
            ]
        )
    return rows or [[*head, "", "", "", ""]]


def _show(arguments: argparse.Namespace) -> int:
    from parkwatt.app.api.client import Client, charger_path, load_settings
    from parkwatt.app.charger.details import details

    print(details(Client(load_settings(arguments.site)).get(charger_path(arguments.charger_id))))
    return 0
