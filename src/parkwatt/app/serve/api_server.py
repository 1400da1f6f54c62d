"""The API's HTTP server on the back end's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from parkwatt.app.api.patient_protocol import PatientProtocol
from parkwatt.app.serve_settings import Address
from parkwatt.domain.errors import InputError, InputFault

# Whoever asks for more than this at once gets 503: the loop is the chargers'.
_REQUESTS_AT_ONCE = 256
_STOP_S = 1
# Longer than most clients keep a connection that they do not use: who closes it while the other side sends loses that request.
_KEEP_ALIVE_S = 30


class ApiServer(uvicorn.Server):
    """Serves an application on a socket that listens already; the process's signals are not its own."""

    def __init__(self, application: FastAPI) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                lifespan="off",
                http=PatientProtocol,
                ws="none",
                limit_concurrency=_REQUESTS_AT_ONCE,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=_STOP_S,
            )
        )
        self._application = application
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let `serve` end."""
        self._application.state.streams.end()
        self.should_exit = True
        self._stopping.set()

    async def main_loop(self) -> None:
        """Serve until `stop`; uvicorn's own looks ten times a second whether it should go on."""
        await self.on_tick(0)
        await self._stopping.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone; uvicorn's own name."""
        yield


def bind(address: Address) -> socket.socket:
    """A socket that listens, so that whoever reads that the API is there finds it.

    Raises InputError where the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = socket.socket(family)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address.host, address.port))
        bound.listen()
    except OSError as error:
        bound.close()
        place = f"{address.host}:{address.port}"
        fault = InputFault("api.listen", f"cannot be listened on: {error.strerror}", place)
        raise InputError([fault]) from error
    return bound
