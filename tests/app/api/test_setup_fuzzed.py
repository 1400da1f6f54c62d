"""Whatever is sent to the set-up's API, it answers with a fault and not with a bug."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from parkwatt.app.access.access import Access
from parkwatt.app.api.setup_application import create_setup_application
from parkwatt.app.set_up.set_up import SetUp
from tests.app.api.live_served import NOW_UNIX_US, TOKEN
from tests.app.set_up.test_catalogue import HERE

CASES = 12


def test_no_input_makes_the_set_up_fail(tmp_path: Path) -> None:
    set_up = SetUp(tmp_path / "site.toml", HERE, lambda: NOW_UNIX_US)
    set_up.data_directory.mkdir()
    failures: list[str] = []
    with Access(set_up.data_directory / "access.sqlite", TOKEN) as access:
        application = create_setup_application(set_up, access)
        known = schemathesis.openapi.from_dict(application.openapi())
        operations = [found.ok() for found in known.get_all_operations()]  # type: ignore[union-attr]
        for operation in operations:
            _fuzz(operation, application, failures)
    assert len(operations) >= 10
    assert not failures, "\n".join(failures)


def _fuzz(operation: Any, application: FastAPI, failures: list[str]) -> None:
    """Right and wrong input for one route; once the file is written the rest is refused, which is as good."""

    @settings(
        max_examples=CASES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data(), wrong=st.booleans())
    def try_one(data: st.DataObject, wrong: bool) -> None:
        mode = GenerationMode.NEGATIVE if wrong and operation.body else GenerationMode.POSITIVE
        case = data.draw(operation.as_strategy(mode))
        body = case.body if operation.body else None
        request: dict[str, Any] = {"json": body} if isinstance(body, dict | list | str) else {}
        answer = asyncio.run(_asked(application, operation, request))
        if answer.status_code >= 500:
            failures.append(
                f"{operation.path} {answer.status_code} {answer.text[:200]} {body!r:.300}"
            )

    try_one()


async def _asked(application: FastAPI, operation: Any, request: dict[str, Any]) -> httpx.Response:
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        return await client.request(operation.method, operation.path, headers=headers, **request)
