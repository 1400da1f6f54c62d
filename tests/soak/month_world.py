"""The world around Parkwatt in the simulated month: a home, its meter, its price source, its charger, and what befalls them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.clock.warp_loop import WarpLoop
from parkwatt.io.sim.faults import Faults
from parkwatt.io.sim.home.mishaps import Misfortune, Mishap, draw_mishaps
from parkwatt.io.sim.home.price_server import PriceServer
from parkwatt.io.sim.home.virtual_home import HomeCar, VirtualHome
from parkwatt.io.sim.link import LinkSettings
from parkwatt.io.sim.notes import Note
from parkwatt.io.sim.settings import Protocol
from parkwatt.io.sim.sunspec_meter import SunSpecServer
from tests.soak.month_home import MonthData, Ports, free_ports, home_car, write_site

CHARGER_FAULTS = Faults(
    link_loss_every_s=6 * 3600.0,
    link_loss_s=45.0,
    late_s=3.0,
    duplicate=0.01,
    malformed=0.002,
    reboot_every_s=4 * 86_400.0,
)


_LINK_AWAY_S = 60


@dataclass
class World:
    """``clock``: the computer's, which mishaps may set. ``site``: the settings' file."""

    loop: WarpLoop
    clock: SimClock
    home: VirtualHome
    car: HomeCar
    misfortune: Misfortune
    ports: Ports
    site: Path
    data: MonthData
    link_losses_unix_s: list[int]

    def troubled(self) -> list[tuple[int, int]]:
        """The spans in which meter or link were away, from the beginning of each on."""
        start_unix_s = self.data.start_unix_s
        spans = [
            (start_unix_s + int(one.start_s), start_unix_s + int(one.start_s + one.duration_s) + 1)
            for one in self.misfortune.suffered
            if one.kind.startswith(("meter", "link", "charger"))
        ]
        return [*spans, *((lost, lost + _LINK_AWAY_S) for lost in self.link_losses_unix_s)]

    async def live(
        self,
        seconds: float,
        stopping: asyncio.Event,
        mishaps: Sequence[Mishap] = (),
        tell: Callable[[Mishap], None] | None = None,
    ) -> None:
        """Let the home live for so long, then set ``stopping``."""
        link = LinkSettings(f"ws://127.0.0.1:{self.ports.ocpp}", reconnect_s_max=5.0)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.home.run(link, stopping))
            befalling = group.create_task(self.misfortune.befall(mishaps, tell))
            await asyncio.sleep(seconds)
            befalling.cancel()
            stopping.set()


@contextlib.asynccontextmanager
async def world(
    directory: Path,
    data: MonthData,
    seed: int,
    protocol: Protocol,
    *,
    faults: bool,
    on_note: Callable[[Note], None] | None = None,
) -> AsyncIterator[World]:
    """A world whose meter and prices answer; the home does not live yet. ``faults``: the charger has some."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, WarpLoop)
    clock = SimClock(loop.time, data.start_unix_s * 1_000_000, start_s=loop.time())
    ports = Ports(*free_ports(4))
    link_losses_unix_s: list[int] = []

    def told(note: Note) -> None:
        if note.kind in ("link_loss", "reboot"):
            link_losses_unix_s.append(note.at_unix_us // 1_000_000)
        if on_note is not None:
            on_note(note)

    car = home_car(data, protocol, CHARGER_FAULTS if faults else Faults(), seed)
    home = VirtualHome(
        data.start_unix_s,
        data.seconds,
        load=data.load,
        solar=data.solar,
        cars=[car],
        clock=clock.true_unix_us,
        on_note=told,
    )
    meter = SunSpecServer(meter=home.meter, inverter_kw=home.solar_kw)
    prices = PriceServer(data.prices, clock.true_unix_us)
    await meter.start(port=ports.meter)
    await prices.start(port=ports.prices)
    misfortune = Misfortune(home, meter, ports.meter, prices, clock)
    site = write_site(directory, data, ports)
    try:
        yield World(loop, clock, home, car, misfortune, ports, site, data, link_losses_unix_s)
    finally:
        await meter.stop()
        await prices.stop()


def mishaps_of(
    data: MonthData, seed: int, *, often: float = 1.0, clock: bool = True
) -> list[Mishap]:
    """What befalls the home, ``often`` times as much as usual; ``clock``: also its computer's clock."""
    drawn = draw_mishaps(Random(seed), data.seconds, often=often)  # noqa: S311 the same in each run
    return [mishap for mishap in drawn if clock or not mishap.kind.startswith("clock")]
