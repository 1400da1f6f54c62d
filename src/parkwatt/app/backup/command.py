"""`parkwatt backup`: what a home's backup does now, how long it lasts, what if, a test without the grid, and choices."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from parkwatt.app.printable import printable
from parkwatt.app.subcommand import Subparsers, add_command

if TYPE_CHECKING:
    from parkwatt.app.api.client import Client

_DESCRIPTION = """\
Tells what a home's backup does now and how long it lasts; decides on circuits; leaves the grid for some minutes to see
whether it works (test). Needs the server of `parkwatt up`. With --what-if it only reckons, and needs nothing.

exit code: 0 done, 1 the off-grid test failed, 2 bad input, 3 no server answers, or the site has no backup"""

_EXAMPLES = """\
  parkwatt backup home.toml
  parkwatt backup home.toml test --for 5m          leave the grid for five minutes, and tell how it went
  parkwatt backup home.toml keep-on dryer          until the outage is over
  parkwatt backup home.toml keep-off dryer
  parkwatt backup home.toml automatic dryer
  parkwatt backup home.toml island-charge SECOND   let that car charge from the island
  parkwatt backup home.toml mobility ID.4 --energy 15kWh --by 07:30
  parkwatt backup --what-if "13.5 kWh at 1.5 kW"
  parkwatt backup --what-if "131 kWh at 1.5 kW" --reserve 20% --efficiency 90%"""

_CHOICES: Final = {"keep-on": "keep_on", "keep-off": "keep_off", "automatic": "automatic"}
_ACTIONS: Final = ("show", "test", *_CHOICES, "island-charge", "no-island-charge", "mobility")


def register(subparsers: Subparsers) -> None:
    """Add `backup` to the command line."""
    parser = add_command(
        subparsers,
        "backup",
        run,
        summary="tell how a home's backup stands, and decide on it",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    add = parser.add_argument
    add("site", metavar="SITE.toml", type=Path, nargs="?", help="the site's settings")
    add("what", metavar="WHAT", nargs="?", default="show", help=f"one of {', '.join(_ACTIONS)}")
    add("name", metavar="NAME", nargs="?", help="of the circuit or car")
    add("--json", action="store_true", help="print JSON in place of words")
    add("--for", metavar="DURATION", dest="lasts", default="5m", help="of a test; default: 5m")
    add(
        "--energy", metavar="KWH", help="with mobility: kept in the car's battery; none: taken back"
    )
    add("--by", metavar="TIME", help="with mobility: 07:30 by the site's clock")
    add("--what-if", metavar="WORDS", help='"13.5 kWh at 1.5 kW": how long that lasts')
    add("--reserve", metavar="SHARE", default="20%", help="with --what-if; default: 20%%")
    add("--efficiency", metavar="SHARE", default="90%", help="with --what-if; default: 90%%")


def run(arguments: argparse.Namespace) -> int:
    """Do it. Raises InputError for bad input, ServerUnreachableError where no server runs."""
    from parkwatt.app.backup.what_if import what_if_lines
    from parkwatt.domain.errors import InputError, InputFault

    if arguments.what_if is not None:
        for line in what_if_lines(arguments.what_if, arguments.reserve, arguments.efficiency):
            print(line)
        return 0
    if arguments.site is None:
        raise InputError([InputFault("SITE.toml", "is required, but with --what-if", None)])
    if arguments.what not in _ACTIONS:
        rule = f"must be one of {', '.join(_ACTIONS)}"
        raise InputError([InputFault("WHAT", rule, arguments.what)])
    return _ask(arguments)


def _ask(arguments: argparse.Namespace) -> int:
    from parkwatt.app.api.client import Client, load_settings

    client = Client(load_settings(arguments.site))
    if arguments.what == "test":
        return _test(client, arguments)
    view = _decide(client, arguments)
    if arguments.json:
        print(json.dumps(view, indent=2, ensure_ascii=False))
        return 0
    _print(client, view)
    return 0


def _print(client: Client, view: dict[str, Any]) -> None:
    from zoneinfo import ZoneInfo

    from parkwatt.app.backup.words import backup_lines

    zone = ZoneInfo(client.get("/v1/site")["time_zone"])
    for line in backup_lines(view, zone):
        print(printable(line))


def _decide(client: Client, arguments: argparse.Namespace) -> Any:
    from urllib.parse import quote

    from parkwatt.domain.errors import InputError, InputFault

    what = arguments.what
    if what == "show":
        return client.get("/v1/backup")
    if not arguments.name:
        raise InputError([InputFault("NAME", f"is required with {what}", None)])
    name = quote(arguments.name, safe="")
    if what in _CHOICES:
        body: dict[str, Any] = {"choice": _CHOICES[what]}
        return client.send("PUT", f"/v1/backup/circuits/{name}/choice", body)
    if what == "mobility":
        return client.send("PUT", f"/v1/backup/mobility/{name}", _mobility(client, arguments))
    body = {"allowed": what == "island-charge"}
    return client.send("PUT", f"/v1/backup/cars/{name}/island-charge", body)


def _mobility(client: Client, arguments: argparse.Namespace) -> dict[str, Any]:
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from parkwatt.app.backup.what_if import read_quantity
    from parkwatt.domain.errors import InputError, InputFault

    if arguments.energy is None:
        return {"energy_kwh": None}
    energy_kwh = read_quantity("--energy", arguments.energy, "kWh")
    view = client.get("/v1/site")
    now = datetime.fromisoformat(view["at"]).astimezone(ZoneInfo(view["time_zone"]))
    try:
        time_of_day = datetime.strptime(arguments.by or "", "%H:%M").time()  # noqa: DTZ007 a time of day
    except ValueError as error:
        rule = "must be a local time such as 07:30"
        raise InputError([InputFault("--by", rule, arguments.by)]) from error
    ready = datetime.combine(now.date(), time_of_day, tzinfo=now.tzinfo)
    if ready <= now:
        ready = datetime.combine(now.date() + timedelta(days=1), time_of_day, tzinfo=now.tzinfo)
    return {"energy_kwh": energy_kwh, "ready_at": ready.isoformat()}


def _test(client: Client, arguments: argparse.Namespace) -> int:
    """Ask for a test, wait until it is over and the home is back on the grid, and report."""
    import time
    from zoneinfo import ZoneInfo

    from parkwatt.app.backup.words import report_lines
    from parkwatt.domain.duration import read_duration_s

    lasts_s = round(read_duration_s("--for", arguments.lasts))
    view = client.send("PUT", "/v1/backup/test", {"duration_s": lasts_s})
    since = view["at"]
    qualify_s = view["return_delay_s"]
    print(
        printable(f"leaving the grid for {lasts_s} s; then it has to be good for {qualify_s:.0f} s")
    )
    patience_s, waited_s, phase = lasts_s + 2 * qualify_s + 120, 0.0, ""
    while waited_s < patience_s:
        view = client.get("/v1/backup")
        if view["phase"] != phase:
            phase = view["phase"]
            print(printable(f"  {phase}: {view['words']}"), flush=True)
        if phase == "grid" and view["test"] is None:
            break
        time.sleep(1.0)
        waited_s += 1.0
    zone = ZoneInfo(client.get("/v1/site")["time_zone"])
    reasons = client.get("/v1/reasons", kind="island.refused", **{"from": since})
    lines = list(report_lines(view, since, [one["message"] for one in reasons], zone))
    for line in lines:
        print(printable(line))
    return 0 if lines[-1].startswith("the backup works") else 1
