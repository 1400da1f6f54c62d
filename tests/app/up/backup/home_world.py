"""The whole program and a home whose grid fails, over real sockets on simulated time, judged by what physically happened.

The home is the virtual one (`parkwatt.io.sim.backup`): gateway, circuits, source, and a charger that speaks OCPP 2.1. Its
hardware interlock is taken out, so that the program alone keeps the poles apart. Over Modbus TCP everything is on one clock,
also where the program is a process of its own; an MQTT broker lives by the wall's, and is given a moment before time moves.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from parkwatt.app.live_settings import LiveSettings, load_live_settings
from parkwatt.app.logs import set_up_logs
from parkwatt.app.serve.run import serve
from parkwatt.app.up.home_runner import HomeRunner
from parkwatt.app.up.run import SiteControl, site_control
from parkwatt.domain.home import event as events
from parkwatt.domain.home.event import SUBJECT, HomeEvent, IslandMoved, TransferAsked
from parkwatt.io.clock.granted import MasterPace
from parkwatt.io.clock.pace import Mover, Pace, Ready
from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.clock.steady_clock import SteadyClock
from parkwatt.io.clock.warp_loop import WarpLoop, run_warped
from parkwatt.io.sim.backup.build import HomeSettings, build_parts
from parkwatt.io.sim.backup.control import apply_control
from parkwatt.io.sim.backup.gateway import GatewaySettings
from parkwatt.io.sim.backup.generator import GeneratorSettings
from parkwatt.io.sim.backup.home import BackupHome
from parkwatt.io.sim.backup.life import Life
from parkwatt.io.sim.backup.modbus_device import ModbusDevice
from parkwatt.io.sim.backup.mqtt_device import MqttDevice, MqttDeviceSettings
from parkwatt.io.sim.backup.registers import Bank
from parkwatt.io.sim.backup.shared_car import share_car
from parkwatt.io.sim.backup.source import SourceSettings
from parkwatt.io.sim.build import virtual_station
from parkwatt.io.sim.link import Link, LinkSettings
from parkwatt.io.sim.settings import CarSettings, StationSettings
from parkwatt.io.sim.station import VirtualStation
from parkwatt.io.sim.sunspec_meter import MeterShown, SunSpecServer
from parkwatt.io.store.reader import JournalReader
from tests.app.up.backup.site_file import CHARGER_ID, Ports, Wire, write_site
from tests.app.words.journal import without_german
from tests.io.mqtt.broker import TestBroker

# An evening in winter, without sun: 20 o'clock UTC.
BEGIN_UNIX_S = int(datetime(2026, 1, 20, 20, tzinfo=UTC).timestamp())
LEASE_S = 15
_US = 1_000_000
_LOOK_S = 0.2
_BROKER_S = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a home is like. ``source``: of its island. ``soc``: of the car, and of the battery where that is the source.

    ``site``: more of its settings' file. ``begin_unix_s``: when the story begins.
    """

    wire: Wire = "modbus"
    source: Literal["car", "battery"] = "car"
    grid_code: str = "california-rule21-2022-sb"
    mode: str = "home"
    soc: float = 0.7
    battery_soc: float = 0.7
    connection: str = ""
    site: str = ""
    begin_unix_s: int = BEGIN_UNIX_S
    solar_kw_peak: float = 0.0
    generator_kw: float = 0.0


class LingerPace(Pace):
    """As fast as the computer can, but a moment of the wall's time before each move: a broker may have something under way."""

    def pass_time(self, mover: Mover, next_s: float | None) -> Ready:
        """Wait a moment, then jump to the next timer."""
        ready = mover.poll(None if next_s is None else _BROKER_S)
        if not ready and next_s is not None:
            mover.move_to(next_s)
        return ready


