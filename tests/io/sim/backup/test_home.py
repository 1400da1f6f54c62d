"""The physics of the home: what has voltage, what flows, what trips, and what is counted as never to happen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.io.sim.backup.appliance import Steady
from parkwatt.io.sim.backup.build import HomeSettings
from parkwatt.io.sim.backup.gateway import ACTIONS, GatewaySettings
from parkwatt.io.sim.backup.generator import GeneratorSettings
from parkwatt.io.sim.backup.home import BackupHome
from parkwatt.io.sim.backup.pole import SECOND_US
from parkwatt.io.sim.backup.source import SourceSettings
from tests.io.sim.backup.homes import (
    EVENING_US,
    NOON_US,
    a_home,
    bus_of,
    go_dark,
    go_islanded,
    wait,
    with_soc,
)


def load(home: BackupHome, power_kw: float, inrush_kw: float = 0.0) -> None:
    """Let the home use that power alone."""
    for name in home.circuits:
        home.switch(name, on=name == "hob")
    hob = home.circuits["hob"]
    hob.appliances = [Steady(power_kw, inrush_kw)]
    hob._was_drawing, hob._inrush_until_us = [False], [0]
    wait(home, 1.0)


def test_on_the_grid_all_that_is_wanted_is_served() -> None:
    home, _ = a_home()
    wait(home, 3600.0)
    totals = home.truth.totals
    assert totals.seconds == {"dark": 0.0, "grid": 3600.0, "island": 0.0}
    assert sum(totals.served_kwh.values()) > 0.3
    assert all(totals.unserved_kwh(name) == 0.0 for name in home.circuits)


def test_without_grid_and_gateway_it_stays_dark_and_serves_nothing() -> None:
    home, _ = a_home()
    go_dark(home)
    served_kwh = dict(home.truth.totals.served_kwh)
    wait(home, 3600.0)
    assert home.reading().output_voltage_pu == 0.0
    assert home.truth.totals.served_kwh == served_kwh
    assert home.truth.totals.unserved_kwh("medical") == pytest.approx(0.06, rel=0.01)
    assert home.truth.totals.seconds["dark"] == pytest.approx(3601.0)


def test_an_island_lives_on_the_car() -> None:
    home, notes = a_home()
    car = home.source.car
    assert car is not None
    go_islanded(home)
    before_kwh = car.energy_kwh
    load(home, 2.0)
    wait(home, 3600.0)
    taken_kwh = before_kwh - car.energy_kwh
    assert 2.05 / 0.9 < taken_kwh < 2.06 / 0.85, "2 kW, 50 W for itself, losses"
    assert any("its own source" in note.text for note in notes)
    assert home.gateway.counters.both_closed_s == 0.0
    assert home.truth.totals.backfeed_s == 0.0


def test_energy_is_conserved_in_an_island() -> None:
    home, _ = a_home()
    go_islanded(home)
    wait(home, 2 * 3600.0)
    totals = home.truth.totals
    given_kwh = totals.source_given_kwh + totals.solar_kwh - totals.source_taken_kwh
    assert sum(totals.served_kwh.values()) > 0.5
    assert sum(totals.served_kwh.values()) == pytest.approx(given_kwh, rel=1e-6)


def test_the_truth_by_second_adds_up_to_the_totals() -> None:
    home, _ = a_home()
    go_islanded(home)
    wait(home, 1800.0)
    home.pass_time((home.now_us // SECOND_US + 1) * SECOND_US)
    by_second_kwh = home.truth.served_kw().sum(axis=0) / 3600.0
    totals_kwh = np.array(list(home.truth.totals.served_kwh.values()))
    assert by_second_kwh == pytest.approx(totals_kwh, rel=1e-4)
    assert len(home.truth.buses()) == len(home.truth.wanted_kw())


def test_a_source_trips_above_its_surge_at_once_and_tries_again() -> None:
    home, _ = a_home()
    go_islanded(home)
    load(home, 12.5)
    assert home.source.state == "tripped"
    assert bus_of(home) == "dark"
    load(home, 1.0)
    wait(home, 60.0)
    assert home.source.state in ("tripped", "starting")
    wait(home, 10.0)
    assert bus_of(home) == "island"
    assert home.source.trips == 1


def test_a_source_carries_a_surge_for_so_long_only() -> None:
    home, _ = a_home()
    go_islanded(home)
    load(home, 8.0)
    wait(home, 8.0)
    assert home.source.is_forming
    wait(home, 2.0)
    assert home.source.state == "tripped"
    assert "7.4" in home.source.because


def test_an_inrush_counts_as_what_it_is() -> None:
    home, _ = a_home()
    go_islanded(home)
    load(home, 2.0, inrush_kw=11.0)
    assert home.source.is_forming, "11 kW are within its surge"
    home.switch("hob", on=False)
    wait(home, 1.0)
    load(home, 2.0, inrush_kw=13.0)
    assert home.source.state == "tripped"


def test_all_compressors_start_at_once_after_an_outage() -> None:
    home, _ = a_home(HomeSettings(source=SourceSettings(surge_kw=20.0)))
    go_dark(home)
    wait(home, 3 * 3600.0)
    go_islanded(home)
    running = [name for name, one in home.circuits.items() if one.power_kw > 0]
    assert {"fridge", "heating", "hot_water"} <= set(running)


def test_a_car_gives_nothing_below_its_floor() -> None:
    home, _ = a_home(with_soc(HomeSettings(), 0.102))
    go_islanded(home)
    load(home, 3.0)
    wait(home, 600.0)
    assert home.source.state == "empty"
    assert bus_of(home) == "dark"
    assert home.source.car is not None
    assert home.source.car.soc == pytest.approx(0.1)


def test_without_energy_to_start_a_person_must_help() -> None:
    home, _ = a_home(HomeSettings(source=SourceSettings(dark_start_kwh=0.05)))
    go_dark(home)
    wait(home, 3590.0)
    assert home.source.state == "off", "50 Wh at 50 W last an hour"
    wait(home, 20.0)
    assert str(home.source.state) == "dead"
    home.gateway.renew_lease(1_000_000)
    for action in ("open_grid_pole", "close_bond", "close_island_source"):
        home.command(action)
        wait(home, 1.0)
    wait(home, 60.0)
    assert bus_of(home) == "dark"
    home.source.wake()
    wait(home, 20.0)
    assert bus_of(home) == "island"


def test_a_car_that_leaves_takes_the_island_with_it() -> None:
    home, _ = a_home()
    go_islanded(home)
    home.plug(is_plugged=False)
    wait(home, 2.0)
    assert bus_of(home) == "dark"
    home.plug(is_plugged=True)
    wait(home, 20.0)
    assert bus_of(home) == "island"


def test_a_stationary_battery_gives_first_and_holds_without_the_car() -> None:
    home, _ = a_home(HomeSettings(battery_kwh=10.0))
    battery, car = home.source.battery, home.source.car
    assert battery is not None
    assert car is not None
    go_islanded(home)
    before_kwh = (battery.energy_kwh, car.energy_kwh)
    load(home, 3.0)
    wait(home, 600.0)
    assert battery.energy_kwh < before_kwh[0] - 0.5
    assert car.energy_kwh == pytest.approx(before_kwh[1])
    home.plug(is_plugged=False)
    wait(home, 60.0)
    assert bus_of(home) == "island"


def test_a_generator_warms_up_takes_the_load_and_cools_down() -> None:
    home, _ = a_home(HomeSettings(generator=GeneratorSettings(power_kw_max=3.0)))
    generator = home.parts.generator
    assert generator is not None
    go_islanded(home)
    load(home, 4.0)
    generator.command(on=True)
    wait(home, 3.0)
    assert (generator.phase, generator.power_kw) == ("warming_up", 0.0)
    wait(home, 5.0)
    assert (generator.phase, generator.power_kw) == ("running", 3.0)
    wait(home, 1.0)
    assert home.source.power_kw == pytest.approx(1.0)
    generator.command(on=False)
    wait(home, 3.0)
    assert str(generator.phase) == "cooling_down"
    wait(home, 61.0)
    assert str(generator.phase) == "off"


@pytest.mark.parametrize("nominal_hz", [50.0, 60.0])
def test_sun_that_nothing_takes_is_pushed_down_and_let_on_again(nominal_hz: float) -> None:
    source = SourceSettings(nominal_hz=nominal_hz)
    home, _ = a_home(with_soc(HomeSettings(source=source, nominal_hz=nominal_hz), 0.98), NOON_US)
    car = home.source.car
    assert car is not None
    go_islanded(home)
    wait(home, 120.0)
    assert home.frequency_hz == pytest.approx(nominal_hz + 2.0)
    assert home.parts.solar.power_kw == 0.0
    load(home, 1.0)
    wait(home, 600.0)
    assert home.frequency_hz == pytest.approx(nominal_hz + 2.0), "hysteresis: not yet at 94 %"
    car.soc = 0.93
    wait(home, 90.0)
    assert home.frequency_hz == pytest.approx(nominal_hz)
    assert home.parts.solar.power_kw == pytest.approx(5.0, rel=0.02)
    assert home.source.power_kw < -1.5, "it charges the car"


def test_sun_is_cut_when_the_grid_goes_and_comes_back_after_a_while() -> None:
    home, _ = a_home(None, NOON_US)
    assert home.parts.solar.power_kw == pytest.approx(5.0, rel=0.02)
    go_islanded(home)
    assert home.parts.solar.power_kw == 0.0
    wait(home, 62.0)
    assert home.parts.solar.power_kw > 4.9


def test_a_source_on_a_dead_grid_feeds_the_neighbourhood_and_trips() -> None:
    home, _ = a_home(HomeSettings(gateway=GatewaySettings(interlock=False)))
    go_dark(home)
    home.command("close_island_source")
    wait(home, 10.0)
    totals = home.truth.totals
    assert home.source.state == "tripped"
    assert totals.backfeed_s == pytest.approx(0.1, abs=0.01)
    assert totals.backfeed_kwh == pytest.approx(12.0 * 0.1 / 3600.0, rel=0.1)
    assert home.gateway.counters.both_closed_s > 9.0


def test_a_source_put_onto_a_live_grid_trips_and_is_counted() -> None:
    home, _ = a_home(HomeSettings(gateway=GatewaySettings(interlock=False)))
    go_islanded(home)
    home.grid.plan([home.grid.back(home.now_us)])
    wait(home, 1.0)
    assert bus_of(home) == "island", "the pole is open"
    home.command("close_grid_pole")
    wait(home, 1.0)
    assert home.truth.totals.paralleled == 1
    assert bus_of(home) == "grid"
    assert home.source.state == "tripped"


def test_an_island_without_its_bond_is_counted() -> None:
    home, _ = a_home()
    go_islanded(home)
    home.command("open_bond")
    wait(home, 10.0)
    assert home.truth.totals.unbonded_s == pytest.approx(9.9)


def test_a_lease_that_nobody_renews_ends_dark_and_safe() -> None:
    home, notes = a_home()
    go_islanded(home, lease_s=30)
    wait(home, 60.0)
    assert bus_of(home) == "dark"
    assert home.gateway.poles["grid_pole"].actual == "open"
    assert any("nobody renewed" in note.text for note in notes)


def test_the_grid_may_come_back_for_a_moment_only() -> None:
    home, _ = a_home()
    home.grid.plan(home.grid.returning_with_gaps(home.now_us, 60.0))
    home.settle()
    seen = []
    for _ in range(100):
        seen.append(home.bus)
        wait(home, 1.0)
    assert seen == ["dark"] * 60 + ["grid"] * 20 + ["dark"] * 10 + ["grid"] * 10


@pytest.mark.parametrize(
    ("voltage_pu", "frequency_hz", "live"),
    [(0.6, 50.0, False), (0.8, 50.0, True), (1.2, 50.0, True), (1.0, 51.2, True)],
)
def test_what_is_wrong_with_the_grid_is_measured(
    voltage_pu: float, frequency_hz: float, live: bool
) -> None:
    home, _ = a_home()
    changes = home.grid.sag(home.now_us, 5.0, voltage_pu)
    if voltage_pu == 1.0:
        changes = home.grid.off_frequency(home.now_us, 5.0, frequency_hz)
    home.grid.plan(changes)
    home.settle()
    told = home.reading()
    assert told.grid_voltage_pu == (voltage_pu,) * 3
    assert told.grid_frequency_hz == frequency_hz
    assert (bus_of(home) == "grid") == live
    wait(home, 6.0)
    assert home.reading().grid_voltage_pu == (1.0, 1.0, 1.0)


def test_a_lost_phase_and_flicker() -> None:
    home, _ = a_home()
    home.grid.plan(home.grid.lost_phase(home.now_us, 5.0))
    home.settle()
    wait(home, 1.0)
    assert home.reading().grid_voltage_pu == (0.0, 1.0, 1.0)
    wait(home, 10.0)
    home.grid.plan(home.grid.flicker(home.now_us, 3))
    home.settle()
    wait(home, 20.0)
    assert home.truth.totals.seconds["dark"] == pytest.approx(5.0 + 3 * 0.4)


def test_an_off_with_a_lease_lapses() -> None:
    home, _ = a_home()
    hob = home.circuits["hob"]
    hob.set_lease(60, home.now_us)
    home.switch("hob", on=False)
    wait(home, 50.0)
    assert not hob.is_on
    home.switch("hob", on=False)
    wait(home, 50.0)
    assert not hob.is_on, "renewed"
    wait(home, 20.0)
    assert hob.is_on


def test_the_same_seed_gives_the_same_home() -> None:
    served_kwh = []
    for _ in range(2):
        home, _ = a_home(HomeSettings(seed=5))
        wait(home, 1800.0)
        served_kwh.append(home.truth.totals.served_kwh)
    assert served_kwh[0] == served_kwh[1]


_LIVES = st.lists(
    st.tuples(
        st.sampled_from(["grid fails", "grid returns", *ACTIONS]),
        st.floats(0.01, 120.0),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(_LIVES, st.booleans())
def test_whatever_is_asked_the_interlock_keeps_the_dead_grid_dead(
    life: list[tuple[str, float]], interlock: bool
) -> None:
    home, _ = a_home(HomeSettings(gateway=replace(GatewaySettings(), interlock=interlock)))
    for what, seconds in life:
        if what == "grid fails":
            home.grid.plan(home.grid.outage(home.now_us, 1e6))
            home.settle()
        elif what == "grid returns":
            home.grid.plan([home.grid.back(home.now_us)])
            home.settle()
        else:
            home.command(next(one for one in ACTIONS if one == what))
        wait(home, seconds)
    totals, counters = home.truth.totals, home.gateway.counters
    if interlock:
        assert counters.both_closed_s == totals.backfeed_s == totals.paralleled == 0
    assert totals.backfeed_s <= counters.both_closed_s + 1e-6
    assert sum(totals.seconds.values()) == pytest.approx((home.now_us - EVENING_US) / SECOND_US)
    assert all(totals.unserved_kwh(name) >= -1e-9 for name in home.circuits)
