"""A running site whose settings are changed through its API: it begins again by itself, and takes back what does not work."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from parkwatt.app.api.client import ServerRefusedError, ServerUnreachableError
from parkwatt.domain.errors import InputError
from tests.app.serve.running import RunningServer, running
from tests.app.up.test_up import PATIENCE_S, SITE


def asked(server: RunningServer, path: str, holds: Any) -> Any:
    """What the API shows, as soon as ``holds`` says so; it is away for a moment."""
    deadline_s = time.monotonic() + PATIENCE_S
    shown: Any = None
    while time.monotonic() < deadline_s:
        try:
            shown = server.api.get(path)
        except (ServerUnreachableError, ServerRefusedError):
            shown = None
        if shown is not None and holds(shown):
            return shown
        time.sleep(0.1)
    raise AssertionError(f"{path} shows only {shown}\n{server.output[-3000:]}")


def test_a_change_is_checked_written_and_lived_by(tmp_path: Path) -> None:
    with running("# mine\n" + SITE, tmp_path, PATIENCE_S, "up") as server:
        shown = server.api.get("/v1/settings")
        assert shown["tables"]["tariff"]["import"] == {"price_per_kwh": 0.3}
        tables = shown["tables"]
        tables["car"]["ready_soc"] = 2
        with pytest.raises(InputError) as refused:
            server.api.send("PUT", "/v1/settings", {"version": shown["version"], "tables": tables})
        assert refused.value.faults[0].field == "car.ready_soc"
        tables["car"]["ready_soc"] = 0.9
        tables["store"] = {"directory": "elsewhere"}
        with pytest.raises(InputError, match=r"store\.directory"):
            server.api.send("PUT", "/v1/settings", {"version": shown["version"], "tables": tables})
        del tables["store"]
        body = {"version": shown["version"], "tables": tables}
        tried = server.api.send("PUT", "/v1/settings", {**body, "only_check": True})
        assert (tried["changed"], tried["begins_again"]) == (["car.ready_soc"], False)
        done = server.api.send("PUT", "/v1/settings", body)
        assert (done["changed"], done["begins_again"]) == (["car.ready_soc"], True)
        asked(server, "/v1/cars", lambda cars: cars[0]["wishes"]["target_soc"] == 0.9)
        assert (tmp_path / "site.toml").read_text().startswith("# mine\n")
        with pytest.raises(ServerRefusedError, match="409"):
            server.api.send("PUT", "/v1/settings", body)
        _takes_back_what_it_cannot_begin_with(server)
        assert server.stop() == 0


def _takes_back_what_it_cannot_begin_with(server: RunningServer) -> None:
    before = server.api.get("/v1/settings")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        tables = before["tables"]
        tables["ocpp"]["listen"] = f"127.0.0.1:{taken.getsockname()[1]}"
        server.api.send("PUT", "/v1/settings", {"version": before["version"], "tables": tables})
        after = asked(server, "/v1/settings", lambda shown: shown["trouble"] is not None)
    assert after["text"] == before["text"]
    assert "cannot be listened on" in after["trouble"]


def test_the_doctor_and_the_devices_are_asked_through_the_api(tmp_path: Path) -> None:
    with running(SITE, tmp_path, PATIENCE_S, "up") as server:
        checks = server.api.get("/v1/doctor")
        assert {"level": "ok", "subject": "server"}.items() <= next(
            one for one in checks if one["subject"] == "server"
        ).items()
        assert any(one["level"] == "error" and "GARAGE" in one["subject"] for one in checks)
        shown = {(one["kind"], one["name"]): one for one in server.api.get("/v1/devices")}
        assert shown["charger", "GARAGE"]["state"] == "never"
        assert shown["charger", "GARAGE"]["to_do"]
        assert shown["meter", "grid"]["state"] == "never"
