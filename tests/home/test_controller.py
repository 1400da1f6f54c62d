"""A home's backup beside a small gateway: an outage and its end, a test, reserves, and the fold of it all."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import msgspec
import pytest

from parkwatt.domain.home import event as events
from parkwatt.domain.home.circuit import Circuit
from parkwatt.domain.home.event import (
    CircuitChosen,
    CircuitHour,
    CircuitSwitched,
    HoldsReleased,
    HomeEvent,
    IslandChargeAsked,
    IslandMoved,
    IslandTestAsked,
    MobilityAsked,
    OutageAnnounced,
    TransferAsked,
)
from parkwatt.domain.home.gateway import Contact, GatewayReading
from parkwatt.home.controller import HomeController, HomeStep
from parkwatt.home.forecasting import make_forecast
from parkwatt.home.grid_code import GRID_CODES
from parkwatt.home.island import IslandSettings
from parkwatt.home.observation import HomeCar, HomeObservation
from parkwatt.home.settings import HomeSettings
from parkwatt.home.state import HomeState, decode_state, encode_state

US = 1_000_000
BEGIN_S = 1_700_000_000
CODE = next(iter(GRID_CODES.values()))
SETTINGS = HomeSettings(
    time_zone=ZoneInfo("Europe/Amsterdam"),
    island=IslandSettings(grid_code=CODE),
    source_car_id="car",
    floor_soc=0.1,
    continuous_kw=9.6,
    surge_kw=12.0,
    spacing_s=10.0,
    standby_kw=0.1,
    restart_kwh=0.5,
    return_kw_max=11.0,
    circuits=(
        Circuit("fridge", "Fridge", "must_have", 0.2, 1.0),
        Circuit("dryer", "Dryer", "not_needed", 2.5, 3.0),
    ),
)


@dataclass
class Home:
    """A gateway that does what it is asked, a grid, a car; the control is stepped every second."""

    grid_voltage_pu: float = 1.0
    pole: Contact = "closed"
    source: Contact = "open"
    silent: bool = False
    car_kwh: float = 50.0
    car_here: bool = True
    load_kw: float = 1.5
    now_s: int = BEGIN_S
    events: list[tuple[HomeEvent, int]] = field(default_factory=list)
    controller: HomeController = field(
        default_factory=lambda: HomeController(SETTINGS, HomeState())
    )
    last: HomeStep | None = None
    _reading: GatewayReading | None = None

    def run(self, duration_s: int) -> None:
        """Let time pass."""
        for _ in range(duration_s):
            self.now_s += 1
            self.step()

    def step(self) -> None:
        """One second of it all."""
        now_unix_us = self.now_s * US
        if not self.silent:
            self._reading = GatewayReading(
                now_unix_us,
                grid_voltage_pu=(self.grid_voltage_pu,),
                grid_frequency_hz=CODE.nominal_hz if self.grid_voltage_pu else 0.0,
                grid_pole=self.pole,
                island_source=self.source,
            )
        car = HomeCar(
            car_id="car",
            here=self.car_here,
            energy_kwh=self.car_kwh,
            capacity_kwh=60.0,
            floor_kwh=12.0,
            discharge_kw_max=10.0,
            discharge_efficiency=0.9,
        )
        observation = HomeObservation(gateway=self._reading, cars=(car,), load_kw=self.load_kw)
        self.last = self.controller.step(observation, now_unix_us)
        happened = [*self.last.events]
        if self.last.request is not None:
            happened += self.controller.forecasted(make_forecast(self.last.request), now_unix_us)
        self.events += [(event, now_unix_us) for event in happened]
        for transfer in self.last.transfers:
            if transfer.action == "open_grid_pole":
                self.pole = "open"
            elif transfer.action == "close_grid_pole":
                assert self.source == "open"
                self.pole = "closed"
            elif transfer.action == "close_island_source":
                assert self.pole == "open"
                self.source = "closed"
            elif transfer.action == "open_island_source":
                self.source = "open"

    def take(self, event: HomeEvent) -> None:
        """Something from outside."""
        self.controller.take(event, self.now_s * US)
        self.events.append((event, self.now_s * US))

    @property
    def phase(self) -> str:
        """Of the island machine."""
        return self.controller.state.island.phase

    @property
    def condition(self) -> str:
        """Of the grid, as the site's control is told."""
        return self.step_now.grid.condition

    @property
    def step_now(self) -> HomeStep:
        """The last step."""
        assert self.last is not None
        return self.last


def _on_grid() -> Home:
    home = Home()
    home.run(5)
    assert home.step_now.grid.condition == "present"
    return home


def _in_outage() -> Home:
    home = _on_grid()
    home.grid_voltage_pu = 0.0
    home.run(15)
    return home


