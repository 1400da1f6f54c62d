"""What goes wrong in a virtual home, when and for how long, by chance from a seed.

A charger's own faults (`parkwatt.io.sim.faults`) are beside these: lost links, reboots, late, repeated and broken messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.sim.home.price_server import PriceFaults, PriceServer
from parkwatt.io.sim.home.virtual_home import VirtualHome
from parkwatt.io.sim.sunspec_meter import MeterFaults, SunSpecServer

MishapKind = Literal[
    "meter hangs",
    "meter gone",
    "meter garbage",
    "meter slow",
    "link lost",
    "charger reboots",
    "soc stale",
    "soc missing",
    "clock ahead",
    "clock behind",
    "prices down",
    "prices hang",
    "prices late",
    "price day missing",
    "price hour doubled",
    "prices by the hour",
]
KINDS: tuple[MishapKind, ...] = get_args(MishapKind)

# Of each kind: how often in 30 days, and its shortest and longest duration in seconds. The worst last for hours.
_RATES: dict[MishapKind, tuple[float, float, float]] = {
    "meter hangs": (6, 20, 3 * 3600),
    "meter gone": (6, 20, 5 * 3600),
    "meter garbage": (4, 10, 600),
    "meter slow": (6, 60, 3600),
    "link lost": (20, 10, 2 * 3600),
    "charger reboots": (10, 0, 0),
    "soc stale": (4, 3600, 10 * 3600),
    "soc missing": (4, 3600, 10 * 3600),
    "clock ahead": (2, 600, 2 * 3600),
    "clock behind": (2, 600, 2 * 3600),
    "prices down": (4, 3600, 20 * 3600),
    "prices hang": (2, 3600, 10 * 3600),
    "prices late": (4, 6 * 3600, 24 * 3600),
    "price day missing": (2, 12 * 3600, 30 * 3600),
    "price hour doubled": (2, 6 * 3600, 30 * 3600),
    "prices by the hour": (2, 6 * 3600, 30 * 3600),
}
_MONTH_S = 30 * 86_400
_SLOW_S = 1.5
_LATE_S = 8 * 3600.0
_CLOCK_S_MAX = 600.0


@dataclass(frozen=True, slots=True)
class Mishap:
    """``start_s``: after the beginning. ``size``: a fraction from 0 to 1, where a kind has more or less of it."""

    start_s: float
    duration_s: float
    kind: MishapKind
    size: float


def draw_mishaps(random: Random, duration_s: float, *, often: float = 1.0) -> list[Mishap]:
    """Mishaps over a span, in order; ``often``: times as many as usual. Those of a kind do not overlap."""
    found: list[Mishap] = []
    for kind, (times_a_month, least_s, most_s) in _RATES.items():
        at_s = 0.0
        while True:
            at_s += random.expovariate(often * times_a_month / _MONTH_S)
            if at_s >= duration_s:
                break
            # Short ones are common and long ones rare: equally many between 1 and 10 minutes as between 10 and 100.
            lasts_s = least_s * (most_s / least_s) ** random.random() if most_s else 0.0
            found.append(Mishap(at_s, lasts_s, kind, random.random()))
            at_s += lasts_s
    return sorted(found, key=lambda mishap: mishap.start_s)


class Misfortune:
    """Lets mishaps befall a home. ``meter_port``: where the meter listens; ``clock``: the one that Parkwatt reads."""

    def __init__(
        self,
        home: VirtualHome,
        meter: SunSpecServer,
        meter_port: int,
        prices: PriceServer,
        clock: SimClock,
    ) -> None:
        self._home, self._meter, self._meter_port = home, meter, meter_port
        self._prices, self._clock = prices, clock
        self.suffered: list[Mishap] = []

    async def befall(
        self, mishaps: Sequence[Mishap], tell: Callable[[Mishap], None] | None = None
    ) -> None:
        """Live through all of them; they count from now."""
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        async with asyncio.TaskGroup() as group:
            for mishap in mishaps:
                await asyncio.sleep(max(begun_s + mishap.start_s - loop.time(), 0.0))
                if tell is not None:
                    tell(mishap)
                group.create_task(self._suffer(mishap))

    async def _suffer(self, mishap: Mishap) -> None:
        self.suffered.append(mishap)
        if mishap.kind == "meter gone":
            await self._meter.stop()
            await asyncio.sleep(mishap.duration_s)
            await self._meter.start(port=self._meter_port)
            return
        undo = self._begin(mishap)
        await asyncio.sleep(mishap.duration_s)
        undo()

    def _begin(self, mishap: Mishap) -> Callable[[], None]:
        """Let it begin; returns what ends it."""
        kind = mishap.kind
        if kind.startswith("meter"):
            return self._spoil_meter(mishap)
        if kind.startswith("price"):
            return self._spoil_prices(mishap)
        if kind.startswith("clock"):
            sign = 1.0 if kind == "clock ahead" else -1.0
            self._clock.step(sign * _CLOCK_S_MAX * max(mishap.size, 0.01) ** 2)
            return self._clock.correct
        station = self._home.stations[int(mishap.size * len(self._home.stations))]
        if kind == "link lost":
            station.drop_link(mishap.duration_s)
        elif kind == "charger reboots":
            station.reboot()
        else:
            station.faults.soc = "stale" if kind == "soc stale" else "missing"
        self._home.poke()

        def well_again() -> None:
            station.faults.soc = "normal"

        return well_again

    def _spoil_meter(self, mishap: Mishap) -> Callable[[], None]:
        faults: MeterFaults = self._meter.faults
        if mishap.kind == "meter slow":
            faults.delay_s = _SLOW_S * mishap.size
            return lambda: setattr(faults, "delay_s", 0.0)
        name = {"meter hangs": "hang", "meter garbage": "garbage"}[mishap.kind]
        setattr(faults, name, True)
        return lambda: setattr(faults, name, False)

    def _spoil_prices(self, mishap: Mishap) -> Callable[[], None]:
        faults: PriceFaults = self._prices.faults
        if mishap.kind == "prices late":
            faults.late_s = _LATE_S * (0.25 + mishap.size)
            return lambda: setattr(faults, "late_s", 0.0)
        name = {
            "prices down": "down",
            "prices hang": "hang",
            "price day missing": "day_missing",
            "price hour doubled": "hour_doubled",
            "prices by the hour": "hours",
        }[mishap.kind]
        setattr(faults, name, True)
        return lambda: setattr(faults, name, False)
