"""HTTP connections that wait so long for a request and no longer, and hold so much of one and no more.

uvicorn waits for ever and keeps whatever comes: whoever reaches the port could keep everybody else out by some hundred
connections on which nothing is said, or fill the memory with headers that do not end. Patience is the wall clock's: a demo's
time passes faster.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

PATIENCE_S: Final = 10.0
HEAD_BYTES_MAX: Final = 1 << 16


class PatientProtocol(HttpToolsProtocol):
    """Cuts off who has not sent all headers within `PATIENCE_S` and `HEAD_BYTES_MAX`, or sends a body long after its answer."""

    _patience: asyncio.TimerHandle | None = None
    _waits_until_s = 0.0
    _head_bytes_count: int | None = 0  # None: no head is under way

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connects; asyncio's own name."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """A part of a request, or several; asyncio's own name."""
        super().data_received(data)
        if self._head_bytes_count is None:
            return
        self._head_bytes_count += len(data)
        if self._head_bytes_count > HEAD_BYTES_MAX:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone; asyncio's own name."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head begins; the parser's own name, as the next three."""
        self._head_bytes_count = 0
        self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is there, and is answered."""
        self._head_bytes_count = None
        self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of a body: what reads it has its own patience, unless the answer is given."""
        if getattr(self.cycle, "response_complete", False):  # None while a WebSocket is asked for
            self._wait()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is there as a whole."""
        self._stop_waiting()
        super().on_message_complete()

    def _wait(self) -> None:
        if self._patience is None:
            self._waits_until_s = time.monotonic() + PATIENCE_S
            self._patience = self.loop.call_later(PATIENCE_S, self._look_at_clock)

    def _look_at_clock(self) -> None:
        if time.monotonic() < self._waits_until_s:
            self._patience = self.loop.call_later(PATIENCE_S, self._look_at_clock)
        else:
            self.transport.abort()

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
