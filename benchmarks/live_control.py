"""A running site's control: how long a step takes, how soon a wish is done, and how well the house is run from the car.

The step is timed without sockets, with a plan that is followed. The wish goes through the API and is done by a virtual
charger over its WebSocket, on the wall's clock. The evening is lived on simulated time through real sockets, and measured by
the home's truth in each second: a real household by the minute where the data are there (`shared/data` beside the repository),
else a made-up one.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import httpx
import numpy as np

from benchmarks.harness import Figure
from parkwatt.app.live_settings import load_live_settings
from parkwatt.app.logs import set_up_logs
from parkwatt.app.serve.run import serve
from parkwatt.app.up.run import site_control
from parkwatt.domain.charger.rung import Rung
from parkwatt.domain.site.observation import ChargerSeen, Observation
from parkwatt.domain.site.reading import SiteReading
from parkwatt.domain.site.wish import Wishes
from parkwatt.io.clock.steady_clock import SteadyClock
from parkwatt.io.sim.home.household import household
from parkwatt.io.sim.home.judging import switchings
from parkwatt.io.sim.home.price_server import PriceServer
from parkwatt.io.sim.home.profile import StepProfile
from parkwatt.io.sim.home.virtual_home import PluggedIn, VirtualHome
from parkwatt.io.sim.link import LinkSettings
from parkwatt.io.sim.sunspec_meter import SunSpecServer
from parkwatt.site.live.controller import SiteController
from parkwatt.site.live.planning import make_plan
from parkwatt.site.live.settings import CarSettings
from parkwatt.site.live.state import SiteState
from tests.app.up.faulty_home import (
    ZONE,
    FaultyHome,
    free_ports,
    home_car,
    in_faulty_home,
    local_unix_s,
    market,
    write_site,
)
from tests.site.live.world import BEGIN_UNIX_S, US, evening_tariff, site_settings, storage

_STEPS = 1500
_WARM_UP = 60
_WISHES = 10
_FROM_H, _UNTIL_H = 17.0, 21.0
_HOME = Wishes(mode="home", floor_soc=0.2, target_soc=0.8, consents=True)
_SHARED = Path(__file__).parents[2] / "shared" / "data" / "homes"
# The evening of this household whose load varies most in two years.
_REAL = ("submetered_refit_house2_1min.parquet", datetime(2015, 1, 18, 17, tzinfo=UTC))


def figures() -> list[Figure]:
    """All of it."""
    found = [figure for count in (1, 2, 20) for figure in _step_figures(count)]
    found += asyncio.run(_wish_figures())
    for name, load in _evenings():
        found += _evening_figures(name, load)
    return found


# The step.


def _step_figures(cars: int) -> list[Figure]:
    taken_ms = _step_times_ms(cars)
    middle, last = (float(np.percentile(taken_ms, share)) for share in (50, 99))
    aim = "aim: at most 20 ms for one site"
    return [
        Figure(f"control step, {cars} cars, median", middle, "ms", "", None),
        Figure(f"control step, {cars} cars, 99th percentile", last, "ms", aim, last / 20.0),
    ]


def _step_times_ms(count: int) -> list[float]:
    """The load changes with each step, and the chargers do what they are told: all cars are decided for anew."""
    cars = tuple(
        CarSettings(
            storage=replace(storage(), id=f"car-{number}"),
            charger_id=f"CP-{number}",
            wishes=_HOME,
            charger_discharges=True,
        )
        for number in range(count)
    )
    settings = site_settings(_HOME, evening_tariff(), cars=cars, import_limit_kw=40.0)
    controller = SiteController(settings, SiteState())
    random = np.random.default_rng(1)
    power_kw = {car.charger_id: 0.0 for car in cars}
    taken_ms = []
    for index in range(_WARM_UP + _STEPS):
        now_unix_us = BEGIN_UNIX_S * US + index * 2 * US
        grid_kw = float(random.uniform(1.0, 4.0)) + sum(power_kw.values())
        reading = SiteReading(grid_kw=grid_kw, grid_unix_us=now_unix_us)
        seen = tuple(_seen(car, power_kw[car.charger_id], now_unix_us) for car in cars)
        begun_s = time.perf_counter()
        step = controller.step(Observation(seen, reading), now_unix_us)
        taken_s = time.perf_counter() - begun_s
        if index >= _WARM_UP:
            taken_ms.append(1000.0 * taken_s)
        power_kw.update(
            {verdict.proposal.charger_id: verdict.power_kw or 0.0 for verdict in step.commands}
        )
        if step.request is not None:
            controller.planned(make_plan(step.request), now_unix_us)
    return taken_ms


def _seen(car: CarSettings, power_kw: float, now_unix_us: int) -> ChargerSeen:
    return ChargerSeen(
        car.charger_id,
        1,
        connected=True,
        plugged_in=True,
        transaction_id="T",
        soc=0.7,
        soc_unix_us=now_unix_us,
        moved_since_soc_kwh=0.0,
        power_kw=power_kw,
        power_unix_us=now_unix_us,
        import_kwh=10.0,
        export_kwh=5.0,
        rung=Rung.DYNAMIC_SETPOINT,
    )


# The wish.


async def _wish_figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        until_s = await _wishes_s(Path(folder))
    most, aim = max(until_s), "aim: at most 2 s"
    return [
        Figure("a wish through the API, median", statistics.median(until_s), "s", "", None),
        Figure("a wish through the API, the slowest of ten", most, "s", aim, most / 2.0),
    ]


async def _wishes_s(folder: Path) -> list[float]:
    """Seconds from asking the API until the charger's power moves."""
    ports, clock = free_ports(), SteadyClock()
    settings = load_live_settings(write_site(folder, ports, 2))
    set_up_logs(settings.serve.log_format, settings.serve.log_level)
    start_unix_s = clock() // US
    home = VirtualHome(
        start_unix_s,
        3600,
        load=StepProfile(start_unix_s, 60, np.full(1, 0.8)),
        solar=StepProfile(start_unix_s, 60, np.zeros(1)),
        cars=[home_car(PluggedIn(start_unix_s, start_unix_s + 3600), 0.5)],
        clock=clock,
    )
    meter, prices = SunSpecServer(meter=home.meter), PriceServer(market(), clock)
    await meter.start(port=ports.meter)
    await prices.start(port=ports.prices)
    stopping = asyncio.Event()
    served = serve(
        settings.serve,
        stopping,
        clock=clock,
        control=site_control(settings),
        on_start=lambda *_: None,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(served)
        group.create_task(home.run(LinkSettings(f"ws://127.0.0.1:{ports.ocpp}"), stopping))
        try:
            await asyncio.sleep(15.0)
            token = settings.serve.store.token.read_text(encoding="utf-8").strip()
            headers = {"Authorization": f"Bearer {token}"}
            base_url = f"http://127.0.0.1:{ports.api}"
            async with httpx.AsyncClient(base_url=base_url, headers=headers) as client:
                return [await _wish_s(home, client, number) for number in range(_WISHES)]
        finally:
            stopping.set()
            await meter.stop()
            await prices.stop()


async def _wish_s(home: VirtualHome, client: httpx.AsyncClient, number: int) -> float:
    """Charge at once and off in turn."""
    is_now = number % 2 == 0
    begun_s = time.perf_counter()
    answer = await client.post("/v1/cars/car/mode", json={"mode": "now" if is_now else "off"})
    answer.raise_for_status()
    while True:
        home.pass_time()
        power_kw = home.stations[0].power_kw
        if power_kw > 1.0 if is_now else power_kw < 1.0:
            break
        if time.perf_counter() - begun_s > 30.0:
            raise TimeoutError(f"the charger still has {power_kw} kW")
        await asyncio.sleep(0.01)
    taken_s = time.perf_counter() - begun_s
    await asyncio.sleep(7.0 + 0.37 * number)
    return taken_s


# The evening.


def _evenings() -> list[tuple[str, StepProfile]]:
    start_unix_s = local_unix_s(_FROM_H - 0.25)
    random = np.random.default_rng(7)
    midnight = start_unix_s - start_unix_s % 86_400
    evenings = [("made-up household", household(random, midnight, 2, ZONE))]
    path = _SHARED / _REAL[0]
    if path.exists():
        evenings.append(("real household", _real_load(path, _REAL[1], start_unix_s)))
    return evenings


def _real_load(path: Path, begin: datetime, start_unix_s: int) -> StepProfile:
    query = (
        "select aggregate_w from read_parquet(?) where ts_utc >= ? and ts_utc < ? order by ts_utc"
    )
    with duckdb.connect() as connection:
        rows = connection.execute(query, [str(path), begin, begin + timedelta(hours=5)]).fetchall()
    watts = np.array([np.nan if row[0] is None else row[0] for row in rows], dtype=np.float64)
    known = np.flatnonzero(np.isfinite(watts))
    filled = watts[known[np.maximum(np.searchsorted(known, np.arange(len(watts)), "right") - 1, 0)]]
    return StepProfile(start_unix_s, 60, filled / 1000.0)


def _evening_figures(name: str, load: StepProfile) -> list[Figure]:
    async def story(home: FaultyHome) -> None:
        await home.until(_UNTIL_H)

    with tempfile.TemporaryDirectory() as folder:
        home = in_faulty_home(
            Path(folder), story, hour=_FROM_H - 0.25, soc=0.85, step_s=2, load=load
        )
    first, last = (local_unix_s(hour) - home.start_unix_s for hour in (_FROM_H, _UNTIL_H))
    grid_kw = home.truth.grid_kw(first, last).astype(np.float64)
    mean_w = 1000.0 * float(grid_kw.mean())
    steps_count = int((np.abs(np.diff(home.truth.house_kw[first:last])) > 0.5).sum())
    what = f"V2H, {name}"
    switched = int(switchings(home.truth, 0).sum())
    told = f"{steps_count} steps of the load above 500 W in {_UNTIL_H - _FROM_H:g} h"
    longest = (_longest_s(grid_kw < -0.2), _longest_s(np.abs(grid_kw) > 0.2))
    return [
        Figure(f"{what}, mean at the grid", mean_w, "W", f"aim: within ±50 W; {told}", mean_w / 50),
        Figure(f"{what}, longest export above 200 W", longest[0], "s", "aim: 5 s", longest[0] / 5),
        Figure(f"{what}, longest import or export above 200 W", longest[1], "s", "", None),
        Figure(f"{what}, switchings", switched, "", "budget: 24 a day", switched / 24),
    ]


def _longest_s(flags: np.typing.NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return int(np.max(edges[1::2] - edges[::2], initial=0))
