"""What the API needs of a running site: one object that the routes get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from parkwatt.app.api.live import LiveSite
from parkwatt.app.serve_settings import ServeSettings
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.ocpp.backend import Backend
from parkwatt.io.store.sqlite_journal import SqliteJournal


@dataclass(frozen=True, slots=True)
class Site:
    """The parts of a running back end. ``now_unix_us``: the clock.

    ``live``: the site's control; None where only its chargers are served.
    """

    settings: ServeSettings
    backend: Backend
    journal: SqliteJournal
    credentials: CredentialStore
    now_unix_us: Callable[[], int]
    live: LiveSite | None = None

    def alarms(self) -> list[str]:
        """What is wrong, in words; empty where all is well."""
        alarm = self.journal.alarm
        alarms = [] if alarm is None else [alarm]
        return alarms if self.live is None else [*alarms, *self.live.snapshot().alarms]
