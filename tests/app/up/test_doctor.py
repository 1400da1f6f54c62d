"""What `parkwatt doctor` finds in a set-up, and what it says to do about it."""

from __future__ import annotations

import asyncio
import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from parkwatt.app.cli import main
from parkwatt.app.live_settings import LiveSettings, load_live_settings
from parkwatt.app.up import doctor_sources
from parkwatt.app.up.doctor import examine
from parkwatt.app.up.doctor_check import Check, Seen
from parkwatt.domain.journal import Note
from parkwatt.domain.site import event as site_event
from parkwatt.domain.site.event import CarInterval, IntervalClosed
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.store.sqlite_journal import SqliteJournal
from tests.app.api.live_served import LiveServed, in_live_site

SITE = """\
[tariff]
currency = "EUR"
time_zone = "Europe/Berlin"
[tariff.import.series]
file = "prices.csv"
time_column = "time"
value_column = "price"
unit = "EUR/kWh"
[connection]
fuse_a = 35
[ocpp]
listen = "127.0.0.1:{ocpp}"
[api]
listen = "127.0.0.1:{api}"
[[charger]]
id = "GARAGE"
discharge = true
power_kw_max = 11
[car]
name = "ID.4"
battery_kwh = 77
charge_kw_max = 11
discharge = true
mode = "home"
{more}
"""
NIGHT = datetime(2027, 1, 15, 0, 0, tzinfo=UTC)  # 1 o'clock in Berlin


@pytest.fixture
def free_ports() -> tuple[int, int]:
    """Two ports that nobody listens on."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        return one.getsockname()[1], two.getsockname()[1]


@pytest.fixture
def site(tmp_path: Path, free_ports: tuple[int, int]) -> Path:
    """A site that is set up well, with its prices in a file; nothing runs."""
    path = tmp_path / "home.toml"
    write(path, free_ports)
    hours = [datetime.now(UTC) + timedelta(hours=hour) for hour in range(-24, 48)]
    rows = "".join(f"{hour:%Y-%m-%dT%H:00Z},0.3\n" for hour in hours)
    (tmp_path / "prices.csv").write_text(f"time,price\n{rows}", encoding="utf-8")
    folder = tmp_path / "home-data"
    folder.mkdir(mode=0o700)
    with CredentialStore(folder / "credentials.sqlite") as store:
        store.add("GARAGE", 1, 1_800_000_000_000_000)
    return path


def write(path: Path, ports: tuple[int, int], more: str = "") -> None:
    """Write the site's file."""
    text = SITE.format(ocpp=ports[0], api=ports[1], more=more)
    path.write_text(text, encoding="utf-8")


def found(site: Path) -> dict[str, list[Check]]:
    """All checks by subject."""
    checks: dict[str, list[Check]] = {}
    for check in examine(load_live_settings(site)):
        checks.setdefault(check.subject, []).append(check)
    return checks


def level(checks: dict[str, list[Check]], subject: str) -> list[str]:
    """The levels of a subject's checks."""
    return [check.level for check in checks[subject]]


def test_a_set_up_without_a_meter_is_told_what_it_lacks(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", str(site)]) == 1
    lines = capsys.readouterr().out.splitlines()
    (lacking,) = [line for line in lines if line[0] in "!✗"]
    assert lacking == (
        "! meter: no grid meter → set [meter.grid]: without one the house's power is not known: "
        "no discharging, and limits by the house's usual peak"
    )
    assert "✓ charger GARAGE: has a credential" in lines
    assert any(
        line.startswith("✓ prices import.series: prices.csv gives them until") for line in lines
    )
    assert "✓ limits: 24.1 kW, kept also when nobody tells the chargers anything" in lines


def test_json_has_the_same_checks(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(site), "--json"]) == 1
    checks = json.loads(capsys.readouterr().out)
    assert {"level", "subject", "message", "remedy"} == set(checks[0])
    assert [check["subject"] for check in checks if check["level"] == "warning"] == ["meter"]


