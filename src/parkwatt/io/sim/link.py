"""The socket of a virtual charger: connects, reconnects with a growing wait, and carries frames.

Waits for the network are real time; the station gets simulated time, which runs ``speed`` times as fast.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol

from parkwatt.domain.errors import InputError
from parkwatt.io.sim.control import apply_control
from parkwatt.io.sim.notes import Note
from parkwatt.io.sim.station import VirtualStation

SUBPROTOCOLS = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}
WAIT_S_MAX = 3600.0


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Where and how to connect: the URL without the charger's id, credentials, waits between attempts."""

    url: str
    password: str | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    reconnect_s_min: float = 1.0
    reconnect_s_max: float = 30.0
    ping_interval_s: float | None = 20.0
    open_timeout_s: float = 10.0

    def tls(self) -> ssl.SSLContext | None:
        """The TLS context for a wss URL; raises OSError or ssl.SSLError where a file is no good."""
        if not self.url.startswith("wss:"):
            return None
        context = ssl.create_default_context(cafile=None if self.ca is None else str(self.ca))
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context


class _DeafConnection(ClientConnection):
    """A connection that sends no pong while its station ignores pings."""

    station: VirtualStation | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        send = self.protocol.send_frame

        def send_unless_pong(frame: Frame) -> None:
            deaf = self.station is not None and self.station.faults.ignore_pings
            if not (deaf and frame.opcode is Opcode.PONG):
                send(frame)

        self.protocol.send_frame = send_unless_pong  # type: ignore[method-assign]


class Link:
    """One charger's way to the back end."""

    def __init__(
        self,
        station: VirtualStation,
        settings: LinkSettings,
        *,
        speed: float = 1.0,
        on_note: Callable[[Note], None] | None = None,
        control: asyncio.Queue[str] | None = None,
    ) -> None:
        self.station = station
        self.settings = settings
        self.speed = speed
        self._on_note = on_note
        self._control = control
        self._random = Random(station.settings.seed)  # noqa: S311 a simulation must be repeatable
        self._tls = settings.tls()
        self._begun_us = station.now_us
        self._begun_s = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Live until ``stop`` is set."""
        self._begun_s = asyncio.get_running_loop().time()
        stopping = asyncio.create_task(stop.wait())
        wait_s = self.settings.reconnect_s_min
        try:
            while not stop.is_set():
                self._pass_time()
                if not self.station.link_wanted:
                    await self._wait(self._until_tick_s(), stopping)
                    continue
                was_open = await self._connect_once(stopping)
                wait_s = self.settings.reconnect_s_min if was_open else wait_s
                if stop.is_set() or not self.station.link_wanted:
                    continue
                await self._idle(wait_s * self._random.uniform(0.5, 1.0), stopping)
                wait_s = min(2 * wait_s, self.settings.reconnect_s_max)
        finally:
            stopping.cancel()
            self._pass_time()

    def now_us(self) -> int:
        """Simulated time."""
        elapsed_s = asyncio.get_running_loop().time() - self._begun_s
        return self._begun_us + round(elapsed_s * self.speed * 1_000_000)

    async def _connect_once(self, stopping: asyncio.Task[bool]) -> bool:
        """Connect and converse until the link ends; whether it was open."""
        station, settings = self.station, self.settings
        url = f"{settings.url.rstrip('/')}/{quote(station.settings.id, safe='')}"
        headers = {}
        if settings.password is not None:
            pair = f"{station.settings.id}:{settings.password}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        opening = connect(
            url,
            subprotocols=[Subprotocol(SUBPROTOCOLS[station.settings.protocol])],
            additional_headers=headers,
            ssl=self._tls,
            proxy=None,
            compression=None,
            ping_interval=settings.ping_interval_s,
            open_timeout=settings.open_timeout_s,
            close_timeout=2,
            max_size=2**20,
            create_connection=_DeafConnection,
        )
        try:
            connection = await opening
        except (OSError, InvalidHandshake, TimeoutError, EOFError) as error:
            station.note("no_connection", f"cannot connect: {str(error) or type(error).__name__}")
            self._tell()
            return False
        except InvalidURI as error:
            raise ValueError(str(error)) from error
        if isinstance(connection, _DeafConnection):
            connection.station = station
        try:
            await self._converse(connection, stopping)
        finally:
            station.disconnect(self.now_us())
            self._tell()
        return True

    async def _converse(self, connection: ClientConnection, stopping: asyncio.Task[bool]) -> None:
        station = self.station
        receiving: asyncio.Task[str | bytes] | None = None
        listening: asyncio.Task[str] | None = None
        try:
            await self._send(connection, station.connect(self.now_us()))
            while not stopping.done():
                if not station.link_wanted:
                    connection.transport.abort()
                    break
                receiving = receiving or asyncio.create_task(_receive(connection))
                if self._control is not None and listening is None:
                    listening = asyncio.create_task(self._control.get())
                tasks = {t for t in (receiving, listening, stopping) if t is not None}
                await asyncio.wait(
                    tasks, timeout=self._until_tick_s(), return_when=asyncio.FIRST_COMPLETED
                )
                frames: list[str] = []
                if listening is not None and listening.done():
                    frames += self._obey(listening.result())
                    listening = None
                if receiving.done():
                    frames += station.receive(receiving.result(), self.now_us())
                    receiving = None
                await self._send(connection, frames + station.tick(self.now_us()))
        except ConnectionClosed as closed:
            reason = closed.rcvd.reason if closed.rcvd is not None else ""
            station.note("closed", f"the back end closed the link {reason}".strip())
        finally:
            for task in (receiving, listening):
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
            await connection.close()

    async def _send(self, connection: ClientConnection, frames: list[str]) -> None:
        self._tell()
        for frame in frames:
            await connection.send(frame)

    def _obey(self, line: str) -> list[str]:
        try:
            return apply_control(self.station, line, self.now_us())
        except InputError as error:
            self.station.note("control", str(error))
            return []

    def _pass_time(self) -> None:
        self.station.tick(self.now_us())
        while self._control is not None and not self._control.empty():
            self._obey(self._control.get_nowait())
        self._tell()

    async def _idle(self, seconds: float, stopping: asyncio.Task[bool]) -> None:
        """Let real time pass without a link while the car goes on."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + seconds
        while not stopping.done() and loop.time() < until_s:
            await self._wait(min(until_s - loop.time(), self._until_tick_s()), stopping)
            self._pass_time()

    async def _wait(self, seconds: float, stopping: asyncio.Task[bool]) -> None:
        await asyncio.wait({stopping}, timeout=min(seconds, 1.0))

    def _until_tick_s(self) -> float:
        wait_s = (self.station.next_tick_unix_us - self.now_us()) / 1_000_000 / self.speed
        return min(max(wait_s, 0.001), WAIT_S_MAX)

    def _tell(self) -> None:
        for note in self.station.take_notes():
            if self._on_note is not None:
                self._on_note(note)


def _receive(connection: ClientConnection) -> Any:
    return connection.recv()
