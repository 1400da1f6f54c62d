"""What the tests of the server share: a listener on a free port, and clients that are not part of Parkwatt."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.ocpp.server.link import Closed
from parkwatt.io.ocpp.server.listener import Arrival, Listener, Refusal, listen
from parkwatt.io.ocpp.server.settings import ListenerSettings

Go = Callable[[Coroutine[Any, Any, None]], None]
VERSIONS = ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")


@dataclass
class Backend:
    """A listener that answers each frame with `answer:` and the frame, and what it saw."""

    listener: Listener
    arrivals: list[Arrival] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    ends: list[Closed] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.listener.port

    def connect(self, charger_id: str, password: str | None = None, **options: Any) -> connect:
        """A stranger's client for the charger."""
        scheme = "ws" if "ssl" not in options else "wss"
        headers = {} if password is None else {"Authorization": basic(charger_id, password)}
        headers |= options.pop("headers", {})
        options = {"subprotocols": VERSIONS, "proxy": None, "host": "127.0.0.1"} | options
        uri = f"{scheme}://localhost:{self.port}/ocpp/{charger_id}"
        return connect(uri, additional_headers=headers, **options)

    async def until_gone(self) -> None:
        """Wait until no link is left."""
        while self.listener.connection_count:
            await asyncio.sleep(0.005)


def basic(user: str, password: str) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@asynccontextmanager
async def backend(store: Path, **settings: Any) -> AsyncIterator[Backend]:
    """A listener with the credentials in the file ``store``; every charger of this machine comes in unless told otherwise."""
    found: Backend

    def arrived(arrival: Arrival) -> None:
        found.arrivals.append(arrival)

        def answer(frame: bytes) -> None:
            found.frames.append(frame)
            if frame == b"crash":
                raise RuntimeError(frame)
            arrival.link.send(b"answer:" + frame)

        arrival.link.listen(answer, found.ends.append)

    def note_refusal(refusal: Refusal) -> None:
        found.refusals.append(refusal)

    chosen = {"port": 0, "admit_unknown": True, "duplicate_ping_s": 0.2} | settings
    with CredentialStore(store) as credentials:
        listener = await listen(
            ListenerSettings(**chosen),
            credentials,
            arrived,
            note_refusal,
        )
        found = Backend(listener)
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: found.faults.append(context)
        )
        try:
            yield found
        finally:
            await listener.close()


async def exchange(client: ClientConnection, text: str) -> str:
    """Send a text and wait for the answer."""
    await client.send(text)
    return str(await asyncio.wait_for(client.recv(), 5))


async def raw(
    port: int, context: ssl.SSLContext | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection."""
    return await asyncio.open_connection("127.0.0.1", port, ssl=context)


def request(charger_id: str, *extra: str) -> bytes:
    """A handshake request."""
    lines = (
        f"GET /ocpp/{charger_id} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: ocpp2.1",
        *extra,
    )
    return "\r\n".join((*lines, "", "")).encode()


async def upgraded(port: int, charger_id: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection whose handshake is done."""
    reader, writer = await raw(port)
    writer.write(request(charger_id))
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert head.startswith(b"HTTP/1.1 101")
    return reader, writer
