"""What a live site's file says: every rule is told by the name of its key, all at once, and one file serves all commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from parkwatt.app.live_settings import LiveSettings, read_live_settings
from parkwatt.app.serve_settings import read_serve_settings
from parkwatt.app.study.settings import read_settings
from parkwatt.domain.record import Faults
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.modbus.settings import ModbusMeter
from tests.app.study.homes import change, make_home

TARIFF = """\
[tariff]
currency = "EUR"
time_zone = "Europe/Berlin"
[tariff.import]
price_per_kwh = 0.3
"""
CHARGER = '[[charger]]\nid = "A"\ndischarge = true\npower_kw_max = 11\n'
CAR = "[car]\nbattery_kwh = 60\ncharge_kw_max = 11\n"


def read(tmp_path: Path, text: str) -> tuple[LiveSettings | None, list[str]]:
    """The settings and the faults of a file."""
    path = tmp_path / "home.toml"
    path.write_text(text, encoding="utf-8")
    faults = Faults()
    return read_live_settings(path, faults), [str(fault) for fault in faults.found]


def settings_of(tmp_path: Path, text: str) -> LiveSettings:
    """Settings without a fault."""
    settings, faults = read(tmp_path, text)
    assert not faults
    assert settings is not None
    return settings


def test_a_small_file_has_all_defaults(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, TARIFF + CHARGER + CAR)
    site = settings.site
    (car,) = site.cars
    assert (site.name, str(site.time_zone), site.interconnection) == (
        "home",
        "Europe/Berlin",
        "no_export",
    )
    assert (site.import_limit_kw, site.fuse_a, site.has_meter, site.has_solar) == (
        None,
        None,
        False,
        False,
    )
    assert (car.car_id, car.charger_id, car.evse_id, car.capacity_kwh) == ("car", "A", 1, 60.0)
    assert (car.wishes.mode, car.wishes.floor_soc, car.wishes.target_soc) == ("smart", 0.2, 0.8)
    assert not car.wishes.consents
    assert (car.charger_discharges, car.phases, car.default_kw) == (True, (0, 1, 2), 11.0)
    assert car.storage.wear_price_per_kwh > 0
    assert settings.feeds == ()


def test_cars_have_their_own_chargers_wishes_and_sources(tmp_path: Path) -> None:
    text = f"""{TARIFF}
    [connection]
    fuse_a = 25
    interconnection = "export"
    [[circuit]]
    name = "garage"
    fuse_a = 16
    chargers = ["A"]
    [[charger]]
    id = "A"
    discharge = true
    [[charger]]
    id = "B"
    phase_count = 1
    power_kw_min = 1.4
    [[car]]
    name = "Bus"
    battery_kwh = 80
    charge_kw_max = 22
    charger = "A"
    discharge = true
    mode = "grid"
    floor_soc = 0.3
    ready_soc = 0.9
    trips = "https://calendar.example/bus.ics"
    trips_match = "Bus"
    ready_by = {{ every_day = "08:00", weekend = "10:30", sunday = "never" }}
    [[car]]
    name = "Small"
    battery_kwh = 30
    charge_kw_max = 7.4
    charger = "B"
    phases = [2]
    soc_topic = "car/soc"
    soc_unit = "fraction"
    [mqtt]
    host = "broker.local"
    [meter.grid]
    source = "modbus"
    host = "192.0.2.3"
    [control]
    step_s = 1
    replan_minutes = 5
    lease_discharge_s = 20
    """
    settings = settings_of(tmp_path, text)
    bus, small = settings.site.cars
    h = 3600
    assert bus.wishes.ready_by_s == (8 * h,) * 5 + (10 * h + 1800, None)
    assert (bus.wishes.mode, bus.wishes.consents, bus.circuit) == ("grid", True, "garage")
    assert (small.phases, small.circuit, small.storage.charge_kw_min) == ((1,), None, 1.4)
    assert settings.car_sources["Bus"].trips_match == "Bus"
    assert settings.car_sources["Small"].soc is not None
    assert settings.site.import_limit_kw == pytest.approx(25 * 230 * 3 / 1000)
    assert settings.site.circuits[0].import_limit_kw == pytest.approx(16 * 230 * 3 / 1000)
    assert settings.site.control.replan_s == 300
    assert settings.site.guard.lease_discharge_s == 20
    assert isinstance(settings.metering.meters[0], ModbusMeter)
    assert settings.site.has_meter


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (CHARGER + CAR, "tariff: is required"),
        (TARIFF + CHARGER, "car: is required"),
        (TARIFF + CAR, "car.charger: is required"),
        (TARIFF + CHARGER + CAR + 'charger = "B"', "car.charger: must be a charger with a table"),
        (TARIFF + CHARGER + CAR + "evse = 0", "car.evse"),
        (TARIFF + CHARGER + CAR + 'mode = "fast"', "car.mode: must be one of now, smart, home"),
        (TARIFF + CHARGER + CAR + 'mode = "home"', "car.mode: must be now, smart or off without"),
        (TARIFF + CHARGER + CAR + "floor_soc = 0.9", "car.ready_soc: must be at least floor_soc"),
        (TARIFF + CHARGER + CAR + "highest_soc = 0.5", "car.ready_soc: must be at most highest"),
        (TARIFF + CHARGER + CAR + "phases = [0]", "car.phases: must list the phases"),
        (TARIFF + CHARGER + CAR + "phases = [2, 1]", "car.phases: must list the phases"),
        (TARIFF + CHARGER + CAR + 'soc_path = "a"', "car.soc_path: needs soc_topic"),
        (TARIFF + CHARGER + CAR + 'soc_topic = "a"', "mqtt: is required by car.soc_topic"),
        (TARIFF + CHARGER + CAR + 'trips_match = "a"', "car.trips_match: needs trips"),
        (
            TARIFF + CHARGER + CAR + 'ready_by = { someday = "07:30" }',
            "car.ready_by.someday: is not a known field (known: every_day",
        ),
        (
            TARIFF + CHARGER + CAR + 'ready_by = { monday = "7" }',
            "car.ready_by.monday: must be a local time",
        ),
        (TARIFF + CHARGER + CAR + "target = 0.8", "car.target: is not a known field"),
        (TARIFF + CHARGER + "[[car]]\n" + "[[car]]\n", "car[0].charger: is required"),
        (
            TARIFF + CHARGER + CAR.replace("[car]", '[[car]]\ncharger = "A"') * 2,
            "car[1].name: must be given once",
        ),
        (
            TARIFF + CHARGER + CAR.replace("[car]", '[[car]]\ncharger = "A"') * 2,
            "car[1].charger: must be of one car only",
        ),
        (TARIFF + CHARGER + CAR + "[connection]\nfuse_a = 0", "connection.fuse_a"),
        (
            TARIFF + CHARGER + CAR + "[connection]\nfuse_a = 16\nimport_limit_kw = 20",
            "connection.import_limit_kw: must be at most what the fuses carry, 11.04 kW",
        ),
        (TARIFF + CHARGER + CAR + "[connection]\nphase_count = 2", "connection.phase_count: must"),
        (
            TARIFF + CHARGER + CAR + '[connection]\ninterconnection = "yes"',
            "connection.interconnection: must be one of no_export, export, backup_only",
        ),
        (TARIFF + CHARGER + CAR + "[connection]\nfuse = 16", "connection.fuse: is not a known"),
        (
            TARIFF + CHARGER + CAR + '[[circuit]]\nname = "g"\nchargers = ["A"]',
            "circuit[0].import_limit_kw: is required, or fuse_a",
        ),
        (
            TARIFF + CHARGER + CAR + '[[circuit]]\nname = "g"\nfuse_a = 16\nchargers = ["X"]',
            "circuit[0].chargers[0]: must be a charger of this site",
        ),
        (
            TARIFF + CHARGER + CAR + '[[circuit]]\nname = "g"\nfuse_a = 16\nchargers = ["A"]\n' * 2,
            "circuit[1].chargers[0]: must be on one circuit only",
        ),
        (TARIFF + CHARGER + CAR + "[control]\nstep_s = 9", "control.step_s: must be at most 5"),
        (TARIFF + CHARGER + CAR + "[control]\nstep = 2", "control.step: is not a known field"),
        (
            TARIFF + CHARGER + CAR + '[meter.grid]\nsource = "wifi"',
            "meter.grid.source: must be one",
        ),
        (TARIFF + CHARGER + CAR + '[meter.gird]\nsource = "none"', "meter.gird: is not a known"),
        (TARIFF + CHARGER + CAR + '[mqtt]\nhots = "x"', "mqtt.hots: is not a known field"),
        (TARIFF + CHARGER + CAR + "[contrl]\n", "contrl: is not a known field"),
        (TARIFF + CHARGER.replace("11", "11\ndefault_kw = 12") + CAR, "charger[0].default_kw"),
    ],
)
def test_a_broken_rule_is_told_by_its_key(tmp_path: Path, text: str, told: str) -> None:
    _, faults = read(tmp_path, text + "\n")
    assert any(fault.startswith(told) for fault in faults), faults


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    _, faults = read(
        tmp_path,
        '[tariff]\n[[charger]]\nid = "a b"\n[car]\n[connection]\nfuse_a = "x"\n[control]\nstep_s = 0\n',
    )
    tables = {fault.split(".")[0].split("[")[0] for fault in faults}
    assert tables == {"tariff", "charger", "car", "connection", "control"}


def test_what_is_no_toml_is_told_once(tmp_path: Path) -> None:
    settings, faults = read(tmp_path, "[car\n")
    assert settings is None
    assert len(faults) == 1


def test_a_charger_with_a_credential_needs_no_table(tmp_path: Path) -> None:
    text = TARIFF + CAR + 'charger = "GARAGE"\n'
    _, faults = read(tmp_path, text)
    assert faults
    (tmp_path / "home-data").mkdir()
    with CredentialStore(tmp_path / "home-data" / "credentials.sqlite") as store:
        store.add("GARAGE", 1, 1_800_000_000_000_000)
    assert settings_of(tmp_path, text).site.cars[0].charger_id == "GARAGE"
    admitting = TARIFF + CAR + 'charger = "ANY"\n[ocpp]\nadmit_unknown = true\n'
    assert settings_of(tmp_path, admitting).site.cars[0].charger_id == "ANY"


def test_one_file_serves_study_back_end_and_live_site(tmp_path: Path) -> None:
    site = make_home(tmp_path)
    circuit = '[[circuit]]\nname = "garage"\nfuse_a = 20\nchargers = ["GARAGE"]\n\n'
    change(site, ("[connection]", f"{circuit}[connection]"))
    for reader in (read_settings, read_serve_settings, read_live_settings):
        faults = Faults()
        settings = reader(site, faults)
        assert not faults.found, reader
        assert settings is not None


def test_prices_of_a_source_are_a_feed(tmp_path: Path) -> None:
    tariff = TARIFF.replace(
        "price_per_kwh = 0.3", '[tariff.import.day_ahead]\nsource = "energy-charts"\nzone = "DE-LU"'
    )
    (feed,) = settings_of(tmp_path, tariff + CHARGER + CAR).feeds
    assert (feed.name, feed.source, feed.zone) == ("import.day_ahead", "energy-charts", "DE-LU")
