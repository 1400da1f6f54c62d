"""The duty that tells people: delivers, tries again, repeats nothing after a restart, and holds nobody up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from parkwatt.app.live_settings.notify import NotifySettings, Person
from parkwatt.app.notices.notifier import Notifier
from parkwatt.site.notices import CarNow, Facts, OutageNow, Rules
from tests.app.notices.hook import Hook, webhook
from tests.app.up.backup.home_world import HomeWorld, Wanted, in_home_world

BERLIN = ZoneInfo("Europe/Berlin")
NOON = 1_800_000_000
CAR = CarNow(car_id="ID.4", charger_id="GARAGE", linked=True, plugged_in=True)
WELL = Facts(cars=(CAR,), outage=OutageNow())
OUT = replace(WELL, outage=OutageNow(since_unix_s=NOON, carried=True, hours_p50=9.0))


@dataclass
class Told:
    """A duty that runs, on a clock that goes a hundred times as fast as the wall's. ``facts``: what it sees."""

    path: Path
    facts: Facts = WELL
    begun_s: float = field(default_factory=time.monotonic)

    def clock(self) -> int:
        """µs since 1970."""
        return NOON * 1_000_000 + round((time.monotonic() - self.begun_s) * 1e8)

    @contextlib.asynccontextmanager
    async def running(self, *urls: str) -> AsyncIterator[asyncio.Task[None]]:
        """The duty within the context."""
        person = Person("Ada", urls, "en", Rules(time_zone=BERLIN))
        settings = NotifySettings("https://home.example", (person,))
        duty = Notifier(settings, lambda: self.facts, self.path, self.clock, round_s=0.02)
        task: asyncio.Task[None] = asyncio.create_task(duty.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool], within_s: float = 20.0) -> None:
    """Wait for it."""
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.01)


def test_an_outage_reaches_each_address_once_and_so_does_its_end(tmp_path: Path) -> None:
    async def story(one: Hook, other: Hook) -> None:
        told = Told(tmp_path / "notices.json")
        async with told.running(one.url, other.url):
            told.facts = OUT
            await until(lambda: bool(one.titles and other.titles))
            told.facts = WELL
            await until(lambda: len(one.titles) == 2 and len(other.titles) == 2)
            await asyncio.sleep(1.0)  # a hundred seconds more
        assert one.titles == other.titles == ["The grid is gone", "The grid is back"]
        assert one.bodies[0].endswith("https://home.example/backup")

    with webhook() as one, webhook() as other:
        asyncio.run(story(one, other))


def test_what_is_not_taken_is_tried_again_also_after_a_restart_and_told_once(
    tmp_path: Path,
) -> None:
    async def story(hook: Hook) -> None:
        told = Told(tmp_path / "notices.json", OUT)
        hook.status = 500
        async with told.running(hook.url):
            await until(lambda: hook.asked_count >= 2)
            await until(lambda: "HTTP" in told.path.read_text() or "500" in told.path.read_text())
        kept = json.loads(told.path.read_text())
        assert kept["outbox"]["letters"][0]["tries"] >= 1
        assert "127.0.0.1" not in json.dumps(kept["people"])
        hook.status = 200
        async with told.running(hook.url):
            await until(lambda: bool(hook.titles))
            await asyncio.sleep(1.0)
        async with told.running(hook.url):
            await asyncio.sleep(0.5)
        assert hook.titles == ["The grid is gone"]

    with webhook() as hook:
        asyncio.run(story(hook))


def test_a_way_that_hangs_holds_nobody_up(tmp_path: Path) -> None:
    async def story(hook: Hook) -> None:
        told = Told(tmp_path / "notices.json", OUT)
        hook.hold.clear()
        async with told.running(hook.url):
            await until(lambda: hook.asked_count == 1)
            longest_s, begun_s = 0.0, time.monotonic()
            while time.monotonic() - begun_s < 1.0:
                before_s = time.monotonic()
                await asyncio.sleep(0.005)
                longest_s = max(longest_s, time.monotonic() - before_s)
            assert longest_s < 0.5
        hook.hold.set()

    with webhook() as hook:
        asyncio.run(story(hook))


def test_whatever_goes_wrong_it_goes_on(tmp_path: Path) -> None:
    class Broken(Told):
        """Sees nothing at first."""

        looked_count = 0

        def look(self) -> Facts:
            self.looked_count += 1
            if self.looked_count < 5:
                raise RuntimeError("no view")
            return OUT

    async def story(hook: Hook) -> None:
        folder = tmp_path / "notices.json"
        folder.mkdir()  # it can be neither read nor written
        told = Broken(folder)
        person = Person("Ada", (hook.url,), "en", Rules(time_zone=BERLIN))
        duty = Notifier(NotifySettings("", (person,)), told.look, folder, told.clock, 0.02)
        task: asyncio.Task[None] = asyncio.create_task(duty.run())
        await until(lambda: bool(hook.titles))
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with webhook() as hook:
        asyncio.run(story(hook))


def test_an_outage_of_a_real_home_is_told(tmp_path: Path) -> None:
    async def story(world: HomeWorld) -> None:
        await asyncio.sleep(30.0)
        world.do("outage for 12h")
        await world.until_phase("islanded")
        await world.until(lambda: len(hook.titles) == 1, 60.0, "the outage to be told")
        await asyncio.sleep(120.0)
        world.do("outage stop")
        await world.until_lit("grid", 900.0)
        await world.until(lambda: len(hook.titles) == 2, 180.0, "its end to be told")

    with webhook() as hook:
        lines = f'[[notify.person]]\nname = "Ada"\nlanguage = "de"\nurls = ["{hook.url}"]\n'
        in_home_world(tmp_path, story, Wanted(site=lines))
        assert hook.titles == ["Stromausfall", "Das Netz ist wieder da"]
        assert hook.bodies[0].startswith("Seit ")
