"""A site that is served, with virtual chargers at it: one for all tests of a file, since nothing they do hurts another."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.app.serve.running import RunningServer, running

PARKWATT = Path(sys.executable).with_name("parkwatt")
SITE = """\
[ocpp]
listen = "127.0.0.1:0"
admit_unknown = true
[api]
listen = "127.0.0.1:0"
[charger_defaults]
discharge = true
"""


@contextmanager
def virtual(server: RunningServer, charger_id: str, *options: str) -> Iterator[None]:
    """A virtual charger at the server."""
    command = [str(PARKWATT), "virtual", "--url", server.ocpp_url, "--id", charger_id, "--quiet"]
    process = subprocess.Popen([*command, *options])
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, time_unit_s: float) -> Iterator[RunningServer]:
    """The server of a site that lets virtual chargers in: V16 (1.6) and V21 (2.1)."""
    with (
        running(SITE, tmp_path_factory.mktemp("site"), 20.0 * time_unit_s) as started,
        virtual(started, "V16", "--protocol", "1.6"),
        virtual(started, "V21", "--protocol", "2.1"),
    ):
        yield started
