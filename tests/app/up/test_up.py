"""A real `parkwatt up` in a process of its own, as a user runs it: it is asked, told, killed and started again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.app.serve.running import RunningServer, running

PATIENCE_S = 60.0
SITE = """\
name = "Home"

[tariff]
currency = "EUR"
time_zone = "Europe/Berlin"

[tariff.import]
price_per_kwh = 0.3

[connection]
fuse_a = 35

[ocpp]
listen = "127.0.0.1:0"
admit_unknown = true

[api]
listen = "127.0.0.1:0"

[web]
enabled = false

[[charger]]
id = "GARAGE"

[car]
name = "ID.4"
battery_kwh = 60
charge_kw_max = 11
"""


def doctor(server: RunningServer) -> subprocess.CompletedProcess[str]:
    """What the doctor says of the site."""
    return subprocess.run(
        [sys.executable, "-m", "parkwatt.app.cli", "doctor", str(server.site)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_a_site_is_run_told_killed_and_goes_on(tmp_path: Path) -> None:
    with running(SITE, tmp_path, PATIENCE_S, "up") as server:
        assert "ID.4     charge not known, mode smart: no link" in server.parkwatt("status")
        said = server.api.send("POST", "/v1/cars/ID.4/mode", {"mode": "now"})
        assert said["wishes"]["mode"] == "now"
        server.kill()
        server.start()
        assert "mode now" in server.parkwatt("status")
        assert "ID.4 is away" in server.parkwatt("why")
        told = doctor(server)
        assert told.returncode == 1
        assert "✓ server: version" in told.stdout
        assert "✗ charger GARAGE: was never seen" in told.stdout
        assert server.stop() == 0
    assert "Traceback" not in server.output


def test_a_back_end_alone_has_no_status(tmp_path: Path) -> None:
    with running(SITE, tmp_path, PATIENCE_S) as server:
        asked = subprocess.run(
            [sys.executable, "-m", "parkwatt.app.cli", "status", str(server.site)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert asked.returncode == 3
        assert "parkwatt up" in asked.stderr
        assert "! server: version" in doctor(server).stdout
