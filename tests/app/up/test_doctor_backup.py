"""What `parkwatt doctor` finds in a home's backup, and what it says to do about it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from parkwatt.app.live_settings import LiveSettings
from parkwatt.app.live_settings.backup import BackupSettings
from parkwatt.app.up import doctor_backup
from parkwatt.app.up.doctor_check import Check, Seen
from parkwatt.domain.home.gateway import GatewayReading
from parkwatt.home.grid_code import GRID_CODES
from parkwatt.io.gateway.self_description import EnterService
from tests.app.live_settings.test_backup import BY_LAYOUT, ON_MODBUS, SITE
from tests.app.live_settings.test_settings import settings_of
from tests.io.gateway.modbus_server import device, model_702, model_703, model_713
from tests.io.modbus.strangers import common, device_of
from tests.io.mqtt.broker import free_port, running

IEEE = GRID_CODES["ieee1547-2018"]
NOW_US = 1_000_000_000_000
ON_GRID = GatewayReading(
    measured_unix_us=NOW_US - 1_000_000,
    grid_voltage_pu=(1.0, 1.01, 0.99),
    grid_frequency_hz=60.0,
    grid_present=True,
    grid_pole="closed",
    island_source="open",
    bond="open",
    output_voltage_pu=1.0,
)


def backup_in(tmp_path: Path, text: str) -> BackupSettings:
    """The backup of a site without a fault."""
    backup = settings_of(tmp_path, SITE + text).backup
    assert backup is not None
    return backup


def tried(settings: LiveSettings) -> dict[str, Check]:
    """All checks by their subject, without a server."""
    return {check.subject: check for check in doctor_backup.checks(settings, Seen())}


def test_a_home_without_a_backup_is_not_asked(tmp_path: Path) -> None:
    assert tried(settings_of(tmp_path, SITE)) == {}


def test_a_running_server_is_left_alone(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, SITE + BY_LAYOUT)
    found = list(doctor_backup.checks(settings, Seen(site={})))
    assert found[-1] == Check("skipped", "gateway", "the running server reads it")


def test_missing_feedback_is_told_with_what_it_means(tmp_path: Path) -> None:
    text = ON_MODBUS.replace("lease = { register = 103 }\n", "").replace(
        'grid_frequency = { sunspec = "701.Hz" }', "grid_present = { register = 113 }"
    )
    found = {check.subject: check for check in doctor_backup.feedback(backup_in(tmp_path, text))}
    assert "must follow the poles by hardware" in found["gateway's bond"].message
    assert "a matter of time alone" in found["gateway's output_voltage"].message
    assert "the gateway's own word" in found["gateway's grid_frequency"].message
    assert found["gateway"].level == "warning"
    assert "no lease" in found["gateway"].message


def test_a_gateway_by_the_layout_lacks_nothing(tmp_path: Path) -> None:
    assert list(doctor_backup.feedback(backup_in(tmp_path, BY_LAYOUT))) == []


def test_a_gateway_without_a_sign_of_life_is_warned_of(tmp_path: Path) -> None:
    text = BY_LAYOUT.replace('base_topic = "home/gateway"', _BY_VALUE)
    text = text.replace("reports_bond = true\nreports_output_voltage = true\n", "")
    (check,) = [
        one
        for one in doctor_backup.feedback(backup_in(tmp_path, text))
        if "sign of life" in one.message
    ]
    assert check.remedy == "name alive_topic in [backup.gateway]"


_BY_VALUE = """
grid_pole = { topic = "pole" }
island_source = { topic = "source" }
grid_present = { topic = "grid" }
[backup.gateway.commands]
open_grid_pole = { topic = "a" }
close_grid_pole = { topic = "b" }
open_island_source = { topic = "c" }
close_island_source = { topic = "d" }
"""


@pytest.mark.parametrize(
    ("fields", "level", "words"),
    [
        ({}, "ok", "grid 1.00, 1.01, 0.99 pu, 60.00 Hz"),
        ({"island_source": "closed"}, "error", "grid pole and island source both say closed"),
        ({"grid_frequency_hz": 50.0}, "error", "outside of ieee1547-2018's band"),
        ({"grid_voltage_pu": (0.52, 0.52)}, "error", "no grid to go back to"),
        ({"grid_frequency_hz": 50.0, "grid_pole": "open"}, "ok", "50.00 Hz"),
        ({"bond": "closed"}, "error", "neutral is earthed twice"),
        ({"fault": "code 3"}, "error", "it reports a fault: code 3"),
        ({"grid_pole": None, "bond": None}, "error", "told, but unknown: grid_pole, bond"),
        ({"measured_unix_us": NOW_US - 60_000_000}, "error", "what it tells is 60 s old"),
        ({"measured_unix_us": 0}, "error", "of a time that nobody knows"),
    ],
)
def test_what_a_gateway_tells_is_judged(
    tmp_path: Path, fields: dict[str, object], level: str, words: str
) -> None:
    backup = backup_in(tmp_path, BY_LAYOUT)
    check = doctor_backup.gateway_check(msgspec.structs.replace(ON_GRID, **fields), backup, NOW_US)
    assert check.level == level
    assert words in check.message


def test_other_chargers_that_would_charge_from_the_island_are_named(tmp_path: Path) -> None:
    for default_kw, warned in ((3.7, True), (0.0, False)):
        second = f'[[charger]]\nid = "SECOND"\npower_kw_max = 11\ndefault_kw = {default_kw}\n'
        site = SITE.replace('name = "leaf"', 'name = "leaf"\ncharger = "A"')
        settings = settings_of(tmp_path, site + second + BY_LAYOUT)
        assert settings.backup is not None
        found = list(doctor_backup.other_chargers(settings, settings.backup))
        assert [one.subject for one in found] == (["charger SECOND"] if warned else [])
        if warned:
            assert found[0].level == "warning"
            assert "charges with up to 3.7 kW" in found[0].message
            assert "set default_kw = 0 in [[charger]] SECOND" in found[0].remedy
            assert found[0] in list(doctor_backup.checks(settings, Seen(site={})))


def test_what_cannot_start_in_an_island_is_told(tmp_path: Path) -> None:
    text = BY_LAYOUT.replace("inrush_kw = 1.2", "inrush_kw = 14")
    found = {check.subject: check for check in doctor_backup.circuits(backup_in(tmp_path, text))}
    assert (
        "takes 14 kW when it starts, and the inverter gives 11 kW"
        in found["circuit fridge"].message
    )
    assert found["island"].level == "ok"
    assert "Oxygen concentrator" in found["circuits"].message
    text = BY_LAYOUT.replace("power_kw_rated = 0.35", "power_kw_rated = 8")
    found = {check.subject: check for check in doctor_backup.circuits(backup_in(tmp_path, text))}
    assert found["island"].level == "warning"


def own(**fields: float) -> EnterService:
    """IEEE's defaults with other numbers."""
    numbers = {
        "voltage_pu_min": 0.917,
        "voltage_pu_max": 1.05,
        "frequency_hz_min": 59.5,
        "frequency_hz_max": 60.1,
        "delay_s": 300.0,
        "ramp_s": 300.0,
        **fields,
    }
    return EnterService(enabled=True, **numbers)


