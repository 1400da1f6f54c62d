"""Hints that something changed at the server: by webhook and by MQTT. What they hold is never looked at; they wake the
poller.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import aiomqtt
import structlog
import uvicorn

_BODY_MAX: Final = 1024 * 1024
_AGAIN_S: Final = 15.0
_PORT: Final = 1883
_TLS_PORT: Final = 8883

Wake = Callable[[], None]
_Scope = dict[str, Any]
_Receive = Callable[[], Awaitable[dict[str, Any]]]
_Send = Callable[[dict[str, Any]], Awaitable[None]]


class Webhook:
    """Listens for the server's calls at ``host``:``port``; only one that bears ``token`` wakes anybody."""

    def __init__(self, host: str, port: int, wake: Wake) -> None:
        self.token = secrets.token_urlsafe(24)
        self._host, self._port, self._wake = host, port, wake

    async def run(self) -> None:
        """Serve until cancelled."""
        listening = socket.create_server((self._host, self._port))
        server = _Server(
            uvicorn.Config(
                self._answer, interface="asgi3", log_config=None, access_log=False, lifespan="off"
            )
        )
        try:
            await server.serve(sockets=[listening])
        finally:
            if server.started:
                await server.shutdown([listening])
            listening.close()

    async def _answer(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            return
        given = dict(scope["headers"]).get(b"authorization", b"")
        known = hmac.compare_digest(given, f"Bearer {self.token}".encode())
        size, more = 0, True
        while more and size <= _BODY_MAX:
            message = await receive()
            size += len(message.get("body", b""))
            more = bool(message.get("more_body"))
        body, status = b"", 204
        if scope["method"] == "GET":
            # The server asks whether we are who it thinks: it gets back what it sent.
            status, body = 200, _challenge(scope)
        elif not known:
            status = 401
        else:
            self._wake()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class _Server(uvicorn.Server):
    async def main_loop(self) -> None:
        """Serve until cancelled; uvicorn's own looks ten times a second whether it should go on."""
        await asyncio.Event().wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the program's; uvicorn's own name."""
        yield


def _challenge(scope: _Scope) -> bytes:
    query = parse_qs(bytes(scope.get("query_string", b"")).decode("latin-1"))
    for name in ("challenge", "echo", "hub.challenge"):
        if query.get(name):
            return query[name][0].encode()[:1000]
    sent: list[bytes] = [value for name, value in scope["headers"] if name == b"x-challenge"]
    return sent[0][:1000] if sent else b""


async def follow_mqtt(url: str, topics: list[str], token: str | None, wake: Wake) -> None:
    """Listen to ``topics`` of the broker that the server named, for ever; without it polling goes on alone."""
    parts = urlsplit(url if "//" in url else f"mqtt://{url}")
    secure = parts.scheme in ("mqtts", "ssl", "tls")
    port = parts.port or (_TLS_PORT if secure else _PORT)
    log = structlog.get_logger()
    while True:
        try:
            async with aiomqtt.Client(
                parts.hostname or "localhost",
                port,
                username="oauth2" if token else None,
                password=token,
                tls_params=aiomqtt.TLSParameters() if secure else None,
            ) as client:
                for topic in topics:
                    await client.subscribe(topic)
                async for _ in client.messages:
                    wake()
        except aiomqtt.MqttError as error:
            log.info("the operator's broker is not there", reason=str(error))
        await asyncio.sleep(_AGAIN_S)
