"""What a site's file says about its chargers: every rule is told by the name of its key, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from parkwatt.app.serve_settings import ServeSettings, read_serve_settings
from parkwatt.domain.record import Faults


def read(tmp_path: Path, text: str) -> tuple[ServeSettings | None, list[str]]:
    """The settings and the faults of a file."""
    path = tmp_path / "home.toml"
    path.write_text(text, encoding="utf-8")
    faults = Faults()
    return read_serve_settings(path, faults), [str(fault) for fault in faults.found]


def settings_of(tmp_path: Path, text: str) -> ServeSettings:
    """Settings without a fault."""
    settings, faults = read(tmp_path, text)
    assert settings is not None
    assert not faults
    return settings


def test_a_file_with_tables_of_a_study_alone_has_all_defaults(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, '[study]\n[tariff]\ncurrency = "EUR"\n')
    assert (settings.ocpp.address.host, settings.ocpp.address.port) == ("127.0.0.1", 9000)
    assert (settings.api.host, settings.api.port) == ("127.0.0.1", 8080)
    assert settings.name == "home"
    assert settings.store.directory == tmp_path / "home-data"
    assert not settings.charger("any").discharge


def test_a_charger_takes_from_the_defaults_what_it_does_not_say(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        '[charger_defaults]\ndischarge = true\ntokens = ["AB"]\npower_kw_max = 7.4\n'
        '[[charger]]\nid = "A"\npower_kw_max = 11\n[[charger]]\nid = "B"\ndischarge = false\ntokens = []\n',
    )
    assert settings.charger("A").discharge
    assert settings.charger("A").power_kw_max == 11.0
    assert settings.charger("A").tokens == frozenset({"ab"})
    assert not settings.charger("B").discharge
    assert settings.charger("B").tokens == frozenset()
    assert settings.charger("C") == settings.defaults


def test_powers_of_a_charger_fit_each_other(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        "[charger_defaults]\npower_kw_max = 11\ndefault_kw = 8\npower_kw_min = 1.4\n"
        '[[charger]]\nid = "A"\npower_kw_max = 7.4\n[[charger]]\nid = "B"\ndefault_kw = 0\n',
    )
    assert settings.charger("C").default_limit_kw == 8.0
    assert settings.charger("A").default_limit_kw == 7.4
    assert settings.charger("A").power_kw_min == 1.4
    assert settings.charger("B").default_limit_kw == 0.0
    assert settings_of(tmp_path, "[store]\n").charger("any").default_limit_kw == 22.0
    _, faults = read(
        tmp_path,
        '[[charger]]\nid = "A"\ndefault_kw = 1\npower_kw_min = 2\n'
        '[[charger]]\nid = "B"\npower_kw_max = 3\ndefault_kw = 4\npower_kw_min = 5\n'
        '[[charger]]\nid = "C"\ndefault_kw = -1\npower_kw_min = "much"\n',
    )
    assert [fault.partition(":")[0] for fault in faults] == [
        "charger[0].default_kw",
        "charger[1].power_kw_min",
        "charger[1].default_kw",
        "charger[2].power_kw_min",
        "charger[2].default_kw",
    ]


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        ("127.0.0.1:1", "127.0.0.1", 1),
        ("localhost:9", "localhost", 9),
        ("[::1]:9000", "::1", 9000),
        ("[::1]:0", "::1", 0),
    ],
)
def test_addresses_of_both_families_are_read(
    tmp_path: Path, listen: str, host: str, port: int
) -> None:
    address = settings_of(tmp_path, f'[ocpp]\nlisten = "{listen}"\n').ocpp.address
    assert (address.host, address.port) == (host, port)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[ocpp]\nlisten = "9000"', "ocpp.listen: must be host:port"),
        ('[ocpp]\nlisten = ":9000"', "ocpp.listen: must be host:port"),
        ('[ocpp]\nlisten = "::"', "ocpp.listen: must be host:port"),
        ('[ocpp]\nlisten = "127.0.0.1:65536"', "ocpp.listen: must be host:port"),
        ('[ocpp]\nlisten = "0.0.0.0:9000"', "ocpp.listen: must be an address of this machine"),
        ('[ocpp]\nlisten = "[::]:9000"', "ocpp.listen: must be an address of this machine"),
        ('[ocpp]\nlisten = "192.0.2.1:9000"', "ocpp.listen: must be an address of this machine"),
        ('[ocpp]\nlisten = "0.0.0.0:9000"\ntls = true', "ocpp.names: must hold the name"),
        ('[ocpp]\nclient_authority = "home.toml"', "ocpp.client_authority: needs tls"),
        ('[ocpp]\ntls_certificate = "home.toml"', "ocpp.tls_key: tls_certificate and tls_key go"),
        ('[ocpp]\ntls_certificate = "gone.pem"', "ocpp.tls_certificate: must name a file"),
        (
            '[ocpp]\ntls = false\ntls_certificate = "home.toml"\ntls_key = "home.toml"',
            "ocpp.tls: must be true",
        ),
        ("[ocpp]\nlinks_max = 0", "ocpp.links_max"),
        ("[ocpp]\nframes_in_all_per_second = 0.0", "ocpp.frames_in_all_per_second"),
        ("[ocpp]\nsurprise = 1", "ocpp.surprise: is not a known field"),
        ('[api]\nlisten = "0.0.0.0:8080"', "api.listen: must be an address of this machine"),
        ('[[charger]]\nid = "a b"', "charger[0].id: must be 1 to 48"),
        ('[[charger]]\nid = "A"\n[[charger]]\nid = "A"', "charger[1].id: must be given once"),
        ("[[charger]]\ndischarge = true", "charger[0].id: is required"),
        ('[[charger]]\nid = "A"\nphase_count = 4', "charger[0].phase_count"),
        ('[log]\nformat = "xml"', "log.format: must be one of console, json"),
        ('[store]\ndirectory = ""', "store.directory: must not be empty"),
        ("[store]\ntelemetry_days = 0", "store.telemetry_days"),
    ],
)
def test_a_broken_rule_is_told_by_its_key(tmp_path: Path, text: str, told: str) -> None:
    _, faults = read(tmp_path, text + "\n")
    assert any(fault.startswith(told) for fault in faults), faults


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    _, faults = read(
        tmp_path, '[ocpp]\nlisten = "x"\n[api]\nlisten = "y"\n[log]\nlevel = "z"\n[[charger]]\n'
    )
    assert len(faults) == 4


@pytest.mark.parametrize(
    "text",
    [
        '[ocpp]\nlisten = "0.0.0.0:9000"\nallow_unencrypted = true',
        '[ocpp]\nlisten = "0.0.0.0:9000"\ntls = true\nnames = ["depot.local"]',
        '[api]\nlisten = "0.0.0.0:8080"\nallow_unencrypted = true',
    ],
)
def test_what_says_so_may_listen_beyond_the_machine(tmp_path: Path, text: str) -> None:
    settings_of(tmp_path, text + "\n")