@dataclass
class HomeWorld:
    """What a test has in hand. ``control``: the program's where it runs in this process. ``lines``: to the charger.

    ``figures``: what was measured, for `pytest -rP`.
    """

    wanted: Wanted
    site: Path
    settings: LiveSettings
    ports: Ports
    clock: SimClock
    life: Life
    station: VirtualStation
    meter: SunSpecServer
    modbus: ModbusDevice
    broker: TestBroker | None = None
    control: SiteControl | None = None
    lines: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    figures: list[str] = field(default_factory=list)

    @property
    def home(self) -> BackupHome:
        """The physics."""
        return self.life.home

    @property
    def runner(self) -> HomeRunner:
        """The backup's control."""
        assert self.control is not None
        assert self.control.home is not None
        return self.control.home

    def do(self, line: str) -> None:
        """Let something happen at the home, as `parkwatt outage do` does."""
        apply_control(self.life, line)

    def now_s(self) -> float:
        """Seconds since the story began."""
        return (self.clock.true_unix_us() - self.wanted.begin_unix_s * _US) / _US

    async def until(
        self, holds: Callable[[], bool], within_s: float, what: str, look_s: float = _LOOK_S
    ) -> float:
        """Live until something holds; returns after how many seconds. Fails where that takes longer than ``within_s``."""
        begun_s = self.now_s()
        while not holds():
            assert self.now_s() - begun_s <= within_s, f"{what}: not in {within_s:g} s\n{self}"
            await asyncio.sleep(look_s)
            self.life.now_us()
        return self.now_s() - begun_s

    async def until_phase(self, phase: str, within_s: float = 120.0) -> float:
        """Live until the journal says so."""
        return await self.until(lambda: self.phase() == phase, within_s, phase, look_s=0.5)

    async def until_lit(self, bus: Literal["grid", "island"], within_s: float) -> float:
        """Live until the home has its voltage from there."""
        return await self.until(lambda: self.home.bus == bus, within_s, f"the home on the {bus}")

    def phase(self) -> str:
        """Of the island machine, by the journal."""
        entry = JournalReader(self.journal_path).newest("island.moved")
        if entry is None or entry.payload is None:
            return "grid"
        event = events.decode(entry.payload)
        assert isinstance(event, IslandMoved)
        return event.to_phase

    @property
    def journal_path(self) -> Path:
        """Where the journal is."""
        return self.settings.serve.store.journal

    def told(self) -> list[tuple[float, HomeEvent]]:
        """What the journal holds of the home, with seconds since the story began."""
        begin_us = self.wanted.begin_unix_s * _US
        return [
            ((entry.recorded_unix_us - begin_us) / _US, events.decode(entry.payload))
            for entry in JournalReader(self.journal_path).read(subject=SUBJECT)
            if entry.payload is not None
        ]

    def moves(self, after_s: float = 0.0) -> list[IslandMoved]:
        """The island machine's moves."""
        return [
            event
            for at_s, event in self.told()
            if isinstance(event, IslandMoved) and at_s >= after_s
        ]

    def because(self, after_s: float = 0.0) -> list[str]:
        """The transitions' names."""
        return [move.because for move in self.moves(after_s)]

    def asked(self) -> list[str]:
        """What the gateway was asked for, by the journal."""
        return [event.action for _, event in self.told() if isinstance(event, TransferAsked)]

    def assert_safe(self) -> None:
        """By physics: never both poles closed, nothing fed back, no island without its bond, neutral earthed once."""
        self.life.now_us()
        counters, totals = self.home.gateway.counters, self.home.truth.totals
        assert counters.both_closed_s == 0.0, self
        assert counters.double_bond_s == 0.0, self
        assert (totals.backfeed_s, totals.backfeed_kwh, totals.paralleled) == (0.0, 0.0, 0), self
        assert totals.unbonded_s == 0.0, self

    def dark_s(self) -> float:
        """How long the home was dark so far."""
        self.life.now_us()
        return self.home.truth.totals.seconds["dark"]

    def __str__(self) -> str:
        """The story so far, for a test that failed."""
        moves = [
            f"{at_s:8.1f} s  {event.from_phase} -> {event.to_phase}: {event.because}, {event.reason}"
            for at_s, event in self.told()
            if isinstance(event, IslandMoved)
        ]
        return "\n".join((f"now {self.now_s():.1f} s, {self.home.bus}", *moves))


Story = Callable[[HomeWorld], Awaitable[None]]


def in_home_world(directory: Path, story: Story, wanted: Wanted | None = None) -> HomeWorld:
    """Let a home live while ``story`` goes on, with the program in this process; returns it, safe by physics."""
    chosen = wanted or Wanted()
    pace = LingerPace() if chosen.wire == "mqtt" else None
    world = run_warped(_live(directory, chosen, story), pace)
    _judge(world)
    return world


def _judge(world: HomeWorld) -> None:
    world.assert_safe()
    assert without_german(world.journal_path) == []
    for figure in world.figures:
        print(figure)  # noqa: T201 for `pytest -rP`


async def _live(directory: Path, wanted: Wanted, story: Story) -> HomeWorld:
    async with contextlib.AsyncExitStack() as stack:
        world, stopping = await _world(stack, directory, wanted)
        world.control = site_control(world.settings)
        set_up_logs(world.settings.serve.log_format, world.settings.serve.log_level)
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            served = serve(
                world.settings.serve,
                stopping,
                clock=SteadyClock(world.clock, loop.time),
                control=world.control,
                on_start=lambda *_: None,
            )
            group.create_task(served)
            _settle_in(group, world, stopping)
            try:
                await story(world)
            finally:
                stopping.set()
    return world


def _settle_in(group: asyncio.TaskGroup, world: HomeWorld, stopping: asyncio.Event) -> None:
    """Let the home and its charger live until ``stopping`` is set."""
    link = LinkSettings(f"ws://127.0.0.1:{world.ports.ocpp}", reconnect_s_max=5.0)
    group.create_task(world.life.run(stopping))
    group.create_task(Link(world.station, link, control=world.lines).run(stopping))
    if world.wanted.wire == "mqtt":
        device = MqttDevice(world.life, MqttDeviceSettings("127.0.0.1", world.ports.broker))
        group.create_task(device.run(stopping))


