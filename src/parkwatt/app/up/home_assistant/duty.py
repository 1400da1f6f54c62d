"""The duty of a running site that keeps Home Assistant told: it looks once a second, and does what it is told."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

import structlog

import parkwatt
from parkwatt.app.api.site_words import local
from parkwatt.app.live_settings import LiveSettings
from parkwatt.app.site_report.journal_accounts import JournalAccounts
from parkwatt.app.site_report.settings import account_settings
from parkwatt.app.up.home_assistant.devices import devices
from parkwatt.app.up.home_assistant.orders import Orders
from parkwatt.app.up.home_assistant.states import Beside, Saved, look
from parkwatt.app.up.runner import SiteRunner
from parkwatt.domain.errors import ParkwattError
from parkwatt.domain.site.event import IntervalClosed, SiteEvent
from parkwatt.io.mqtt.home_assistant import (
    Device,
    Entity,
    HomeAssistantLink,
    HomeAssistantSettings,
    Look,
)
from parkwatt.io.mqtt.settings import MqttSettings

_US: Final = 1_000_000
# A quarter of an hour is accounted for when it is over; the first account waits until the site has started.
_ACCOUNT_S: Final = 300.0
_FIRST_ACCOUNT_S: Final = 20.0


def home_assistant(
    settings: LiveSettings, runner: SiteRunner, clock: Callable[[], int]
) -> Iterator[Coroutine[Any, Any, object]]:
    """The tasks that run for ever; none where the site's file does not ask for them."""
    shown, broker = settings.home_assistant, settings.metering.broker
    if shown is None or broker is None:
        return
    duty = _Duty(settings, shown, broker, runner, clock)
    yield duty.link.run(runner.on_event)
    if shown.enabled:
        yield duty.account()


class _Duty:
    """Implements `parkwatt.io.mqtt.home_assistant.Told`."""

    def __init__(
        self,
        settings: LiveSettings,
        shown: HomeAssistantSettings,
        broker: MqttSettings,
        runner: SiteRunner,
        clock: Callable[[], int],
    ) -> None:
        self._settings, self._shown, self._runner, self._clock = settings, shown, runner, clock
        self._beside = Beside()
        self._orders = Orders(runner, clock)
        self._before = runner.on_written
        runner.on_written = self._written
        self.link = HomeAssistantLink(
            broker,
            shown,
            devices(settings, shown),
            version=parkwatt.__version__,
            told=self,
        )

    def _written(self, written: Sequence[SiteEvent], now_unix_us: int) -> None:
        """Count the energy of quarters of an hour that are over, and pass all on."""
        if self._before is not None:
            self._before(written, now_unix_us)
        for event in written:
            if isinstance(event, IntervalClosed):
                self._beside.energy.take(event, self._runner.controller.reading)

    def look(self) -> Look:
        """See `Told`."""
        backup = self._runner.backup
        snapshot = None if backup is None else backup.snapshot()
        return look(self._runner.snapshot(), snapshot, self._beside, self._shown.language)

    async def obey(self, device: Device, entity: Entity, value: float | bool | str) -> None:
        """See `Told`."""
        await self._orders.obey(device.path, entity.key, value)

    def refused(self, device: Device, entity: Entity, why: str) -> None:
        """See `Told`."""
        self._beside.refused = f"{device.name}, {entity.name}: {why}"
        log = structlog.get_logger()
        log.warning("Home Assistant: refused", device=device.path, entity=entity.key, reason=why)

    def dropped(self, why: str) -> None:
        """See `Told`."""
        self._beside.refused = why
        structlog.get_logger().warning("Home Assistant: not looked at", reason=why)

    async def account(self) -> NoReturn:
        """Account for the day every few minutes, in a thread."""
        accounts = JournalAccounts(
            self._settings.serve.store.journal, account_settings(self._settings.site)
        )
        await asyncio.sleep(_FIRST_ACCOUNT_S)
        while True:
            try:
                self._beside.saved = await asyncio.to_thread(self._saved, accounts)
            except (ParkwattError, OSError, sqlite3.Error) as error:
                self._beside.saved = None
                structlog.get_logger().warning("Home Assistant: no account", reason=str(error))
            await asyncio.sleep(_ACCOUNT_S)

    def _saved(self, accounts: JournalAccounts) -> Saved:
        now_unix_s = self._clock() // _US
        now = local(now_unix_s, self._settings.site.time_zone)
        since = now.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        since_unix_s = int(since.timestamp())
        money = accounts.view(since_unix_s, now_unix_s, "day").total.money
        return Saved(
            datetime.fromtimestamp(since_unix_s, tz=UTC),
            money.saving_net,
            money.saving_gross,
            money.wear,
        )
