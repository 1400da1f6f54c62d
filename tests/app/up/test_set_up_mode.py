"""`parkwatt up` without a file: it is set up through its API, and goes on as the site in the same process."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.web.browsing import free_port

PATIENCE_S = 60.0


@contextmanager
def nothing_yet(site: Path) -> Iterator[tuple[httpx.Client, int]]:
    """`parkwatt up` for a file that does not exist; a client of its API, and the chargers' port."""
    ports = {name: free_port() for name in ("web", "api", "ocpp")}
    options = [text for name, port in ports.items() for text in (f"--{name}", f"127.0.0.1:{port}")]
    with subprocess.Popen(
        [sys.executable, "-m", "parkwatt.app.cli", "up", str(site), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert "does not exist yet" in _line(process)
            assert f":{ports['api']}" in _line(process)
            token = (site.parent / f"{site.stem}-data" / "api-token").read_text().strip()
            headers = {"Authorization": f"Bearer {token}"}
            url = f"http://127.0.0.1:{ports['api']}"
            with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
                yield client, ports["ocpp"]
        finally:
            process.terminate()
            assert process.wait(PATIENCE_S) == 0


def test_from_nothing_to_a_site_that_charges(tmp_path: Path) -> None:
    site = tmp_path / "home.toml"
    with nothing_yet(site) as (client, _):
        assert client.get("/v1/site").status_code == 404
        draft = client.get("/v1/setup").json()["draft"]
        assert client.post("/v1/setup/finish", json={"draft": draft}).status_code == 202
        assert _shown(client, "/v1/cars", lambda cars: cars and cars[0]["plugged_in"])
        assert site.exists()


def test_a_charger_that_knocks_is_found_let_in_and_driven(tmp_path: Path) -> None:
    with nothing_yet(tmp_path / "home.toml") as (client, port):
        with charger(port):
            found = _shown(client, "/v1/setup", lambda at: at["chargers_tried"])
        assert found["chargers_tried"][0]["charger_id"] == "CP-7"
        draft = found["draft"]
        draft["charger"] |= {"kind": "real", "id": "CP-7"}
        told = client.post("/v1/setup/charger", json={"charger": draft["charger"]}).json()
        assert told["url"] == f"ws://127.0.0.1:{port}/"
        with charger(port, "--password", told["password"]):
            _shown(client, "/v1/setup", lambda at: at["charger_connected"] == "CP-7")
            assert client.post("/v1/setup/finish", json={"draft": draft}).status_code == 202
            assert _shown(client, "/v1/cars", lambda cars: cars and cars[0]["plugged_in"])


@contextmanager
def charger(port: int, *options: str) -> Iterator[None]:
    """A charger with a car that tries to connect, again and again."""
    words = ["virtual", "--url", f"ws://127.0.0.1:{port}", "--id", "CP-7", "--quiet", *options]
    with subprocess.Popen(
        [sys.executable, "-m", "parkwatt.app.cli", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _shown(client: httpx.Client, path: str, holds: Callable[[Any], Any]) -> Any:
    """What the API shows, as soon as ``holds`` says so; it is away while the site begins."""
    deadline_s = time.monotonic() + PATIENCE_S
    shown: Any = None
    while time.monotonic() < deadline_s:
        try:
            answer = client.get(path)
            shown = answer.json()
            if answer.status_code == 200 and holds(shown):
                return shown
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{path} shows only {shown}")


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize("name", ["no-folder/home.toml", "home.txt"])
def test_a_place_where_no_file_can_be_is_told(tmp_path: Path, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "parkwatt.app.cli", "up", str(tmp_path / name)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert "in a folder that is there" in done.stderr
    assert list(tmp_path.iterdir()) == []
