"""The physics of a home with backup: what its bus has its voltage from, what flows, and what follows from that.

Time passes in stretches in which nothing changes: they end with each second, and with whatever moves before. In each stretch
the bus is on the grid (the pole is closed and the utility's side is live), on the island's source (its contact is closed and it
forms a voltage), or dark. Whoever closes both is shown what happens: a source on a live grid trips at once, and one on a dead
grid feeds the neighbourhood until it trips; both are counted.
"""

from __future__ import annotations

from collections.abc import Callable

from parkwatt.domain.home.gateway import GatewayReading, TransferAction
from parkwatt.io.sim.backup.gateway import Answer
from parkwatt.io.sim.backup.parts import Parts
from parkwatt.io.sim.backup.pole import SECOND_US
from parkwatt.io.sim.backup.shared_car import SharedCar
from parkwatt.io.sim.backup.truth import Bus, Flow, HomeTruth
from parkwatt.io.sim.backup.watch import Watch
from parkwatt.io.sim.notes import Note
from parkwatt.io.sim.station import VirtualStation

# Below it appliances and chargers stop.
_USABLE_PU = 0.7
# What a neighbourhood draws from a home that feeds it: more than any source can carry.
_NEIGHBOURHOOD_KW = 100.0


class BackupHome:
    """A home at ``now_us``. ``on_note``: hears what happens, in words.

    ``bus``, ``frequency_hz``, ``voltage_pu``: on the home's side of the poles. ``grid_kw``: through the grid pole, import
    positive. The stations' cars are `SharedCar`; the first one's is the source's, where there are stations.
    """

    def __init__(
        self,
        now_us: int,
        parts: Parts,
        *,
        on_note: Callable[[Note], None] | None = None,
        keeps_seconds: bool = True,
    ) -> None:
        self.now_us = now_us
        self.parts = parts
        self.gateway, self.grid, self.source = parts.gateway, parts.grid, parts.source
        self.circuits = {one.circuit.circuit_id: one for one in parts.circuits}
        self.truth = HomeTruth(list(self.circuits), keeps_seconds=keeps_seconds)
        self.bus: Bus = "dark"
        self.voltage_pu = 0.0
        self.frequency_hz = 0.0
        self.grid_kw = 0.0
        self.solar_kw_available = 0.0
        self._asked_kw = 0.0
        self._begin_us = parts.solar_kw.start_unix_s * SECOND_US
        self._sun_kw = [float(power_kw) for power_kw in parts.solar_kw.power_kw]
        self._watch = Watch(on_note)
        self._flow = self._settle()

    # What a device or a person does. Each first lets time come up to now.

    def command(self, action: TransferAction) -> Answer:
        """Ask the gateway for something, at once."""
        answer = self.gateway.command(action)
        self._watch.asked(self.now_us, action, answer)
        self.settle()
        return answer

    def switch(self, circuit_id: str, *, on: bool) -> bool:
        """Switch a circuit; returns whether its switch took the command."""
        took = self.circuits[circuit_id].command(on=on, now_us=self.now_us)
        self.settle()
        return took

    def plug(self, *, is_plugged: bool) -> None:
        """Let the source's car come or go."""
        if not self.parts.stations:
            self.source.is_plugged = is_plugged and self.source.car is not None
        elif is_plugged:
            self.parts.stations[0].plug_in()
        else:
            self.parts.stations[0].unplug()
        self.settle()

    def reading(self) -> GatewayReading:
        """What the gateway tells now."""
        return self.gateway.reading(self.grid.at(self.now_us), self.voltage_pu)

    def settle(self) -> None:
        """Let what changed at this moment have its effect."""
        self._flow = self._settle()

    # Time.

    def pass_time(self, until_us: int) -> None:
        """Let the physics come up to a time."""
        while self.now_us < until_us:
            next_us = self.next_us(until_us)
            duration_s = (next_us - self.now_us) / SECOND_US
            self._live(duration_s)
            self.now_us = next_us
            if next_us % SECOND_US == 0:
                self.truth.end_second(self._flow.bus)
            self._flow = self._settle()

    def next_us(self, until_us: int) -> int:
        """When the stretch ends in which nothing changes: within a second, and not after ``until_us``."""
        now_us = self.now_us
        holds_us = self.source.holds_for_s(self._asked_kw) * SECOND_US
        due_us = [
            min(until_us, (now_us // SECOND_US + 1) * SECOND_US),
            self.gateway.next_change_us(),
            self.grid.next_change_us(now_us),
            now_us + max(round(holds_us), 1) if holds_us < SECOND_US else None,
            *(one.next_change_us(now_us) for one in self.parts.circuits),
        ]
        return min(one for one in due_us if one is not None and one > now_us)

    def _live(self, duration_s: float) -> None:
        """Let everything live through a stretch as it was settled."""
        flow, parts = self._flow, self.parts
        self.truth.add(flow, duration_s)
        live = flow.bus != "dark"
        for circuit in parts.circuits:
            circuit.pass_time(duration_s, live=live)
        parts.solar.pass_time(duration_s, live=live, frequency_hz=self.frequency_hz)
        if parts.generator is not None:
            parts.generator.pass_time(duration_s)
        self.source.pass_time(
            duration_s,
            power_kw=self._asked_kw,
            contact=self.gateway.is_closed("island_source"),
            bus_live=flow.bus == "grid",
        )

    def _settle(self) -> Flow:
        """Let what is due at this moment happen; returns what flows until the next change."""
        self.gateway.pass_time(self.now_us)
        for circuit in self.parts.circuits:
            circuit.move(self.now_us)
        backfeeds = self._meet()
        self._supply_cars()
        for station in self.parts.stations:
            station.pass_time(self.now_us)
        if self.parts.stations:
            self.source.is_plugged = self.parts.stations[0].is_plugged
        flow = self._balance(backfeeds=backfeeds)
        self._watch.look(self.now_us, self.parts, self.bus, self.frequency_hz)
        return flow

    def _meet(self) -> bool:
        """Find out what the bus is on; returns whether the source feeds a dead grid."""
        on_grid_pole = self.gateway.is_closed("grid_pole")
        on_source = self.gateway.is_closed("island_source") and self.source.is_forming
        side = self.grid.at(self.now_us)
        grid_live = on_grid_pole and min(side.voltage_pu) >= _USABLE_PU
        if on_source and on_grid_pole and max(side.voltage_pu) > 0.1:
            self.truth.totals.paralleled += 1
            self.source.trip("put onto a live grid")
            on_source = False
        if on_source and not grid_live:
            self.bus, self.voltage_pu = "island", 1.0
        elif grid_live:
            self.bus, self.voltage_pu = "grid", min(side.voltage_pu)
        else:
            self.bus = "dark"
            self.voltage_pu = min(side.voltage_pu) if on_grid_pole else 0.0
        self.frequency_hz = 0.0
        if self.bus == "grid":
            self.frequency_hz = side.frequency_hz or 0.0
        return self.bus == "island" and on_grid_pole

    def _supply_cars(self) -> None:
        for station in self.parts.stations:
            car = station.car
            if not isinstance(car, SharedCar):
                continue
            if self.bus == "island" and car is self.source.car:
                car.supply = "forming"
            else:
                car.supply = "none" if self.bus == "dark" else "mains"

    def _balance(self, *, backfeeds: bool) -> Flow:
        """Who draws and gives what now."""
        now_us, live = self.now_us, self.bus != "dark"
        served_kw = [one.drawn_kw(now_us, live=live) for one in self.parts.circuits]
        wanted_kw = [one.wanted_kw(now_us, live=live) for one in self.parts.circuits]
        stations_kw = [self._station_kw(station) for station in self.parts.stations]
        load_kw = sum(served_kw) + sum(stations_kw)
        sun_kw = self.solar_kw_available = self._sun_now_kw()
        if self.bus == "island":
            usable_kw = sun_kw if self.parts.solar.is_connected else 0.0
            self.frequency_hz = self.source.frequency_hz(load_kw, usable_kw)
        solar_kw = self.parts.solar.follow(sun_kw, live=live, frequency_hz=self.frequency_hz)
        generator_kw = self._generator_kw(load_kw - solar_kw)
        net_kw = load_kw - solar_kw - generator_kw
        self._asked_kw = net_kw if self.bus == "island" else 0.0
        if backfeeds:
            self._asked_kw = _NEIGHBOURHOOD_KW
        self.grid_kw = net_kw if self.bus == "grid" else 0.0
        fed_kw = min(self._asked_kw, self.source.settings.surge_kw)
        on_grid_pole = self.gateway.is_closed("grid_pole")
        return Flow(
            bus=self.bus,
            wanted_kw=wanted_kw,
            served_kw=served_kw,
            stations_kw=stations_kw,
            solar_kw=solar_kw,
            solar_kw_available=sun_kw,
            source_kw=fed_kw,
            grid_kw=self.grid_kw,
            is_backfeeding=backfeeds,
            is_unbonded=self.bus == "island" and not self.gateway.is_closed("bond"),
            is_on_grid_pole=on_grid_pole,
        )

    def _station_kw(self, station: VirtualStation) -> float:
        """What a charger draws beside the island's source, which is counted as such."""
        if self.bus == "dark" or (self.bus == "island" and station.car is self.source.car):
            return 0.0
        return station.power_kw

    def _sun_now_kw(self) -> float:
        step = (self.now_us - self._begin_us) // (self.parts.solar_kw.step_s * SECOND_US)
        return self._sun_kw[min(max(step, 0), len(self._sun_kw) - 1)]

    def _generator_kw(self, need_kw: float) -> float:
        generator = self.parts.generator
        if generator is None:
            return 0.0
        offered_kw = generator.offered_kw() if self.bus == "island" else 0.0
        generator.power_kw = min(max(need_kw, 0.0), offered_kw)
        return generator.power_kw
