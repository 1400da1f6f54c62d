"""The home's physics: every kWh has a place, and its meter shows it, over real sockets on simulated time."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import replace
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.clock.warp_loop import run_warped
from parkwatt.io.modbus.link import ModbusLink
from parkwatt.io.sim.faults import Faults
from parkwatt.io.sim.home.household import household
from parkwatt.io.sim.home.mishaps import Misfortune, draw_mishaps
from parkwatt.io.sim.home.price_server import MarketPrices, PriceServer
from parkwatt.io.sim.home.profile import StepProfile, none_kw
from parkwatt.io.sim.home.virtual_home import HomeCar, PluggedIn, VirtualHome
from parkwatt.io.sim.link import LinkSettings
from parkwatt.io.sim.settings import CarSettings, StationSettings
from parkwatt.io.sim.sunspec_meter import SunSpecServer

START_UNIX_S = 1_704_150_000  # 2024-01-01 23:00 UTC
HOUR_S = 3600
DAY_S = 86_400
ZONE = ZoneInfo("Europe/Amsterdam")


async def csms(connection: ServerConnection) -> None:
    """A back end that accepts everything, and passes over what it cannot read."""
    answers = {
        "BootNotification": {
            "currentTime": "2024-01-01T23:00:00Z",
            "interval": 300,
            "status": "Accepted",
        },
        "Authorize": {"idTokenInfo": {"status": "Accepted"}},
        "Heartbeat": {"currentTime": "2024-01-01T23:00:00Z"},
    }
    with contextlib.suppress(ConnectionClosed):
        async for frame in connection:
            with contextlib.suppress(json.JSONDecodeError):
                kind, message_id, action, *_ = json.loads(frame)
                if kind == 2:
                    await connection.send(json.dumps([3, message_id, answers.get(action, {})]))


def car(*stays: PluggedIn, charger_id: str = "CP-1", soc: float = 0.4) -> HomeCar:
    """A car with 60 kWh behind a charger of 2.0.1."""
    settings = StationSettings(id=charger_id, protocol="2.0.1", car=CarSettings(soc=soc))
    return HomeCar(settings, stays)


async def live(home: VirtualHome, seconds: float) -> None:
    """Let a home live for so long with a back end that lets its cars charge."""
    stop = asyncio.Event()
    async with serve(csms, "127.0.0.1", 0, subprotocols=["ocpp2.0.1"]) as server:  # type: ignore[list-item]
        port = next(iter(server.sockets)).getsockname()[1]
        living = asyncio.create_task(home.run(LinkSettings(f"ws://127.0.0.1:{port}"), stop))
        await asyncio.sleep(seconds)
        stop.set()
        await living


def test_every_kwh_has_a_place() -> None:
    stays = (
        PluggedIn(START_UNIX_S - 100, START_UNIX_S + 8 * HOUR_S),
        PluggedIn(START_UNIX_S + 18 * HOUR_S + 37, START_UNIX_S + 30 * HOUR_S, 12.5),
    )

    async def main() -> None:
        clock = SimClock(asyncio.get_running_loop().time, START_UNIX_S * 1_000_000)
        random = np.random.default_rng(3)
        home = VirtualHome(
            START_UNIX_S,
            2 * DAY_S,
            load=household(random, START_UNIX_S, 2, ZONE),
            solar=StepProfile(START_UNIX_S, 900, np.repeat([0.0, 3.0], 96)),
            cars=[car(*stays), car(stays[0], charger_id="CP-2", soc=0.1)],
            clock=clock,
        )
        await live(home, 2 * DAY_S)
        shown, truth = home.meter(), home.truth
        for number, station in enumerate(home.stations):
            kwh = truth.car_kw[number].sum(dtype=float) / HOUR_S
            moved_kwh = (station.meter.import_wh - station.meter.export_wh) / 1000
            assert kwh == pytest.approx(moved_kwh, abs=1e-3)
            assert moved_kwh > 20.0
        grid_kwh = truth.grid_kw()[:-1].sum(dtype=float) / HOUR_S
        assert shown.import_kwh - shown.export_kwh == pytest.approx(grid_kwh, abs=1e-3)
        assert min(shown.import_kwh, shown.export_kwh) > 1.0
        first, second = (left for left in truth.departures if left.car == 0)
        assert (first.departed_unix_s, second.arrived_unix_s) == (
            stays[0].departure_unix_s,
            stays[1].arrival_unix_s,
        )
        assert first.arrived_energy_kwh == pytest.approx(24.0)
        assert second.arrived_energy_kwh == pytest.approx(first.energy_kwh - 12.5)
        away = truth.car_kw[0, 8 * HOUR_S + 1 : 18 * HOUR_S + 37]
        assert not away.any()
        assert truth.car_kw[0, 18 * HOUR_S + 45] > 10.0  # it starts as soon as it is plugged in

    run_warped(main())


def test_the_meter_shows_this_moment_over_modbus() -> None:
    async def main() -> None:
        clock = SimClock(asyncio.get_running_loop().time, START_UNIX_S * 1_000_000)
        load = household(np.random.default_rng(5), START_UNIX_S, 1, ZONE)
        stay = PluggedIn(START_UNIX_S + HOUR_S, START_UNIX_S + 3 * HOUR_S)
        home = VirtualHome(
            START_UNIX_S,
            DAY_S,
            load=load,
            solar=none_kw(START_UNIX_S),
            cars=[car(stay)],
            clock=clock,
        )
        meter = SunSpecServer(meter=home.meter, inverter_kw=home.solar_kw)
        link = ModbusLink("127.0.0.1", await meter.start())

        async def watch() -> None:
            loop, shown = asyncio.get_running_loop(), 0
            while loop.time() < 4 * HOUR_S:
                await asyncio.sleep(2.0)
                # Common model, inverter 103, meter 203: total real power and its scale.
                words = await link.read(1, "holding", 40_000 + 2 + 68 + 52 + 2 + 16, 1, timeout_s=1)
                power_kw = (words[0] - (words[0] >> 15 << 16)) / 1000
                second = int(loop.time())
                expected_kw = float(home.truth.house_kw[second]) + home.stations[0].power_kw
                assert power_kw == pytest.approx(expected_kw, abs=0.0011)
                shown += power_kw > 10
            assert shown > 3000

        watching = asyncio.create_task(watch())
        await live(home, 4 * HOUR_S + 5)
        await watching
        link.close()
        await meter.stop()

    run_warped(main())


def test_it_lives_through_all_mishaps() -> None:
    suffered: set[str] = set()

    async def main() -> None:
        clock = SimClock(asyncio.get_running_loop().time, START_UNIX_S * 1_000_000)
        stays = tuple(
            PluggedIn(START_UNIX_S + day * DAY_S, START_UNIX_S + day * DAY_S + 12 * HOUR_S, 15.0)
            for day in range(4)
        )
        faults = Faults(
            link_loss_every_s=7200.0,
            link_loss_s=60.0,
            duplicate=0.05,
            malformed=0.01,
            late_s=5.0,
            reboot_every_s=DAY_S,
        )
        home = VirtualHome(
            START_UNIX_S,
            4 * DAY_S,
            load=household(np.random.default_rng(7), START_UNIX_S, 4, ZONE),
            solar=none_kw(START_UNIX_S),
            cars=[replace(car(*stays), faults=faults)],
            clock=clock.true_unix_us,
        )
        prices = PriceServer(
            MarketPrices(START_UNIX_S - DAY_S, HOUR_S, np.arange(240.0)), clock.true_unix_us
        )
        await prices.start()
        meter = SunSpecServer(meter=home.meter)
        port = await meter.start()
        misfortune = Misfortune(home, meter, port, prices, clock)
        mishaps = draw_mishaps(Random(1), 2 * DAY_S, often=40.0)  # noqa: S311
        befalling = asyncio.create_task(misfortune.befall(mishaps))
        await live(home, 4 * DAY_S)
        await befalling
        suffered.update(mishap.kind for mishap in misfortune.suffered)
        assert clock() == clock.true_unix_us()
        assert prices.faults == type(prices.faults)()
        assert meter.faults == type(meter.faults)()
        moved_kwh = home.truth.car_kw[0].sum(dtype=float) / HOUR_S
        assert moved_kwh == pytest.approx(home.stations[0].meter.import_wh / 1000, abs=1e-3)
        assert len(home.truth.departures) == 4
        await meter.stop()
        await prices.stop()

    run_warped(main())
    assert len(suffered) == 16
