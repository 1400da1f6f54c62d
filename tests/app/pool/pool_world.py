"""A whole pool on simulated time: its server, its API, and a virtual charger for each member, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from parkwatt.app.fleet.pool_virtual import stations_of
from parkwatt.app.fleet.up import PoolControl
from parkwatt.app.pool.settings import PoolSettings, load_pool_settings
from parkwatt.app.serve.run import serve
from parkwatt.domain.fleet import operation
from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.clock.warp_loop import WarpLoop, run_warped
from parkwatt.io.sim.faults import Faults
from parkwatt.io.sim.link import Link, LinkSettings
from parkwatt.io.sim.run import make_station
from parkwatt.io.sim.station import VirtualStation
from parkwatt.io.store.reader import JournalReader

BEGIN = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
COLUMNS = (
    "car_id,charger_id,driver,capacity_kwh,charge_kw_max,discharge_kw_max,"
    "floor_soc,target_soc,ready_by,consent"
)


@dataclass
class PoolWorld:
    """A pool while it lives. ``stations``: its chargers as they are; ``beside``: a server that lives with it."""

    settings: PoolSettings
    control: PoolControl
    clock: SimClock
    api: httpx.AsyncClient
    stations: list[VirtualStation]
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    beside: Any = None

    @property
    def power_kw(self) -> float:
        """What really flows."""
        return sum(station.car.power_kw for station in self.stations)

    async def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        """The API's answer. Time stands still meanwhile: its threads are not the loop's."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, WarpLoop)
        with loop.holding():
            return await self.api.request(method, f"/v1/{path}", json=body)

    async def shown(self) -> dict[str, Any]:
        """The pool by its API."""
        return dict((await self.call("GET", "pool")).raise_for_status().json())

    async def ask(self, minutes: float, **power: float | str) -> dict[str, Any]:
        """A target."""
        answer = await self.call("POST", "pool/targets", {"minutes": minutes, **power})
        return dict(answer.raise_for_status().json())

    def journal(self, kind: str) -> list[operation.PoolEvent]:
        """The pool's entries of a kind."""
        reader = JournalReader(self.settings.serve.store.journal)
        return [
            operation.decode(entry.payload)
            for entry in reader.read(subject=operation.SUBJECT)
            if entry.kind == kind and entry.payload is not None
        ]


Story = Callable[[PoolWorld], Awaitable[None]]


def members(count: int, **changed: str) -> list[str]:
    """Rows of a table of members: 11 kW, 60 kWh, floor 20 %, ready with 60 % at seven; all agreed."""
    row = {
        "capacity_kwh": "60",
        "charge_kw_max": "11",
        "discharge_kw_max": "11",
        "floor_soc": "0.2",
        "target_soc": "0.6",
        "ready_by": "07:00",
        "consent": "yes",
    } | changed
    return [
        ",".join((f"car-{n}", f"CP-{n}", f"driver-{n}", *row.values())) for n in range(1, count + 1)
    ]


def write_pool(folder: Path, rows: Sequence[str], more: str = "") -> Path:
    """A pool's files on free ports."""
    with contextlib.ExitStack() as stack:
        free = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        ocpp, api = (one.getsockname()[1] for one in free)
    (folder / "members.csv").write_text("\n".join((COLUMNS, *rows)) + "\n", encoding="utf-8")
    path = folder / "pool.toml"
    path.write_text(
        f'name = "north"\n[ocpp]\nlisten = "127.0.0.1:{ocpp}"\nadmit_unknown = true\n'
        f'[api]\nlisten = "127.0.0.1:{api}"\n[charger_defaults]\nmeter_interval_s = 5\n'
        f'[pool]\nmembers = "members.csv"\ntime_zone = "Europe/Amsterdam"\n{more}',
        encoding="utf-8",
    )
    return path


def in_pool(
    path: Path,
    story: Story,
    *,
    soc: float = 0.7,
    refuses: Sequence[int] = (),
    begin: datetime = BEGIN,
    beside: Callable[[], AbstractAsyncContextManager[Any]] | None = None,
    prepare: Callable[[Any], Awaitable[None]] | None = None,
) -> PoolWorld:
    """Let the pool of a file live through a story. ``refuses``: chargers by their number that do not do as they are told.

    ``beside``: a server that lives with it; ``prepare``: called with it before the file is read.
    """

    async def live() -> PoolWorld:
        async with contextlib.AsyncExitStack() as stack:
            server = None if beside is None else await stack.enter_async_context(beside())
            if prepare is not None:
                await prepare(server)
            return await _live(path, story, soc, refuses, begin, server)

    return run_warped(live())


async def _live(
    path: Path,
    story: Story,
    soc: float,
    refuses: Sequence[int],
    begin: datetime,
    beside: object,
) -> PoolWorld:
    loop = asyncio.get_running_loop()
    begin_us = round(begin.timestamp() * 1e6)
    clock, stopping = SimClock(loop.time, begin_us), asyncio.Event()
    settings = load_pool_settings(path)
    control = PoolControl(settings)
    begun = asyncio.Event()
    served = asyncio.create_task(
        serve(
            settings.serve, stopping, clock=clock, control=control, on_start=lambda *_: begun.set()
        )
    )
    waiting = asyncio.create_task(begun.wait())
    await asyncio.wait([served, waiting], return_when=asyncio.FIRST_COMPLETED)
    if served.done():
        served.result()
    stations = []
    tasks = [served]
    link = LinkSettings(f"ws://127.0.0.1:{settings.serve.ocpp.address.port}")
    for number, one in enumerate(stations_of(settings, np.random.default_rng(1), "2.1", 5)):
        faults = Faults(disobey="nothing") if number in refuses else Faults()
        # Other transactions each time: numbers come from the seed.
        other = replace(one, seed=one.seed + begin_us // 1_000_000 % 1_000_000)
        station = make_station(other, faults=faults, now_unix_us=begin_us)
        station.car.energy_kwh = soc * station.car.settings.capacity_kwh
        stations.append(station)
        tasks.append(asyncio.create_task(Link(station, link).run(stopping)))
    token = settings.serve.store.token.read_text(encoding="utf-8").strip()
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{settings.serve.api.port}",
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
        timeout=600.0,
    ) as api:
        world = PoolWorld(settings, control, clock, api, stations, tasks, beside)
        try:
            await story(world)
        finally:
            stopping.set()
            done = await asyncio.gather(*tasks, return_exceptions=True)
    for one_of in done:
        if isinstance(one_of, BaseException):
            raise one_of
    return world
