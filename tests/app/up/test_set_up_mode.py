"""`parkwatt up` without a file: it is set up through its API, and goes on as the site in the same process."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.app.web.browsing import free_port

PATIENCE_S = 60.0


def test_from_nothing_to_a_site_that_charges(tmp_path: Path) -> None:
    ports = {name: free_port() for name in ("web", "api", "ocpp")}
    options = [text for name, port in ports.items() for text in (f"--{name}", f"127.0.0.1:{port}")]
    site = tmp_path / "home.toml"
    with subprocess.Popen(
        [sys.executable, "-m", "parkwatt.app.cli", "up", str(site), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert "does not exist yet" in _line(process)
            assert f":{ports['api']}" in _line(process)
            token = (tmp_path / "home-data" / "api-token").read_text().strip()
            headers = {"Authorization": f"Bearer {token}"}
            with httpx.Client(
                base_url=f"http://127.0.0.1:{ports['api']}", headers=headers, timeout=30
            ) as client:
                assert client.get("/v1/site").status_code == 404
                draft = client.get("/v1/setup").json()["draft"]
                assert client.post("/v1/setup/finish", json={"draft": draft}).status_code == 202
                car = _charging(client)
            assert car["plugged_in"]
            assert site.exists()
        finally:
            process.terminate()
            assert process.wait(PATIENCE_S) == 0


def _charging(client: httpx.Client) -> dict[str, bool]:
    """The car of the virtual charger, once it is there."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        try:
            cars = client.get("/v1/cars").json()
            if isinstance(cars, list) and cars and cars[0]["plugged_in"]:
                return dict(cars[0])
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("no car came")


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
