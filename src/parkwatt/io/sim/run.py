"""Running virtual chargers: one, or hundreds in a process."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from parkwatt.io.sim.build import virtual_station
from parkwatt.io.sim.faults import Faults
from parkwatt.io.sim.link import Link, LinkSettings
from parkwatt.io.sim.notes import TRUTH_KINDS, Note
from parkwatt.io.sim.settings import StationSettings
from parkwatt.io.sim.station import VirtualStation

# Chargers are started this far apart, as after a power cut by good stations; else a thousand would knock at once.
STAGGER_S = 0.005


class Truth:
    """What really happened, as JSON lines: each is whole on the disk's cache before the next frame leaves."""

    def __init__(self, path: Path) -> None:
        self._file: IO[str] = path.open("a", encoding="utf-8", buffering=1)

    def add(self, note: Note) -> None:
        """Write a note if it is about a transaction or one of its messages."""
        if note.kind in TRUTH_KINDS:
            self._file.write(note_line(note) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def note_line(note: Note) -> str:
    """A note as one line of JSON."""
    about = {"at_unix_us": note.at_unix_us, "station": note.station_id, "kind": note.kind}
    return json.dumps({**about, "text": note.text, **note.data}, ensure_ascii=False)


def make_station(
    settings: StationSettings,
    *,
    speed: float = 1.0,
    faults: Faults | None = None,
    now_unix_us: int | None = None,
) -> VirtualStation:
    """A station for a clock that runs ``speed`` times as fast; it begins at the present time."""
    begun_us = time.time_ns() // 1000 if now_unix_us is None else now_unix_us
    station = virtual_station(replace(settings, link_time_factor=speed), begun_us)
    if faults is not None:
        station.faults = replace(faults)
    return station


async def run_station(
    url: str | LinkSettings,
    settings: StationSettings,
    *,
    stop: asyncio.Event,
    speed: float = 1.0,
    faults: Faults | None = None,
    on_note: Callable[[Note], None] | None = None,
    control: asyncio.Queue[str] | None = None,
    on_start: Callable[[VirtualStation], None] | None = None,
) -> VirtualStation:
    """Run one charger until ``stop`` is set; returns it as it ended. ``on_start`` gets it before it connects."""
    station = make_station(settings, speed=speed, faults=faults)
    if on_start is not None:
        on_start(station)
    link_settings = LinkSettings(url) if isinstance(url, str) else url
    await Link(station, link_settings, speed=speed, on_note=on_note, control=control).run(stop)
    return station


async def run_stations(
    link_settings: LinkSettings,
    all_settings: Sequence[StationSettings],
    *,
    stop: asyncio.Event,
    speed: float = 1.0,
    faults: Faults | None = None,
    on_note: Callable[[Note], None] | None = None,
    controls: Sequence[asyncio.Queue[str]] = (),
) -> list[VirtualStation]:
    """Run many chargers in one process until ``stop`` is set; ``controls`` has a queue for each, or none."""

    async def one(number: int, settings: StationSettings) -> VirtualStation:
        await asyncio.sleep(number * STAGGER_S)
        return await run_station(
            link_settings,
            settings,
            stop=stop,
            speed=speed,
            faults=faults,
            on_note=on_note,
            control=controls[number] if controls else None,
        )

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(n, settings)) for n, settings in enumerate(all_settings)]
    return [task.result() for task in tasks]
