"""`parkwatt access` at a server that runs: links, users and tokens, and what it says where it cannot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from parkwatt.app.cli import main
from tests.app.serve.running import RunningServer, running

SITE = '[ocpp]\nlisten = "127.0.0.1:0"\nadmit_unknown = true\n[api]\nlisten = "127.0.0.1:0"\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, time_unit_s: float) -> Iterator[RunningServer]:
    """The server of a site."""
    with running(SITE, tmp_path_factory.mktemp("site"), 20.0 * time_unit_s) as started:
        yield started


def access(server: RunningServer, *arguments: str) -> int:
    """Run the command."""
    return main(["access", str(server.site), *arguments])


def url_of(server: RunningServer, path: str) -> str:
    """Of a route of the server."""
    return server.api._url + path


def used(server: RunningServer, shown: str) -> httpx.Response:
    """What using the printed link answers."""
    found = re.search(r"http://127\.0\.0\.1:8088/welcome\?link=(\S+)\n", shown)
    assert found is not None, shown
    return httpx.post(url_of(server, "/v1/sessions"), json={"link": found[1]})


def test_links_users_and_tokens(server: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert access(server, "users") == 0
    assert "no users yet" in capsys.readouterr().out
    assert access(server, "link") == 0
    owner = used(server, capsys.readouterr().out)
    assert (owner.status_code, owner.json()["role"]) == (201, "owner")
    assert access(server, "link", "Gästin", "--role", "guest") == 0
    shown = capsys.readouterr().out
    assert "Gästin (guest)" in shown
    assert used(server, shown).json()["name"] == "Gästin"
    assert used(server, shown).status_code == 401
    assert access(server, "users") == 0
    listed = capsys.readouterr().out
    assert "Owner" in listed
    assert "Gästin" in listed

    assert access(server, "tokens", "--add", "Wall display", "--scope", "read") == 0
    token = re.search(r"  (pw_\S+)\n", capsys.readouterr().out)
    assert token is not None
    headers = {"Authorization": f"Bearer {token[1]}"}
    assert httpx.get(url_of(server, "/v1/chargers"), headers=headers).status_code == 200
    assert httpx.get(url_of(server, "/v1/users"), headers=headers).status_code == 403
    assert access(server, "tokens") == 0
    assert "Wall display" in capsys.readouterr().out
    assert access(server, "tokens", "--remove", "1") == 0
    assert httpx.get(url_of(server, "/v1/chargers"), headers=headers).status_code == 401

    assert access(server, "remove", "Gästin") == 0
    assert access(server, "remove", "Gästin") == 3
    assert access(server, "remove", "Owner") == 2
    assert "no other owner" in capsys.readouterr().err
    assert access(server, "remove") == 2
    assert access(server, "link", "nobody") == 3
    assert access(server, "link", "a/b", "--role", "guest") == 2
    assert access(server, "link", "Ben", "--role", "driver", "--car", "none") == 2


def test_without_a_server_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "home.toml"
    site.write_text(SITE, encoding="utf-8")
    assert main(["access", str(site), "users"]) == 3
    assert "no server answers" in capsys.readouterr().err
