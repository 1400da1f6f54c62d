"""The API's application in the test's own process: real journal, real credentials, chargers that are only heard of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from parkwatt.app.access.access import Access
from parkwatt.app.api.application import create_application
from parkwatt.app.api.site import Site
from parkwatt.app.metrics import Metrics
from parkwatt.app.serve_settings import read_serve_settings
from parkwatt.domain.record import Faults
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.ocpp.backend import Backend
from parkwatt.io.ocpp.version import Version
from parkwatt.io.store.sqlite_journal import SqliteJournal

TOKEN = "a-token-of-some-length-1234"  # noqa: S105 of a server that lives as long as a test
NOW_UNIX_US = 1_800_000_000_000_000


class Sink:
    """Takes the frames to a charger that does not answer."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def send(self, frame: bytes) -> None:
        """Keep it."""
        self.frames.append(frame)

    def close(self, _code: int, _reason: str) -> None:
        """Nothing to end."""


@dataclass
class Served:
    """An application and a client with its token."""

    site: Site
    client: httpx.AsyncClient

    def connect(self, charger_id: str) -> Sink:
        """A charger of OCPP 2.0.1 gets a link."""
        sink = Sink()
        self.site.backend.opened(charger_id, sink, Version.V201, 2, "192.0.2.7:4711")
        return sink

    async def durable(self) -> None:
        """Wait until the journal holds all that happened."""
        last_seq = -1
        while last_seq != self.site.journal.last_seq or self.site.journal.backlog:
            last_seq = self.site.journal.last_seq
            await asyncio.sleep(0.02)


@asynccontextmanager
async def served(directory: Path, charger_ids: Sequence[str] = ()) -> AsyncIterator[Served]:
    """A site in ``directory`` whose chargers have a link."""
    path = directory / "site.toml"
    path.write_text("[charger_defaults]\ndischarge = true\n", encoding="utf-8")
    settings = read_serve_settings(path, Faults())
    assert settings is not None
    settings.store.directory.mkdir()
    journal = SqliteJournal(settings.store.journal)
    journal.post_with(asyncio.get_running_loop().call_soon_threadsafe)
    backend = Backend(journal=journal, settings_of=settings.charger, clock=lambda: NOW_UNIX_US)
    store = settings.store
    with (
        CredentialStore(store.credentials) as credentials,
        Access(store.access, TOKEN) as access,
    ):
        site = Site(settings, backend, journal, credentials, lambda: NOW_UNIX_US)
        application = create_application(site, access, Metrics(backend, journal, site.alarms))
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://site", headers=headers
        ) as client:
            running = Served(site, client)
            for charger_id in charger_ids:
                running.connect(charger_id)
            try:
                yield running
            finally:
                await backend.close()
                journal.close()
