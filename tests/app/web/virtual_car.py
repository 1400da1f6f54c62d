"""A car that is plugged in, over a real socket."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def virtual_car(ocpp_url: str) -> Iterator[None]:
    """A virtual charger with a car plugged in, as a process of its own."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "parkwatt.app.cli", "virtual"),
            *("--url", ocpp_url, "--id", "GARAGE", "--protocol", "2.1", "--quiet"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
