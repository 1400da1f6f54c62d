"""A back end behind a real listener, and a station that connects to it: for the test cases about links and their security."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from parkwatt.domain.charger.event import ChargerEvent
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.credentials.authority import Issued, create_authority
from parkwatt.io.credentials.office import SiteCertificateOffice
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.ocpp import messages
from parkwatt.io.ocpp.by_hand import check_by_hand
from parkwatt.io.ocpp.call import Answer, Call
from parkwatt.io.ocpp.device_time import rfc3339
from parkwatt.io.ocpp.server.link import Link
from parkwatt.io.ocpp.server.listener import Arrival, listen
from parkwatt.io.ocpp.server.settings import ListenerSettings, TlsFiles
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.step import Step
from parkwatt.io.ocpp.station import Station
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.server.charging_station import basic

BOX = "BOX-1"
PATIENCE_S = 10.0


class Csms:
    """One site: its authority, its credentials, its listener and what it knows of the station `BOX`.

    ``folder``: for its files; ``tls``: what it shows instead of a certificate of its authority.
    """

    def __init__(self, folder: Path, tls: tuple[TlsFiles, ...] = ()) -> None:
        self.folder = folder
        self.now = datetime.now(UTC)
        self.authority = create_authority(folder / "ca", "Depot", self.now)
        own = TlsFiles(certificate=folder / "server.pem", key=folder / "server.key")
        self.server = self.authority.issue_server_certificate(["localhost"], self.now)
        self.server.write(own.certificate, own.key)
        self.tls = tls or (own,)
        self.store = CredentialStore(folder / "credentials.sqlite")
        self.station = Station(
            ChargerState(BOX),
            ChargerSettings(),
            office=SiteCertificateOffice(self.authority, self.store),
        )
        self.events: list[ChargerEvent] = []
        self.answers: list[Answer] = []
        self._link: Link | None = None
        self._links = 0
        self._port = 0

    @asynccontextmanager
    async def listening(self, *, encrypted: bool = True) -> AsyncIterator[Csms]:
        """Accept stations."""
        settings = ListenerSettings(port=0)
        if encrypted:
            root = self.folder / "ca" / "authority.pem"
            settings = ListenerSettings(port=0, tls=self.tls, client_authority=root)
        listener = await listen(settings, self.store, self._arrived, lambda _: None)
        self._port = listener.port
        try:
            yield self
        finally:
            await listener.close()
            self.store.close()

    def _arrived(self, arrival: Arrival) -> None:
        self._link = arrival.link
        self._links += 1
        step = self.station.connect(
            arrival.version,
            arrival.security_profile,
            "127.0.0.1",
            self._clock(),
            prefix=f"{self._links}-",
        )
        self._take(step)
        arrival.link.listen(
            lambda frame: self._take(self.station.receive(frame, self._clock())),
            lambda _: None,
        )

    def _clock(self) -> int:
        return time.time_ns() // 1000

    def _take(self, step: Step) -> None:
        self.events += step.events
        self.answers += step.answers
        assert self._link is not None
        for frame in step.frames:
            self._link.send(frame)

    def send(self, action: str, payload: dict[str, Any]) -> None:
        """The manual action: a call by hand."""
        check_by_hand(Version.V201, self.station.settings, action, payload)
        call = Call(action, payload, "hand", "by hand", urgent=True)
        self._take(self.station.send(call, self._clock()))

    # Stations.

    def trust(self, *, root: str = "", shows: Issued | None = None) -> ssl.SSLContext:
        """A station's TLS: what it trusts (the site, unless told), and its own certificate."""
        context = ssl.create_default_context(cadata=root or self.authority.certificate_pem)
        if shows is not None:
            files = self.folder / "client.pem", self.folder / "client.key"
            shows.write(*files)
            context.load_cert_chain(*files)
        return context

    def dial(
        self, *, user: str = BOX, password: str | None = None, tls: ssl.SSLContext | None = None
    ) -> connect:
        """A station's connection request, with what it shows of itself."""
        headers = {} if password is None else {"Authorization": basic(user, password)}
        scheme = "ws" if tls is None else "wss"
        return connect(
            f"{scheme}://localhost:{self._port}/ocpp/{BOX}",
            subprotocols=[Version.V201.value],  # type: ignore[list-item]
            additional_headers=headers,
            host="127.0.0.1",
            proxy=None,
            ssl=tls,
        )

    async def refusal(self, dialled: connect) -> int:
        """The HTTP status with which a connection is refused."""
        with pytest.raises(InvalidStatus) as refused:
            async with dialled:
                pass
        return refused.value.response.status_code


class Box:
    """The station over one connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._asked: list[tuple[str, str, dict[str, Any]]] = []
        self._told = 0

    async def booted(self) -> None:
        """The steps with which the cases about links end."""
        maker = {"vendorName": "Maker", "model": "Box"}
        boot = {"reason": "PowerUp", "chargingStation": maker}
        assert (await self.tell("BootNotification", boot))["status"] == "Accepted"
        status = {"timestamp": rfc3339(time.time_ns() // 1000), "connectorStatus": "Available"}
        assert (
            await self.tell("StatusNotification", {**status, "evseId": 1, "connectorId": 1}) == {}
        )

    async def tell(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a CALL; returns what answers it."""
        messages.check_request(Version.V201, action, payload)
        self._told += 1
        message_id = f"box-{self._told}"
        await self._socket.send(json.dumps([2, message_id, action, payload]))
        while True:
            frame = await self._frame()
            if frame[:2] == [3, message_id]:
                messages.check_response(Version.V201, action, frame[2])
                return dict(frame[2])
            await self._called(frame)

    async def asked(self, action: str, answer: dict[str, Any]) -> dict[str, Any]:
        """Wait for a call of the back end and answer it; returns what it asked."""
        messages.check_response(Version.V201, action, answer)
        while not any(found == action for found, *_ in self._asked):
            await self._called(await self._frame())
        place = next(n for n, (found, *_) in enumerate(self._asked) if found == action)
        _, message_id, payload = self._asked.pop(place)
        messages.check_request(Version.V201, action, payload)
        await self._socket.send(json.dumps([3, message_id, answer]))
        return payload

    async def _frame(self) -> Sequence[Any]:
        frame: list[Any] = json.loads(await asyncio.wait_for(self._socket.recv(), PATIENCE_S))
        return frame

    async def _called(self, frame: Sequence[Any]) -> None:
        """Refuse what the back end asks of its own; the rest waits for `asked`."""
        assert frame[0] == 2, frame
        if frame[2] in {"GetVariables", "SetChargingProfile"}:
            await self._socket.send(json.dumps([4, frame[1], "NotSupported", "", {}]))
            return
        if frame[2] == "GetBaseReport":
            await self._socket.send(json.dumps([3, frame[1], {"status": "NotSupported"}]))
            return
        self._asked.append((frame[2], frame[1], frame[3]))
