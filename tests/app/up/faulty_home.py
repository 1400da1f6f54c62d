"""A home over real sockets on simulated time, whose prices, meter and clock a test lets go wrong.

The charger connects over a WebSocket, the meter answers Modbus TCP, prices come over HTTP from a small server. What happened is
judged by the home's truth, second by second, and by what the site wrote down.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.app.live_settings import LiveSettings, load_live_settings
from parkwatt.app.logs import set_up_logs
from parkwatt.app.serve.run import serve
from parkwatt.app.up.run import SiteControl, site_control
from parkwatt.app.up.runner import SiteRunner
from parkwatt.domain.record import FloatArray
from parkwatt.domain.site.event import SiteEvent, SourceChanged
from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.clock.steady_clock import SteadyClock
from parkwatt.io.clock.warp_loop import run_warped
from parkwatt.io.sim.home.judging import discharge_below, feed_in, import_excess
from parkwatt.io.sim.home.price_server import MARKET, MarketPrices, PriceServer
from parkwatt.io.sim.home.profile import StepProfile
from parkwatt.io.sim.home.truth import Float32Array, Truth
from parkwatt.io.sim.home.virtual_home import HomeCar, PluggedIn, VirtualHome
from parkwatt.io.sim.link import LinkSettings
from parkwatt.io.sim.settings import CarSettings, StationSettings
from parkwatt.io.sim.sunspec_meter import SunSpecServer
from tests.app.words.journal import without_german

ZONE = ZoneInfo("Europe/Berlin")
# A Tuesday in winter.
DAY = date(2024, 1, 16)
STEP_S = 5
IMPORT_LIMIT_KW = 9.0
FLOOR_SOC = 0.2
CHARGER_ID = "GARAGE"
_HOUR_S = 3600
_SPAN_S = 40 * _HOUR_S

SITE = """\
name = "Home"
[tariff]
currency = "EUR"
time_zone = "Europe/Berlin"
[tariff.import]
adders_per_kwh = {{ fees = 0.12 }}
tax = 0.19
[tariff.import.day_ahead]
source = "energy-charts"
zone = "DE-LU"
url = "http://127.0.0.1:{ports.prices}/price"
[tariff.export]
price_per_kwh = 0.08
[connection]
import_limit_kw = {limit_kw}
household_kw_max = 7.4
[car]
name = "car"
battery_kwh = 60.0
floor_soc = {floor_soc}
ready_soc = 0.8
charge_kw_max = 11.0
discharge_kw_max = 11.0
charge_efficiency = 0.93
discharge_efficiency = 0.93
charger = "{charger_id}"
mode = "home"
discharge = true
ready_by = {{ weekdays = "07:30", saturday = "09:00", sunday = "09:00" }}
[[charger]]
id = "{charger_id}"
discharge = true
power_kw_max = 11.0
default_kw = 3.0
[meter.grid]
source = "modbus"
host = "127.0.0.1"
port = {ports.meter}
[meter.solar]
source = "none"
[ocpp]
listen = "127.0.0.1:{ports.ocpp}"
admit_unknown = true
[api]
listen = "127.0.0.1:{ports.api}"
[control]
step_s = {step_s}
[log]
level = "error"
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where on this machine things listen."""

    meter: int
    prices: int
    ocpp: int
    api: int


def write_site(directory: Path, ports: Ports, step_s: int) -> Path:
    """Write the site's settings; returns where they are."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "site.toml"
    text = SITE.format(
        ports=ports,
        limit_kw=IMPORT_LIMIT_KW,
        floor_soc=FLOOR_SOC,
        charger_id=CHARGER_ID,
        step_s=step_s,
    )
    path.write_text(text, encoding="utf-8")
    return path


