"""The live demo: a whole site that runs, with a virtual home around it, on a clock that goes faster than the wall's.

Nothing is played back. The charger connects over a WebSocket, the meter answers Modbus TCP, prices are read from a file, and
the site plans, guards, commands and journals as it would for a real home; only time jumps over what nobody waits for.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.app.demo.backed_up_home import BackedUpHome, Outage
from parkwatt.app.demo.circuits import CIRCUITS, split_load
from parkwatt.app.demo.home import TIME_ZONE, make_demo_home
from parkwatt.app.demo.home_telling import HomeNarrator
from parkwatt.app.demo.outage_figures import outage_words
from parkwatt.app.demo.site_toml import CHARGER_ID, WEB_PORT, Ports
from parkwatt.app.demo.telling import Narrator
from parkwatt.app.live_settings import LiveSettings, load_live_settings
from parkwatt.app.logs import set_up_logs
from parkwatt.app.serve.run import serve
from parkwatt.app.study.load import LoadedStudy, load_study
from parkwatt.app.study.settings import read_settings
from parkwatt.app.up.run import site_control
from parkwatt.domain.calendar import day_number, local_time_unix_s
from parkwatt.domain.record import Faults
from parkwatt.domain.site.event import SiteEvent
from parkwatt.io.clock.pace import FreePace, WallPace
from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.clock.warp_loop import run_warped
from parkwatt.io.sim.home.profile import StepProfile
from parkwatt.io.sim.home.virtual_home import HomeCar, PluggedIn, VirtualHome
from parkwatt.io.sim.link import LinkSettings
from parkwatt.io.sim.settings import CarSettings, StationSettings
from parkwatt.io.sim.sunspec_meter import SunSpecServer

_HOST = "127.0.0.1"
# The home's data begin this many days before the live span, so that prices of the days before are known.
_LEAD_DAYS = 7
_START_HOUR = 15
_FASTEST = 1e6
# The home's data go on for so long after the span.
_STAY_S = 24 * 3600
# The grid fails once, on the second evening, and comes back in the night, when the car charges.
_OUTAGE_DAY, _OUTAGE_FROM_S, _OUTAGE_LASTS_S = 1, 19 * 3600 + 600, 8 * 3600 + 2400


@dataclass(frozen=True, slots=True)
class LiveDemo:
    """A home on disk and the span in which it lives."""

    settings: LiveSettings
    study: LoadedStudy
    begin_unix_s: int
    end_unix_s: int
    outage: Outage
    gateway_port: int


def make_live_demo(folder: Path, seed: int, start: date, days: int) -> LiveDemo:
    """Write the home's files, and an empty place for its journal: what a live demo left there before goes.

    Raises InputError where the folder cannot be used.
    """
    first = start - timedelta(days=_LEAD_DAYS)
    meter, ocpp, api, gateway = _free_ports(4)
    ports = Ports(meter, ocpp, api, gateway, _web_port())
    home = make_demo_home(folder, seed, first, _LEAD_DAYS + days + 2, ports)
    shutil.rmtree(folder / "site-data", ignore_errors=True)
    faults = Faults()
    study = read_settings(home.site, faults)
    faults.raise_if_any()
    loaded = None if study is None else load_study(study, faults)
    faults.raise_if_any()
    if loaded is None:
        raise AssertionError("the demo's own files have no fault")
    zone = ZoneInfo(TIME_ZONE)
    begin = local_time_unix_s(day_number(start), _START_HOUR * 3600, zone)
    end = local_time_unix_s(day_number(start) + days, _START_HOUR * 3600, zone)
    fails = local_time_unix_s(day_number(start) + _OUTAGE_DAY, _OUTAGE_FROM_S, zone)
    outage = Outage(fails, fails + _OUTAGE_LASTS_S)
    return LiveDemo(load_live_settings(home.site), loaded, begin, end, outage, ports.gateway)


def run_live_demo(
    demo: LiveDemo, speed: float, say: Callable[[str], None], *, stay: bool = False
) -> None:
    """Live through the span; Ctrl-C ends it early. ``speed``: times the wall's clock, 0: as fast as the machine can.

    ``stay``: then go on at the wall's pace for a day, until Ctrl-C, so that one can look at the pages.
    """
    set_up_logs(demo.settings.serve.log_format, demo.settings.serve.log_level)
    if stay:
        slowing = WallPace(speed or _FASTEST)
        run_warped(_live(demo, say, slowing), slowing)
    else:
        run_warped(_live(demo, say), WallPace(speed) if speed > 0 else FreePace())


async def _live(
    demo: LiveDemo, say: Callable[[str], None], slowing: WallPace | None = None
) -> None:
    loop = asyncio.get_running_loop()
    clock = SimClock(loop.time, demo.begin_unix_s * 1_000_000)
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, stopping.set)
    home = _virtual_home(demo, clock)
    car = demo.settings.site.cars[0]
    narrator = Narrator(demo.settings.site.time_zone, car.capacity_kwh, say)
    control = site_control(demo.settings)

    def written(events: Sequence[SiteEvent], now_unix_us: int) -> None:
        narrator.tell(events, now_unix_us)

    control.on_written = written
    control.on_home_written = HomeNarrator(demo.settings.site.time_zone, CIRCUITS, say).tell
    wires = _wires(demo, home, clock)
    meter = SunSpecServer(meter=wires.meter, inverter_kw=wires.solar_kw)
    port = demo.settings.serve.ocpp.address.port
    await meter.start(port=_meter_port(demo))
    await wires.device.start(port=demo.gateway_port)

    def started(ocpp_port: int, api_port: int) -> None:
        say(f"The charger connects to ws://{_HOST}:{ocpp_port}/{CHARGER_ID}")
        token = demo.settings.serve.store.token
        say(f"The API is at http://{_HOST}:{api_port} (token: {token})")

    served = asyncio.create_task(
        serve(
            demo.settings.serve,
            stopping,
            clock=clock,
            control=control,
            web=demo.settings.web,
            on_start=started,
            on_pages=say,
        )
    )
    living = asyncio.create_task(home.run(LinkSettings(f"ws://{_HOST}:{port}"), stopping))
    supplied = asyncio.create_task(wires.run(stopping))
    ending = asyncio.create_task(_end(demo, say, slowing, stopping))
    try:
        await asyncio.wait([served, living, supplied, ending], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.set()
        ending.cancel()
        await asyncio.gather(served, living, supplied, ending, return_exceptions=True)
        await meter.stop()
        await wires.device.stop()
    for task in (served, living, supplied):
        task.result()
    for line in outage_words(wires.physics, demo.outage):
        say(line)


async def _end(
    demo: LiveDemo, say: Callable[[str], None], slowing: WallPace | None, stopping: asyncio.Event
) -> None:
    """Stop after the span; with ``slowing`` a day later, at the wall's pace."""
    await asyncio.sleep(demo.end_unix_s - demo.begin_unix_s)
    if slowing is not None:
        slowing.speed = 1.0
        say("The home lives on as fast as the wall's clock: look at its page. Ctrl-C ends it.")
        await asyncio.sleep(_STAY_S)
    stopping.set()


