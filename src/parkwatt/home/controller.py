"""A home's backup, pure: what is observed goes in, events, requests to the gateway and commands to circuits come out.

    observe -> island -> reserve -> what the site's control may know of the grid -> circuits -> hours

`HomeController.step` looks at everything anew each time. Events that it returns are in its state already and are journalled in
their order before anything that follows from them is sent; those from outside come in through `take`.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from parkwatt.home import generator, island, shedding
from parkwatt.home.announced import (
    Demand,
    Holder,
    OutageLength,
    Preparation,
    outage_length,
    prepare,
    reach_unix_s,
)
from parkwatt.home.circuit_hours import CircuitHours
from parkwatt.home.forecast_request import forecast_request
from parkwatt.home.forecasting import ForecastRequest, HomeForecast
from parkwatt.home.generator import GeneratorInputs
from parkwatt.home.grid_code import Qualification, ramp_kw
from parkwatt.home.island import IslandInputs, IslandStep
from parkwatt.home.island_source import (
    IslandSource,
    car_floor_kwh,
    island_source,
    usable_now,
)
from parkwatt.home.observation import HomeObservation
from parkwatt.home.runtime import EnergyVerdict
from parkwatt.home.settings import HomeSettings
from parkwatt.home.shedding import Mode, Question, SheddingInputs, SheddingSettings
from parkwatt.home.state import STATE_VERSION, HomeState, encode_state

_US: Final = 1_000_000
_SNAPSHOT_US: Final = 86_400 * _US
# How long what a person asks of the gateway counts.
_ASKED_US: Final = 600 * _US
_RESERVE_US: Final = 60 * _US
_FORECAST_US: Final = 60 * _US
# Where the car has come since the last forecast, the next one does not wait.
_LACKS_S: Final = 5.0
# On the grid a forecast is journalled less often.
_FORECAST_TOLD_US: Final = 900 * _US
# Older verdicts on energy do not count: then tiers alone decide.
_VERDICTS_S: Final = 600


@dataclass(slots=True)
class HomeStep:
    """What one step came to. ``events``: applied already, to be journalled before the rest is sent.

    ``grid``: for the site's control. ``request``: a forecast of how long it lasts is wanted. ``alarm``: what a person should
    know at once.
    """

    grid: GridSeen
    events: list[HomeEvent] = field(default_factory=list)
    transfers: tuple[ApprovedTransfer, ...] = ()
    circuit_commands: tuple[CircuitCommand, ...] = ()
    generator_command: CircuitCommand | None = None
    request: ForecastRequest | None = None
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
        self.source = IslandSource()
        self.forecast: HomeForecast | None = None
        self._asked_unix_us: int | None = None
        self._asked_off: frozenset[str] = frozenset()
        self._said_unix_us = 0
        self._told_unix_us: int | None = None
        self.questions: tuple[Question, ...] = ()
        self.troubles: tuple[str, ...] = ()
        self._shedding = SheddingSettings(
            continuous_kw=settings.continuous_kw,
            surge_kw=settings.surge_kw,
            spacing_s=settings.spacing_s,
        )
        self._hours = CircuitHours()
        self._asks: tuple[Literal["island", "grid"], int] | None = None
        self._prepared_unix_us: int | None = None
        self._snapshot_unix_us: int | None = None

    # What comes from outside.

    def take(self, event: HomeEvent, now_unix_us: int) -> None:
        """Something happened that was not decided here; it is to be journalled by the caller."""
        self.state.note(event, now_unix_us)
        self._prepared_unix_us = self._asked_unix_us = None
        self._said_unix_us = now_unix_us

    def person_asks(self, what: Literal["none", "island", "grid"], now_unix_us: int) -> None:
        """A person wants the home on the island, or on the grid: as far as that is safe, for the next ten minutes."""
        self._asks = None if what == "none" else (what, now_unix_us + _ASKED_US)

    # The step.

    def step(self, observation: HomeObservation, now_unix_us: int) -> HomeStep:
        """Look at everything, and decide."""
        self.observation = observation
        self.source = island_source(self.settings, self.state, observation, now_unix_us // _US)
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
        self._shed(step, feeding=stepped.feeding, now_unix_us=now_unix_us)
        self._run_generator(step, feeding=stepped.feeding, now_unix_us=now_unix_us)
        off = self.state.shedding.off()
        for hour in self._hours.add(observation.circuits.values(), off, now_unix_us):
            self._note(step, hour, now_unix_us)
        self._ask_for_forecast(step, now_unix_us)
        self._keep_snapshot(step, now_unix_us)
        return step

    def forecasted(self, forecast: HomeForecast, now_unix_us: int) -> list[HomeEvent]:
        """A forecast that was asked for is there; returns what is to be journalled."""
        self.forecast, self._prepared_unix_us = forecast, None
        if forecast.at_unix_s * _US < self._said_unix_us:
            self._asked_unix_us = None  # what was said meanwhile is not in it
        every_us = _FORECAST_US if self.grid.is_island else _FORECAST_TOLD_US
        event = forecast.event(islanded=self.grid.is_island)
        last = self._told_unix_us
        if event is None or (last is not None and 0 <= now_unix_us - last < every_us):
            return []
        self._told_unix_us = now_unix_us
        self.state.note(event, now_unix_us)
        return [event]

    def _ask_for_forecast(self, step: HomeStep, now_unix_us: int) -> None:
        last, off = self._asked_unix_us, self.state.shedding.off()
        known = self.forecast
        lacks = known is not None and known.runtime is None and self.source.energy_kwh is not None
        every_s = _LACKS_S if lacks else self.settings.forecast_s
        fresh = last is not None and 0 <= now_unix_us - last < every_s * _US
        # What goes off before the source feeds the home is no news: the home starts with what is wanted by its tier.
        if fresh and (off == self._asked_off or not self.state.island.lit):
            return
        self._asked_unix_us, self._asked_off = now_unix_us, off
        length = outage_length(self.state.outages_s, self.settings.expected_outage_s)
        step.request = forecast_request(
            self.settings,
            self.state,
            self.observation,
            known=known,
            length=length,
            running_kw=self.running_kw(now_unix_us),
            now_unix_s=now_unix_us // _US,
        )

    def running_kw(self, now_unix_us: int) -> dict[str, float]:
        """By circuit, its mean power over the last hour where it could run and was measured."""
        return self._hours.running_kw(now_unix_us)

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
            source_ready=self.source.ready,
            source_kept=self.source.kept,
            test_until_unix_us=self.state.test_until_unix_us(now_unix_us),
            person_asks=asks,
        )
        stepped = island.step(self.state.island, inputs, self.settings.island, now_unix_us)
        self.state.island = stepped.state
        return stepped

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

    # The circuits.

    def _shed(self, step: HomeStep, *, feeding: bool, now_unix_us: int) -> None:
        mode: Mode = "islanded" if feeding else "outage" if self.grid.is_island else "grid"
        observation, now_unix_s = self.observation, now_unix_us // _US
        found = {
            circuit.circuit_id: self.state.choice(circuit.circuit_id, now_unix_s)
            for circuit in self.settings.circuits
        }
        inputs = SheddingInputs(
            mode=mode,
            circuits=self.settings.circuits,
            readings=observation.circuits,
            island_kw=_source_kw(observation),
            verdicts=self._verdicts(now_unix_s),
            choices={key: chosen.choice for key, chosen in found.items() if chosen is not None},
        )
        shed = shedding.step(self.state.shedding, inputs, self._shedding, now_unix_us)
        for event in shed.events:
            self._note(step, event, now_unix_us)
        step.circuit_commands = tuple(shed.commands)
        self.questions, self.troubles = shed.questions, shed.troubles

    def _run_generator(self, step: HomeStep, *, feeding: bool, now_unix_us: int) -> None:
        settings = self.settings.generator
        if settings is None or not settings.switchable:
            return
        usable_kwh, capacity_kwh = usable_now(self.settings, self.source, self.observation)
        inputs = GeneratorInputs(
            feeding=feeding,
            usable_kwh=usable_kwh,
            capacity_kwh=capacity_kwh,
            reading=self.observation.generator,
        )
        ran = generator.step(
            self.state.generator,
            inputs,
            warm_up_s=settings.warm_up_s,
            cool_down_s=settings.cool_down_s,
            lease_s=int(self.settings.island.lease_s),
            now_unix_us=now_unix_us,
        )
        for event in ran.events:
            self._note(step, event, now_unix_us)
        step.generator_command = ran.command
        if ran.trouble:
            self.troubles = (*self.troubles, ran.trouble)

    def _verdicts(self, now_unix_s: int) -> Mapping[str, EnergyVerdict]:
        known = self.forecast
        fresh = known is not None and 0 <= now_unix_s - known.at_unix_s <= _VERDICTS_S
        return known.verdicts if known is not None and fresh else {}

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
            self._demand(length, now_unix_us // _US),
            self._holders(now_unix_us // _US),
            length,
            settings.announced,
            now_unix_us // _US,
            settings.time_zone,
        )

    def _demand(self, length: OutageLength, now_unix_s: int) -> Demand | None:
        """The demand that is known, where it reaches as far as the announced outages."""
        demand = None if self.forecast is None else self.forecast.demand
        if demand is None or demand.start_unix_s > now_unix_s:
            return None
        announced = self.settings.announced
        reach = reach_unix_s(self.state.announced, length, announced, now_unix_s)
        return demand if demand.end_unix_s >= reach else None

    def _holders(self, now_unix_s: int) -> list[Holder]:
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
                    floor_kwh=car_floor_kwh(settings, self.state, car, now_unix_s),
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


def _source_kw(observation: HomeObservation) -> float | None:
    """What the island's source gives beside the sun, by the house's meter."""
    if observation.load_kw is None:
        return None
    return max(observation.load_kw - (observation.solar_kw or 0.0), 0.0)


def _condition(stepped: IslandStep) -> GridCondition:
    """What carries the house. A dip that may be over in a second is unknown: nothing is discharged in it."""
    if stepped.islanded or stepped.state.phase == "outage_confirmed":
        return "absent"
    on_grid = stepped.state.phase == "grid" and stepped.grid == "present"
    return "present" if on_grid else "unknown"
