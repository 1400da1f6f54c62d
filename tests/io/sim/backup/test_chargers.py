"""Chargers behind the home's bus: their power is the home's, and the car that feeds the home is the charger's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from parkwatt.io.sim.backup.build import HomeSettings, build_parts
from parkwatt.io.sim.backup.home import BackupHome
from parkwatt.io.sim.build import virtual_station
from parkwatt.io.sim.settings import StationSettings
from parkwatt.io.sim.station import VirtualStation
from tests.io.sim.backup.homes import EVENING_US, bus_of, go_dark, go_islanded, wait

STATION = StationSettings(id_token=None, power_kw_max=7.4)


def charging(station_id: str, soc: float = 0.5) -> VirtualStation:
    """A charger that charges for free, at full power, whether or not a back end is there."""
    settings = replace(STATION, id=station_id, car=replace(STATION.car, soc=soc))
    station = virtual_station(settings, EVENING_US)
    station.connect(EVENING_US)
    station.authorize_and_start()
    return station


def a_home_with(*stations: VirtualStation) -> BackupHome:
    return BackupHome(EVENING_US, build_parts(HomeSettings(), EVENING_US, stations))


def test_a_charger_draws_through_the_grid_pole() -> None:
    station = charging("CP-1")
    home = a_home_with(station)
    wait(home, 60.0)
    assert station.power_kw == pytest.approx(7.4)
    circuits_kw = sum(one.power_kw for one in home.circuits.values())
    assert home.grid_kw == pytest.approx(circuits_kw + 7.4)
    assert station.car is home.source.car


def test_a_charger_without_voltage_draws_nothing() -> None:
    station = charging("CP-1")
    home = a_home_with(station)
    wait(home, 60.0)
    go_dark(home)
    wait(home, 5.0)
    energy_kwh = station.car.energy_kwh
    wait(home, 600.0)
    assert station.power_kw == 0.0
    assert station.car.energy_kwh == energy_kwh


def test_the_car_that_feeds_the_home_does_not_charge_from_it() -> None:
    station = charging("CP-1")
    home = a_home_with(station)
    go_islanded(home)
    before_kwh = station.car.energy_kwh
    exported_wh = station.meter.export_wh
    given_kwh = home.truth.totals.source_given_kwh
    wait(home, 3600.0)
    assert station.car.energy_kwh < before_kwh
    assert station.power_kw == pytest.approx(-home.source.car_kw)
    given_kwh = home.truth.totals.source_given_kwh - given_kwh
    metered_kwh = (station.meter.export_wh - exported_wh) / 1000.0
    assert metered_kwh == pytest.approx(given_kwh + 0.05, rel=0.02), "the charger's meter agrees"
    assert home.truth.totals.charged_in_island_kwh == 0.0


def test_another_car_that_charges_in_an_island_is_counted() -> None:
    first, second = charging("CP-1", soc=0.9), charging("CP-2", soc=0.3)
    home = a_home_with(first, second)
    go_dark(home)
    home.gateway.renew_lease(1_000_000)
    for name in home.circuits:
        home.switch(name, on=name == "network")
    for action in ("open_grid_pole", "close_bond", "close_island_source"):
        home.command(action)
        wait(home, 0.5)
    wait(home, 9.0)
    assert bus_of(home) == "island"
    wait(home, 6.0)
    assert home.truth.totals.charged_in_island_kwh > 0.005


def test_when_the_grid_is_back_it_charges_again() -> None:
    station = charging("CP-1")
    home = a_home_with(station)
    go_islanded(home)
    home.command("open_island_source")
    home.grid.plan([home.grid.back(home.now_us)])
    wait(home, 1.0)
    home.command("close_grid_pole")
    wait(home, 10.0)
    assert bus_of(home) == "grid"
    assert station.power_kw == pytest.approx(7.4)
    assert home.gateway.counters.both_closed_s == 0.0


def test_a_car_that_is_unplugged_at_its_charger_feeds_nothing() -> None:
    station = charging("CP-1")
    home = a_home_with(station)
    go_islanded(home)
    home.plug(is_plugged=False)
    wait(home, 2.0)
    assert not station.is_plugged
    assert bus_of(home) == "dark"
