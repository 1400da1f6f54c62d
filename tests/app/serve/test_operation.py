"""A served site from outside: it stops at once, keeps a second server out, cuts links, and speaks TLS by its own authority."""

from __future__ import annotations

import re
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from parkwatt.app.cli import main
from tests.app.serve.running import RunningServer

OPEN = """\
[ocpp]
listen = "127.0.0.1:0"
admit_unknown = true
[api]
listen = "127.0.0.1:0"
"""
PARKWATT = Path(sys.executable).with_name("parkwatt")
Start = Callable[[str], RunningServer]


def link(server: RunningServer, charger_id: str, password: str | None = None) -> ClientConnection:
    """A charger's link that says nothing by itself."""
    headers = {}
    if password is not None:
        login = b64encode(f"{charger_id}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {login}"
    return connect(
        f"{server.ocpp_url}/{charger_id}",
        subprotocols=["ocpp2.0.1"],  # type: ignore[list-item]
        additional_headers=headers,
        ping_interval=None,
    )


def add(server: RunningServer, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What `parkwatt charger add` prints."""
    assert main(["charger", "add", str(server.site), *words]) == 0
    return capsys.readouterr().out


def serve(site: Path) -> tuple[int, list[str]]:
    """Exit code and last words of a server that cannot start; in a process of its own, for it sets up logs."""
    ended = subprocess.run(
        [str(PARKWATT), "serve", str(site)], check=False, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in ended.stderr
    return ended.returncode, ended.stderr.splitlines()


def password_in(shown: str) -> str:
    """The password that was printed."""
    found = re.search(r"^  password +(\S+)", shown, re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_within_two_seconds_with_links_open(
    running_server: Start, number: signal.Signals, time_unit_s: float
) -> None:
    server = running_server(OPEN)
    with ExitStack() as stack:
        links = [stack.enter_context(link(server, f"CP-{count}")) for count in range(5)]
        begin_s = time.monotonic()
        assert server._end(number) == 0
        assert time.monotonic() - begin_s < 2.0 * time_unit_s
        for open_link in links:
            with pytest.raises(ConnectionClosed) as closed:
                open_link.recv(timeout=5)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
    assert "Traceback" not in server.output


def test_a_charger_that_does_not_join_in_closing_does_not_hold_it_up(
    running_server: Start, time_unit_s: float
) -> None:
    server = running_server(OPEN)
    host, port = server.ocpp_url.removeprefix("ws://").split(":")
    with socket.create_connection((host, int(port))) as deaf:
        key = b64encode(b"0123456789abcdef").decode()
        deaf.sendall(
            f"GET /CP-1 HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n".encode()
        )
        assert deaf.recv(4096).startswith(b"HTTP/1.1 101")
        begin_s = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begin_s < 2.0 * time_unit_s


def test_a_second_server_on_the_same_folder_or_port_is_kept_out(
    running_server: Start, tmp_path: Path
) -> None:
    server = running_server(OPEN)
    code, told = serve(server.site)
    assert code == 2
    assert "another process writes this journal" in told[-1]
    other = tmp_path / "other.toml"
    text = server.site.read_text()
    for taken, key in (("api", "api.listen"), ("ocpp", "ocpp.listen")):
        kept = "ocpp" if taken == "api" else "api"
        other.write_text(
            re.sub(rf'(\[{kept}\]\nlisten = )"[^"]*"', r'\1"127.0.0.1:0"', text), encoding="utf-8"
        )
        code, told = serve(other)
        assert code == 2
        assert told[-1].startswith(f"{key}: cannot be listened on")
    assert server.api.get("/health")["status"] == "ok"


def test_a_journal_of_a_newer_version_is_left_alone(running_server: Start) -> None:
    server = running_server(OPEN)
    server.stop()
    journal = server.site.with_name("site-data") / "journal.sqlite"
    with sqlite3.connect(journal) as database:
        (version,) = database.execute("pragma user_version").fetchone()
        database.execute(f"pragma user_version = {version + 1}")
    database.close()
    content = journal.read_bytes()
    code, told = serve(server.site)
    assert code == 3
    assert "a journal of format" in told[-1]
    assert journal.read_bytes() == content


def test_a_link_is_cut_when_its_credential_goes(
    running_server: Start, capsys: pytest.CaptureFixture[str], time_unit_s: float
) -> None:
    server = running_server(OPEN)
    first = password_in(add(server, capsys, "CP-1"))
    add(server, capsys, "CP-2")
    with link(server, "CP-1", first) as live:
        assert main(["charger", "password", str(server.site), "CP-1"]) == 0
        second = password_in(capsys.readouterr().out)
        with pytest.raises(ConnectionClosed) as closed:
            live.recv(timeout=10.0 * time_unit_s)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
    with pytest.raises(InvalidStatus), link(server, "CP-1", first):
        pass
    with link(server, "CP-1", second) as live:
        made = server.api.send("PUT", "/v1/credentials/CP-2/secret", {})
        with link(server, "CP-2", made["password"]) as other:
            server.api.send("DELETE", "/v1/credentials/CP-2")
            with pytest.raises(ConnectionClosed):
                other.recv(timeout=10.0 * time_unit_s)
        with pytest.raises(TimeoutError):
            live.recv(timeout=0.1)
    assert "0123456789" not in server.output
    assert second not in server.output


def test_with_tls_a_charger_trusts_the_sites_authority_and_shows_its_certificate(
    running_server: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    server = running_server(OPEN.replace("admit_unknown = true", "tls = true"))
    data = server.site.with_name("site-data")
    shown = add(server, capsys, "CP-2")
    assert "security profile   2" in shown
    add(server, capsys, "CP-3", "--profile", "3")
    trusting = ssl.create_default_context(cafile=data / "authority" / "authority.pem")
    login = b64encode(f"CP-2:{password_in(shown)}".encode()).decode()
    address = server.ocpp_url
    with connect(
        f"{address}/CP-2",
        ssl=trusting,
        subprotocols=["ocpp2.1"],  # type: ignore[list-item]
        additional_headers={"Authorization": f"Basic {login}"},
    ):
        assert server.api.get("/v1/chargers/CP-2")["security_profile"] == 2
    with pytest.raises(InvalidStatus), connect(f"{address}/CP-3", ssl=trusting):
        pass
    chargers = data / "chargers"
    trusting.load_cert_chain(chargers / "CP-3.pem", chargers / "CP-3.key")
    with connect(f"{address}/CP-3", ssl=trusting, subprotocols=["ocpp2.1"]):  # type: ignore[list-item]
        assert server.api.get("/v1/chargers/CP-3")["security_profile"] == 3


def test_both_ports_can_be_ipv6(running_server: Start, capsys: pytest.CaptureFixture[str]) -> None:
    server = running_server(OPEN.replace("127.0.0.1", "[::1]"))
    with link(server, "CP-1"):
        assert server.api.get("/v1/chargers/CP-1")["peer"].strip("[").startswith("::1")
    assert main(["charger", "list", str(server.site)]) == 0
    assert "CP-1" in capsys.readouterr().out
    assert "ws://[::1]:" in add(server, capsys, "CP-2")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[ocpp]\nlisten = "0.0.0.0:0"', "ocpp.listen: must be an address of this machine alone"),
        ('[ocpp]\ntls_certificate = "x.pem"', "ocpp.tls_certificate: must name a file"),
        ('[store]\ndirectory = "site.toml/data"', "store.directory: cannot be made"),
    ],
)
def test_a_fault_is_a_line_and_nothing_is_written(tmp_path: Path, text: str, told: str) -> None:
    site = tmp_path / "site.toml"
    site.write_text(text + "\n", encoding="utf-8")
    code, (fault, *_) = serve(site)
    assert code == 2
    assert fault.startswith(told)
    assert list(tmp_path.iterdir()) == [site]
