"""A home's grid code in its charger: written and read back by the whole program; what the charger says of the grid is shown."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx

from parkwatt.app.up import doctor_chargers
from parkwatt.app.up.doctor_check import Check, Seen
from parkwatt.domain.charger.event import EnterServiceJudged
from parkwatt.io.ocpp.ladder.enter_service import CONTROL_ID
from parkwatt.io.ocpp.replay import Replay
from parkwatt.io.store.reader import JournalReader
from tests.app.up.backup.home_world import HomeWorld, Wanted, in_home_world
from tests.app.up.backup.site_file import CHARGER_ID


async def _charger(world: HomeWorld) -> dict[str, Any]:
    """As the API shows it."""
    serve = world.settings.serve
    token = serve.store.token.read_text(encoding="utf-8").strip()
    async with httpx.AsyncClient(
        base_url=f"http://{serve.api.host}:{serve.api.port}",
        headers={"Authorization": f"Bearer {token}"},
    ) as client:
        shown: dict[str, Any] = (await client.get(f"/v1/chargers/{CHARGER_ID}")).json()
    return shown


def _warnings(world: HomeWorld, shown: dict[str, Any]) -> list[Check]:
    """What `parkwatt doctor` has to say of it."""
    found = doctor_chargers.checks(world.settings, Seen(chargers={CHARGER_ID: shown}))
    return [one for one in found if one.level == "warning" and CHARGER_ID in one.subject]


def test_the_grid_code_is_written_and_alarms_of_the_grid_open_nothing(tmp_path: Path) -> None:
    async def story(world: HomeWorld) -> None:
        await asyncio.sleep(90.0)
        (control,) = world.station.power.der.find(
            is_default=True, kind="EnterService", control_id=CONTROL_ID
        )
        assert (control.body["delay"], control.body["lowFreq"]) == (15.0, 59.5)
        shown = await _charger(world)
        assert shown["enter_service"]["verdict"] == "held"
        assert shown["enter_service"]["grid_code"] == "california-rule21-2022-sb"
        assert _warnings(world, shown) == []

        await world.lines.put("alarm UnderVoltage")
        await asyncio.sleep(60.0)
        shown = await _charger(world)
        assert shown["grid_faults"] == ["UnderVoltage"]
        (warning,) = _warnings(world, shown)
        assert "UnderVoltage" in warning.message
        assert world.moves() == [], "the gateway alone tells whether the grid is there"

        world.do("outage for 12h")
        await world.until_phase("islanded")
        await world.lines.put("alarm UnderVoltage ended")
        await asyncio.sleep(120.0)
        assert (await _charger(world))["grid_faults"] == []
        assert world.phase() == "islanded"

    world = in_home_world(tmp_path, story)
    replay = Replay(world.settings.serve.charger)
    entries = list(JournalReader(world.journal_path).read(subject=CHARGER_ID))
    again = [one for one in map(replay.take, entries) if one is not None]
    assert EnterServiceJudged in {type(one.event) for one in again}
    assert [one.event for one in again if one.same is False] == [], "decided alike from the journal"


def test_a_charger_that_returns_by_other_numbers_is_told(tmp_path: Path) -> None:
    async def story(world: HomeWorld) -> None:
        world.station.faults.der = "lies"
        await asyncio.sleep(90.0)
        shown = await _charger(world)
        assert shown["enter_service"]["verdict"] == "differs"
        (warning,) = _warnings(world, shown)
        assert "delay 0 instead of 60" in warning.message
        assert world.phase() == "grid"

    in_home_world(tmp_path, story, Wanted(grid_code="california-rule21-2016-sa"))
