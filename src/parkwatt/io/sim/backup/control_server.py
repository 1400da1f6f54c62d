"""The way to a virtual home that runs: a line to `/control` does something, `/status` tells how it is, over HTTP.

It is meant for this computer only, and asks for no password; so it listens on the loopback interface and takes no request that
a page in a browser could send by itself (a body without a type of its own is refused).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field

from parkwatt.domain.errors import InputError
from parkwatt.io.sim.backup.control import apply_control
from parkwatt.io.sim.backup.life import Life
from parkwatt.io.sim.backup.status import status_data

CONTROL_TYPE = "application/json"
_BODY_BYTES_MAX = 10_000
_TIMEOUT_S = 10.0


@dataclass(slots=True)
class ControlServer:
    """``life``: the home."""

    life: Life
    _server: asyncio.Server | None = None
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(self._serve, host, port)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop to listen, and close what is open."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)
        await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 it runs in one
        self._open.add(task)
        try:
            # Cancelled by `stop`: the connection ends, and so does the task.
            with contextlib.suppress(
                ConnectionError,
                TimeoutError,
                asyncio.IncompleteReadError,
                asyncio.LimitOverrunError,
                asyncio.CancelledError,
            ):
                async with asyncio.timeout(_TIMEOUT_S):
                    status, body = await self._answer(reader)
                    writer.write(_response(status, body))
                    await writer.drain()
        finally:
            self._open.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, object]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *lines = head.split("\r\n")
        method, path = [*request.split(" "), "", ""][:2]
        fields = {name.strip().lower(): value.strip() for name, _, value in _pairs(lines)}
        length = fields.get("content-length", "0")
        if not length.isdecimal() or int(length) > _BODY_BYTES_MAX:
            return 413, {"faults": ["the body is too long"]}
        body = await reader.readexactly(int(length))
        if (method, path) == ("GET", "/status"):
            self.life.now_us()
            return 200, status_data(self.life.home)
        if (method, path) != ("POST", "/control"):
            return 404, {"faults": ["there are POST /control and GET /status"]}
        if fields.get("content-type", "").partition(";")[0] != CONTROL_TYPE:
            return 415, {"faults": [f"the body must be {CONTROL_TYPE}"]}
        return self._control(body)

    def _control(self, body: bytes) -> tuple[int, object]:
        try:
            line = json.loads(body)["line"]
        except (ValueError, KeyError, TypeError):
            line = None
        if not isinstance(line, str) or not line.strip():
            return 422, {"faults": ['the body must be like {"line": "outage for 36h"}']}
        try:
            return 200, {"said": apply_control(self.life, line)}
        except InputError as error:
            return 422, {"faults": [str(fault) for fault in error.faults]}


def _pairs(lines: list[str]) -> list[tuple[str, str, str]]:
    return [line.partition(":") for line in lines if line]


def _response(status: int, body: object) -> bytes:
    data = json.dumps(body).encode()
    lines = (
        f"HTTP/1.1 {status} -",
        "Content-Type: application/json",
        f"Content-Length: {len(data)}",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode() + data
