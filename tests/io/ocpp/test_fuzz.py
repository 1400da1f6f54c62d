"""Broken and hostile frames, at the conversation itself and over real sockets. `fuzz` says what is held."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from parkwatt.app.serve.run import attach
from parkwatt.io.clock.steady_clock import SteadyClock
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.ocpp import frame as wire
from parkwatt.io.ocpp.backend import Backend
from parkwatt.io.ocpp.server.listener import listen
from parkwatt.io.ocpp.server.settings import ListenerSettings
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version
from parkwatt.io.store.sqlite_journal import SqliteJournal
from tests.io.ocpp.fuzz import Fuzz
from tests.io.ocpp.server.charging_station import upgraded

_FRAMES = {"ci": 20_000, "nightly": 1_000_000}
_LINKS = {"ci": 60, "nightly": 2_000}
_PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "developer")
_BOOT = '[2,"boot","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]'
# RFC 6455, 7.4.1: what a peer that breaks the protocol, its text or its bounds may be told. 1011 would be our own fault.
_CODES = {1000, 1001, 1002, 1003, 1007, 1008, 1009}


def test_the_conversation_answers_whatever_it_is_told() -> None:
    Fuzz(seed=int.from_bytes(os.urandom(4)) if _PROFILE == "nightly" else 7).run(
        _FRAMES.get(_PROFILE, 4000)
    )


@asynccontextmanager
async def _served(directory: Path, faults: list[dict[str, object]]) -> AsyncIterator[int]:
    """A listener, a back end and a journal on a free port."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: faults.append(context))
    journal = SqliteJournal(directory / "journal.sqlite")
    journal.post_with(loop.call_soon_threadsafe)
    backend = Backend(journal=journal, settings_of=lambda _: ChargerSettings(), clock=SteadyClock())
    settings = ListenerSettings(
        port=0, admit_unknown=True, connections_per_s=1e5, frames_per_s=1e5, frames_burst=100_000
    )
    with CredentialStore(directory / "credentials.sqlite") as credentials:
        listener = await listen(settings, credentials, attach(backend))
        try:
            yield listener.port
        finally:
            await backend.close()
            await listener.close()
            journal.close()


async def _boots(port: int) -> None:
    """A charger that does as it should is served."""
    async with connect(
        f"ws://127.0.0.1:{port}/GOOD",
        subprotocols=[Subprotocol("ocpp1.6")],
        proxy=None,
    ) as client:
        await client.send(_BOOT)
        while True:
            message = json.loads(await asyncio.wait_for(client.recv(), 10))
            if message[:2] == [3, "boot"]:
                assert message[2]["status"] == "Accepted"
                return


async def _answered(client: ClientConnection, message_id: str) -> None:
    """Wait for the one answer to a call."""
    while True:
        message = json.loads(await asyncio.wait_for(client.recv(), 10))
        if message[0] in {3, 4} and message[1] == message_id:
            return


async def _talk(port: int, name: str, version: Version, fuzz: Fuzz) -> None:
    """Say what a link may carry, and have each call answered, or the link closed with a reason."""
    uri = f"ws://127.0.0.1:{port}/{name}"
    try:
        async with connect(uri, subprotocols=[Subprotocol(version.value)], proxy=None) as client:
            for _ in range(10):
                data = fuzz.frame(version)
                text = data if isinstance(data, str) else data.decode(errors="replace")
                with contextlib.suppress(UnicodeEncodeError):
                    await client.send(text)
                    read = wire.read_frame(text)
                    if isinstance(read, wire.CallFrame):
                        await _answered(client, read.message_id)
    except ConnectionClosed as closed:
        code = closed.rcvd.code if closed.rcvd else None
    else:
        code = 1000
    assert code in _CODES


async def _break(port: int, name: str, fuzz: Fuzz) -> None:
    """Send WebSocket frames with flaws: the link answers or ends, and says why as the standard has it."""
    reader, writer = await upgraded(port, name)
    sent = bytearray()
    for _ in range(5):
        data = fuzz.frame(Version.V21)
        payload = data.encode(errors="replace") if isinstance(data, str) else data
        sent += _flawed(payload, fuzz)
    writer.write(sent)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
        writer.write_eof()
        received = await asyncio.wait_for(reader.read(), 20)
        code = _close_code(received)
        assert code is None or code in _CODES, code
    writer.close()


def _flawed(payload: bytes, fuzz: Fuzz) -> bytes:
    """A frame of a client, with a chance of a wrong opcode, length, mask or bit."""
    rng = fuzz.rng
    opcode = rng.choice([1, 1, 1, 1, 2, 0, 3, 8, 9, 10, 15])
    first = (0x80 if rng.random() < 0.9 else 0) | opcode | (0x40 if rng.random() < 0.1 else 0)
    length = len(payload) if rng.random() < 0.9 else rng.randrange(1 << 31)
    masked = 0x80 if rng.random() < 0.9 else 0
    if length < 126:
        head = struct.pack("!BB", first, masked | length)
    elif length < 1 << 16:
        head = struct.pack("!BBH", first, masked | 126, length)
    else:
        head = struct.pack("!BBQ", first, masked | 127, length)
    return head + (b"\0\0\0\0" if masked else b"") + payload


def _close_code(received: bytes) -> int | None:
    """The code of a close frame among the server's frames; None where there is none."""
    at = 0
    while len(received) - at >= 2:
        opcode, length, head = received[at] & 0x0F, received[at + 1], 2
        if length == 126:
            length, head = int.from_bytes(received[at + 2 : at + 4]), 4
        elif length == 127:
            length, head = int.from_bytes(received[at + 2 : at + 10]), 10
        payload = received[at + head : at + head + length]
        if opcode == 8:
            return int.from_bytes(payload[:2]) if len(payload) >= 2 else None
        at += head + length
    return None


@pytest.mark.parametrize("hostile", [False, True])
def test_a_link_answers_or_closes_as_the_standard_says(tmp_path: Path, hostile: bool) -> None:
    async def run() -> None:
        fuzz = Fuzz(seed=11)
        faults: list[dict[str, object]] = []
        async with _served(tmp_path, faults) as port:
            for number in range(_LINKS.get(_PROFILE, 30)):
                if hostile:
                    await _break(port, f"C{number}", fuzz)
                else:
                    version = fuzz.rng.choice(tuple(Version))
                    await _talk(port, f"C{number}", version, fuzz)
            await _boots(port)
        assert not faults

    uvloop.run(run())