def free_ports() -> Ports:
    """Ports that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(4)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return Ports(*(int(each.getsockname()[1]) for each in sockets))


def local_unix_s(hour: float) -> int:
    """A local time in Unix seconds, in hours since the day began: 24 and more are the days after."""
    midnight = datetime.combine(DAY, datetime.min.time(), ZONE).astimezone(UTC)
    return int(midnight.timestamp() + hour * _HOUR_S)


def market(step_s: int = _HOUR_S) -> MarketPrices:
    """Days of one shape: cheap at night, dear from 17 to 21 o'clock."""
    first = DAY - timedelta(days=23)
    start_unix_s = int(datetime.combine(first, datetime.min.time(), MARKET).timestamp())
    hours = (np.arange(27 * 24 * _HOUR_S // step_s) * step_s // _HOUR_S) % 24
    prices: FloatArray = np.where(
        hours < 6, 20.0, np.where((hours >= 17) & (hours < 21), 260.0, 90.0)
    )
    # The steps of an hour differ a little, as a market's do.
    prices += np.arange(len(prices)) % (_HOUR_S // step_s)
    return MarketPrices(start_unix_s, step_s, prices)


def evening_load(start_unix_s: int, seconds: int) -> StepProfile:
    """By the minute: a base, and things of 2 and 3 kW that are switched on and off."""
    minutes = np.arange(seconds // 60 + 1)
    load_kw = np.full(len(minutes), 0.6)
    load_kw += np.where(minutes % 23 < 3, 2.0, 0.0)
    load_kw += np.where((minutes % 50 > 30) & (minutes % 2 == 0), 1.8, 0.0)
    load_kw += np.where(minutes % 61 > 55, 3.0, 0.0)
    return StepProfile(start_unix_s, 60, load_kw)


@dataclass
class FaultyHome:
    """What a test has in hand. ``clock``: the computer's, which may be set; ``told``: what the site wrote down, and when."""

    start_unix_s: int
    settings: LiveSettings
    clock: SimClock
    home: VirtualHome
    meter: SunSpecServer
    meter_port: int
    prices: PriceServer
    control: SiteControl
    told: list[tuple[int, SiteEvent]] = field(default_factory=list)

    @property
    def runner(self) -> SiteRunner:
        """The site's control."""
        assert self.control.runner is not None
        return self.control.runner

    @property
    def truth(self) -> Truth:
        """What happened."""
        return self.home.truth

    async def until(self, hour: float) -> None:
        """Live up to a local time."""
        wait_s = local_unix_s(hour) - self.clock.true_unix_us() / 1e6
        assert wait_s > 0
        await asyncio.sleep(wait_s)
        self.home.pass_time()

    def sources(self, name: str) -> list[SourceChanged]:
        """What was told of a source, in order."""
        return [
            event
            for _, event in self.told
            if isinstance(event, SourceChanged) and event.source == name
        ]

    def knows_prices(self) -> bool:
        """Whether prices are known for the hours ahead."""
        until_unix_s = self.runner.known_until("import.day_ahead")
        ahead_unix_s = self.clock.true_unix_us() / 1e6 + 3 * _HOUR_S
        return until_unix_s is not None and until_unix_s > ahead_unix_s

    def is_well(self, name: str) -> bool:
        """Whether the site takes a source for well now."""
        known = self.runner.controller.state.sources.get(name)
        return known is None or known.ok

    def car_kw(self, from_hour: float, until_hour: float) -> Float32Array:
        """What the car drew in each second of a local span, by the truth."""
        first, last = (
            local_unix_s(hour) - self.truth.start_unix_s for hour in (from_hour, until_hour)
        )
        return self.truth.car_kw[0, first:last]

    def assert_safe(self) -> None:
        """No floor was broken, and no limit exceeded for longer than a control step: by what physically happened."""
        below = discharge_below(self.truth, 0, FLOOR_SOC)
        assert below.longest_s == 0, below
        over = import_excess(self.truth, IMPORT_LIMIT_KW, tolerance_kw=0.1)
        assert over.beyond(STEP_S + 1) == [], over
        # A load that is switched off is seen with the next reading; then the charger is told.
        fed = feed_in(self.truth, 0.2)
        assert fed.beyond(STEP_S + 2) == [], fed


Story = Callable[[FaultyHome], Awaitable[None]]


def in_faulty_home(
    directory: Path,
    story: Story,
    *,
    hour: float = 15.0,
    arrives: float | None = None,
    soc: float = 0.7,
    price_step_s: int = _HOUR_S,
    step_s: int = STEP_S,
    load: StepProfile | None = None,
    before: Callable[[FaultyHome], None] = lambda _: None,
) -> FaultyHome:
    """Let a home live from a local hour on while ``story`` goes on, then stop; returns it.

    ``arrives``: when the car is plugged in, None: it is there. ``load``: of the household, None: `evening_load`.
    ``before``: at the very start.
    """
    start_unix_s = local_unix_s(hour)
    arrives_unix_s = start_unix_s if arrives is None else local_unix_s(arrives)
    stay = PluggedIn(arrives_unix_s, start_unix_s + _SPAN_S)
    household = evening_load(start_unix_s, _SPAN_S) if load is None else load
    car = home_car(stay, soc)
    home = run_warped(
        _live(directory, story, start_unix_s, car, household, price_step_s, step_s, before)
    )
    assert without_german(home.settings.serve.store.journal) == []
    return home


def home_car(stay: PluggedIn, soc: float) -> HomeCar:
    """A car of 60 kWh behind a DC charger."""
    station = StationSettings(
        id=CHARGER_ID,
        is_dc=True,
        meter_interval_s=10,
        car=CarSettings(capacity_kwh=60.0, soc=soc, discharge_kw_max=11.0),
    )
    return HomeCar(station, (stay,))


async def _live(
    directory: Path,
    story: Story,
    start_unix_s: int,
    car: HomeCar,
    load: StepProfile,
    price_step_s: int,
    step_s: int,
    before: Callable[[FaultyHome], None],
) -> FaultyHome:
    loop = asyncio.get_running_loop()
    clock = SimClock(loop.time, start_unix_s * 1_000_000)
    ports = free_ports()
    settings = load_live_settings(write_site(directory, ports, step_s))
    set_up_logs(settings.serve.log_format, settings.serve.log_level)
    home = VirtualHome(
        start_unix_s,
        _SPAN_S,
        load=load,
        solar=StepProfile(start_unix_s, 60, np.zeros(1)),
        cars=[car],
        clock=clock.true_unix_us,
    )
    meter = SunSpecServer(meter=home.meter)
    prices = PriceServer(market(price_step_s), clock.true_unix_us)
    faulty = FaultyHome(
        start_unix_s, settings, clock, home, meter, ports.meter, prices, site_control(settings)
    )
    before(faulty)
    await meter.start(port=ports.meter)
    await prices.start(port=ports.prices)
    stopping = asyncio.Event()

    def written(events: Sequence[SiteEvent], now_unix_us: int) -> None:
        faulty.told += [(now_unix_us, event) for event in events]

    faulty.control.on_written = written
    try:
        async with asyncio.TaskGroup() as group:
            served = serve(
                settings.serve,
                stopping,
                clock=SteadyClock(clock, loop.time),
                control=faulty.control,
                on_start=lambda *_: None,
            )
            group.create_task(served)
            group.create_task(home.run(LinkSettings(f"ws://127.0.0.1:{ports.ocpp}"), stopping))
            try:
                await story(faulty)
            finally:
                stopping.set()
    finally:
        await meter.stop()
        await prices.stop()
    return faulty
