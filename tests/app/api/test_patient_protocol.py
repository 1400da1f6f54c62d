"""The API on a real socket: who says nothing, or says it too slowly or without an end, is cut off; others are served."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI

from parkwatt.app.api import bounds, patient_protocol
from parkwatt.app.api.bounds import Bounds
from parkwatt.app.api.stream import Streams
from parkwatt.app.serve.api_server import ApiServer, bind
from parkwatt.app.serve_settings import Address

Talk = tuple[asyncio.StreamReader, asyncio.StreamWriter]
GET = b"GET /told HTTP/1.1\r\nHost: x\r\n\r\n"


def beside_a_server(test: Callable[[int], Awaitable[None]]) -> None:
    """Run a test beside the API's server at a port of its own."""
    application = FastAPI()
    application.state.streams = Streams()
    application.add_middleware(Bounds)

    @application.get("/told")
    async def told() -> str:
        return "well"

    @application.post("/told")
    async def tell(body: dict[str, Any]) -> int:
        return len(body)

    async def run() -> None:
        bound: socket.socket = bind(Address("127.0.0.1", 0))
        server = ApiServer(application)
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        try:
            await test(int(bound.getsockname()[1]))
        finally:
            server.stop()
            await serving

    asyncio.run(run())


async def say(port: int, *parts: bytes, pause_s: float = 0.0) -> Talk:
    """A connection on which something was said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(pause_s)
    return reader, writer


async def heard(talk: Talk) -> bytes:
    """What comes until the other side ends the connection. Raises TimeoutError where it does not."""
    reader, writer = talk
    said = b""
    async with asyncio.timeout(10):
        try:
            while part := await reader.read(1 << 16):
                said += part
        except ConnectionError:
            pass
    writer.close()
    return said


async def pour(writer: asyncio.StreamWriter, part: bytes, count: int, pause_s: float = 0.0) -> None:
    """Say the same again and again. Raises ConnectionError once the other side has enough."""
    for _ in range(count):
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(pause_s)


def test_silent_connections_keep_nobody_out_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_protocol, "PATIENCE_S", 1.0)

    async def test(port: int) -> None:
        silent = [await say(port) for _ in range(150)]
        silent += [await say(port, b"GET /told HTTP/1.1\r\nX-A: ") for _ in range(150)]
        assert b"503" in (await say_and_hear(port))
        assert [await heard(one) for one in silent] == [b""] * 300
        assert b"200 OK" in (await say_and_hear(port))

    beside_a_server(test)


async def say_and_hear(port: int) -> bytes:
    """The answer to a plain request."""
    reader, writer = await say(port, GET)
    said = await reader.read(1 << 16)
    writer.close()
    return said


def test_who_is_served_stays_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_protocol, "PATIENCE_S", 0.4)

    async def test(port: int) -> None:
        reader, writer = await say(port, GET[:9], GET[9:], pause_s=0.2)
        for _ in range(4):
            assert b"200 OK" in await reader.read(1 << 16)
            await asyncio.sleep(0.3)
            writer.write(GET)
        writer.close()

    beside_a_server(test)


def test_a_slow_body_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "BODY_S_MAX", 0.5)
    head = b"POST /told HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"

    async def test(port: int) -> None:
        reader, writer = await say(port, head, b"{")
        async with asyncio.timeout(5):
            assert b"408" in await reader.read(1 << 16)
        writer.close()

    beside_a_server(test)


def test_headers_without_an_end_are_cut_off() -> None:
    async def test(port: int) -> None:
        _, writer = await say(port, b"GET /told HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):
            await pour(writer, b"X-A: " + b"a" * 1000 + b"\r\n", 5000)

    beside_a_server(test)


def test_a_body_after_its_refusal_is_not_taken_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_protocol, "PATIENCE_S", 0.5)
    head = b"POST /told HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"

    async def test(port: int) -> None:
        reader, writer = await say(port, head, b" " * (bounds.BODY_BYTES_MAX + 1))
        async with asyncio.timeout(5):
            assert b"413" in await reader.read(1 << 16)
        with pytest.raises(ConnectionError):
            await pour(writer, b" ", 50, pause_s=0.05)

    beside_a_server(test)
