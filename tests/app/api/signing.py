"""People and programs at a site of a test: made through the API as an owner makes them, each with a client of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.app.api.live_served import LiveServed

PASSWORD = "correct horse battery"  # noqa: S105 of users that live as long as a test


async def add_user(
    site: LiveServed, name: str, role: str, *, cars: Sequence[str] = (), **rest: Any
) -> None:
    """A new user, by the file's token."""
    body = {"name": name, "role": role, "cars": list(cars), **rest}
    answer = await site.client.post("/v1/users", json=body)
    assert answer.status_code == 201, answer.text


async def link_of(site: LiveServed, name: str | None = None) -> str:
    """The code of a new sign-in link."""
    answer = await site.client.post("/v1/links", json={} if name is None else {"name": name})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["code"])


async def session_of(site: LiveServed, name: str) -> str:
    """The token of a new session of a user."""
    answer = await nobody(site).post("/v1/sessions", json={"link": await link_of(site, name)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


async def api_token(
    site: LiveServed, scopes: Sequence[str], cars: Sequence[str] | None = None
) -> str:
    """A new API token."""
    body = {"label": "a program", "scopes": list(scopes), "cars": cars}
    answer = await site.client.post("/v1/tokens", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def caller(site: LiveServed, token: str) -> httpx.AsyncClient:
    """A client with a token."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(site.application, raise_app_exceptions=False),
        base_url="http://site",
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )


def nobody(site: LiveServed) -> httpx.AsyncClient:
    """A client without a token."""
    return caller(site, "")


@asynccontextmanager
async def person(
    site: LiveServed, name: str, role: str, *, cars: Sequence[str] = (), **rest: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A new user who has signed in."""
    await add_user(site, name, role, cars=cars, **rest)
    async with caller(site, await session_of(site, name)) as client:
        yield client
