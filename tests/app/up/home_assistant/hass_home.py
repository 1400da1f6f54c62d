"""A running site with a charger, a broker, and a client that does what Home Assistant does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parkwatt.app.up.home_assistant import home_assistant
from parkwatt.domain.site import event as site_event
from parkwatt.io.store.reader import JournalReader
from tests.app.api.live_served import LiveServed, live_served
from tests.io.mqtt.broker import TestBroker
from tests.io.mqtt.home_assistant.client import Hass, hass

SITE = "parkwatt_site"
CAR = "parkwatt_car_id_4"
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
        duties = home_assistant(site.settings, site.runner, lambda: site.clock[0])
        home = HassHome(site, [asyncio.create_task(duty) for duty in duties])
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