def _virtual_home(demo: LiveDemo, clock: SimClock) -> VirtualHome:
    inputs = demo.study.inputs
    grid, car = inputs.grid, demo.settings.site.cars[0]
    seconds = demo.end_unix_s - demo.begin_unix_s + 3600
    stays = tuple(
        PluggedIn(
            grid.start_unix_s + stay.arrival_step * grid.step_s,
            grid.start_unix_s + stay.departure_step * grid.step_s,
            stay.energy_kwh_used,
        )
        for stay in inputs.plug_ins
        if grid.start_unix_s + stay.departure_step * grid.step_s > demo.begin_unix_s
    )
    station = StationSettings(
        id=CHARGER_ID,
        is_dc=True,
        meter_interval_s=10,
        car=CarSettings(
            capacity_kwh=car.capacity_kwh,
            soc=inputs.energy_kwh_at_start / car.capacity_kwh,
            charge_kw_max=car.storage.charge_kw_max,
            discharge_kw_max=car.storage.discharge_kw_max,
        ),
    )
    return VirtualHome(
        demo.begin_unix_s,
        seconds,
        load=StepProfile(grid.start_unix_s, grid.step_s, np.maximum(inputs.load_kw, 0.0)),
        solar=StepProfile(grid.start_unix_s, grid.step_s, inputs.solar_kw),
        cars=(HomeCar(station, stays),),
        clock=clock,
    )


def _wires(demo: LiveDemo, home: VirtualHome, clock: SimClock) -> BackedUpHome:
    inputs = demo.study.inputs
    grid = inputs.grid
    return BackedUpHome(
        home,
        split_load(inputs.load_kw),
        (grid.start_unix_s, grid.step_s),
        StepProfile(grid.start_unix_s, grid.step_s, inputs.solar_kw),
        demo.outage if demo.outage.end_unix_s <= demo.end_unix_s else None,
        clock,
    )


def _meter_port(demo: LiveDemo) -> int:
    (port,) = {meter.port for meter in demo.settings.metering.meters if hasattr(meter, "port")}
    return int(port)


def _web_port() -> int:
    """Where browsers come: as for any site where that is free, so that a bookmark keeps."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((_HOST, WEB_PORT))
        except OSError:
            return _free_ports(1)[0]
        return WEB_PORT


def _free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((_HOST, 0))
        return [int(each.getsockname()[1]) for each in sockets]
