"""Plays the members of a pool: a virtual charger with a car for each, over real sockets."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from typing import Final

import numpy as np

from parkwatt.app.pool.settings import PoolSettings, load_pool_settings
from parkwatt.domain.errors import InputError
from parkwatt.domain.record import Faults as InputFaults
from parkwatt.io.sim.faults import Faults
from parkwatt.io.sim.link import LinkSettings
from parkwatt.io.sim.run import run_station
from parkwatt.io.sim.settings import CarSettings, Protocol, StationSettings

_STAGGER_S: Final = 0.004
_METER_NOISE: Final = 0.003


def play(arguments: argparse.Namespace) -> int:
    """Play until SIGINT or SIGTERM; returns 0. Raises InputError."""
    faults = InputFaults()
    if not 0.0 <= arguments.refuse <= 1.0:
        faults.add("--refuse", "must be 0 to 1", arguments.refuse)
    if arguments.meter_interval < 1:
        faults.add("--meter-interval", "must be at least 1", arguments.meter_interval)
    if faults.found:
        raise InputError(faults.found)
    settings = load_pool_settings(arguments.pool)
    rng = np.random.default_rng(arguments.seed)
    stations = stations_of(settings, rng, arguments.protocol, arguments.meter_interval)
    refuses = rng.random(len(stations)) < arguments.refuse
    address = settings.serve.ocpp.address
    where = "127.0.0.1" if address.is_anywhere else address.host
    url = f"ws://{f'[{where}]' if ':' in where else where}:{address.port}"
    print(f"{len(stations):,} virtual chargers at {url}; stop with Ctrl-C", flush=True)
    asyncio.run(_play(url, stations, refuses.tolist()))
    return 0


def stations_of(
    settings: PoolSettings, rng: np.random.Generator, protocol: Protocol, meter_interval_s: int
) -> list[StationSettings]:
    """A charger for each member, with a car of some charge in it."""
    arrays, count = settings.members.arrays, len(settings.members.charger_id)
    soc = 0.25 + 0.65 * rng.beta(2.5, 2.0, count)
    ramps = rng.uniform(2.0, 8.0, count)
    found = []
    for row, charger_id in enumerate(settings.members.charger_id):
        charge_kw = float(arrays.charge_kw_max[row])
        # What a car can do is not what its driver agreed to.
        discharge_kw = charge_kw
        car = CarSettings(
            capacity_kwh=float(arrays.capacity_kwh[row]),
            soc=float(soc[row]),
            charge_kw_max=charge_kw,
            discharge_kw_max=discharge_kw,
            ramp_kw_per_s=float(ramps[row]),
        )
        station = StationSettings(
            id=charger_id,
            protocol=protocol,
            car=car,
            power_kw_max=charge_kw,
            discharge_kw_max=discharge_kw,
            phases=3 if charge_kw > 7.5 else 1,
            meter_interval_s=meter_interval_s,
            meter_noise=_METER_NOISE,
            seed=row + 1,
        )
        found.append(station)
    return found


async def _play(url: str, stations: list[StationSettings], refuses: list[bool]) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for asked in (signal.SIGINT, signal.SIGTERM):
        # Where a loop has no signal handlers (Windows), Ctrl-C interrupts as in any program.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(asked, stop.set)

    async def one(number: int) -> None:
        await asyncio.sleep(number * _STAGGER_S)
        faults = Faults(disobey="nothing") if refuses[number] else Faults()
        await run_station(LinkSettings(url), stations[number], stop=stop, faults=faults)

    async with asyncio.TaskGroup() as group:
        for number in range(len(stations)):
            group.create_task(one(number))
