"""The wiring of `parkwatt fleet up`: a pool's loop beside its chargers' back end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any

import structlog

from parkwatt.app.pool.key import pool_key
from parkwatt.app.pool.runner import PoolRunner
from parkwatt.app.pool.settings import PoolSettings, load_pool_settings
from parkwatt.app.pool.upstream import Upstream
from parkwatt.app.serve.run import serve_until_stopped
from parkwatt.domain.charger.event import ChargerEvent
from parkwatt.io.clock.warp_loop import WarpLoop
from parkwatt.io.ocpp.backend import Backend
from parkwatt.io.store.reader import JournalReader
from parkwatt.io.store.sqlite_journal import SqliteJournal


def up_until_stopped(path: Path) -> None:
    """Run the pool of the file at ``path`` until SIGINT or SIGTERM. Raises InputError, JournalDamaged, OSError."""
    settings = load_pool_settings(path)
    serve_until_stopped(settings.serve, PoolControl(settings))


class PoolControl:
    """A pool's control for `parkwatt.app.serve.run.serve`."""

    def __init__(self, settings: PoolSettings) -> None:
        self._settings = settings
        self.runner: PoolRunner | None = None
        self.upstream: Upstream | None = None

    def attach(
        self, backend: Backend, journal: SqliteJournal, clock: Callable[[], int]
    ) -> PoolRunner:
        """Take up the pool where the journal left it. Raises JournalDamaged."""
        key = pool_key(self._settings.serve.store.directory)
        self.runner = PoolRunner(self._settings, backend, journal, clock, key)
        loop = asyncio.get_running_loop()
        if isinstance(loop, WarpLoop):  # simulated time waits for the disk
            loop.hold_while(lambda: journal.backlog > 0 or not backend.is_settled)
        count = self.runner.restore(JournalReader(journal.path))
        members = len(self._settings.members.charger_id)
        structlog.get_logger().info("pool taken up", entries=count, members=members)
        if self._settings.openadr is not None:
            directory = self._settings.serve.store.directory
            self.upstream = Upstream(self._settings.openadr, self.runner, directory, clock)
        return self.runner

    def heard(self, charger_id: str, events: Sequence[ChargerEvent]) -> None:
        """Something happened at a charger."""
        if self.runner is not None:
            self.runner.on_charger(charger_id, events)

    def duties(self) -> Iterable[Coroutine[Any, Any, object]]:
        """The loop, and the operator's server."""
        if self.runner is None:
            return ()
        upstream = () if self.upstream is None else tuple(self.upstream.duties())
        return (self.runner.run(), *upstream)
