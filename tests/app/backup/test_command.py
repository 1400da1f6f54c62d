"""`parkwatt backup` against a running site with a gateway: the off-grid test and its report, wishes, and `status` beside it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn

from parkwatt.app.cli import main
from tests.app.api.live_served import SITE_TOML, live_served
from tests.app.api.test_backup import Backed
from tests.home.test_controller import CODE, SETTINGS

Cli = Callable[..., Awaitable[int]]
_RETURN_S = int(CODE.delay_s)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.asynccontextmanager
async def _running(directory: Path) -> AsyncIterator[tuple[Backed, Cli]]:
    """A site whose car carries the house, its API on a port, and the command line, which time goes on beside."""
    port = _free_port()
    text = f'{SITE_TOML}\n[api]\nlisten = "127.0.0.1:{port}"\n'
    async with live_served(directory, text) as served:
        backed = Backed(served, replace(SETTINGS, source_car_id="ID.4"))
        config = uvicorn.Config(served.application, port=port, log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)

        async def cli(*words: str) -> int:
            command = [words[0], str(directory / "site.toml"), *words[1:]]
            running = asyncio.create_task(asyncio.to_thread(main, command))
            while not running.done():
                await backed.live(1)
                await asyncio.sleep(0.001)
            return running.result()

        try:
            yield backed, cli
        finally:
            backed.end()
            server.should_exit = True
            await serving


def test_an_off_grid_test_leaves_the_grid_comes_back_and_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story() -> None:
        async with _running(tmp_path) as (backed, cli):
            await backed.served.plugged_in(0.5)
            await backed.live(_RETURN_S + 5)
            capsys.readouterr()
            assert await cli("backup", "test", "--for", "30s") == 0
            told = capsys.readouterr().out
            assert f"leaving the grid for 30 s; then it has to be good for {_RETURN_S} s" in told
            for phase in ("opening: ", "islanding: ", "test: ", "transferring_back: ", "grid: "):
                assert f"  {phase}" in told
            lines = told.splitlines()
            assert lines[-1].startswith("the backup works: fed by its own source ")
            assert lines[-1].endswith("and back on the grid")
            assert backed.gateway.asked[-1] == "close_grid_pole"
            assert (backed.gateway.pole, backed.gateway.source) == ("closed", "open")

    asyncio.run(story())


def test_a_test_that_is_refused_failed_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story() -> None:
        async with _running(tmp_path) as (backed, cli):
            await backed.live(5)
            capsys.readouterr()
            assert await cli("backup", "test", "--for", "10s") == 1
            told = capsys.readouterr().out
            assert "refused: test: the island's source is not ready" in told
            assert "the test failed: the home was not fed by its own source" in told
            assert backed.gateway.asked == []
            assert await cli("backup", "test", "--for", "a while") == 2
            assert await cli("backup", "test", "--for", "9h") == 2

    asyncio.run(story())


def test_wishes_for_driving_are_told_kept_shown_and_taken_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story() -> None:
        async with _running(tmp_path) as (backed, cli):
            await backed.served.plugged_in(0.5)
            await backed.live(2)
            capsys.readouterr()
            words = ("mobility", "ID.4", "--energy", "15kWh", "--by", "07:30")
            assert await cli("backup", *words) == 0
            assert "ID.4 keeps 15.0 kWh by" in capsys.readouterr().out
            assert await cli("backup", "--json") == 0
            shown = json.loads(capsys.readouterr().out)
            assert shown["mobility"][0]["ready_at"] == "2027-01-16T06:30:00Z", "tomorrow, Berlin"
            assert 15.0 < shown["source_floor_kwh"] < 15.5
            assert await cli("backup") == 0
            told = capsys.readouterr().out
            assert "15.0 kWh are kept for driving until Sat 07:30, as ID.4's driver asked" in told
            assert await cli("status") == 0
            told = capsys.readouterr().out
            assert "  backup   Grid" in told
            assert ": the home is on the grid" in told
            assert await cli("backup", "mobility", "ID.4") == 0
            assert "keeps" not in capsys.readouterr().out
            for wrong in (("--energy", "15 km"), ("--energy", "15", "--by", "soon")):
                assert await cli("backup", "mobility", "ID.4", *wrong) == 2
            assert await cli("backup", "mobility") == 2

    asyncio.run(story())
