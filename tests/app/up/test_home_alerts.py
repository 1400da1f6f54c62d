"""Storms and outages that a feed tells reach the home's reserve, the journal and the API, and go when they are taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from parkwatt.app.up.home_runner import HomeRunner
from parkwatt.app.up.home_settings import home_settings
from parkwatt.io.store.reader import JournalReader
from tests.app.api.live_served import NOW_UNIX_US, LiveServed, live_served
from tests.app.api.test_backup import SayingGateway
from tests.app.live_settings.test_backup import BY_LAYOUT, SITE
from tests.app.live_settings.test_settings import settings_of
from tests.home.test_controller import SETTINGS, US
from tests.io.alerts.cap_text import NOON, entry, feed, settings
from tests.io.web_server import Asked, Reply, web_server

BASE_H = (NOW_UNIX_US // US - NOON) / 3600
STORM = entry("wind-1", onset_h=BASE_H + 6, expires_h=BASE_H + 18)


async def _lives_until(
    served: LiveServed, feed_url: str, holds: Callable[[HomeRunner], bool]
) -> HomeRunner:
    """A home taken up from the journal, with all its duties, until something holds."""
    home = HomeRunner(
        SETTINGS,
        served.runner,
        served.site.journal,
        lambda: served.clock[0],
        SayingGateway(),
        alerts=replace(settings(), url=feed_url),
    )
    home.restore(JournalReader(served.site.journal.path))
    tasks = [asyncio.ensure_future(duty) for duty in home.duties()]
    try:
        async with asyncio.timeout(20):
            while not holds(home):
                await asyncio.sleep(0.02)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await served.durable()
    return home


def test_what_a_feed_tells_is_prepared_for_over_a_restart_and_taken_back(tmp_path: Path) -> None:
    entries = [STORM]

    def answer(_: Asked) -> Reply:
        return Reply(feed(entries)) if entries != ["broken"] else Reply(status=500)

    def told(home: HomeRunner) -> list[str]:
        return [one.announcement_id for one in home.controller.state.announced.announcements]

    async def story() -> None:
        async with live_served(tmp_path) as served, web_server(answer) as web:
            url = f"{web.url}/feed"
            home = await _lives_until(
                served, url, lambda home: home.controller.preparation is not None
            )
            assert len(told(home)) == 1
            assert home.controller.preparation is not None
            assert "a storm from" in home.controller.preparation.reason
            shown = (await served.client.get("/v1/backup")).json()
            assert [one["outage"] for one in shown["announcements"]] == ["storm"]
            # A feed in trouble takes nothing back, over a restart too, and is told among the sources.
            entries[:] = ["broken"]
            sources = served.runner.controller.state.sources
            home = await _lives_until(
                served, url, lambda _: any(not one.ok for one in sources.values())
            )
            assert len(told(home)) == 1
            entries.clear()
            home = await _lives_until(served, url, lambda home: not told(home))
            assert home.controller.state.announced.announcements == ()
            kinds = [one.kind for one in JournalReader(served.site.journal.path).read()]
            assert kinds.count("outage.announced") == 2
            web.hang_up()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("alerts", "hours"),
    [
        ("", 24.0),
        ('[backup.alerts]\nurl = "https://alerts.example/feed"\n', 12.0),
        ('[backup.alerts]\nurl = "https://alerts.example/feed"\noutage_hours = 36\n', 36.0),
    ],
)
def test_how_long_a_storm_takes_the_grid_is_the_feeds_setting(
    tmp_path: Path, alerts: str, hours: float
) -> None:
    found = settings_of(tmp_path, SITE + BY_LAYOUT + alerts)
    assert found.backup is not None
    assert home_settings(found.backup, found.site).expected_outage_s == hours * 3600
