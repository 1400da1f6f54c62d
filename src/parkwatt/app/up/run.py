"""The wiring of `parkwatt up`: a site's control and its sources beside the chargers' back end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from parkwatt.app.live_settings import LiveSettings, load_live_settings
from parkwatt.app.live_settings.backup import BackupSettings
from parkwatt.app.notices.notifier import Notifier, notifier
from parkwatt.app.serve.run import serve_until_stopped
from parkwatt.app.set_up.site_toml import Addresses
from parkwatt.app.up.home_runner import HomeRunner, OnHomeWritten, home_runner
from parkwatt.app.up.runner import OnWritten, SiteRunner
from parkwatt.app.up.set_up_mode import set_up_until_stopped
from parkwatt.app.up.sources import live_sources
from parkwatt.app.up.upkeep import SiteFileUpkeep
from parkwatt.app.up.virtual import virtual_chargers
from parkwatt.domain.charger.event import ChargerEvent
from parkwatt.domain.errors import InputError
from parkwatt.io.clock.warp_loop import WarpLoop
from parkwatt.io.ocpp.backend import Backend
from parkwatt.io.store.reader import JournalReader
from parkwatt.io.store.sqlite_journal import SqliteJournal
from parkwatt.site.live.settings import SiteSettings

# Makes what a site is told by (meters, price feeds, calendars), once its runner is there.
Sources = Callable[[SiteRunner, Callable[[], int]], Iterable[Coroutine[Any, Any, object]]]
# Makes the duty that tells people, of the site, why its journal cannot be written, and the clock.
MakeNotifier = Callable[[SiteRunner, Callable[[], str | None], Callable[[], int]], Notifier]


def up_until_stopped(path: Path, addresses: Addresses) -> None:
    """Run the site of the file at ``path`` until SIGINT or SIGTERM, from its set-up on where there is no such file yet.

    ``addresses``: where its set-up listens, and then the site. When its settings are changed through the API, the site
    begins again with them. Raises InputError for what cannot be used, JournalDamaged, OSError.
    """
    if not path.exists() and not set_up_until_stopped(path, addresses):
        return
    keeper = SiteFileUpkeep(path)
    while True:
        try:
            settings = load_live_settings(path)
            serve_until_stopped(settings.serve, site_control(settings), settings.web, keeper)
        except InputError as error:
            if not keeper.put_back(error):
                raise
            continue
        if not keeper.wants_again:
            return


def site_control(settings: LiveSettings) -> SiteControl:
    """The control of the site that the settings describe, with all its sources."""
    tell = None
    if settings.notify is not None:
        tell = partial(notifier, settings.notify, settings.serve.store.directory)
    return SiteControl(settings.site, partial(_sources, settings), settings.backup, tell)


def _sources(
    settings: LiveSettings, runner: SiteRunner, clock: Callable[[], int]
) -> Iterator[Coroutine[Any, Any, object]]:
    yield from live_sources(settings, runner, clock)
    yield from virtual_chargers(settings)


class SiteControl:
    """A site's control for `parkwatt.app.serve.run.serve`.

    ``on_written``: hears of each event that is journalled, ``on_home_written`` of those of the home's backup.
    """

    def __init__(
        self,
        settings: SiteSettings,
        sources: Sources,
        backup: BackupSettings | None = None,
        tell: MakeNotifier | None = None,
    ) -> None:
        self._settings = settings
        self._sources = sources
        self._backup = backup
        self._tell = tell
        self._notifier: Notifier | None = None
        self.home: HomeRunner | None = None
        self._clock: Callable[[], int] = lambda: 0
        self.runner: SiteRunner | None = None
        self.on_written: OnWritten | None = None
        self.on_home_written: OnHomeWritten | None = None

    def attach(
        self, backend: Backend, journal: SqliteJournal, clock: Callable[[], int]
    ) -> SiteRunner:
        """Take up the site where the journal left it. Raises JournalDamaged."""
        self._clock = clock
        self.runner = SiteRunner(self._settings, backend, journal, clock)
        self.runner.on_written = self.on_written
        loop = asyncio.get_running_loop()
        if isinstance(loop, WarpLoop):  # simulated time waits for the disk
            loop.hold_while(lambda: journal.backlog > 0 or not backend.is_settled)
        count = self.runner.restore(JournalReader(journal.path))
        if self._backup is not None:
            self.home = home_runner(self._backup, self.runner, journal, clock)
            self.home.on_written = self.on_home_written
            count += self.home.restore(JournalReader(journal.path))
        structlog.get_logger().info("site taken up", entries=count, cars=len(self._settings.cars))
        if self._tell is not None:
            self._notifier = self._tell(self.runner, lambda: journal.alarm, clock)
        return self.runner

    def heard(self, charger_id: str, events: Sequence[ChargerEvent]) -> None:
        """Something happened at a charger."""
        if self.runner is not None:
            self.runner.on_charger(charger_id, events)

    def duties(self) -> Iterable[Coroutine[Any, Any, object]]:
        """The control loop and all sources."""
        if self.runner is None:
            return ()
        home = () if self.home is None else self.home.duties()
        told = () if self._notifier is None else (self._notifier.run(),)
        return (self.runner.run(), *self._sources(self.runner, self._clock), *home, *told)
