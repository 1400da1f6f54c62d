"""The demo as a process of its own, with its pages."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.app.web.browsing import PATIENCE_S, wait_for_pages

_URL = re.compile(r"The page is at (http://\S+)")


@dataclass(frozen=True, slots=True)
class DemoHome:
    """``url``: of its pages. ``token``: the owner's. ``log``: what it wrote on the standard error."""

    url: str
    token: str
    log: Path


@contextmanager
def demo_home(folder: Path, speed: str) -> Iterator[DemoHome]:
    """The demo in ``folder``, its time ``speed`` times as fast as the wall clock's."""
    said, log = folder / "stdout", folder / "stderr"
    command = [
        sys.executable,
        *("-m", "parkwatt.app.cli", "demo", "--folder", str(folder / "demo")),
    ]
    with said.open("wb") as stdout, log.open("wb") as stderr:
        process = subprocess.Popen([*command, "--speed", speed], stdout=stdout, stderr=stderr)
    try:
        url = _told(process, said)
        wait_for_pages(url)
        token = (folder / "demo" / "site-data" / "api-token").read_text(encoding="utf-8").strip()
        yield DemoHome(url, token, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=PATIENCE_S)


def _told(process: subprocess.Popen[bytes], said: Path) -> str:
    """Where its pages are."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := _URL.search(said.read_text(encoding="utf-8"))):
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < deadline_s, said.read_text()
        time.sleep(0.1)
    return found[1]
