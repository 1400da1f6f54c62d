"""A real `parkwatt serve` in a process of its own, for tests that talk to it from outside as chargers and people do."""

from __future__ import annotations

import asyncio
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from parkwatt.app.api.client import Client, charger_path, load_settings

_PARKWATT = Path(sys.executable).with_name("parkwatt")
_CHARGERS = re.compile(r"Chargers connect to (\w+)://(.+):(\d+)/")
_API = re.compile(r"The API is at http://(.+):(\d+) ")
_READY = b"Stop with"
_POLL_S = 0.02


class RunningServer:
    """The server of one site, started by the constructor. ``site``: its TOML file, whose ports may be 0.

    The ports it got are written into the file, so that a restart takes the same ones and the command line finds it.
    ``patience_s``: how long a start or a stop may take. ``command``: serve, or up for a whole site. Raises AssertionError with
    the server's output where it did not start.
    """

    def __init__(self, site: Path, patience_s: float, command: str = "serve") -> None:
        self.site = site
        self._command = command
        self.patience_s = patience_s
        self.ocpp_url = ""
        self.api: Client
        self._process: subprocess.Popen[bytes] | None = None
        self._log = site.with_suffix(".log")
        self.start()

    @property
    def output(self) -> str:
        """What the server said on its error channel, over all its lives: its log."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    @property
    def process_id(self) -> int:
        """Of the server that runs."""
        assert self._process is not None, "the server does not run"
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it listens."""
        assert self._process is None, "the server runs already"
        with self._log.open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [str(_PARKWATT), self._command, str(self.site)],
                stdout=subprocess.PIPE,
                stderr=log,
            )
        said = self._wait_until_ready(self._process)
        chargers, api = _CHARGERS.search(said), _API.search(said)
        if chargers is None or api is None:
            self.kill()
            raise AssertionError(f"the server did not start; it said: {said}{self.output}")
        scheme, host, port = chargers.groups()
        self.ocpp_url = f"{scheme}://{host}:{port}"
        _keep_port(self.site, "ocpp", f"{host}:{port}")
        _keep_port(self.site, "api", ":".join(api.groups()))
        self.api = Client(load_settings(self.site))

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> str:
        """What it printed, up to its last line of the start or its end."""
        assert process.stdout is not None
        said = b""
        deadline_s = time.monotonic() + self.patience_s
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while selector.select(max(0.0, deadline_s - time.monotonic())):
                part = os.read(process.stdout.fileno(), 4096)
                said += part
                if not part or _READY in said:
                    break
        return said.decode()

    def kill(self) -> None:
        """End it with SIGKILL: it can write and say nothing more."""
        self._end(signal.SIGKILL)

    def suspend(self) -> None:
        """Stop it where it is with SIGSTOP: it takes nothing more, and its links stay open."""
        os.kill(self.process_id, signal.SIGSTOP)

    def stop(self) -> int:
        """Ask it to stop; returns its exit code."""
        return self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Start it again on the same ports, after `kill` or, where it still runs, after asking it to stop."""
        if self._process is not None:
            self.stop()
        self.start()

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        assert process is not None, "the server does not run"
        process.send_signal(number)
        try:
            return process.wait(self.patience_s)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()

    def close(self) -> None:
        """End it if it runs."""
        if self._process is not None:
            self.kill()

    def parkwatt(self, command: str, *words: str) -> str:
        """What a command of the command line prints about this site. Raises AssertionError where it fails."""
        subcommand = command.split()
        done = subprocess.run(
            [str(_PARKWATT), *subcommand, str(self.site), *words],
            capture_output=True,
            text=True,
            timeout=self.patience_s,
            check=False,
        )
        assert done.returncode == 0, f"parkwatt {command} failed: {done.stdout}{done.stderr}"
        return done.stdout

    # What the API shows; for use beside chargers on an event loop.

    async def shows(self, path: str, holds: Callable[[Any], bool], **parameters: str | int) -> Any:
        """What the API shows at ``path``, as soon as ``holds`` says so.

        Raises AssertionError with what it showed last where that takes longer than ``patience_s``.
        """
        deadline_s = time.monotonic() + self.patience_s
        while True:
            shown = await asyncio.to_thread(self.api.get, path, **parameters)
            if holds(shown):
                return shown
            assert time.monotonic() < deadline_s, (
                f"{path} shows only {shown}\n{self.output[-4000:]}"
            )
            await asyncio.sleep(_POLL_S)

    async def asks(self, method: str, path: str, body: object = None) -> Any:
        """Ask the API for something."""
        return await asyncio.to_thread(self.api.send, method, path, body)

    async def charger(self, charger_id: str, holds: Callable[[Any], bool]) -> Any:
        """A charger, as soon as ``holds`` says so."""
        return await self.shows(charger_path(charger_id), holds)

    async def transactions(
        self, charger_id: str, holds: Callable[[list[Any]], bool]
    ) -> list[dict[str, Any]]:
        """A charger's transactions, as soon as ``holds`` says so."""
        found: list[dict[str, Any]] = await self.shows(
            charger_path(charger_id, "transactions"), holds
        )
        return found


@contextmanager
def running(
    site_toml: str, directory: Path, patience_s: float, command: str = "serve"
) -> Iterator[RunningServer]:
    """A server of the site in ``site_toml``, whose file and data lie in ``directory``."""
    site = directory / "site.toml"
    site.write_text(site_toml, encoding="utf-8")
    server = RunningServer(site, patience_s, command)
    try:
        yield server
    finally:
        server.close()


def _keep_port(site: Path, table: str, address: str) -> None:
    """Write the address that was taken into the site's file, in place of port 0."""
    text = site.read_text(encoding="utf-8")
    pattern = rf'(?ms)^(\[{table}\]$(?:(?!^\[).)*?^listen *= *)"[^"]*:0"$'
    site.write_text(re.sub(pattern, rf'\1"{address}"', text), encoding="utf-8")