def test_an_outage_is_bridged_by_the_car_and_the_sites_control_told() -> None:
    home = _in_outage()
    assert home.phase == "islanded"
    grid = home.step_now.grid
    assert grid.is_island
    assert grid.source_car_id == "car"
    assert grid.island_kw == pytest.approx(9.6 - 1.5)
    released = [event for event, _ in home.events if isinstance(event, HoldsReleased)]
    assert [event.what for event in released] == [("set-points of car",)]


def test_what_is_not_needed_goes_off_before_the_source_closes_and_on_again_with_the_grid() -> None:
    home = _in_outage()
    told = [
        event.circuit_id if isinstance(event, CircuitSwitched) else "source"
        for event, _ in home.events
        if isinstance(event, CircuitSwitched)
        or (isinstance(event, TransferAsked) and event.action == "close_island_source")
    ]
    assert told[:2] == ["dryer", "source"]
    home.grid_voltage_pu = 1.0
    home.run(int(CODE.delay_s) + 60)
    last = [event for event, _ in home.events if isinstance(event, CircuitSwitched)][-1]
    assert (last.circuit_id, last.on) == ("dryer", True)


def test_from_outage_to_islanded_takes_seconds() -> None:
    home = _on_grid()
    home.grid_voltage_pu = 0.0
    home.run(8)
    assert home.phase == "islanded"


def test_a_dip_releases_nothing_and_discharges_nothing() -> None:
    home = _on_grid()
    home.grid_voltage_pu = 0.0
    home.run(1)
    assert home.condition == "unknown"
    assert not home.step_now.grid.is_island
    home.grid_voltage_pu = 1.0
    home.run(2)
    assert home.condition == "present"
    assert home.step_now.grid.returned_unix_us is None
    assert not any(isinstance(event, HoldsReleased) for event, _ in home.events)


def test_the_grid_is_taken_back_after_its_codes_delay_and_along_its_ramp() -> None:
    home = _in_outage()
    home.grid_voltage_pu = 1.0
    home.run(int(CODE.delay_s) - 10)
    assert home.phase == "qualifying"
    assert home.step_now.grid.is_island
    home.run(30)
    assert home.phase == "grid"
    grid = home.step_now.grid
    assert grid.condition == "present"
    assert grid.return_kw is not None
    assert grid.return_kw < 2.0
    home.run(int(CODE.ramp_s) + 5)
    assert home.step_now.grid.return_kw is None
    assert len(home.controller.state.outages_s) == 1


def test_how_long_it_lasts_is_told_before_and_in_an_outage() -> None:
    home = _on_grid()
    for hour in range(24 * 10):
        start = BEGIN_S - BEGIN_S % 3600 - (hour + 1) * 3600
        home.take(CircuitHour("fridge", start, 0.1))
        home.take(CircuitHour("dryer", start, 0.5))
    home.run(3700)
    before = home.controller.state.forecast
    assert before is not None
    assert not before.islanded
    assert before.hours_p10 <= before.hours_p50 <= before.hours_p90
    assert before.usable_kwh == pytest.approx((50 - 6) * 0.9 - 0.5, abs=0.1)
    home.grid_voltage_pu = 0.0
    home.run(130)
    forecast = home.controller.forecast
    assert forecast is not None
    assert forecast.runtime is not None
    told = home.controller.state.forecast
    assert told is not None
    assert told.islanded
    assert told.hours_p50 > before.hours_p50, "the dryer is off"
    # 0.1 kW of the fridge and 0.1 kW of standby from 39.1 kWh are 195 h, of which a week is looked at.
    assert told.hours_p50 == pytest.approx(168.0, abs=1.0)


def test_a_reserve_is_no_more_than_is_needed_once_the_use_is_known() -> None:
    home = _on_grid()
    for hour in range(24 * 10):
        start = BEGIN_S - BEGIN_S % 3600 - (hour + 1) * 3600
        home.take(CircuitHour("fridge", start, 0.5))
        home.take(CircuitHour("dryer", start, 0.5))
    begins = home.now_s + 6 * 3600
    home.run(3600)
    home.take(OutageAnnounced("PSPS-1", "planned", begins, begins + 24 * 3600, "utility"))
    home.run(130)
    reserve = home.step_now.grid.reserves["car"]
    # 27 h (an hour early, two late) of 0.6 kW, what a restart takes, by 90 %, above the floor of 6 kWh.
    assert reserve.energy_kwh == pytest.approx(6 + (27 * 0.6 + 0.5) / 0.9, abs=1.5)


def test_a_car_that_is_empty_or_away_carries_nothing() -> None:
    for home in (Home(car_kwh=6.2), Home(car_here=False)):
        home.run(5)
        home.grid_voltage_pu = 0.0
        home.run(60)
        assert home.source == "open"
        assert home.step_now.grid.is_island


