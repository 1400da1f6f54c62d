"""Asks a running pool for a power through its API, and shows how it comes to it."""

from __future__ import annotations

import argparse
import time
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from parkwatt.app.api.client import Client, load_settings
from parkwatt.app.fleet.pool_status import status_lines
from parkwatt.app.printable import printable
from parkwatt.domain.errors import InputError, InputFault

_LOOK_S: Final = 1.0


def dispatch(arguments: argparse.Namespace) -> None:
    """Ask. Raises InputError, ServerUnreachableError, ServerRefusedError."""
    client = Client(load_settings(arguments.pool))
    reason = {"reason": arguments.reason}
    if arguments.cancel is not None:
        client.send("DELETE", f"/v1/pool/targets/{arguments.cancel}")
    elif arguments.stop:
        client.send("POST", "/v1/pool/stop", reason)
    elif arguments.resume:
        made = client.send("POST", "/v1/pool/resume", reason)
        print(f"proposal {made['proposal_id']} waits for a second person")
    elif arguments.approve is not None:
        client.send("POST", f"/v1/pool/proposals/{arguments.approve}/approve")
    else:
        _ask(client, arguments)
        return
    for line in status_lines(client.get("/v1/pool")):
        print(printable(line))


def _ask(client: Client, arguments: argparse.Namespace) -> None:
    if arguments.minutes is None:
        raise InputError([InputFault("--minutes", "is required with a power")])
    body = {
        "power_kw": arguments.power,
        "change_kw": arguments.change,
        "minutes": arguments.minutes,
        "reason": arguments.reason,
    }
    target = client.send("POST", "/v1/pool/targets", body)
    print(f"asked: {target['target_id']}, until {target['until']}")
    if arguments.watch:
        _watch(client, target)


def _watch(client: Client, target: dict[str, Any]) -> None:
    """The pool's state, once a second, until the target is over."""
    until = datetime.fromisoformat(target["until"])
    console = Console()
    with Live(console=console, transient=True, auto_refresh=False) as live:
        while True:
            view = client.get("/v1/pool")
            lines = [printable(line) for line in status_lines(view)]
            live.update(Text("\n".join(lines)), refresh=True)
            if not console.is_terminal:
                print("; ".join(lines), flush=True)
            if datetime.fromisoformat(view["now"]) >= until:
                return
            time.sleep(_LOOK_S)
