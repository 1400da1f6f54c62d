"""What all pages see change: one reader of the site's stream, however many pages are open.

The stream is read for as long as the process lives. Where it breaks (the site restarts, is updated), pages keep what they show,
say that it is old, and go on by themselves when it is back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

import httpx
import structlog

_AGAIN_S: Final = 1.0
# The API says something at least every 15 s.
_SILENT_S: Final = 40.0

OnSite = Callable[[dict[str, Any]], None]
OnReason = Callable[[dict[str, Any]], None]


class Live:
    """The site as the stream told it last. ``client``: to the API, ``token``: with the scope to read."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        self._last_id: str | None = None
        self._listeners: dict[object, Callable[[], None]] = {}
        self._hearers: dict[object, OnReason] = {}
        self.site: dict[str, Any] | None = None
        self.backup: dict[str, Any] | None = None
        self.connected = False

    def listen(self, key: object, on_change: Callable[[], None], on_reason: OnReason) -> None:
        """Have a page hear of each change, until `forget`."""
        self._listeners[key] = on_change
        self._hearers[key] = on_reason

    def forget(self, key: object) -> None:
        """The page is gone."""
        self._listeners.pop(key, None)
        self._hearers.pop(key, None)

    async def run(self) -> None:
        """Read the stream, again and again."""
        while True:
            try:
                await self._read()
            except (httpx.HTTPError, TimeoutError, ValueError) as error:
                structlog.get_logger().debug("stream ended", reason=str(error))
            if self.connected:
                self.connected = False
                self._tell()
            await asyncio.sleep(_AGAIN_S)

    async def _read(self) -> None:
        headers = dict(self._headers)
        if self._last_id is not None:
            headers["Last-Event-ID"] = self._last_id
        timeout = httpx.Timeout(10.0, read=_SILENT_S)
        async with self._client.stream(
            "GET", "/v1/stream", headers=headers, timeout=timeout
        ) as answer:
            answer.raise_for_status()
            kind, data = "", ""
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "id":
                    self._last_id = value
                elif name == "data":
                    data = value
                elif not line and data:
                    self._take(kind, json.loads(data))
                    kind, data = "", ""

    def _take(self, kind: str, told: dict[str, Any]) -> None:
        if kind == "site":
            self.site, self.connected = told, True
            self._tell()
        elif kind == "backup":
            self.backup = told
            self._tell()
        elif kind == "reason":
            for hear in list(self._hearers.values()):
                hear(told)

    def _tell(self) -> None:
        for on_change in list(self._listeners.values()):
            on_change()
