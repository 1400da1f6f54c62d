"""A real HTTP server on a free port of this machine that answers as a test says, its failures included."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

Manner = Literal["whole", "silent", "cut", "endless", "dripping", "garbage"]


@dataclass(frozen=True)
class Asked:
    """One question: ``path`` without its parameters, headers in lower case."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What is answered. ``manner``: whole; silent (nothing comes); cut (the connection ends within the body); endless;
    dripping (a byte a second, for ever); garbage (no HTTP at all)."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Manner = "whole"

    def packed(self) -> Reply:
        """The same compressed."""
        headers = {**self.headers, "Content-Encoding": "gzip"}
        return Reply(gzip.compress(self.body), self.status, headers, self.manner)


Answerer = Callable[[Asked], Reply]


class WebServer:
    """``asked``: all questions so far. ``url``: its address without a slash at the end."""

    def __init__(self, answer: Answerer) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.url = ""
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self._open.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._exchange(reader, writer):
                pass
        self._open.discard(writer)
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        parts = urlsplit(target)
        asked = Asked(method, parts.path, dict(parse_qsl(parts.query)), headers, body)
        self.asked.append(asked)
        reply = self.answer(asked)
        if reply.manner == "silent":
            await reader.read()
            return False
        if reply.manner == "garbage":
            writer.write(b"\x00\x01 this is no HTTP\r\n\r\n")
            return False
        await self._write(reply, writer)
        return reply.manner == "whole"

    async def _write(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        length = len(reply.body) + (0 if reply.manner == "whole" else 10**12)
        lines = [f"HTTP/1.1 {reply.status} Status", f"Content-Length: {length}"]
        if reply.status in (204, 304):
            lines.pop()
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + reply.body)
        await writer.drain()
        while reply.manner in ("endless", "dripping"):
            writer.write(b"x" * (65_536 if reply.manner == "endless" else 1))
            await writer.drain()
            await asyncio.sleep(0 if reply.manner == "endless" else 1.0)

    def hang_up(self) -> None:
        """End all connections."""
        for writer in self._open:
            writer.close()


@contextlib.asynccontextmanager
async def web_server(
    answer: Answerer, tls: ssl.SSLContext | None = None
) -> AsyncIterator[WebServer]:
    """A server that runs within the context."""
    web = WebServer(answer)
    server = await asyncio.start_server(web.serve, "127.0.0.1", 0, ssl=tls)
    host, port = server.sockets[0].getsockname()[:2]
    web.url = f"{'http' if tls is None else 'https'}://{host}:{port}"
    try:
        yield web
    finally:
        server.close()
        web.hang_up()
        await asyncio.sleep(0.01)
