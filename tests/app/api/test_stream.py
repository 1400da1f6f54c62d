"""The live stream as a reader gets it: the state, each reason once and in order, also over a broken connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from parkwatt.app.api import stream
from tests.app.api.live_served import TOKEN, LiveServed, in_live_site


@dataclass
class Reader:
    """A connection to the stream through the whole application; ``takes`` False lets it stand still."""

    status: int = 0
    text: str = ""
    takes: bool = True
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> Message:
        """The reader sends nothing, until it is gone."""
        if not self.status:
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take what comes."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.text += message["body"].decode()
        if not self.takes:
            await asyncio.Event().wait()

    def events(self, name: str) -> list[tuple[int | None, Any]]:
        """Those of one name that came: id and data."""
        found = []
        for block in self.text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if fields.get("event") == name:
                seq = fields.get("id")
                found.append((None if seq is None else int(seq), json.loads(fields["data"])))
        return found

    async def until(self, name: str, count: int) -> list[tuple[int | None, Any]]:
        """Wait for so many of them."""
        async with asyncio.timeout(20):
            while len(self.events(name)) < count:
                await asyncio.sleep(0.02)
        return self.events(name)


@asynccontextmanager
async def reading(
    site: LiveServed, last_event_id: int | None = None, *, takes: bool = True
) -> AsyncIterator[Reader]:
    """A reader of the stream."""
    reader = Reader(takes=takes)
    headers = [(b"authorization", f"Bearer {TOKEN}".encode())]
    if last_event_id is not None:
        headers.append((b"last-event-id", str(last_event_id).encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/v1/stream",
        "raw_path": b"/v1/stream",
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("site", 80),
    }
    task = asyncio.create_task(site.application(scope, reader.receive, reader.send))
    try:
        yield reader
    finally:
        reader.gone.set()
        await asyncio.wait_for(task, 20)


def test_the_state_comes_first_and_again_when_it_changes(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        async with reading(site) as reader:
            first = await reader.until("site", 1)
            assert reader.status == 200
            assert first[0][1]["cars"][0]["doing"] == "away"
            await site.plugged_in(0.4)
            later = await reader.until("site", 2)
            assert later[-1][1]["cars"][0]["plugged_in"]

    in_live_site(tmp_path, test)


def test_every_reason_comes_once_in_order_over_a_broken_connection(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        async with reading(site, 0) as reader:
            await site.plugged_in(0.4)
            heard = await reader.until("reason", 2)
        for mode in ("now", "off", "smart"):  # while nobody listens
            await site.client.post("/v1/cars/ID.4/mode", json={"mode": mode})
        await site.durable()
        everything = (await site.client.get("/v1/reasons?limit=1000")).json()
        last_seq = heard[-1][0]
        missed = [one["seq"] for one in everything if one["seq"] > (last_seq or 0)]
        assert missed
        async with reading(site, last_seq) as reader:
            again = await reader.until("reason", len(missed))
        known = [one["seq"] for one in everything]
        assert [seq for seq, _ in [*heard, *again]][: len(known)] == known

    in_live_site(tmp_path, test)


def test_a_new_reader_is_not_told_of_the_past(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await site.plugged_in(0.4)
        await site.durable()
        before = site.site.journal.last_seq
        async with reading(site) as reader:
            await site.client.post("/v1/cars/ID.4/mode", json={"mode": "now"})
            told = await reader.until("reason", 1)
            assert (told[0][0] or 0) > before

    in_live_site(tmp_path, test)


def test_a_reader_that_takes_nothing_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "SLOW_S", 0.1)

    async def test(site: LiveServed) -> None:
        async with reading(site, takes=False) as reader:
            async with asyncio.timeout(10):
                while site.streams_count:
                    await asyncio.sleep(0.02)
                assert not reader.gone.is_set()
        async with reading(site) as reader:
            await reader.until("site", 1)

    in_live_site(tmp_path, test)


def test_a_quiet_site_shows_that_it_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "EVERY_S", 0.05)
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.1)

    async def test(site: LiveServed) -> None:
        async with reading(site) as reader, asyncio.timeout(10):
            while reader.text.count(": all is as it was") < 3:
                await asyncio.sleep(0.02)
            assert len(reader.events("site")) == 1

    in_live_site(tmp_path, test)


def test_more_readers_than_may_are_turned_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "STREAMS_MAX", 1)

    async def test(site: LiveServed) -> None:
        async with reading(site) as reader:
            await reader.until("site", 1)
            assert (await site.client.get("/v1/stream")).status_code == 503
        async with reading(site) as reader:
            await reader.until("site", 1)

    in_live_site(tmp_path, test)
