"""A home's backup, pure: what is observed goes in, events, requests to the gateway and commands to circuits come out.

    observe -> island -> what the site's control may know of the grid -> reserve -> hours

`HomeController.step` looks at everything anew each time. Events that it returns are in its state already and are journalled in
their order before anything that follows from them is sent; those from outside come in through `take`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from parkwatt.domain.home.circuit import CircuitCommand
from parkwatt.domain.home.event import (
    GridCondition,
    HoldsReleased,
    HomeEvent,
    HomeSnapshot,
    IslandTestAsked,
)
from parkwatt.domain.home.gateway import ApprovedTransfer
from parkwatt.domain.site.observation import GridSeen, OutageReserve
from parkwatt.home import island
from parkwatt.home.announced import Holder, Preparation, outage_length, prepare
from parkwatt.home.circuit_hours import CircuitHours
from parkwatt.home.grid_code import Qualification, ramp_kw
from parkwatt.home.island import IslandInputs, IslandStep
from parkwatt.home.observation import HomeCar, HomeObservation
from parkwatt.home.settings import HomeSettings
from parkwatt.home.state import STATE_VERSION, HomeState, encode_state

_US: Final = 1_000_000
_SNAPSHOT_US: Final = 86_400 * _US
# How long what a person asks of the gateway counts.
_ASKED_US: Final = 600 * _US
_RESERVE_US: Final = 60 * _US


@dataclass(slots=True)
class HomeStep:
    """What one step came to. ``events``: applied already, to be journalled before the rest is sent.

    ``grid``: for the site's control. ``alarm``: what a person should know at once.
    """

    grid: GridSeen
    events: list[HomeEvent] = field(default_factory=list)
    transfers: tuple[ApprovedTransfer, ...] = ()
    circuit_commands: tuple[CircuitCommand, ...] = ()
    alarm: str = ""


class HomeController:
    """One home's backup. ``state``: as the journal told it."""

    def __init__(self, settings: HomeSettings, state: HomeState) -> None:
        self.settings = settings
        self.state = state
        self.observation = HomeObservation()
        self.grid = GridSeen(
            condition="unknown", before=state.before, source_car_id=settings.source_car_id
        )
        self.preparation: Preparation | None = None
        self.qualification: Qualification | None = None
        self.alarm = ""
        self._hours = CircuitHours()
        self._asks: tuple[Literal["island", "grid"], int] | None = None
        self._prepared_unix_us: int | None = None
        self._snapshot_unix_us: int | None = None

    # What comes from outside.

    def take(self, event: HomeEvent, now_unix_us: int) -> None:
        """Something happened that was not decided here; it is to be journalled by the caller."""
        self.state.note(event, now_unix_us)
        self._prepared_unix_us = None

    def person_asks(self, what: Literal["none", "island", "grid"], now_unix_us: int) -> None:
        """A person wants the home on the island, or on the grid: as far as that is safe, for the next ten minutes."""
        self._asks = None if what == "none" else (what, now_unix_us + _ASKED_US)

    # The step.

    def step(self, observation: HomeObservation, now_unix_us: int) -> HomeStep:
        """Look at everything, and decide."""
        self.observation = observation
        stepped = self._step_island(observation, now_unix_us)
        self.qualification, self.alarm = stepped.qualification, stepped.alarm
        events = list(stepped.events)
        for event in events:
            self.state.note(event, now_unix_us)
        before = self.grid
        self._prepare(stepped, now_unix_us)
        self.grid = self._grid_seen(stepped, now_unix_us)
        step = HomeStep(self.grid, events, stepped.requests, alarm=stepped.alarm)
        if self.grid.is_island and not before.is_island:
            self._note(step, self._released(stepped), now_unix_us)
        self._end_test(step, now_unix_us)
        for hour in self._hours.add(observation.circuits.values(), frozenset(), now_unix_us):
            self._note(step, hour, now_unix_us)
        self._keep_snapshot(step, now_unix_us)
        return step

    def _note(self, step: HomeStep, event: HomeEvent, now_unix_us: int) -> None:
        self.state.note(event, now_unix_us)
        step.events.append(event)

    # The island.

    def _step_island(self, observation: HomeObservation, now_unix_us: int) -> IslandStep:
        asks: Literal["none", "island", "grid"] = "none"
        if self._asks is not None:
            asks = self._asks[0] if now_unix_us < self._asks[1] else "none"
        inputs = IslandInputs(
            reading=observation.gateway,
            source_ready=self.source_ready(observation),
            test_until_unix_us=self.state.test_until_unix_us(now_unix_us),
            person_asks=asks,
        )
        stepped = island.step(self.state.island, inputs, self.settings.island, now_unix_us)
        self.state.island = stepped.state
        return stepped

    def source_ready(self, observation: HomeObservation) -> bool:
        """Whether the island's source is there and has energy: beyond its floor, and to begin also what a restart takes."""
        settings = self.settings
        spare_kwh = None
        if settings.source_car_id is None:
            battery, soc = settings.battery, observation.battery_soc
            if battery is not None and soc is not None:
                spare_kwh = soc * battery.capacity_kwh - battery.floor_kwh
        else:
            car = observation.car(settings.source_car_id)
            if car is not None and car.here and car.energy_kwh is not None:
                spare_kwh = car.energy_kwh - self.floor_kwh(car)
        if spare_kwh is None:
            return False
        return spare_kwh > (0.0 if self.state.island.lit else settings.restart_kwh)

    def floor_kwh(self, car: HomeCar) -> float:
        """What stays in a car in an outage."""
        floor_soc = self.settings.floor_soc
        return car.floor_kwh if floor_soc is None else floor_soc * car.capacity_kwh

    def _released(self, stepped: IslandStep) -> HoldsReleased:
        what = [f"set-points of {car.car_id}" for car in self.observation.cars if car.here] or [
            "no car is here: nothing was held"
        ]
        because = f"the grid does not carry the house any more: {stepped.state.phase}"
        return HoldsReleased(because, tuple(what))

    def _end_test(self, step: HomeStep, now_unix_us: int) -> None:
        """A test whose time is over, whatever became of it, is over."""
        test = self.state.test
        if test is None or test.start_unix_s is None:
            return
        if now_unix_us >= (test.start_unix_s + test.duration_s) * _US:
            self._note(step, IslandTestAsked(None, 0, "its time is over"), now_unix_us)

    # What the site's control is told.

    def _grid_seen(self, stepped: IslandStep, now_unix_us: int) -> GridSeen:
        state, settings = self.state, self.settings
        condition = _condition(stepped)
        reserves: dict[str, OutageReserve] = {}
        if condition != "absent" and self.preparation is not None:
            reserves = {
                one.battery_id: OutageReserve(one.energy_kwh, one.ready_unix_s)
                for one in self.preparation.holdings
            }
        return GridSeen(
            condition=condition,
            before=state.before,
            returned_unix_us=state.returned_unix_us,
            return_kw=self._return_kw(now_unix_us),
            source_car_id=settings.source_car_id,
            may_charge=frozenset(state.island_charge),
            island_kw=self._island_kw(),
            reserves=reserves,
        )

    def _return_kw(self, now_unix_us: int) -> float | None:
        returned_unix_us = self.state.returned_unix_us
        if returned_unix_us is None:
            return None
        passed_s = (now_unix_us - returned_unix_us) / _US
        code, most_kw = self.settings.island.grid_code, self.settings.return_kw_max
        return None if passed_s >= code.ramp_s else ramp_kw(code, passed_s, most_kw)

    def _island_kw(self) -> float:
        """What the inverter has left beside the house, and the sun gives beyond that."""
        load_kw, solar_kw = self.observation.load_kw, self.observation.solar_kw
        if load_kw is None:
            return 0.0
        return max(self.settings.continuous_kw + (solar_kw or 0.0) - load_kw, 0.0)

    # Announced outages.

    def _prepare(self, stepped: IslandStep, now_unix_us: int) -> None:
        if stepped.islanded:
            self.preparation, self._prepared_unix_us = None, None
            return
        last = self._prepared_unix_us
        if last is not None and 0 <= now_unix_us - last < _RESERVE_US:
            return
        self._prepared_unix_us = now_unix_us
        settings = self.settings
        length = outage_length(self.state.outages_s, settings.expected_outage_s)
        self.preparation = prepare(
            self.state.announced,
            None,
            self._holders(),
            length,
            settings.announced,
            now_unix_us // _US,
            settings.time_zone,
        )

    def _holders(self) -> list[Holder]:
        """The batteries that can hold a reserve: the stationary one first, then the source's car."""
        settings, found = self.settings, []
        if settings.battery is not None:
            one = settings.battery
            found.append(
                Holder(
                    battery_id=one.battery_id,
                    floor_kwh=one.floor_kwh,
                    capacity_kwh=one.capacity_kwh,
                    discharge_efficiency=one.discharge_efficiency,
                )
            )
        car = self.observation.car(settings.source_car_id)
        if car is not None and car.here:
            found.append(
                Holder(
                    battery_id=car.car_id,
                    floor_kwh=self.floor_kwh(car),
                    capacity_kwh=car.capacity_kwh,
                    discharge_efficiency=car.discharge_efficiency,
                )
            )
        return found

    def _keep_snapshot(self, step: HomeStep, now_unix_us: int) -> None:
        if self._snapshot_unix_us is None:
            self._snapshot_unix_us = now_unix_us
        elif now_unix_us - self._snapshot_unix_us >= _SNAPSHOT_US:
            self._snapshot_unix_us = now_unix_us
            step.events.append(HomeSnapshot(STATE_VERSION, encode_state(self.state)))


def _condition(stepped: IslandStep) -> GridCondition:
    """What carries the house. A dip that may be over in a second is unknown: nothing is discharged in it."""
    if stepped.islanded or stepped.state.phase == "outage_confirmed":
        return "absent"
    on_grid = stepped.state.phase == "grid" and stepped.grid == "present"
    return "present" if on_grid else "unknown"
