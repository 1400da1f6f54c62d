"""What a running server does again and again beside its chargers' messages."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NoReturn

import structlog

from parkwatt.app.api.site import Site
from parkwatt.app.serve.listening import Certificates
from parkwatt.domain.errors import ParkwattError
from parkwatt.io.credentials.store import Credential, CredentialStore
from parkwatt.io.ocpp.backend import Backend
from parkwatt.io.ocpp.server.link import Link
from parkwatt.io.ocpp.server.listener import Listener
from parkwatt.io.store.retention import thin

_CREDENTIALS_ROUND_S = 2.0
_CERTIFICATES_ROUND_S = 60.0
_RETENTION_ROUND_S = 6 * 3600.0
_POLICY = 1008
_DAY_US = 86_400_000_000


async def sweep(backend: Backend, least_s: float, most_s: float) -> NoReturn:
    """Let time pass for the chargers when something is due, with pauses of at least and at most so long."""
    while True:
        await backend.wait_for_due(least_s, most_s)
        backend.sweep()


async def thin_readings(site: Site) -> NoReturn:
    """Thin old readings now and then; the journal does it in slices. What fails is told, and tried again next time."""
    while True:
        now_unix_us = site.now_unix_us()
        before_unix_us = now_unix_us - site.settings.store.telemetry_days * _DAY_US
        try:
            await asyncio.to_thread(thin, site.journal, before_unix_us, now_unix_us=now_unix_us)
        except (ParkwattError, OSError, sqlite3.Error) as error:
            structlog.get_logger().error("old readings not thinned", reason=str(error))
        await asyncio.sleep(_RETENTION_ROUND_S)


async def renew_certificates(
    certificates: Certificates, listener: Listener, clock: Callable[[], int]
) -> NoReturn:
    """Use a renewed certificate without a restart."""
    while True:
        await asyncio.sleep(_CERTIFICATES_ROUND_S)
        certificates.renew(listener, datetime.fromtimestamp(clock() / 1e6, tz=UTC))


async def cut_changed(watch: CredentialWatch, link: Callable[[str], Link | None]) -> NoReturn:
    """Cut the links of chargers whose credential was changed or taken away. ``link``: a charger's live link."""
    while True:
        await asyncio.sleep(_CREDENTIALS_ROUND_S)
        for charger_id in watch.changed():
            live = link(charger_id)
            if live is not None:
                live.close(_POLICY, "its credential was changed or taken away")
                structlog.get_logger().warning(
                    "credential changed: link closed", charger=charger_id
                )


class CredentialWatch:
    """Tells which chargers were let in by a credential that is no longer what it was, whoever changed it."""

    def __init__(self, store: CredentialStore) -> None:
        """Watch chargers that are let in from now on."""
        self._store = store
        self._admitted: dict[str, Credential] = {}

    def admitted(self, charger_id: str) -> None:
        """A charger was let in just now; one without a credential is nothing to watch."""
        credential = self._store.find(charger_id)
        if credential is not None:
            self._admitted[charger_id] = credential

    def changed(self) -> list[str]:
        """The chargers whose credential is another now, or gone; each is told once."""
        if not self._admitted:
            return []
        now = {known.charger_id: known for known in self._store.chargers()}
        changed = [
            charger_id
            for charger_id, credential in self._admitted.items()
            if now.get(charger_id) != credential
        ]
        for charger_id in changed:
            del self._admitted[charger_id]
        return changed
