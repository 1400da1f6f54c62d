"""A process full of virtual chargers with restless drivers, and the truth of what they did: the load of the soak tests.

`python -m tests.soak.chargers --url URL --directory DIR` mixes the three versions with lost links, repeated and disordered
messages, wrong clocks and reboots. It prints `up ID` for each link. `calm` on its standard input ends the faults and all
transactions; once nothing waits to be acknowledged, it writes what its meters counted and ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import IO

from parkwatt.io.sim.faults import Faults
from parkwatt.io.sim.link import LinkSettings
from parkwatt.io.sim.notes import TRUTH_KINDS, Note
from parkwatt.io.sim.run import STAGGER_S, run_station
from parkwatt.io.sim.settings import CarSettings, StationSettings
from parkwatt.io.sim.station import VirtualStation

MESSAGES_FILE = "messages.jsonl"
TRANSACTIONS_FILE = "transactions.json"
PROTOCOLS = ("1.6", "2.0.1", "2.1")
# What the chargers of a version differ in.
FAULTS = (
    Faults(),
    Faults(link_loss_every_s=40.0, link_loss_s=3.0, duplicate=0.2),
    Faults(duplicate=0.5, clock_skew_s=-3600.0),
    Faults(link_loss_every_s=60.0, link_loss_s=8.0, late_s=2.0, shuffle=True, seq_no="gaps"),
)
# Drivers stay so long on average. A back end remembers the last 16 ended transactions of a charger to know their reports again,
# so the queue that is told out of order must not hold more.
PATIENCE_S = 3.0
PATIENCE_SHUFFLED_S = 60.0
POLL_S = 0.02
QUIET_POLLS = 25


@dataclass
class Charger:
    """One charger, its driver's lines, and the station once it runs."""

    settings: StationSettings
    faults: Faults
    random: Random
    lines: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    station: VirtualStation | None = None

    def take(self, station: VirtualStation) -> None:
        """Keep the station, whose meter holds the truth."""
        self.station = station

    @property
    def is_done(self) -> bool:
        """Whether no transaction runs and all of them are acknowledged."""
        station = self.station
        return (
            self.lines.empty()
            and station is not None
            and not station.is_plugged
            and station.transaction is None
            and station.outbox.durable_count == 0
        )


def mixed(count: int, seed: int) -> list[Charger]:
    """So many chargers: every version with every kind of fault."""
    chargers = []
    for number in range(count):
        protocol = PROTOCOLS[number % len(PROTOCOLS)]
        kind = number // len(PROTOCOLS) % len(FAULTS)
        faults = FAULTS[kind]
        if protocol == "1.6":
            # Without sequence numbers nobody can put an end before its beginning right.
            faults = replace(faults, shuffle=False)
        settings = StationSettings(
            id=f"SOAK-{number:03}",
            protocol=protocol,  # type: ignore[arg-type]
            car=CarSettings(capacity_kwh=500.0, soc=0.3),
            meter_interval_s=1,
            negative_limit="discharge",
            retry_with_new_id=kind == 2,
            retry_attempts=1000,
            import_wh=1234.567 * number,
            export_wh=89.1 * number,
            seed=seed * 1000 + number,
        )
        chargers.append(Charger(settings, faults, Random(f"{seed} {number}")))  # noqa: S311
    return chargers


async def _drive(charger: Charger, calm: asyncio.Event) -> None:
    """Plug in and out, and reboot now and then, until all is to be calm."""
    patience_s = PATIENCE_SHUFFLED_S if charger.faults.shuffle else PATIENCE_S
    while not calm.is_set():
        await _pause(calm, charger.random.expovariate(1 / patience_s))
        if charger.random.random() < 0.15:
            charger.lines.put_nowait("reboot")
            continue
        charger.lines.put_nowait("unplug")
        await _pause(calm, charger.random.uniform(0.0, 0.5))
        charger.lines.put_nowait("plug")
    assert charger.station is not None
    charger.station.faults = Faults()
    quiet_polls = 0
    while quiet_polls < QUIET_POLLS:  # a line that was just taken may not be obeyed yet
        if charger.station.is_plugged and charger.lines.empty():
            charger.lines.put_nowait("unplug")
        quiet_polls = quiet_polls + 1 if charger.is_done else 0
        await asyncio.sleep(POLL_S)


async def _pause(calm: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(calm.wait(), seconds)
    except TimeoutError:
        return


async def _live(
    charger: Charger, link: LinkSettings, speed: float, calm: asyncio.Event, messages: IO[str]
) -> None:
    def tell(note: Note) -> None:
        if note.kind in TRUTH_KINDS:
            line = {"told_unix_us": time.time_ns() // 1000, "station": note.station_id}
            messages.write(json.dumps({**line, "kind": note.kind, **note.data}) + "\n")
        elif note.kind == "connected":
            sys.stdout.write(f"up {note.station_id}\n")
            sys.stdout.flush()

    stop = asyncio.Event()
    living = asyncio.create_task(
        run_station(
            link,
            charger.settings,
            stop=stop,
            speed=speed,
            faults=charger.faults,
            on_note=tell,
            control=charger.lines,
            on_start=charger.take,
        )
    )
    await _drive(charger, calm)
    stop.set()
    await living


async def _run(arguments: argparse.Namespace) -> None:
    calm = asyncio.Event()
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin:
            if line.strip() == "calm":
                loop.call_soon_threadsafe(calm.set)

    threading.Thread(target=read, daemon=True).start()
    link = LinkSettings(
        arguments.url,
        reconnect_s_min=arguments.reconnect_s,
        reconnect_s_max=2 * arguments.reconnect_s,
    )
    chargers = mixed(arguments.count, arguments.seed)
    with (arguments.directory / MESSAGES_FILE).open("w", encoding="utf-8", buffering=1) as messages:
        async with asyncio.TaskGroup() as group:
            for charger in chargers:
                group.create_task(_live(charger, link, arguments.speed, calm, messages))
                await asyncio.sleep(STAGGER_S)
    transactions = [
        {
            "station": charger.settings.id,
            "protocol": charger.settings.protocol,
            "transaction": known.id,
            "csms_id": known.csms_id,
            "import_wh": known.import_wh,
            "export_wh": known.export_wh,
        }
        for charger in chargers
        if charger.station is not None
        for known in charger.station.transactions
    ]
    (arguments.directory / TRANSACTIONS_FILE).write_text(json.dumps(transactions), encoding="utf-8")


def main() -> None:
    """Run until calm and acknowledged."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--speed", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reconnect-s", type=float, default=1.0)
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
