"""A running site with a charger, a broker, and a client that does what Home Assistant does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parkwatt.app.up.home_assistant import home_assistant
from parkwatt.app.up.home_runner import home_runner
from parkwatt.domain.home import event as home_event
from parkwatt.domain.home.circuit import Circuit
from parkwatt.domain.site import event as site_event
from parkwatt.io.store.reader import JournalReader
from tests.app.api.live_served import LiveServed, live_served
from tests.app.up.backup.site_file import Ports, write_site
from tests.io.mqtt.broker import TestBroker
from tests.io.mqtt.home_assistant.client import Hass, hass

SITE = "parkwatt_site"
CAR = "parkwatt_car_id_4"
BACKUP = "parkwatt_backup"
CIRCUITS = (
    Circuit("fridge", "Fridge", "must_have", 0.2, 1.2),
    Circuit("oxygen", "Oxygen", "must_have", 0.4, 0.5, medical=True),
    Circuit("sauna", "Sauna", "not_needed", 6.0, 6.0),
)
SITE_TOML = """\
name = "Home"

[tariff]
currency = "EUR"
time_zone = "Europe/Berlin"

[tariff.import]
otherwise_per_kwh = 0.35
periods = [{{ price_per_kwh = 0.15, from = "22:00", to = "05:00" }}]

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

[[car]]
name = "ID.4"
charger = "GARAGE"
battery_kwh = 77
charge_kw_max = 11
discharge = true
ready_by = {{ weekdays = "07:30" }}
{more}
[meter.grid]
source = "mqtt"
topic = "home/grid/power"

[mqtt]
host = "127.0.0.1"
port = {port}

[home_assistant]
{table}
"""
SECOND_CAR = """
[[car]]
name = "Zoé"
charger = "DRIVE"
battery_kwh = 52
charge_kw_max = 11
"""


def site_toml(broker: TestBroker, table: str = "", more: str = "") -> str:
    """The site's file. ``table``: of Home Assistant; ``more``: another car."""
    return SITE_TOML.format(port=broker.port, table=table, more=more)


def backed_site(directory: Path, broker_port: int) -> Path:
    """The file of a home with all that backs it up, over MQTT."""
    path = write_site(
        directory,
        Ports.free(broker_port),
        CIRCUITS,
        wire="mqtt",
        source="car",
        grid_code="california-rule21-2022-sb",
        mode="home",
        connection="",
        more="",
        has_generator=True,
    )
    path.write_text(f"{path.read_text(encoding='utf-8')}\n[home_assistant]\n", encoding="utf-8")
    return path


@dataclass
class HassHome:
    """The site, and what it tells Home Assistant."""

    site: LiveServed
    tasks: list[asyncio.Task[object]]

    def wishes_set(self) -> list[site_event.WishesSet]:
        """Every change of a wish in the journal."""
        return [one for one in self.events() if isinstance(one, site_event.WishesSet)]

    def events(self) -> list[site_event.SiteEvent]:
        """All of the site's events in the journal."""
        reader = JournalReader(self.site.site.journal.path)
        kept = [entry.payload for entry in reader.read(subject=site_event.SUBJECT)]
        return [site_event.decode(payload) for payload in kept if payload is not None]

    def choices(self) -> list[tuple[str, str]]:
        """What was decided on circuits, by the journal."""
        reader = JournalReader(self.site.site.journal.path)
        kept = [entry.payload for entry in reader.read(subject=home_event.SUBJECT)]
        found = [home_event.decode(payload) for payload in kept if payload is not None]
        return [
            (one.circuit_id, one.choice)
            for one in found
            if isinstance(one, home_event.CircuitChosen)
        ]

    async def car(self) -> Any:
        """The car as the API shows it."""
        return (await self.site.client.get("/v1/cars/ID.4")).json()

    async def goes(self) -> None:
        """The program ends in order."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@asynccontextmanager
async def told_home(directory: Path, toml: str) -> AsyncIterator[HassHome]:
    """A site that tells Home Assistant."""
    async with live_served(directory, toml) as site:
        backup = []
        if site.settings.backup is not None:
            clock, journal = site.site.now_unix_us, site.site.journal
            backup = list(home_runner(site.settings.backup, site.runner, journal, clock).duties())
        duties = home_assistant(site.settings, site.runner, lambda: site.clock[0])
        home = HassHome(site, [asyncio.create_task(duty) for duty in (*duties, *backup)])
        try:
            yield home
        finally:
            await home.goes()


@asynccontextmanager
async def with_hass(
    directory: Path, broker: TestBroker, table: str = ""
) -> AsyncIterator[tuple[HassHome, Hass]]:
    """A site and Home Assistant, that has found the car."""
    async with told_home(directory, site_toml(broker, table)) as home, hass(broker.port) as seen:
        await seen.until(lambda: (CAR, "mode") in seen.entities)
        await seen.until(lambda: seen.entity(CAR, "mode").available)
        yield home, seen
