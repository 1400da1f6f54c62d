"""What the owner says of the house counts until it is measured, and never twice."""

from __future__ import annotations

from pathlib import Path

from parkwatt.forecast.standard import StandardLoad, StandardSun
from tests.app.live_settings.test_settings import CAR, CHARGER, TARIFF, read, settings_of

HOUSE = "[household]\nkwh_per_year = 4000\nsolar_kw_peak = 8\n"
METER = '[mqtt]\nhost = "x"\n[meter.grid]\nsource = "mqtt"\ntopic = "grid"\n'


def test_load_and_sun_are_guessed_at_the_place_of_the_time_zone(tmp_path: Path) -> None:
    site = settings_of(tmp_path, TARIFF + CHARGER + CAR + HOUSE).site
    assert site.load_guess == StandardLoad(4000.0, 0.0, "Europe/Berlin")
    assert isinstance(site.solar_guess, StandardSun)
    assert (round(site.solar_guess.latitude_deg), site.solar_guess.azimuth_deg) == (52, 180.0)


def test_a_grid_meter_alone_sees_the_sun_already(tmp_path: Path) -> None:
    site = settings_of(tmp_path, TARIFF + CHARGER + CAR + HOUSE + METER).site
    assert site.load_guess is not None
    assert site.solar_guess is None


def test_nothing_said_is_nothing_guessed(tmp_path: Path) -> None:
    site = settings_of(tmp_path, TARIFF + CHARGER + CAR).site
    assert (site.load_guess, site.solar_guess) == (None, None)


def test_a_zone_without_a_place_needs_one_for_the_sun(tmp_path: Path) -> None:
    tariff = TARIFF.replace("Europe/Berlin", "UTC")
    _, faults = read(tmp_path, tariff + CHARGER + CAR + HOUSE)
    assert [fault.partition(" ")[0].rstrip(":") for fault in faults] == [
        "household.latitude_deg",
        "household.longitude_deg",
    ]
    dark = HOUSE.replace("solar_kw_peak = 8\n", "")
    assert not read(tmp_path, tariff + CHARGER + CAR + dark)[1]
    assert read(tmp_path, TARIFF + CHARGER + CAR + "[household]\nsolar = 8\n")[1]


def test_a_virtual_charger_comes_from_this_machine(tmp_path: Path) -> None:
    virtual = CHARGER + "virtual = true\n"
    ocpp = '[ocpp]\nlisten = "127.0.0.1:9000"\nadmit_unknown = true\n'
    settings = settings_of(tmp_path, TARIFF + ocpp + virtual + CAR)
    assert settings.serve.virtual == ("A",)
    _, faults = read(tmp_path, TARIFF + virtual + CAR)
    assert any(fault.startswith("charger[0].virtual") for fault in faults)
