"""An operator's OpenADR server commands a pool over real sockets: what it asks is given, what it cancels or forges is not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from parkwatt.domain.fleet.operation import GridEventTold, GridLink
from parkwatt.io.openadr.durations import iso_time
from tests.app.pool.pool_world import BEGIN, PoolWorld, in_pool, members, write_pool
from tests.io.openadr.vtn import Quirks, TestVtn, event, vtn

CARS = 6
LEVELS = "[-5, -20, -40]"

Told = Callable[[TestVtn, PoolWorld, str], Awaitable[None]]


def at(seconds: float) -> str:
    """A time of the story."""
    return iso_time(round((BEGIN + timedelta(seconds=seconds)).timestamp() * 1e6))


def pool_with_operator(
    tmp_path: Path, told: Told, more: str = "", quirks: Quirks | None = None
) -> PoolWorld:
    """Let a pool live with a server whose programme is `flex`. The pool's file names the server before that has a port."""
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    path = write_pool(tmp_path, members(CARS))
    pool_toml = path.read_text(encoding="utf-8")

    async def prepare(server: TestVtn) -> None:
        server.now = BEGIN.strftime("%Y-%m-%dT%H:%M:%S")
        path.write_text(
            f'{pool_toml}\n[openadr]\nurl = "{server.url}"\nclient_id = "ven"\nven_name = "north"\n'
            f'client_secret_file = "secret"\npoll_s = 5\nlost_s = 60\n{more}\n'
            f'[[openadr.program]]\nname = "flex"\nsimple_levels_kw = {LEVELS}\n',
            encoding="utf-8",
        )

    async def story(world: PoolWorld) -> None:
        assert world.beside is not None
        server: TestVtn = world.beside
        program = server.put("programs", {"programName": "flex"})
        await asyncio.sleep(25)
        await told(server, world, program)

    return in_pool(path, story, beside=lambda: vtn(quirks), prepare=prepare)


def whats(world: PoolWorld) -> list[tuple[str, str]]:
    found = world.journal("pool.grid_event")
    return [(one.what, one.event_id) for one in found if isinstance(one, GridEventTold)]


def test_a_set_point_is_followed_changed_and_cancelled(tmp_path: Path) -> None:
    async def told(server: TestVtn, world: PoolWorld, program: str) -> None:
        reports = [{"payloadType": "DEMAND", "numIntervals": 1, "startInterval": 1, "repeat": -1}]
        asked = event(
            program,
            ("DISPATCH_SETPOINT", [-30.0]),
            ("DISPATCH_SETPOINT", [-10.0]),
            start=at(40),
            duration="PT3M",
            eventName="peak",
            reportDescriptors=reports,
        )
        peak = server.put("events", asked)
        await asyncio.sleep(10)
        assert abs(world.power_kw) < 0.5, "not before it begins"
        await asyncio.sleep(30)
        assert world.power_kw == pytest.approx(-30.0, rel=0.05)
        shown = await world.shown()
        assert shown["target"]["reason"] == "flex: peak"
        assert shown["target"]["origin"] == "openadr north"
        await asyncio.sleep(180)
        assert world.power_kw == pytest.approx(-10.0, rel=0.05)
        # The first three minutes were reported: most of them at what was asked for.
        await asyncio.sleep(20)
        (report,) = server.objects["reports"].values()
        (value,) = report["resources"][0]["intervals"][0]["payloads"][0]["values"]
        assert value == pytest.approx(-30.0, rel=0.15)
        server.put(
            "events",
            asked
            | {
                "intervals": [
                    {"id": 0, "payloads": [{"type": "DISPATCH_SETPOINT", "values": [-20]}]}
                ],
                "intervalPeriod": {"start": at(40), "duration": "PT1H"},
            },
            peak,
        )
        await asyncio.sleep(25)
        assert world.power_kw == pytest.approx(-20.0, rel=0.05)
        server.remove("events", peak)
        await asyncio.sleep(25)
        assert abs(world.power_kw) < 0.5
        assert (await world.shown())["targets"] == []

    world = pool_with_operator(tmp_path, told)
    assert [what for what, _ in whats(world)] == ["new", "changed", "cancelled"]


