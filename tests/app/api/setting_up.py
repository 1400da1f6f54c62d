"""A set-up in the test's own process, with a client of the API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from parkwatt.app.access.access import Access
from parkwatt.app.api.setup_application import create_setup_application
from parkwatt.app.set_up.set_up import SetUp
from tests.app.api.live_served import NOW_UNIX_US, TOKEN
from tests.app.set_up.test_catalogue import HERE


@dataclass
class SettingUp:
    """``client`` has every scope, ``nobody`` none."""

    set_up: SetUp
    access: Access
    client: httpx.AsyncClient
    nobody: httpx.AsyncClient

    async def draft(self, **steps: dict[str, Any]) -> dict[str, Any]:
        """The draft as it is, with these answers."""
        draft: dict[str, Any] = (await self.client.get("/v1/setup")).json()["draft"]
        for step, answers in steps.items():
            draft[step] |= answers
        return draft


def setting_up(folder: Path, test: Callable[[SettingUp], Awaitable[None]]) -> None:
    """Run a test beside a set-up of `site.toml` in ``folder``."""

    async def run() -> None:
        set_up = SetUp(folder / "site.toml", HERE, lambda: NOW_UNIX_US)
        set_up.data_directory.mkdir()
        with Access(set_up.data_directory / "access.sqlite", TOKEN) as access:
            application = create_setup_application(set_up, access)
            transport = httpx.ASGITransport(application, raise_app_exceptions=False)
            headers = {"Authorization": f"Bearer {TOKEN}"}
            async with (
                httpx.AsyncClient(
                    transport=transport, base_url="http://x", headers=headers
                ) as client,
                httpx.AsyncClient(transport=transport, base_url="http://x") as nobody,
            ):
                await test(SettingUp(set_up, access, client, nobody))

    asyncio.run(run())
