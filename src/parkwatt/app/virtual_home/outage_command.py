"""`parkwatt outage`: lets the grid of a virtual home that runs fail and come back, and whatever else it is told."""

from __future__ import annotations

import argparse

from parkwatt.app.subcommand import Subparsers, add_command
from parkwatt.app.virtual_home.ports import CONTROL_PORT

_DESCRIPTION = """\
Tells a running `parkwatt virtual-home` what to do: let its grid fail (start), come back (stop), tell how it is
(status), or anything else (do). Nothing of a real home is touched: it only reaches a virtual one.

exit code: 0 done, 2 bad input, 3 no virtual home answers"""

_EXAMPLES = """\
  parkwatt outage start --in 10m --for 36h
  parkwatt outage start --for 2h --gap 10s          it comes back for 20 s, goes for 10 s, and then stays
  parkwatt outage stop
  parkwatt outage status
  parkwatt outage do sag 0.6 for 30s
  parkwatt outage do flicker 5
  parkwatt outage do frequency 51.2 for 60s
  parkwatt outage do fault grid_pole.auxiliary=open
  parkwatt outage do link 30s"""


def register(subparsers: Subparsers) -> None:
    """Add `outage` to the command line."""
    parser = add_command(
        subparsers,
        "outage",
        run,
        summary="let the grid of a virtual home fail",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    add = parser.add_argument
    add(
        "what",
        choices=("start", "stop", "status", "do"),
        metavar="WHAT",
        help="start, stop, status or do",
    )
    add("words", metavar="WORD", nargs="*", help="after do: a line as in the guide")
    add("--in", metavar="DURATION", dest="wait", default="0s", help="when it begins; default: now")
    add(
        "--for",
        metavar="DURATION",
        dest="lasts",
        default="1h",
        help="how long it lasts; default: 1h",
    )
    add("--gap", metavar="DURATION", help="gone again for so long, after 20 s back")
    add(
        "--control-port",
        metavar="N",
        type=int,
        default=CONTROL_PORT,
        help=f"of the virtual home; default: {CONTROL_PORT}",
    )


def run(arguments: argparse.Namespace) -> int:
    """Tell it. Raises InputError for what it does not take, OSError where none answers."""
    import httpx

    from parkwatt.domain.errors import InputError, InputFault

    if arguments.words and arguments.what != "do":
        raise InputError([InputFault("WORD", "is for do alone", " ".join(arguments.words))])
    address = f"http://localhost:{arguments.control_port}/control"
    try:
        answer = httpx.post(address, json={"line": _line(arguments)}, timeout=10.0, trust_env=False)
        body = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        hint = "is `parkwatt virtual-home` running?"
        raise OSError(
            f"no virtual home at port {arguments.control_port} ({error}); {hint}"
        ) from None
    if answer.status_code != 200:
        pairs = [text.partition(": ") for text in body["faults"]]
        raise InputError([InputFault(field, rule) for field, _, rule in pairs])
    print(body["said"])
    return 0


def _line(arguments: argparse.Namespace) -> str:
    if arguments.what == "start":
        gap = "" if arguments.gap is None else f" gap {arguments.gap}"
        return f"outage in {arguments.wait} for {arguments.lasts}{gap}"
    return {"stop": "outage stop", "status": "status"}.get(arguments.what) or " ".join(
        arguments.words
    )
