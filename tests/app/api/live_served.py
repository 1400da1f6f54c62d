"""A running site in the test's own process: real journal, back end and control; a charger that says what the test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from parkwatt.app.access.access import Access
from parkwatt.app.api.application import create_application
from parkwatt.app.api.site import Site
from parkwatt.app.live_settings import LiveSettings, read_live_settings
from parkwatt.app.metrics import Metrics
from parkwatt.app.up.runner import SiteRunner
from parkwatt.domain.record import Faults
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.ocpp.backend import Backend
from parkwatt.io.ocpp.version import Version
from parkwatt.io.store.reader import JournalReader
from parkwatt.io.store.sqlite_journal import SqliteJournal

TOKEN = "a-token-of-some-length-1234"  # noqa: S105 of a server that lives as long as a test
# A Friday evening in Berlin: 2027-01-15 18:00.
NOW_UNIX_US = int(datetime(2027, 1, 15, 17, tzinfo=UTC).timestamp()) * 1_000_000
SITE_TOML = """\
name = "Home"

[tariff]
currency = "EUR"
time_zone = "Europe/Berlin"

[tariff.import]
otherwise_per_kwh = 0.35
periods = [{ price_per_kwh = 0.15, from = "22:00", to = "05:00" }]

[tariff.export]
price_per_kwh = 0.08

[connection]
fuse_a = 35

[ocpp]
admit_unknown = true

[[charger]]
id = "GARAGE"
discharge = true
power_kw_max = 11

[car]
name = "ID.4"
battery_kwh = 77
charge_kw_max = 11
discharge = true
ready_by = { weekdays = "07:30" }

[meter.grid]
source = "mqtt"
topic = "home/grid/power"

[mqtt]
host = "localhost"
"""


@dataclass
class SayingCharger:
    """A charger of OCPP 1.6 with a link: says something, and accepts what it is told without doing it."""

    backend: Backend
    charger_id: str
    now: Callable[[], int]
    frames: list[list[Any]] = field(default_factory=list)
    transaction_id: int | None = None
    _count: int = 0

    def connect(self) -> None:
        """Get a link and boot."""
        self.backend.opened(self.charger_id, self, Version.V16, 2, "192.0.2.7:4711")
        self.say(
            "BootNotification",
            chargePointVendor="Maker",
            chargePointModel="Box",
            firmwareVersion="1",
        )
        self.status("Available")

    def send(self, frame: bytes) -> None:
        """A frame to it; calls are accepted."""
        message = json.loads(frame)
        self.frames.append(message)
        if message[0] == 3 and "transactionId" in message[2]:
            self.transaction_id = message[2]["transactionId"]
        if message[0] == 2:
            answer: dict[str, Any] = {"status": "Accepted"}
            if message[2] == "GetConfiguration":
                answer = {"configurationKey": [], "unknownKey": []}
            elif message[2] == "GetCompositeSchedule":
                answer = {"status": "Rejected"}
            frame = json.dumps([3, message[1], answer]).encode()
            asyncio.get_running_loop().call_soon(
                self.backend.received, self.charger_id, self, frame
            )

    def close(self, _code: int, _reason: str) -> None:
        """Nothing to end."""

    def say(self, action: str, **payload: Any) -> None:
        """A call from it."""
        self._count += 1
        frame = json.dumps([2, f"m{self._count}", action, payload]).encode()
        self.backend.received(self.charger_id, self, frame)

    def status(self, status: str) -> None:
        """Its connector's state."""
        self.say(
            "StatusNotification",
            connectorId=1,
            errorCode="NoError",
            status=status,
            timestamp=self._time(),
        )

    async def plug_in(self, soc: float) -> None:
        """A car comes, and a transaction begins."""
        self.transaction_id = None
        self.status("Preparing")
        self.say(
            "StartTransaction",
            connectorId=1,
            idTag="CARD",
            meterStart=0,
            timestamp=self._time(),
        )
        async with asyncio.timeout(20):
            while self.transaction_id is None:
                await asyncio.sleep(0.005)
        self.status("Charging")
        self.read(soc, 0.0, 0.0)

    def leave(self) -> None:
        """The car goes."""
        self.say(
            "StopTransaction",
            transactionId=self.transaction_id,
            meterStop=0,
            timestamp=self._time(),
        )
        self.status("Available")

    def read(self, soc: float, power_kw: float, energy_kwh: float) -> None:
        """Its meter's values."""
        self.say(
            "MeterValues",
            connectorId=1,
            transactionId=self.transaction_id,
            meterValue=[
                {
                    "timestamp": self._time(),
                    "sampledValue": [
                        {"value": str(soc * 100), "measurand": "SoC", "unit": "Percent"},
                        {
                            "value": str(power_kw * 1000),
                            "measurand": "Power.Active.Import",
                            "unit": "W",
                        },
                        {
                            "value": str(energy_kwh * 1000),
                            "measurand": "Energy.Active.Import.Register",
                            "unit": "Wh",
                        },
                    ],
                }
            ],
        )

    def _time(self) -> str:
        return datetime.fromtimestamp(self.now() / 1e6, tz=UTC).isoformat()