def test_events_that_are_wrong_or_of_others_move_nobody(tmp_path: Path) -> None:
    async def told(server: TestVtn, world: PoolWorld, program: str) -> None:
        other = server.put("programs", {"programName": "somebody's"})
        server.put("events", event(other, ("DISPATCH_SETPOINT", [-30.0]), start=at(0)))
        server.put("events", event("nowhere", ("DISPATCH_SETPOINT", [-30.0]), start=at(0)))
        server.put("events", event(program, ("DISPATCH_SETPOINT", ["all of it"]), start=at(0)))
        server.put(
            "events", event(program, ("DISPATCH_SETPOINT", [-30_000.0]), start=at(0), priority=9)
        )
        await asyncio.sleep(25)
        assert abs(world.power_kw) < 0.5
        assert (await world.shown())["held_back_by"] == ["refused"]
        # One that is right and comes first in priority is followed beside them.
        server.put(
            "events", event(program, ("DISPATCH_SETPOINT", [-12.0]), start=at(0), priority=1)
        )
        await asyncio.sleep(30)
        assert world.power_kw == pytest.approx(-12.0, rel=0.05)

    world = pool_with_operator(tmp_path, told)
    assert sorted(what for what, _ in whats(world)) == [
        "new",
        "new",
        "refused",
        "refused",
        "refused",
    ]


def test_levels_changes_and_limits(tmp_path: Path) -> None:
    async def told(server: TestVtn, world: PoolWorld, program: str) -> None:
        level = server.put("events", event(program, ("SIMPLE", [2]), start=at(0)))
        await asyncio.sleep(25)
        assert world.power_kw == pytest.approx(-20.0, rel=0.05)
        server.put("events", event(program, ("EXPORT_CAPACITY_LIMIT", [15.0]), start=at(0)))
        await asyncio.sleep(20)
        assert world.power_kw == pytest.approx(-15.0, rel=0.05)
        server.remove("events", level)
        server.put("events", event(program, ("DISPATCH_SETPOINT_RELATIVE", [18.0]), start=at(0)))
        # From giving to taking lies a minute.
        await asyncio.sleep(30)
        assert abs(world.power_kw) < 0.5
        await asyncio.sleep(60)
        assert world.power_kw == pytest.approx(18.0, rel=0.05)

    pool_with_operator(tmp_path, told)


def test_a_server_that_is_lost_leads_no_more_until_it_is_back(tmp_path: Path) -> None:
    async def told(server: TestVtn, world: PoolWorld, program: str) -> None:
        server.put("events", event(program, ("DISPATCH_SETPOINT", [40.0]), start=at(0)))
        await asyncio.sleep(25)
        assert world.power_kw == pytest.approx(40.0, rel=0.05)
        server.quirks.fails = 503
        await asyncio.sleep(30)
        assert world.power_kw == pytest.approx(40.0, rel=0.05), "a short outage changes nothing"
        await asyncio.sleep(60)
        assert abs(world.power_kw) < 0.5
        server.quirks.fails = 0
        await asyncio.sleep(60)
        assert world.power_kw == pytest.approx(40.0, rel=0.05)

    world = pool_with_operator(tmp_path, told)
    links = [one.lost for one in world.journal("pool.grid_link") if isinstance(one, GridLink)]
    assert links[-2:] == [True, False]


def test_while_the_server_is_lost_the_pool_stays_within_its_fallback(tmp_path: Path) -> None:
    async def told(server: TestVtn, world: PoolWorld, _program: str) -> None:
        server.quirks.fails = 500
        answer: Any = await world.ask(30, power_kw=60.0)
        assert answer["power_kw"] == 60.0
        await asyncio.sleep(20)
        assert world.power_kw == pytest.approx(60.0, rel=0.05)
        await asyncio.sleep(70)
        assert world.power_kw == pytest.approx(25.0, rel=0.05)

    pool_with_operator(tmp_path, told, "fallback_import_kw = 25")


def test_faults_of_the_table_are_told_with_the_others(tmp_path: Path) -> None:
    from parkwatt.app.pool.settings import load_pool_settings
    from parkwatt.domain.errors import InputError

    more = (
        '[openadr]\nurl = "http://vtn.example"\nclient_id = "ven"\nven_name = "north"\npoll_s = 30\nlost_s = 31\n'
        'client_secret_file = "nowhere"\nwebhook_url = "ftp://x"\n'
        '[[openadr.program]]\nname = "flex"\nsetpoint_sign = "up"\nsimple_levels_kw = [1]\n'
    )
    path = write_pool(tmp_path, members(1), more)
    with pytest.raises(InputError) as caught:
        load_pool_settings(path)
    told = str(caught.value)
    for words in (
        "openadr.url: must be https, but on this machine",
        "openadr.lost_s: must be at least twice poll_s",
        "openadr.client_secret_file: there is no such file",
        "openadr.webhook_url: must be a whole address",
        "openadr.webhook_url: webhook_listen and webhook_url go together",
        "openadr.program[0].setpoint_sign: must be one of import, export",
        "openadr.program[0].simple_levels_kw: must be three powers",
    ):
        assert words in told, told
    assert isinstance(BEGIN, datetime)