async def _world(
    stack: contextlib.AsyncExitStack, directory: Path, wanted: Wanted
) -> tuple[HomeWorld, asyncio.Event]:
    """The home and its devices; nothing lives yet. ``stack``: ends them."""
    loop = asyncio.get_running_loop()
    begin_us = wanted.begin_unix_s * _US
    clock = SimClock(loop.time, begin_us)
    broker = None
    if wanted.wire == "mqtt":
        directory.mkdir(parents=True, exist_ok=True)
        broker = TestBroker(directory)
        broker.start()
        stack.callback(broker.stop)
    ports = Ports.free(None if broker is None else broker.port)
    station = virtual_station(_station(wanted), begin_us)
    life = Life(_home(wanted, station, begin_us), clock.true_unix_us)
    meter = SunSpecServer(meter=lambda: _shown(life))
    modbus = ModbusDevice(bank=Bank(life))
    await meter.start(port=ports.meter)
    stack.push_async_callback(meter.stop)
    await modbus.start(port=ports.modbus)
    stack.push_async_callback(modbus.stop)
    circuits = [one.circuit for one in life.home.circuits.values()]
    site = write_site(
        directory,
        ports,
        circuits,
        wire=wanted.wire,
        source=wanted.source,
        grid_code=wanted.grid_code,
        mode=wanted.mode,
        connection=wanted.connection,
        more=wanted.site,
        has_generator=wanted.generator_kw > 0.0,
    )
    world = HomeWorld(
        wanted, site, load_live_settings(site), ports, clock, life, station, meter, modbus, broker
    )
    return world, asyncio.Event()


def _station(wanted: Wanted) -> StationSettings:
    car = CarSettings(capacity_kwh=60.0, soc=wanted.soc, discharge_kw_max=11.0)
    return StationSettings(id=CHARGER_ID, is_dc=True, meter_interval_s=10, car=car)


def _home(wanted: Wanted, station: VirtualStation, now_us: int) -> BackupHome:
    settings = HomeSettings(
        gateway=GatewaySettings(interlock=False, lease_s=LEASE_S),
        source=SourceSettings(continuous_kw=7.4, surge_kw=12.0, nominal_hz=60.0),
        battery_kwh=13.5 if wanted.source == "battery" else 0.0,
        battery_kw=7.4,
        solar_kw_peak=wanted.solar_kw_peak,
        generator=GeneratorSettings(wanted.generator_kw) if wanted.generator_kw else None,
        nominal_hz=60.0,
    )
    parts = build_parts(settings, now_us, (station,))
    if wanted.source == "battery":
        # The car hangs on the bus as any load does; the battery alone makes the island.
        share_car(station)
        parts = replace(parts)
        parts.source.car, parts.source.is_plugged = None, False
        assert parts.source.battery is not None
        parts.source.battery.soc = wanted.battery_soc
    return BackupHome(now_us, parts)


def _shown(life: Life) -> MeterShown:
    life.now_us()
    return MeterShown(power_kw=life.home.grid_kw)


# The program as a process of its own, which may be killed.


@dataclass
class Program:
    """Parkwatt as a process that follows the world's time (`tests.app.up.backup.program`)."""

    world: HomeWorld
    pace: MasterPace
    gone: asyncio.Event
    process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it while time stands still; returns when it has done all that it does at once."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, WarpLoop)
        with loop.holding(), socket.create_server(("127.0.0.1", 0)) as listening:
            arguments = (
                str(self.world.site),
                str(listening.getsockname()[1]),
                str(self.world.wanted.begin_unix_s * _US),
            )
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.app.up.backup.program", *arguments]
            )
            listening.setblocking(False)
            control, _ = await loop.sock_accept(listening)
        self.pace.follow(control)
        await asyncio.sleep(0.001)

    async def kill(self) -> None:
        """SIGKILL, now."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """End it politely."""
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.gone.clear()
        self.process.send_signal(number)
        await self.gone.wait()
        self.process.wait()


ProgramStory = Callable[[HomeWorld, Program], Awaitable[None]]


def beside_a_program(
    directory: Path, story: ProgramStory, wanted: Wanted | None = None
) -> HomeWorld:
    """As `in_home_world`, with the program in a process of its own; only over Modbus, whose sockets both share."""
    pace = MasterPace()
    world = run_warped(_live_beside(directory, wanted or Wanted(), story, pace), pace)
    _judge(world)
    return world


async def _live_beside(
    directory: Path, wanted: Wanted, story: ProgramStory, pace: MasterPace
) -> HomeWorld:
    gone = asyncio.Event()
    pace.on_gone = gone.set
    async with contextlib.AsyncExitStack() as stack:
        world, stopping = await _world(stack, directory, wanted)
        program = Program(world, pace, gone)
        async with asyncio.TaskGroup() as group:
            _settle_in(group, world, stopping)
            await program.start()
            with _ended(program):
                try:
                    await story(world, program)
                    await program.stop()
                finally:
                    stopping.set()
    return world


@contextlib.contextmanager
def _ended(program: Program) -> Iterator[None]:
    """Leave no process behind, whatever a story does."""
    try:
        yield
    finally:
        process = program.process
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()