@dataclass
class LiveServed:
    """A site whose control runs, and a client with the API's token. ``now_unix_us``: the site's clock, moved by the test."""

    settings: LiveSettings
    site: Site
    runner: SiteRunner
    application: FastAPI
    client: httpx.AsyncClient
    charger: SayingCharger
    clock: list[int]

    @property
    def streams_count(self) -> int:
        """How many readers the stream has."""
        return int(self.application.state.streams.count)

    async def durable(self) -> None:
        """Wait until the journal holds all that happened."""
        async with asyncio.timeout(20):
            while self.site.journal.backlog or not self.site.backend.is_settled:
                await asyncio.sleep(0.005)

    async def shows(self, path: str, holds: Callable[[Any], bool], patience_s: float = 20.0) -> Any:
        """What the API shows at ``path``, as soon as ``holds`` says so."""
        shown: Any = None
        try:
            async with asyncio.timeout(patience_s):
                while True:
                    answer = await self.client.get(path)
                    assert answer.status_code == 200, answer.text
                    shown = answer.json()
                    if holds(shown):
                        return shown
                    self.clock[0] += 100_000
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{path} shows only {shown}") from None

    async def plugged_in(self, soc: float) -> Any:
        """A car comes; the API shows it."""
        await self.charger.plug_in(soc)
        return await self.shows(
            "/v1/cars/ID.4", lambda car: car["plugged_in"] and car["soc"] is not None
        )

    def measure(self, grid_kw: float) -> None:
        """The grid's meter tells something."""
        self.runner.on_reading({"grid_kw": grid_kw, "grid_unix_us": self.clock[0]})


@asynccontextmanager
async def live_served(directory: Path, site_toml: str = SITE_TOML) -> AsyncIterator[LiveServed]:
    """The site in ``site_toml``, whose data lie in ``directory``; run again on the same data it goes on where it was."""
    path = directory / "site.toml"
    path.write_text(site_toml, encoding="utf-8")
    faults = Faults()
    settings = read_live_settings(path, faults)
    assert not faults.found
    assert settings is not None
    store = settings.serve.store
    store.directory.mkdir(exist_ok=True)
    store.token.write_text(TOKEN)
    store.token.chmod(0o600)
    clock = [NOW_UNIX_US]

    def now() -> int:
        return clock[0]

    journal = SqliteJournal(store.journal)
    journal.post_with(asyncio.get_running_loop().call_soon_threadsafe)
    backend = Backend(
        journal=journal,
        settings_of=settings.serve.charger,
        clock=now,
        listener=lambda charger_id, events, _: runner.on_charger(charger_id, events),
    )
    runner = SiteRunner(settings.site, backend, journal, now)
    backend.restore()
    runner.restore(JournalReader(store.journal))
    with (
        CredentialStore(store.credentials) as credentials,
        Access(store.access, TOKEN, lambda: clock[0] / 1e6) as access,
    ):
        site = Site(settings.serve, backend, journal, credentials, now, runner)
        application = create_application(site, access, Metrics(backend, journal, site.alarms))
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://site", headers=headers
        ) as client:
            control = asyncio.create_task(runner.run())
            charger = SayingCharger(backend, "GARAGE", now)
            charger.connect()
            running = LiveServed(settings, site, runner, application, client, charger, clock)
            await runner.steps.after(0)
            try:
                yield running
            finally:
                control.cancel()
                await asyncio.gather(control, return_exceptions=True)
                await backend.close()
                journal.close()


def in_live_site(
    directory: Path,
    test: Callable[[LiveServed], Awaitable[None]],
    site_toml: str = SITE_TOML,
) -> None:
    """Run a test beside a running site."""

    async def run() -> None:
        async with live_served(directory, site_toml) as site:
            await test(site)

    asyncio.run(run())
