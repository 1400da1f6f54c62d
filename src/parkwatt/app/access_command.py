"""`parkwatt access`: users, sign-in links and API tokens of a running site, for whoever has the machine."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from parkwatt.app.printable import printable
from parkwatt.app.subcommand import Subparsers, add_command

if TYPE_CHECKING:
    from parkwatt.app.api.client import Client

_DESCRIPTION = """\
Says who may look at a site and command it. Needs the server, and may everything, since whoever reads the file api-token may.

  link [NAME]     a sign-in link that works once: of the owner, or of a user; with --role the user is made where there is none
  users           who there is
  remove NAME     take a user away: all their sessions end at once
  tokens          API tokens of programs; --add LABEL makes one, --remove ID takes one away

exit code: 0 done, 2 bad input, 3 no server answers, or it knows no such user or token"""

_EXAMPLES = """\
  parkwatt access home.toml link                               you forgot your password, or lost your phone
  parkwatt access home.toml link Anna --role driver --car ID.4
  parkwatt access home.toml tokens --add "Garage button" --scope read --scope drive --car ID.4"""

_ROLES = ("owner", "driver", "guest", "installer")
_SCOPES = ("read", "drive", "backup", "operate", "settings", "users")
_COLUMNS_IN_A_FILE = 240


def register(subparsers: Subparsers) -> None:
    """Add `access` to the command line."""
    parser = add_command(
        subparsers,
        "access",
        run,
        summary="users, sign-in links and API tokens of a running site",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument("site", metavar="SITE.toml", type=Path, help="the site's settings")
    parser.add_argument("what", choices=("link", "users", "remove", "tokens"), help="what to do")
    parser.add_argument("name", metavar="NAME", nargs="?", help="the user")
    parser.add_argument("--role", choices=_ROLES, help="of a user who is made with the link")
    parser.add_argument(
        "--car",
        metavar="CAR",
        action="append",
        help="a car that a driver or a token speaks for; may be given again",
    )
    parser.add_argument(
        "--backup", action="store_true", help="the driver decides on the home's backup, too"
    )
    parser.add_argument(
        "--hours", type=int, default=24, help="how long the link holds (default: 24)"
    )
    parser.add_argument("--add", metavar="LABEL", help="make an API token")
    parser.add_argument(
        "--scope", choices=_SCOPES, action="append", help="of the token; may be given again"
    )
    parser.add_argument("--remove", metavar="ID", type=int, help="take an API token away")


def run(arguments: argparse.Namespace) -> int:
    """Do it. Raises InputError for bad input, ServerUnreachableError where no server runs."""
    from parkwatt.app.api.client import Client, load_settings

    client = Client(load_settings(arguments.site))
    do = {"link": _link, "users": _users, "remove": _remove, "tokens": _tokens}
    do[arguments.what](client, arguments)
    return 0


def _link(client: Client, arguments: argparse.Namespace) -> None:
    wish = {
        "name": arguments.name,
        "role": arguments.role,
        "cars": arguments.car or [],
        "backup": arguments.backup,
        "hours": arguments.hours,
    }
    made = client.send("POST", "/v1/links", wish)
    whose = "the site's first owner" if made["name"] is None else f"{made['name']} ({made['role']})"
    print(f"Signs {printable(whose)} in, once, until {made['expires_at']}:")
    print(f"  {_pages(arguments.site)}{made['path']}")
    print("Behind a proxy the part from /welcome on stands after its address.")


def _users(client: Client, _: argparse.Namespace) -> None:
    rows = [
        (
            user["name"],
            user["role"],
            _cars(user["cars"], user["role"]),
            "yes" if user["backup"] else "",
            "password" if user["has_password"] else "links",
            user["seen_at"] or "never",
        )
        for user in client.get("/v1/users")
    ]
    _table(("user", "role", "cars", "backup", "signs in by", "last seen"), rows)
    if not rows:
        print("no users yet: parkwatt access SITE.toml link")


def _remove(client: Client, arguments: argparse.Namespace) -> None:
    from parkwatt.domain.errors import InputError, InputFault

    if arguments.name is None:
        raise InputError([InputFault("NAME", "must name the user")])
    client.send("DELETE", f"/v1/users/{quote(arguments.name, safe='')}")
    print(f"{printable(arguments.name)} is signed out everywhere and may no longer come in")


def _tokens(client: Client, arguments: argparse.Namespace) -> None:
    if arguments.add is not None:
        wish = {
            "label": arguments.add,
            "scopes": arguments.scope or ["read"],
            "cars": arguments.car,
        }
        made = client.send("POST", "/v1/tokens", wish)
        print(f"Token {made['id']} may {', '.join(made['scopes'])}; it is shown this once:")
        print(f"  {made['token']}")
    elif arguments.remove is not None:
        removed = client.send("DELETE", f"/v1/tokens/{arguments.remove}")
        print(f"Token {removed['id']} ({printable(removed['label'])}) is no longer taken")
    else:
        rows = [
            (
                str(token["id"]),
                token["label"],
                ", ".join(token["scopes"]),
                _cars(token["cars"], "token"),
                token["used_at"] or "never",
            )
            for token in client.get("/v1/tokens")
        ]
        _table(("id", "label", "scopes", "cars", "last used"), rows)
        if not rows:
            print("no tokens yet: parkwatt access SITE.toml tokens --add LABEL --scope read")


def _cars(cars: list[str] | None, role: str) -> str:
    if cars is None:
        return "all"
    return ", ".join(cars) if role in {"driver", "token"} else ""


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table of words that others chose: shown as they are, never as markup."""
    from rich.console import Console
    from rich.table import Table

    if not rows:
        return
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*map(printable, row))
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = _COLUMNS_IN_A_FILE
    console.print(table)


def _pages(site: Path) -> str:
    """Where the pages are, as the site's file says."""
    from parkwatt.app.web_settings import read_web
    from parkwatt.domain.record import Faults, Record
    from parkwatt.io.toml_file import read_toml

    faults = Faults()
    table = read_toml(site, faults)
    address = read_web(Record(table or {}, "", faults).record("web", required=False)).address
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"http://{host}:{address.port}"