@pytest.mark.parametrize(
    ("fields", "level", "words"),
    [
        ({}, "ok", "as ieee1547-2018 asks for"),
        (
            {"delay_s": 60.0},
            "warning",
            "sooner than ieee1547-2018 asks for: after 60 s in place of 300 s",
        ),
        ({"ramp_s": 10.0}, "warning", "ramp of 10 s in place of 300 s"),
        ({"voltage_pu_min": 0.88}, "warning", "voltage from 0.88 pu in place of 0.917 pu"),
        ({"frequency_hz_max": 61.0}, "warning", "frequency to 61 Hz in place of 60.1 Hz"),
        ({"delay_s": 600.0}, "ok", "later than ieee1547-2018 asks for: after 600 s"),
        ({"voltage_pu_max": 1.04, "ramp_s": 1.0}, "warning", "ramp of 1 s"),
    ],
)
def test_a_devices_own_bounds_are_held_against_the_grid_code(
    fields: dict[str, float], level: str, words: str
) -> None:
    (check,) = doctor_backup.enter_service_checks(own(**fields), IEEE, "gateway")
    assert check.level == level
    assert words in check.message


def test_what_a_device_does_not_tell_is_not_judged() -> None:
    nothing = EnterService(
        enabled=False,
        voltage_pu_min=None,
        voltage_pu_max=None,
        frequency_hz_min=None,
        frequency_hz_max=None,
        delay_s=None,
        ramp_s=None,
    )
    first, second = doctor_backup.enter_service_checks(nothing, IEEE, "gateway")
    assert "may not enter service" in first.message
    assert second.level == "ok"


def test_what_devices_on_modbus_say_of_themselves_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_backup, "_PATIENCE_S", 3.0)
    enter_service = model_703(
        high_percent=110, low_percent=85, high_hz=50.1, low_hz=49.5, delay_s=30, ramp_s=600
    )

    async def main() -> dict[str, Check]:
        battery = device_of(common("Maker"), model_702(4600), enter_service, model_713(50.0))
        async with device({40_000: battery}) as one:
            text = ON_MODBUS.replace(
                '"192.168.1.40"\nport = 1502', f'"127.0.0.1"\nport = {free_port()}'
            )
            text = text.replace('"192.168.1.41"', f'"127.0.0.1"\nport = {one.port}')
            settings = settings_of(tmp_path, SITE + text)
            checks = await asyncio.to_thread(lambda: list(doctor_backup.checks(settings, Seen())))
            assert [check.level for check in checks if check.subject == "home battery"] == [
                "warning",
                "warning",
            ]
            return {check.subject: check for check in checks}

    found = asyncio.run(main())
    assert found["home battery"].message == (
        "it gives 4.6 kW by its own rating, and continuous_kw is 5"
    )
    assert "refuses the connection" in found["gateway"].message


def test_a_whole_set_up_on_a_broker_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_backup, "_PATIENCE_S", 3.0)
    base = "home/gateway"
    told = (
        (f"{base}/grid_pole", "closed"),
        (f"{base}/island_source", "open"),
        (f"{base}/bond", "open"),
        *((f"{base}/grid_voltage/l{phase}", "230") for phase in (1, 2, 3)),
        (f"{base}/grid_frequency", "60"),
        (f"{base}/grid_present", "ON"),
        (f"{base}/output_voltage", "230"),
        ("home/circuit/fridge/state", "ON"),
    )
    with running(tmp_path) as broker:
        asyncio.run(broker.publish(*told, retain=True))
        site = (SITE + BY_LAYOUT).replace(
            'host = "broker.local"', f'host = "127.0.0.1"\nport = {broker.port}'
        )
        found = tried(settings_of(tmp_path, site))
        assert "of a time that nobody knows" in found["gateway"].message
        assert found["circuits"].level == "ok"
    gone = tried(settings_of(tmp_path, site))
    assert gone["gateway"].level == "error"
    assert "nothing listens at" in gone["gateway"].message
    assert gone["circuit fridge"].level == "warning"
