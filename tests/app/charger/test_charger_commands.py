"""`parkwatt charger` without a server: what it makes, what it prints, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from parkwatt.app.charger.details import details
from parkwatt.app.cli import main
from parkwatt.io.credentials.store import CredentialStore

TLS = '[ocpp]\nlisten = "127.0.0.1:9000"\ntls = true\nnames = ["depot.local", "192.0.2.1"]\n'


def site(tmp_path: Path, text: str = "[ocpp]\n") -> str:
    """A site's file that was never served."""
    path = tmp_path / "home.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def told(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What was printed, and what was told as fault."""
    shown = capsys.readouterr()
    return shown.out, shown.err


def test_a_charger_is_added_before_the_first_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = site(tmp_path)
    assert main(["charger", "add", file, "CP-1"]) == 0
    shown, _ = told(capsys)
    assert "ws://127.0.0.1:9000/CP-1\n" in shown
    assert "security profile   1\n" in shown
    (password,) = [line.split()[1] for line in shown.splitlines() if "password " in line]
    assert password.encode().hex() in shown
    assert main(["charger", "add", file, "CP-1"]) == 2
    assert told(capsys)[1] == "charger: has a credential already, got 'CP-1'\n"
    assert main(["charger", "list", file]) == 0
    shown, _ = told(capsys)
    assert "CP-1" in shown
    assert "never started for this site" in shown
    assert main(["charger", "password", file, "CP-1"]) == 0
    assert password not in told(capsys)[0]
    assert main(["charger", "remove", file, "CP-1"]) == 0
    assert main(["charger", "remove", file, "CP-1"]) == 2
    assert main(["charger", "list", file]) == 0
    assert "no chargers yet" in told(capsys)[0]


@pytest.mark.parametrize("charger_id", ["", "a b", "a/b", "a:b", "ü", "x" * 49, "a\nb"])
def test_an_id_that_ocpp_does_not_allow_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], charger_id: str
) -> None:
    assert main(["charger", "add", site(tmp_path), charger_id]) == 2
    shown, faults = told(capsys)
    assert shown == ""
    assert faults.startswith("charger: must be 1 to 48")
    assert faults.count("\n") == 1


@pytest.mark.parametrize("what", ["add", "show", "password", "remove"])
def test_what_needs_an_id_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    assert main(["charger", what, site(tmp_path)]) == 2
    assert told(capsys)[1] == "ID: must name the charger\n"


def test_a_charger_with_tls_is_told_whom_to_trust_before_the_first_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["charger", "add", site(tmp_path, TLS), "CP-1"]) == 0
    shown, _ = told(capsys)
    assert "wss://depot.local:9000/CP-1\n" in shown
    (authority,) = [Path(line.split()[2]) for line in shown.splitlines() if "trusted" in line]
    assert x509.load_pem_x509_certificate(authority.read_bytes()).subject


def test_profile_3_gets_a_certificate_and_a_key_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = site(tmp_path, TLS)
    assert main(["charger", "add", file, "CP-1", "--profile", "3"]) == 0
    shown, _ = told(capsys)
    assert "password" not in shown
    certificate = tmp_path / "home-data" / "chargers" / "CP-1.pem"
    key = certificate.with_suffix(".key")
    assert str(certificate) in shown
    assert str(key) in shown
    assert key.stat().st_mode & 0o777 == 0o600
    first = certificate.read_text()
    assert x509.load_pem_x509_certificate(first.encode()).subject.rfc4514_string() == "CN=CP-1"
    assert main(["charger", "password", file, "CP-1"]) == 0
    assert certificate.read_text() != first
    assert main(["charger", "password", file, "CP-1", "--password", "0123456789abcdef"]) == 2
    assert "profile 3" in told(capsys)[1]


def test_with_an_authority_of_the_users_own_nothing_is_issued(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.pem").write_text("")
    file = site(tmp_path, TLS + 'client_authority = "mine.pem"\n')
    assert main(["charger", "add", file, "CP-1", "--profile", "3"]) == 0
    assert "mine.pem, for the name CP-1" in told(capsys)[0]
    assert not (tmp_path / "home-data" / "chargers").exists()


def test_a_fault_leaves_no_credential(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = site(tmp_path, TLS)
    authority = tmp_path / "home-data" / "authority"
    authority.mkdir(parents=True)
    (authority / "authority.pem").write_text("damaged")
    assert main(["charger", "add", file, "CP-1", "--profile", "3"]) == 2
    assert "no usable certificate authority" in told(capsys)[1]
    assert not (tmp_path / "home-data" / "credentials.sqlite").exists()


@pytest.mark.parametrize("command", [["charger", "show"], ["send"]])
def test_without_a_server_it_is_said_how_to_start_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    file = site(tmp_path, '[api]\nlisten = "127.0.0.1:1"\n')
    rest = ["Reset"] if command == ["send"] else []
    assert main([*command, file, "CP-1", *rest]) == 3
    assert "start one: parkwatt up" in told(capsys)[1]
    data = tmp_path / "home-data"
    data.mkdir()
    (data / "api-token").write_text("x" * 40)
    assert main([*command, file, "CP-1", *rest]) == 3
    shown, faults = told(capsys)
    assert shown == ""
    assert faults.count("\n") == 1
    assert "no server answers at" in faults
    (data / "api-token").write_text("")
    assert main([*command, file, "CP-1", *rest]) == 2
    assert "must hold the API's token" in told(capsys)[1]


def test_a_store_of_credentials_that_is_none_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = site(tmp_path)
    data = tmp_path / "home-data"
    data.mkdir()
    (data / "credentials.sqlite").write_text("no database" * 100)
    for what in ("add", "list", "remove"):
        assert main(["charger", what, file, "CP-1"]) == 2
        assert "cannot be used as store of credentials" in told(capsys)[1]


def test_the_words_of_a_charger_stay_on_their_line() -> None:
    evil = "[/bold]\x1b[2J\nCP-2: connected"
    view = {
        "charger_id": "CP-1",
        "connected": False,
        "disconnect_reason": evil,
        "protocol": "",
        "peer": evil,
        "vendor": evil,
        "model": evil,
        "firmware_version": evil,
        "seen_at": None,
        "deviation_count": 0,
        "evses": [],
        "variables": {f"{evil}{number}": evil for number in range(70)},
        "last_messages": [{"at": "2026-11-22T14:42:54.436Z", "sent": True, "frame": evil}],
    }
    text = details(view)
    assert all(line.isprintable() for line in text.splitlines())
    assert not any(line.startswith("CP-2") for line in text.splitlines())
    assert "… and 10 more" in text


def test_credentials_are_private(tmp_path: Path) -> None:
    assert main(["charger", "add", site(tmp_path), "CP-1"]) == 0
    data = tmp_path / "home-data"
    assert data.stat().st_mode & 0o777 == 0o700
    with CredentialStore(data / "credentials.sqlite") as store:
        assert [known.charger_id for known in store.chargers()] == ["CP-1"]
