"""What the doctor says of Home Assistant, by a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from parkwatt.app.live_settings import LiveSettings, load_live_settings
from parkwatt.app.up.doctor_check import Check, Seen
from parkwatt.app.up.doctor_home_assistant import checks
from tests.app.up.home_assistant.hass_home import CAR, site_toml, told_home
from tests.io.mqtt.broker import TestBroker, running
from tests.io.mqtt.home_assistant.client import hass

RUNS = Seen(site={"name": "Home"})


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[TestBroker]:
    with running(tmp_path) as one:
        yield one


def _settings(directory: Path, broker: TestBroker, table: str = "") -> LiveSettings:
    path = directory / "looked_at.toml"
    path.write_text(site_toml(broker, table), encoding="utf-8")
    return load_live_settings(path)


async def _look(settings: LiveSettings, seen: Seen) -> list[Check]:
    return await asyncio.to_thread(lambda: list(checks(settings, seen)))


def test_all_is_told_while_the_site_runs(tmp_path: Path, broker: TestBroker) -> None:
    async def live() -> None:
        settings = _settings(tmp_path, broker)
        (check,) = await _look(settings, RUNS)
        assert check.message == "the broker knows of no Parkwatt that runs"
        async with told_home(tmp_path, site_toml(broker)), hass(broker.port) as seen:
            await seen.until(lambda: (CAR, "mode") in seen.entities)
            await seen.until(lambda: seen.entity(CAR, "mode").available)
            (check,) = await _look(settings, RUNS)
            assert (check.level, check.message[:15]) == ("ok", "2 devices with ")
            (check,) = await _look(_settings(tmp_path, broker, "commands = false"), RUNS)
            assert (check.level, check.message[:20]) == ("error", "not told as they are")

    asyncio.run(live())


def test_a_broker_that_is_away_is_told(tmp_path: Path, broker: TestBroker) -> None:
    settings = _settings(tmp_path, broker)
    (check,) = checks(settings, Seen())
    assert (check.level, check.subject) == ("skipped", "Home Assistant")
    broker.stop()
    (check,) = checks(settings, Seen())
    assert check.level == "error"
    assert "nothing listens" in check.message
    broker.start()


def test_nothing_is_asked_where_nothing_is_told(tmp_path: Path, broker: TestBroker) -> None:
    settings = _settings(tmp_path, broker, "enabled = false")
    assert list(checks(settings, RUNS)) == []
    assert list(checks(replace(settings, home_assistant=None), RUNS)) == []
