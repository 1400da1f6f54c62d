"""The web process as its parent sees it: started, watched, started again where it died, and ended with the parent.

A thread watches it, so that it goes on by the wall's clock where the site's own clock is a simulated one. The child ends when
its standard input does: it never outlives a parent that was killed.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final

import msgspec
import structlog

from parkwatt.app.serve_settings import Address
from parkwatt.app.web.settings import WebReady, WebStart

_STOPS_S: Final = 3.0
_WAIT_FIRST_S: Final = 1.0
_WAIT_LAST_S: Final = 60.0
# One that ran this long died of something new.
_RAN_WELL_S: Final = 60.0


class WebProcess:
    """The pages of one site, for as long as the context lasts.

    ``set_up``: the site has no file yet. ``log_format``: of what goes wrong, on the standard error. ``on_ready``: told the port
    once browsers can come, also after each new start; called in a thread.
    """

    def __init__(
        self,
        address: Address,
        api_url: str,
        token: str,
        on_ready: Callable[[int], None],
        *,
        set_up: bool = False,
        log_format: str = "console",
    ) -> None:
        self._start = WebStart(
            api_url=api_url,
            token=token,
            host=address.host,
            port=address.port,
            set_up=set_up,
            log_format=log_format,
        )
        self._on_ready = on_ready
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="web page", daemon=True)

    def __enter__(self) -> WebProcess:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        with self._lock:
            process = self._process
        if process is not None:
            _end(process)
        self._thread.join(_STOPS_S)

    def _run(self) -> None:
        """Keep it running. That it cannot run is told in the log, and does not touch the site."""
        wait_s = _WAIT_FIRST_S
        while not self._stopping.is_set():
            began_s = time.monotonic()
            why = self._once()
            if self._stopping.is_set():
                return
            if time.monotonic() - began_s > _RAN_WELL_S:
                wait_s = _WAIT_FIRST_S
            structlog.get_logger().error("the web page ended", reason=why, again_in_s=wait_s)
            self._stopping.wait(wait_s)
            wait_s = min(2 * wait_s, _WAIT_LAST_S)

    def _once(self) -> str:
        """Run it until it ends; why it did."""
        with self._lock:
            if self._stopping.is_set():
                return "it was asked to stop"
            process = self._process = subprocess.Popen(
                [sys.executable, "-m", "parkwatt.app.web"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is the parent's to hear
            )
        if process.stdin is None or process.stdout is None:
            raise AssertionError("both were asked for")
        with process.stdin, process.stdout, contextlib.suppress(OSError):
            process.stdin.write(msgspec.json.encode(self._start) + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
            with contextlib.suppress(msgspec.DecodeError):
                self._on_ready(msgspec.json.decode(line, type=WebReady).port)
            process.stdout.read()
        return f"it ended with code {process.wait()}; what it wrote says why"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOPS_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