def test_a_silent_gateway_is_unknown_and_opens_nothing_that_feeds_the_house() -> None:
    home = _on_grid()
    home.silent = True
    home.run(30)
    assert home.step_now.grid.condition == "unknown"
    assert home.step_now.grid.before == "present"
    assert home.pole == "closed"
    assert home.step_now.alarm


def test_an_off_grid_test_ends_by_itself_and_is_no_outage() -> None:
    home = _on_grid()
    home.run(int(CODE.delay_s) + 5)
    home.take(IslandTestAsked(home.now_s, 300, "api"))
    home.run(60)
    assert home.phase == "test"
    assert home.step_now.grid.is_island
    home.run(300 + int(CODE.delay_s) + 60)
    assert home.phase == "grid"
    state = home.controller.state
    assert state.test is None
    assert state.outages_s == []
    assert state.out_since_unix_us is None


def test_a_planned_outage_is_prepared_for_and_forgotten_when_called_off() -> None:
    home = _on_grid()
    start, end = home.now_s + 6 * 3600, home.now_s + 30 * 3600
    announced = OutageAnnounced("PSPS-1", "planned", start, end, "utility")
    home.take(announced)
    home.run(2)
    reserve = home.step_now.grid.reserves["car"]
    assert reserve.energy_kwh == pytest.approx(60.0), "nothing is known of the use: it is filled"
    assert home.now_s < reserve.by_unix_s < start
    home.take(msgspec.structs.replace(announced, withdrawn=True))
    home.run(2)
    assert home.step_now.grid.reserves == {}


def test_what_a_person_chose_for_an_outage_is_over_with_it() -> None:
    home = _in_outage()
    home.take(CircuitChosen("fridge", "keep_on", "api"))
    home.take(IslandChargeAsked("car2", allowed=True, origin="api"))
    home.run(1)
    assert home.step_now.grid.may_charge == {"car2"}
    home.grid_voltage_pu = 1.0
    home.run(int(CODE.delay_s) + 30)
    assert home.controller.state.choices == {}
    assert home.step_now.grid.may_charge == frozenset()


def test_the_journal_tells_all_that_lasts() -> None:
    home = _in_outage()
    home.take(CircuitChosen("fridge", "keep_off", "api", until_unix_s=home.now_s + 9000))
    home.grid_voltage_pu = 1.0
    home.run(int(CODE.delay_s) + 30)
    folded = HomeState()
    for event, at_unix_us in home.events:
        again = events.decode(events.encode(event))
        folded.apply(again, at_unix_us, SETTINGS.island.forget_s)
    live = home.controller.state
    for name in HomeState.__struct_fields__:
        if name not in ("island", "shedding"):
            assert getattr(folded, name) == getattr(live, name), name
    assert folded.shedding.off() == live.shedding.off()
    assert folded.island.phase == live.island.phase
    assert folded.island.since_unix_us == live.island.since_unix_us
    assert decode_state(encode_state(live)) == live


@pytest.mark.parametrize("after_s", range(1, 14))
def test_killed_at_any_second_of_an_outage_it_goes_on_safely(after_s: int) -> None:
    home = _on_grid()
    home.grid_voltage_pu = 0.0
    home.run(after_s)
    folded = HomeState()
    for event, at_unix_us in home.events:
        folded.apply(event, at_unix_us, SETTINGS.island.forget_s)
    home.source = "open"  # its lease ended while nobody renewed it
    home.now_s += 40
    home.controller = HomeController(SETTINGS, folded)
    assert home.controller.grid.condition == "unknown"
    home.run(45)
    assert home.phase == "islanded"
    assert any(isinstance(event, TransferAsked) for event, _ in home.events)
    assert any(isinstance(event, IslandMoved) for event, _ in home.events)


def test_what_a_person_says_is_reckoned_at_once() -> None:
    home = Home()
    home.run(5)
    assert home.last is not None
    assert home.last.request is None, "reckoned a moment ago"
    home.take(MobilityAsked("car", 30.0, home.now_s + 3600, "api"))
    home.run(1)
    request = home.last.request
    assert request is not None
    assert request.mobility is not None
    home.run(1)
    assert home.last.request is None, "once"


def test_a_circuit_that_goes_off_in_an_island_is_reckoned_at_once() -> None:
    home = Home(grid_voltage_pu=0.0)
    home.run(40)
    assert home.controller.state.island.lit
    assert home.last is not None
    while home.last.request is not None:
        home.run(1)
    home.take(CircuitChosen("fridge", "keep_off", "api"))
    asked = []
    for _ in range(20):
        home.run(1)
        asked.append(home.last.request is not None)
    assert sum(asked) in (1, 2), "with the word, and when the circuit is off"
    assert "fridge" in home.controller.state.shedding.off()
