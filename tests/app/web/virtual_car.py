"""A car that is plugged in, over a real socket."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class VirtualCar:
    """What the virtual charger says of itself, a line each."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def count(self, words: str) -> int:
        """How many lines hold ``words``."""
        return self._log.read_text(encoding="utf-8").count(words)

    def wait_for(self, words: str, more_than: int, patience_s: float) -> float:
        """Wait until more lines than that hold ``words``; how long that took. Raises AssertionError after ``patience_s``."""
        begun_s = time.monotonic()
        while self.count(words) <= more_than:
            taken_s = time.monotonic() - begun_s
            assert taken_s < patience_s, f"no more {words!r} within {patience_s} s"
            time.sleep(0.01)
        return time.monotonic() - begun_s


@contextmanager
def virtual_car(ocpp_url: str) -> Iterator[VirtualCar]:
    """A virtual charger with a car plugged in, as a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "charger.log")
        with log.open("w", encoding="utf-8") as stream:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-u", "-m", "parkwatt.app.cli", "virtual"),
                    *("--url", ocpp_url, "--id", "GARAGE", "--protocol", "2.1"),
                ],
                stdout=stream,
                stderr=stream,
                stdin=subprocess.DEVNULL,
            )
        try:
            yield VirtualCar(log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
