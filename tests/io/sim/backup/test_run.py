"""A virtual home behind its doors, on simulated time, and in a process that somebody stops."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.clock.warp_loop import run_warped
from parkwatt.io.sim.backup.control import apply_control
from parkwatt.io.sim.backup.life import Life
from parkwatt.io.sim.backup.pole import SECOND_US
from parkwatt.io.sim.backup.run import Doors, Ports, run_home
from tests.io.sim.backup.homes import EVENING_US, a_home


def test_a_day_without_grid_on_simulated_time() -> None:
    """Renewed every five minutes over Modbus-like calls, as fast as the computer can."""

    async def main() -> Life:
        loop = asyncio.get_running_loop()
        home, _ = a_home()
        life = Life(home, SimClock(loop.time, EVENING_US, start_s=loop.time()))
        stop = asyncio.Event()
        living = asyncio.create_task(life.run(stop))
        await asyncio.sleep(60.0)
        apply_control(life, "outage for 3h")
        life.renew_lease(600)
        for action in ("open_grid_pole", "close_bond", "close_island_source"):
            assert life.command(action).accepted
            await asyncio.sleep(1.0)
        for _ in range(40):
            await asyncio.sleep(300.0)
            life.renew_lease(600)
            if min(home.reading().grid_voltage_pu or (0.0,)) > 0.9:
                break
        life.command("open_island_source")
        await asyncio.sleep(1.0)
        life.command("close_grid_pole")
        await asyncio.sleep(60.0)
        stop.set()
        await living
        return life

    begun_s = time.monotonic()
    life = run_warped(main())
    assert time.monotonic() - begun_s < 60.0
    home = life.home
    seconds = home.truth.totals.seconds
    assert home.bus == "grid"
    assert sum(seconds.values()) == pytest.approx((home.now_us - EVENING_US) / SECOND_US)
    assert seconds["dark"] == pytest.approx(3.0 + 5.0 + 1.2, abs=1.5)
    assert seconds["island"] > 10_700
    assert home.gateway.counters.both_closed_s == 0.0
    assert home.truth.totals.unserved_kwh("medical") < 0.06 * 15 / 3600


def test_all_doors_open_and_close() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        home, _ = a_home()
        life = Life(home, lambda: EVENING_US + round(loop.time() * SECOND_US), speed=1.0)
        begun_s = loop.time()
        life.clock = lambda: EVENING_US + round((loop.time() - begun_s) * SECOND_US)
        stop, open_at = asyncio.Event(), asyncio.Queue[Ports]()
        running = asyncio.create_task(
            run_home(life, Doors(modbus_port=0, control_port=0), stop, on_start=open_at.put_nowait)
        )
        ports = await open_at.get()
        async with httpx.AsyncClient(trust_env=False) as client:
            address = f"http://127.0.0.1:{ports.control}/status"
            assert (await client.get(address)).json()["bus"] == "grid"
        stop.set()
        await running
        for port in (ports.modbus, ports.control):
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)

    asyncio.run(main())


def test_a_port_that_is_taken_is_told() -> None:
    async def main() -> None:
        taken = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        port = taken.sockets[0].getsockname()[1]
        home, _ = a_home()
        life = Life(home, lambda: EVENING_US)
        with pytest.raises(OSError, match="in use"):
            await run_home(life, Doors(modbus_port=0, control_port=port), asyncio.Event())
        taken.close()
        await taken.wait_closed()

    asyncio.run(main())
