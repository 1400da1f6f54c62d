"""A generator joins the island of a home whose car is nearly empty, and rests when the grid is back: the whole program."""

from __future__ import annotations

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from parkwatt.app.api.backup_views import backup_view
from parkwatt.app.backup.words import backup_lines
from parkwatt.domain.home.event import GeneratorSwitched
from tests.app.up.backup.home_world import HomeWorld, Wanted, in_home_world
from tests.app.up.backup.site_file import Wire


def _shown(world: HomeWorld) -> list[str]:
    """What `parkwatt backup` says of the generator."""
    view = backup_view(world.runner.snapshot()).model_dump(mode="json")
    lines = backup_lines(view, ZoneInfo("America/Los_Angeles"))
    return [line for line in lines if line.startswith("  generator")]


@pytest.mark.parametrize("wire", ["modbus", "mqtt"])
def test_it_is_started_carries_the_house_and_is_stopped(tmp_path: Path, wire: Wire) -> None:
    async def story(world: HomeWorld) -> None:
        generator = world.home.parts.generator
        assert generator is not None
        await asyncio.sleep(30.0)
        world.do("outage for 12h")
        await world.until_phase("islanded")
        lasted_s = await world.until(lambda: generator.phase == "running", 60.0, "the generator")
        world.figures.append(f"{wire}: the generator runs {lasted_s:.1f} s after the island is lit")
        await asyncio.sleep(120.0)
        assert generator.phase == "running"
        assert generator.power_kw > 0.1, "the house is on it"
        assert any("told to run since" in line for line in _shown(world))
        world.do("outage stop")
        await world.until_lit("grid", 120.0)
        await world.until(lambda: not generator.commanded, 90.0, "the generator to be told to stop")
        told = [event for _, event in world.told() if isinstance(event, GeneratorSwitched)]
        assert [event.on for event in told] == [True, False]
        assert "left for the home" in told[0].reason
        assert "cooled down for 30 s" in told[1].reason

    in_home_world(tmp_path, story, Wanted(wire=wire, soc=0.25, generator_kw=5.0))
