"""`parkwatt virtual`: chargers and cars that test any OCPP back end over real sockets."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from parkwatt.app.subcommand import Subparsers, add_command

if TYPE_CHECKING:
    import asyncio

    from parkwatt.io.sim.notes import Note

_DESCRIPTION = """\
Runs virtual chargers with a car each. They connect to an OCPP back end (1.6, 2.0.1 or 2.1), charge and
discharge as it says, and do wrong on demand. Each event is told in a line. Ctrl-C ends them cleanly."""

_EXAMPLES = """\
  parkwatt virtual --url ws://localhost:9000 --id CP-1
  parkwatt virtual --url ws://localhost:9000 --protocol 1.6 --count 200 --quiet
  parkwatt virtual --url ws://localhost:9000 --disobey full_power --meter-interval 2
  parkwatt virtual --url ws://localhost:9000 --fault link_loss_every_s=300 --truth truth.jsonl
  parkwatt virtual --url ws://localhost:9000 --trip 07:30-17:15=8.5 --speed 60"""

# What is not worth a line of words: each message, as the events that they tell have lines of their own.
_UNTOLD = frozenset({"told", "sent", "acknowledged", "received"})


def register(subparsers: Subparsers) -> None:
    """Add `virtual` to the command line."""
    from parkwatt.app.virtual.arguments import add_arguments

    add_arguments(
        add_command(
            subparsers,
            "virtual",
            run,
            summary="run virtual chargers and cars against an OCPP back end",
            description=_DESCRIPTION,
            examples=_EXAMPLES,
        )
    )


def run(arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C or SIGTERM; returns 0. Raises InputError with the faults of the options."""
    import asyncio

    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    import asyncio
    from pathlib import Path

    from parkwatt.app.virtual.arguments import link_settings, station_faults, station_settings
    from parkwatt.io.sim.run import Truth, run_stations

    all_settings = station_settings(arguments)
    faults = station_faults(arguments)
    link = link_settings(arguments)
    truth = None if arguments.truth is None else Truth(Path(arguments.truth))
    stop = asyncio.Event()
    _stop_on_signals(stop)
    controls: list[asyncio.Queue[str]] = []
    if arguments.control:
        controls = [asyncio.Queue() for _ in all_settings]
        _read_lines(controls, asyncio.get_running_loop())

    def tell(note: Note) -> None:
        if truth is not None:
            truth.add(note)
        _print(note, as_json=arguments.json, quiet=arguments.quiet)

    try:
        await run_stations(
            link,
            all_settings,
            stop=stop,
            speed=arguments.speed,
            faults=faults,
            on_note=tell,
            controls=controls,
        )
    finally:
        if truth is not None:
            truth.close()
    return 0


def _print(note: Note, *, as_json: bool, quiet: bool) -> None:
    from parkwatt.io.sim.profiles import time_text
    from parkwatt.io.sim.run import note_line

    if quiet:
        return
    if as_json:
        print(note_line(note), flush=True)
    elif note.kind not in _UNTOLD:
        print(f"{time_text(note.at_unix_us)} {note.station_id}: {note.text}", flush=True)


def _stop_on_signals(stop: asyncio.Event) -> None:
    import asyncio
    import contextlib
    import signal

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Where a loop has no signal handlers (Windows), Ctrl-C interrupts as in any program.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)


def _read_lines(controls: list[asyncio.Queue[str]], loop: asyncio.AbstractEventLoop) -> None:
    """Hand each line of standard input to every charger."""
    import sys
    import threading

    def hand_on(line: str) -> None:
        for queue in controls:
            queue.put_nowait(line)

    def read() -> None:
        for line in sys.stdin:
            if line.strip():
                loop.call_soon_threadsafe(hand_on, line.strip())

    threading.Thread(target=read, daemon=True).start()
