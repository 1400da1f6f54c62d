"""Parkwatt's back end for a measurement: its listener, sessions, states and ladders; the journal where asked for.

    python -m benchmarks.ocpp_load.server '{"port": 9000, "directory": null, "compression": true}'

prints "ready"; a line on standard input asks for something: `setpoint KW` gives every charger a set-point and prints how long
it took until all were written to their sockets; `memory` prints the process's memory. Without a directory nothing is stored.
"""

import asyncio
import contextlib
import gc
import json
import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvloop

from parkwatt.app.serve.run import SWEEP_S, attach
from parkwatt.domain.charger.command import Approved, SetPower
from parkwatt.io.clock.steady_clock import SteadyClock
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.ocpp.backend import Backend
from parkwatt.io.ocpp.server.listener import listen
from parkwatt.io.ocpp.server.settings import ListenerSettings
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.store.sqlite_journal import SqliteJournal


def memory_mb() -> float:
    """Private memory of this process."""
    for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Private_Dirty"):
            return int(line.split()[1]) / 1024.0
    return 0.0


async def main(settings: dict[str, Any]) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        journal = None
        if settings.get("directory"):
            journal = SqliteJournal(Path(settings["directory"]) / "journal.sqlite")
            stack.callback(journal.close)
            journal.post_with(loop.call_soon_threadsafe)
        charger = ChargerSettings(meter_interval_s=60)
        backend = Backend(journal=journal, settings_of=lambda _: charger, clock=SteadyClock())
        credentials = stack.enter_context(CredentialStore(folder / "credentials.sqlite"))
        listener_settings = ListenerSettings(
            port=settings["port"],
            admit_unknown=True,
            compression=settings.get("compression", True),
            frames_per_s=1e6,
            frames_burst=1_000_000,
            frames_in_all_per_s=1e7,
            connections_per_s=1e5,
            connections_burst=100_000,
        )
        listener = await listen(listener_settings, credentials, attach(backend))
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        sweeping = asyncio.create_task(_sweep(backend))
        print("ready", flush=True)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            word, _, rest = line.strip().partition(" ")
            if word == "setpoint":
                print(json.dumps({"asked_s": _set_all(backend, float(rest))}), flush=True)
            elif word == "memory":
                gc.collect()
                print(json.dumps({"memory_mb": memory_mb()}), flush=True)
        sweeping.cancel()
        await backend.close()
        await listener.close()


def _set_all(backend: Backend, power_kw: float) -> float:
    command = SetPower(1, power_kw, 900, "a benchmark")
    begun_s = time.perf_counter()
    for charger_id in backend.charger_ids:
        backend.command(Approved(charger_id, command))
    return time.perf_counter() - begun_s


async def _sweep(backend: Backend) -> None:
    while True:
        await asyncio.sleep(SWEEP_S)
        backend.sweep()


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(main(json.loads(sys.argv[1])))