def test_a_file_with_faults_is_told_fault_by_fault(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.write_text(site.read_text(encoding="utf-8") + "[contrl]\n[meter.gird]\n", encoding="utf-8")
    assert main(["doctor", str(site)]) == 2
    told = capsys.readouterr().err
    assert "contrl: is not a known field" in told
    assert "meter.gird: is not a known field" in told


def test_a_port_that_is_taken_is_told(site: Path, free_ports: tuple[int, int]) -> None:
    with socket.create_server(("127.0.0.1", free_ports[0])):
        checks = found(site)
    assert level(checks, "port of ocpp") == ["error"]
    assert level(checks, "port of api") == ["ok"]
    assert "[ocpp]" in checks["port of ocpp"][0].remedy


def test_a_charger_without_a_credential_is_told_how_to_get_one(site: Path) -> None:
    (site.parent / "home-data" / "credentials.sqlite").unlink()
    (check, *_) = found(site)["charger GARAGE"]
    assert (check.level, check.remedy) == ("error", f"parkwatt charger add {site} GARAGE")


@pytest.mark.parametrize(
    ("more", "subject", "level_wanted", "remedy"),
    [
        ("", "car ID.4", "ok", ""),
        ("[charger_defaults]\ndefault_kw = 11", "limits", "ok", ""),
        (
            "[connection]\nfuse_a = 16\n[charger_defaults]\ndefault_kw = 11",
            "limits",
            "error",
            "default_kw",
        ),
        ("[connection]\nfuse_a = 16", "charger GARAGE", "ok", ""),
        ("[connection]\nfuse_a = 13", "charger GARAGE", "warning", "household_kw_max"),
        ("[connection]", "limits", "warning", "fuse_a"),
        ("mode = 'grid'", "car ID.4", "warning", "interconnection"),
        ("[[charger]]\nid = 'GARAGE'\ndischarge = false", "car ID.4", "error", "discharge = true"),
        ("discharge_kw_max = 0", "car ID.4", "error", "discharge_kw_max"),
    ],
)
def test_consent_and_limits_are_held_against_the_hardware(
    site: Path, more: str, subject: str, level_wanted: str, remedy: str
) -> None:
    text = site.read_text(encoding="utf-8")
    if more.startswith("[connection]"):
        text = text.replace("[connection]\nfuse_a = 35", more)
    elif more.startswith("[[charger]]"):
        text = text.replace('[[charger]]\nid = "GARAGE"\ndischarge = true', more)
    elif more.startswith("mode"):
        text = text.replace('mode = "home"', more)
    else:
        text += more
    site.write_text(text, encoding="utf-8")
    checks = found(site)[subject]
    assert level_wanted in [check.level for check in checks], checks
    worst = next(check for check in checks if check.level == level_wanted)
    assert remedy in worst.remedy


def test_prices_that_cannot_be_read_are_told(site: Path) -> None:
    (site.parent / "prices.csv").unlink()
    (check,) = found(site)["prices import.series"]
    assert check.level == "error"
    assert "there is no such file" in check.message


def test_a_calendar_is_tried(site: Path, free_ports: tuple[int, int]) -> None:
    write(site, free_ports, 'trips = "trips.ics"')
    assert level(found(site), "calendar ID.4") == ["error"]
    start = datetime.now(UTC) + timedelta(days=2)
    (site.parent / "trips.ics").write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Grandmother\r\n"
        f"DTSTAMP:{start:%Y%m%dT%H%M%SZ}\r\nDTSTART:{start:%Y%m%dT%H%M%SZ}\r\n"
        f"DTEND:{start + timedelta(hours=3):%Y%m%dT%H%M%SZ}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    (check,) = found(site)["calendar ID.4"]
    assert check.level == "ok"
    assert "1 trips in the next month" in check.message
    assert "Grandmother" in check.message


def test_meters_and_broker_that_are_away_are_told(
    site: Path, free_ports: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_sources, "_PATIENCE_S", 2.0)
    more = (
        f'[meter.grid]\nsource = "modbus"\nhost = "127.0.0.1"\nport = {free_ports[0]}\n'
        f'[meter.solar]\nsource = "mqtt"\ntopic = "sun"\n[mqtt]\nhost = "127.0.0.1"\nport = {free_ports[1]}\n'
    )
    write(site, free_ports, more)
    checks = found(site)
    assert level(checks, "meter.grid") == ["error"]
    assert level(checks, "meter.solar") == ["error"]
    assert all(check.remedy for check in checks["meter.grid"])


def quarters(settings: LiveSettings, import_kwh: float, export_kwh: float, load_kwh: float) -> None:
    """Two nights' quarters of an hour in the journal."""
    journal = SqliteJournal(settings.serve.store.journal)
    start_unix_s = int(NIGHT.timestamp())
    notes = []
    for index in range(8):
        closed = IntervalClosed(
            start_unix_s=start_unix_s + 900 * index,
            duration_s=900,
            import_kwh=import_kwh,
            export_kwh=export_kwh,
            load_kwh=load_kwh,
            coverage=1.0,
            cars={"ID.4": CarInterval()},
        )
        payload = site_event.encode(closed)
        recorded_unix_us = (closed.start_unix_s + 900) * 1_000_000
        notes.append(Note(recorded_unix_us, "site.interval", "site", payload))
    journal.append(notes).result(20)
    journal.close()


@pytest.mark.parametrize(
    ("import_kwh", "export_kwh", "sign", "house"),
    [(0.1, 0.0, "ok", "ok"), (0.0, 0.1, "error", "ok"), (2.0, 0.0, "ok", "warning")],
)
def test_the_journals_nights_tell_the_meters_sign_and_the_houses_peak(
    site: Path,
    free_ports: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
    import_kwh: float,
    export_kwh: float,
    sign: str,
    house: str,
) -> None:
    monkeypatch.setattr(doctor_sources, "_PATIENCE_S", 0.2)
    meter = f'[meter.grid]\nsource = "modbus"\nhost = "127.0.0.1"\nport = {free_ports[0]}\n'
    write(site, free_ports, meter)
    quarters(load_live_settings(site), import_kwh, export_kwh, max(import_kwh, export_kwh))
    checks = found(site)
    assert level(checks, "meter's sign") == [sign]
    assert level(checks, "house") == [house]
    assert level(checks, "journal") == ["ok"]


def test_a_damaged_journal_is_told(site: Path) -> None:
    journal = site.parent / "home-data" / "journal.sqlite"
    quarters(load_live_settings(site), 0.1, 0.0, 0.1)
    content = bytearray(journal.read_bytes())
    content[len(content) // 2] ^= 0xFF
    journal.write_bytes(content)
    assert level(found(site), "journal") == ["error"]


def test_a_folder_that_others_can_read_is_told(site: Path) -> None:
    (site.parent / "home-data").chmod(0o755)
    (check,) = found(site)["data folder"]
    assert (check.level, check.remedy) == ("warning", f"chmod 700 {site.parent / 'home-data'}")


def test_what_the_server_sees_is_told(tmp_path: Path) -> None:
    """The same checks beside a running site: what its API shows is what counts."""

    async def test(served: LiveServed) -> None:
        await served.plugged_in(0.5)
        served.measure(0.8)
        served.runner.on_event(
            site_event.SourceChanged("prices import.day_ahead", ok=False, reason="no answer")
        )
        site = (await served.client.get("/v1/site")).json()
        health = (await served.client.get("/health")).json()
        chargers = (await served.client.get("/v1/chargers")).json()
        seen = Seen(health, site, {view["charger_id"]: view for view in chargers})
        told = [
            check.line
            for check in await asyncio.to_thread(
                lambda: list(doctor_sources.checks(served.settings, seen))
            )
        ]
        assert "✓ meter: read 0 s ago" in told
        assert "✓ prices: known for all time" in told
        assert any(line.startswith("✗ prices import.day_ahead: no answer →") for line in told)
        served.clock[0] += 300_000_000
        site = (await served.client.get("/v1/site")).json()
        stale = Seen(health, site, seen.chargers)
        (meter, *_) = doctor_sources.checks(served.settings, stale)
        assert (meter.level, meter.message) == ("error", "last read at 18:00")

    in_live_site(tmp_path, test)


def test_checks_are_plain_data() -> None:
    check = Check("error", "meter", "told nothing", "look at it")
    assert check.line == "✗ meter: told nothing → look at it"
    assert msgspec.json.decode(msgspec.json.encode(check)) == {
        "level": "error",
        "subject": "meter",
        "message": "told nothing",
        "remedy": "look at it",
    }
