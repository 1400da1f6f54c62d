"""`parkwatt virtual-home`: a home with backup, its grid and its devices, over MQTT and Modbus TCP."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from parkwatt.app.subcommand import Subparsers, add_command
from parkwatt.app.virtual_home.ports import CONTROL_PORT

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from parkwatt.io.sim.backup.life import Life
    from parkwatt.io.sim.backup.run import Ports
    from parkwatt.io.sim.notes import Note

_DESCRIPTION = """\
Runs a home with backup: the utility's grid, a gateway with its poles, a car that can feed the home, circuits with
appliances, solar. It speaks MQTT (as Home Assistant expects it) and Modbus TCP, fails on demand, and keeps what
really happened. Each event is told in a line. `parkwatt outage` lets its grid fail. Ctrl-C ends it."""

_EXAMPLES = """\
  parkwatt virtual-home                                    Modbus TCP alone, port 5020
  parkwatt virtual-home --broker localhost:1883            MQTT too
  parkwatt virtual-home --fault grid_pole.sticks=yes --outage "in 1m for 36h gap 10s"
  parkwatt virtual-home --no-interlock --speed 60
  parkwatt outage start --in 10m --for 36h                 in another window"""


def register(subparsers: Subparsers) -> None:
    """Add `virtual-home` to the command line."""
    parser = add_command(
        subparsers,
        "virtual-home",
        run,
        summary="run a virtual home with backup: gateway, circuits, grid",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    _add_devices(parser)
    _add_home(parser)
    add = parser.add_argument
    add("--outage", metavar="WHEN", help='plan one at the start, such as "in 1m for 36h gap 10s"')
    add(
        "--fault",
        metavar="PLACE.NAME=VALUE",
        action="append",
        default=[],
        help="a fault from the start; may be repeated",
    )
    add(
        "--speed", metavar="X", type=float, default=1.0, help="its clock runs so many times as fast"
    )
    add("--seed", metavar="N", type=int, default=1, help="decides all chance; default: 1")
    add("--json", action="store_true", help="print JSON lines instead of words")
    add("--quiet", action="store_true", help="print nothing")


def _add_devices(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--broker", metavar="HOST:PORT", help="the MQTT broker; without it there is no MQTT")
    add("--username", metavar="NAME", help="at the broker")
    add("--password-file", metavar="FILE", help="a file with the password there")
    add("--topic", metavar="TOPIC", default="home", help="its base topic; default: home")
    add("--modbus-port", metavar="N", type=int, default=5020, help="default: 5020")
    add(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="where Modbus listens; default: this computer alone",
    )
    add(
        "--control-port",
        metavar="N",
        type=int,
        default=CONTROL_PORT,
        help=f"for `parkwatt outage`; default: {CONTROL_PORT}",
    )


def _add_home(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--capacity", metavar="KWH", type=float, default=60.0, help="the car's battery; default: 60"
    )
    add("--soc", metavar="FRACTION", type=float, default=0.8, help="its charge; default: 0.8")
    add(
        "--power",
        metavar="KW",
        type=float,
        default=7.4,
        help="continuous, from the car; default: 7.4",
    )
    add("--surge", metavar="KW", type=float, default=12.0, help="for 10 s; default: 12")
    add(
        "--battery",
        metavar="KWH",
        type=float,
        default=0.0,
        help="a stationary battery; default: none",
    )
    add("--generator", metavar="KW", type=float, default=0.0, help="a generator; default: none")
    add("--solar", metavar="KW", type=float, default=5.0, help="the roof's peak; default: 5")
    add("--frequency", type=int, choices=(50, 60), default=50, help="50 (default) or 60 Hz")
    add("--lease", metavar="S", type=int, default=15, help="of the island source; default: 15")
    add("--no-interlock", action="store_true", help="take the hardware interlock out")


def run(arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C or SIGTERM; returns 0. Raises InputError with the faults of the options."""
    import asyncio

    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    import asyncio

    from parkwatt.app.virtual_home.arguments import doors, home_settings
    from parkwatt.io.sim.backup.build import build_parts
    from parkwatt.io.sim.backup.home import BackupHome
    from parkwatt.io.sim.backup.life import Life
    from parkwatt.io.sim.backup.run import run_home
    from parkwatt.io.sim.backup.status import status_words

    settings, open_doors = home_settings(arguments), doors(arguments)
    clock = _clock(arguments.speed)
    begun_us = clock()

    def tell(note: Note) -> None:
        _print(note, as_json=arguments.json, quiet=arguments.quiet)

    home = BackupHome(begun_us, build_parts(settings, begun_us), on_note=tell, keeps_seconds=False)
    life = Life(home, clock, speed=arguments.speed)
    _prepare(life, arguments)
    stop = asyncio.Event()
    _stop_on_signals(stop)

    def started(ports: Ports) -> None:
        _say(life, f"Modbus TCP at port {ports.modbus}, control at port {ports.control}", arguments)

    await run_home(
        life,
        open_doors,
        stop,
        on_start=started,
        on_link=lambda text: _say(life, text, arguments),
    )
    if not (arguments.quiet or arguments.json):
        print(status_words(home), flush=True)
    return 0


def _clock(speed: float) -> Callable[[], int]:
    """µs since 1970, so many times as fast from now on."""
    import time

    begun_us, begun_s = time.time_ns() // 1000, time.monotonic()
    return lambda: begun_us + round((time.monotonic() - begun_s) * speed * 1_000_000)


def _prepare(life: Life, arguments: argparse.Namespace) -> None:
    """Faults and an outage from the start. Raises InputError with all that cannot be read."""
    from parkwatt.domain.errors import InputError, InputFault
    from parkwatt.io.sim.backup.control import apply_control

    lines = [f"fault {text}" for text in arguments.fault]
    if arguments.outage is not None:
        lines.append(f"outage {arguments.outage}")
    found: list[InputFault] = []
    for line in lines:
        try:
            apply_control(life, line)
        except InputError as error:
            found += error.faults
    if found:
        raise InputError(found)


def _say(life: Life, text: str, arguments: argparse.Namespace) -> None:
    from parkwatt.io.sim.notes import Note

    note = Note(life.home.now_us, "home", "devices", text)
    _print(note, as_json=arguments.json, quiet=arguments.quiet)


def _print(note: Note, *, as_json: bool, quiet: bool) -> None:
    from parkwatt.app.printable import printable
    from parkwatt.io.sim.profiles import time_text
    from parkwatt.io.sim.run import note_line

    if quiet:
        return
    line = note_line(note) if as_json else f"{time_text(note.at_unix_us)} {note.text}"
    print(printable(line), flush=True)


def _stop_on_signals(stop: asyncio.Event) -> None:
    import asyncio
    import contextlib
    import signal

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Where a loop has no signal handlers (Windows), Ctrl-C interrupts as in any program.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
