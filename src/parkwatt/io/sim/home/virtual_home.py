"""The physics of a virtual home and its drivers: who comes and goes when, and what its grid meter shows.

The chargers' own simulation (`parkwatt.io.sim.station`) tells of each moment of constant power, at most a second long; load
and sun are constant within their steps. So what flows through the grid connection is known in each second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from parkwatt.io.sim.build import virtual_station
from parkwatt.io.sim.faults import Faults
from parkwatt.io.sim.home.profile import StepProfile
from parkwatt.io.sim.home.truth import SECOND_US, TrueDeparture, Truth
from parkwatt.io.sim.link import Link, LinkSettings
from parkwatt.io.sim.notes import Note
from parkwatt.io.sim.settings import StationSettings
from parkwatt.io.sim.station import VirtualStation
from parkwatt.io.sim.sunspec_meter import MeterShown


@dataclass(frozen=True, slots=True)
class PluggedIn:
    """Plugged in over [arrival, departure); ``energy_used_kwh`` was driven before the arrival."""

    arrival_unix_s: int
    departure_unix_s: int
    energy_used_kwh: float = 0.0


@dataclass(frozen=True, slots=True)
class HomeCar:
    """A car, its charger and when it is there: ``stays`` are in order and apart. ``faults``: of the charger, all the time."""

    station: StationSettings
    stays: tuple[PluggedIn, ...]
    faults: Faults = field(default_factory=Faults)


class VirtualHome:
    """A home over ``seconds`` from ``start_unix_s`` on. ``clock``: the true time, µs since 1970; it is ``start_unix_s`` now.

    ``on_note``: hears what happens at the chargers.
    """

    def __init__(
        self,
        start_unix_s: int,
        seconds: int,
        *,
        load: StepProfile,
        solar: StepProfile,
        cars: Sequence[HomeCar],
        clock: Callable[[], int],
        on_note: Callable[[Note], None] | None = None,
    ) -> None:
        self._load_kw = load.by_second(start_unix_s, seconds)
        self._solar_kw = solar.by_second(start_unix_s, seconds)
        self.truth = Truth(start_unix_s, self._load_kw - self._solar_kw, len(cars))
        self.cars = tuple(cars)
        self.stations = tuple(self._station(number, car) for number, car in enumerate(cars))
        self.lines: tuple[asyncio.Queue[str], ...] = tuple(asyncio.Queue() for _ in cars)
        self._clock = clock
        self._on_note = on_note
        self._counted = 0
        self._import_kwh = self._export_kwh = 0.0

    def _station(self, number: int, car: HomeCar) -> VirtualStation:
        settings = replace(car.station, car=replace(car.station.car, plugged_in=False, trips=()))
        station = virtual_station(settings, self.truth.start_unix_s * SECOND_US)
        station.faults = replace(car.faults)
        station.on_flow = partial(self._flowed, number)
        return station

    def _flowed(self, number: int, from_us: int, until_us: int, power_kw: float) -> None:
        soc = self.stations[number].car.soc
        self.truth.flowed(number, from_us, until_us, power_kw, soc)

    # What its meters show now.

    def pass_time(self) -> None:
        """Let the physics come up to now."""
        now_us = self._clock()
        for station in self.stations:
            station.pass_time(now_us)

    def meter(self) -> MeterShown:
        """The grid meter."""
        self.pass_time()
        at = self._second()
        self._count(at)
        power_kw = float(self.truth.house_kw[at]) + sum(
            station.power_kw for station in self.stations
        )
        return MeterShown(
            power_kw=power_kw, import_kwh=self._import_kwh, export_kwh=self._export_kwh
        )

    def solar_kw(self) -> float:
        """What the roof gives."""
        return float(self._solar_kw[self._second()])

    def load_kw(self) -> float:
        """What the household uses, without cars."""
        return float(self._load_kw[self._second()])

    def _second(self) -> int:
        return min(max(self.truth.index(self._clock()), 0), len(self.truth) - 1)

    def _count(self, until: int) -> None:
        """Let the registers count the seconds up to that one."""
        if until <= self._counted:
            return
        grid_kw = self.truth.grid_kw(self._counted, until)
        net_kwh = float(grid_kw.sum(dtype=float)) / 3600.0
        through_kwh = float(abs(grid_kw).sum(dtype=float)) / 3600.0
        self._import_kwh += (through_kwh + net_kwh) / 2.0
        self._export_kwh += (through_kwh - net_kwh) / 2.0
        self._counted = until

    # Life.

    async def run(self, link: LinkSettings, stop: asyncio.Event) -> None:
        """Let chargers and drivers live until ``stop`` is set."""
        self.pass_time()
        links = [
            Link(station, link, on_note=self._on_note, control=lines)
            for station, lines in zip(self.stations, self.lines, strict=True)
        ]
        async with asyncio.TaskGroup() as group:
            driving = [group.create_task(self._drive(number)) for number in range(len(self.cars))]
            await asyncio.gather(*(each.run(stop) for each in links))
            for task in driving:
                task.cancel()
        self.pass_time()

    def poke(self) -> None:
        """Let all chargers look at once at what happened to them."""
        for lines in self.lines:
            lines.put_nowait("tick")

    async def _drive(self, number: int) -> None:
        """Come and go as the stays say; a car that is there when the home begins is plugged in at once."""
        station, lines = self.stations[number], self.lines[number]
        for stay in self.cars[number].stays:
            if stay.departure_unix_s * SECOND_US <= self._clock():
                continue
            await self._wait_until(stay.arrival_unix_s)
            station.pass_time(self._clock())
            station.car.drive(stay.energy_used_kwh)
            arrived_kwh = station.car.energy_kwh
            station.plug_in()
            lines.put_nowait("tick")
            await self._wait_until(stay.departure_unix_s)
            station.pass_time(self._clock())
            self.truth.departures.append(
                TrueDeparture(
                    number,
                    stay.arrival_unix_s,
                    arrived_kwh,
                    stay.departure_unix_s,
                    station.car.energy_kwh,
                )
            )
            station.unplug()
            lines.put_nowait("tick")

    async def _wait_until(self, unix_s: int) -> None:
        wait_s = unix_s - self._clock() / SECOND_US
        if wait_s > 0:
            await asyncio.sleep(wait_s)
