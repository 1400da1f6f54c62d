"""What a driver asked for stays in the car in an outage, whatever the house draws; and only until its time has come."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.home.event import IslandMoved, MobilityAsked, OutageAnnounced
from parkwatt.home.island_source import IslandSource, driving_kwh, island_source
from parkwatt.home.observation import HomeCar, HomeObservation
from parkwatt.home.settings import HomeBattery
from parkwatt.home.state import HomeState
from tests.home.test_controller import SETTINGS, Home

CAR = HomeCar(
    car_id="car",
    here=True,
    energy_kwh=20.0,
    capacity_kwh=60.0,
    floor_kwh=12.0,
    discharge_kw_max=10.0,
    discharge_efficiency=0.9,
)
HOUR_S = 3600


@dataclass
class DrainedHome(Home):
    """A home whose car gives what the house draws, ``kwh_lowest`` at the lowest."""

    kwh_lowest: float = 1e9

    def step(self) -> None:
        """One second, in which the car gives what it is asked for."""
        super().step()
        if self.source == "closed":
            self.car_kwh -= self.load_kw / 0.9 / 3600
        self.kwh_lowest = min(self.kwh_lowest, self.car_kwh)

    def ask(self, energy_kwh: float, in_s: int) -> None:
        """The driver asks for energy at a time."""
        self.take(MobilityAsked("car", energy_kwh, self.now_s + in_s, "api"))

    def fail(self) -> None:
        """The grid goes, and the house is carried if that can be."""
        self.run(5)
        self.grid_voltage_pu = 0.0
        self.run(15)


def _asked(energy_kwh: float, ready_unix_s: int) -> HomeState:
    state = HomeState()
    state.note(MobilityAsked("car", energy_kwh, ready_unix_s, "api"), 0)
    return state


def _source(state: HomeState, car: HomeCar = CAR, now_unix_s: int = 1000) -> IslandSource:
    return island_source(SETTINGS, state, HomeObservation(cars=(car,)), now_unix_s)


@settings(max_examples=15, deadline=None)
@given(
    asked_kwh=st.floats(7.0, 40.0),
    above_kwh=st.floats(0.0, 1.8),
    load_kw=st.floats(0.0, SETTINGS.surge_kw),
    in_outage=st.booleans(),
)
def test_a_car_never_goes_below_what_was_asked_while_it_was_above(
    asked_kwh: float, above_kwh: float, load_kw: float, in_outage: bool
) -> None:
    home = DrainedHome(car_kwh=asked_kwh + above_kwh + 0.1, load_kw=load_kw)
    if in_outage:
        home.fail()
        asked_kwh = min(asked_kwh, home.car_kwh)
        home.ask(asked_kwh, HOUR_S)
    else:
        home.ask(asked_kwh, HOUR_S)
        home.fail()
    home.run(400)
    assert home.kwh_lowest >= asked_kwh


@settings(max_examples=200, deadline=None)
@given(
    energy_kwh=st.floats(0.0, 60.0),
    asked_kwh=st.floats(0.1, 90.0),
    ready_unix_s=st.integers(0, 2000),
    lit=st.booleans(),
)
def test_the_source_is_never_ready_for_what_is_asked_and_an_ask_never_makes_it_ready(
    energy_kwh: float, asked_kwh: float, ready_unix_s: int, lit: bool
) -> None:
    state, none = _asked(asked_kwh, ready_unix_s), HomeState()
    state.island.lit = none.island.lit = lit
    car = replace(CAR, energy_kwh=energy_kwh)
    with_ask, without = _source(state, car), _source(none, car)
    assert without.ready or not with_ask.ready
    if ready_unix_s <= 1000:
        assert with_ask == without
    elif energy_kwh <= asked_kwh:
        assert not with_ask.ready


def test_the_house_goes_dark_at_what_is_kept_is_told_why_and_is_fed_again_when_its_time_has_come() -> (
    None
):
    home = DrainedHome(car_kwh=21.5, load_kw=9.0)
    home.ask(20.0, 1200)
    home.fail()
    assert home.phase == "islanded"
    home.run(600)
    assert home.source == "open"
    spent = [event for event, _ in home.events if isinstance(event, IslandMoved)][-1]
    assert spent.because == "source_spent"
    assert "20.0 kWh are kept for driving until" in spent.reason
    assert "20.0 kWh are kept for driving until" in home.step_now.alarm
    home.run(700)
    assert home.phase == "islanded", "its time has come: the car's own floor counts again"
    assert home.controller.source.kept == ""
    assert home.car_kwh < 20.0


def test_a_battery_whose_charge_is_told_in_steps_does_not_make_the_source_flap() -> None:
    home = Home(car_kwh=21.5)
    home.take(MobilityAsked("car", 20.0, home.now_s + 2 * HOUR_S, "api"))
    home.run(5)
    home.grid_voltage_pu = 0.0
    home.run(30)
    for number in range(120):  # between 20.1 and 20.7 kWh: a hundredth of the battery
        home.car_kwh = 20.1 if number % 2 else 20.7
        home.run(10)
    entered = [event for event, _ in home.events if isinstance(event, IslandMoved)]
    assert [one.because for one in entered].count("source_spent") == 1
    assert home.source == "open"


def test_taking_the_word_back_feeds_the_house_again() -> None:
    home = DrainedHome(car_kwh=21.5)
    home.ask(40.0, HOUR_S)
    home.fail()
    home.run(30)
    assert home.source == "open"
    home.take(MobilityAsked("car", None, None, "api"))
    home.run(60)
    assert home.phase == "islanded"


def test_forecast_and_source_keep_the_same() -> None:
    home = DrainedHome(car_kwh=50.0)
    home.ask(30.0, 2 * HOUR_S)
    home.run(5)
    asked = MobilityAsked("car", 30.0, 0, "api")
    kept_kwh = driving_kwh(SETTINGS, asked, CAR)
    assert 30.0 < kept_kwh < 30.5
    assert home.controller.source.floor_kwh == kept_kwh
    forecast = home.controller.forecast
    assert forecast is not None
    assert forecast.runtime is not None
    # What a restart takes is in what is kept.
    assert forecast.runtime.usable_kwh == pytest.approx((50.0 - kept_kwh) * 0.9, abs=0.05)
    home.run(2 * HOUR_S + 60)
    forecast = home.controller.forecast
    assert forecast is not None
    assert forecast.runtime is not None
    assert forecast.runtime.usable_kwh == pytest.approx((50.0 - 6.0) * 0.9 - 0.5, abs=0.05)


def test_an_announced_outage_is_prepared_for_above_what_is_kept_for_driving() -> None:
    home = DrainedHome()
    home.run(3)
    start = home.now_s + HOUR_S
    home.take(OutageAnnounced("PSPS", "planned", start, start + HOUR_S, "utility"))
    home.run(2)
    assert home.controller.preparation is not None
    without_kwh = home.controller.preparation.reserve_kwh
    home.ask(30.0, 5 * HOUR_S)
    home.run(2)
    assert home.controller.preparation.reserve_kwh == pytest.approx(
        without_kwh - (driving_kwh(SETTINGS, MobilityAsked("car", 30.0, 0, ""), CAR) - 6.0) * 0.9
    )
    assert home.step_now.grid.reserves["car"].energy_kwh == pytest.approx(60.0)


def test_a_source_that_is_away_unknown_or_a_battery() -> None:
    none = HomeState()
    assert not _source(none, replace(CAR, here=False)).ready
    assert not _source(none, replace(CAR, energy_kwh=None)).ready
    assert not island_source(SETTINGS, none, HomeObservation(), 0).ready
    battery = HomeBattery(
        battery_id="wall",
        capacity_kwh=10.0,
        floor_kwh=1.0,
        discharge_kw_max=5.0,
        discharge_efficiency=0.95,
    )
    held = replace(SETTINGS, source_car_id=None, battery=battery)
    source = island_source(held, none, HomeObservation(battery_soc=0.16), 0)
    assert (source.energy_kwh, source.floor_kwh, source.ready) == (1.6, 1.0, True)
    assert not island_source(held, none, HomeObservation(battery_soc=0.14), 0).ready
    assert not island_source(held, none, HomeObservation(), 0).ready
