"""A live stream of a site as server-sent events: what it does, at most once a second, and each reason as it is journalled.

`site` events hold the whole state and replace each other, as `backup` events do of a home's backup; `reason` events bear the
journal's number as their id, so that a reader who comes back with `Last-Event-ID` gets what it missed from the journal. Nothing
is queued for a reader: each gets the state as it is when it is ready for it. One that takes nothing for a while is cut off; it
comes back and misses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from parkwatt.app.api import reasons
from parkwatt.app.api.backup_views import BackupView, backup_view
from parkwatt.app.api.callers import AccessGiven, BearerGiven
from parkwatt.app.api.chargers import SiteGiven
from parkwatt.app.api.live import LiveSite
from parkwatt.app.api.site import Site
from parkwatt.app.api.site_routes import NOT_RUN, LiveGiven
from parkwatt.app.api.site_views import SiteView, site_view

router = APIRouter(prefix="/v1", tags=["site"], responses=NOT_RUN)

STREAMS_MAX: Final = 32
EVERY_S: Final = 1.0
HEARTBEAT_S: Final = 15.0
SLOW_S: Final = 10.0
_WAIT_S_MAX: Final = 4 * 3600.0
# A reader that missed more than this looks into the journal itself.
_MISSED_MAX: Final = 500


class Streams:
    """How many readers there are, and whether they may go on; the application has one."""

    def __init__(self) -> None:
        self.count = 0
        self.ended = asyncio.Event()

    def end(self) -> None:
        """The server stops: every reader's stream ends, and comes back when there is one again."""
        self.ended.set()


@router.get(
    "/stream",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events: `site`, `backup` and `reason`, each with JSON as its data",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def stream(
    request: Request,
    site: SiteGiven,
    live: LiveGiven,
    access: AccessGiven,
    given: BearerGiven,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> Response:
    """The site's state whenever it changed, at most once a second, and every reason once it is durable."""
    streams: Streams = request.app.state.streams
    if streams.count >= STREAMS_MAX:
        raise HTTPException(503, f"there are {STREAMS_MAX} readers already")
    token = "" if given is None else given.credentials

    def may_read() -> bool:
        caller = access.caller(token)
        return caller is not None and "read" in caller.scopes

    return SiteStream(site, live, streams, last_event_id, may_read)


class _SignedOutError(Exception):
    """Whoever reads may read no longer."""


class SiteStream(Response):
    """One reader's stream; ends when it goes away, is too slow, or may read no longer (``may_read``)."""

    media_type = "text/event-stream"

    def __init__(
        self,
        site: Site,
        live: LiveSite,
        streams: Streams,
        last_seq: int | None,
        may_read: Callable[[], bool],
    ) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._site = site
        self._live = live
        self._streams = streams
        self._may_read = may_read
        self._seq = site.journal.last_seq if last_seq is None else last_seq
        self._shown: SiteView | None = None
        self._backup_shown: BackupView | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 ASGI
        """Stream until the reader is gone; ASGI's own name."""
        self._streams.count += 1
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(self._write(send))
                await _first(_gone(receive), self._streams.ended.wait())
                writing.cancel()
            if self._streams.ended.is_set():
                async with asyncio.timeout(SLOW_S):
                    await send({"type": "http.response.body", "body": b""})
        except* (TimeoutError, _SignedOutError):
            pass  # too slow, or signed out: the connection ends
        finally:
            self._streams.count -= 1

    async def _write(self, send: Send) -> None:
        async def say(text: str) -> None:
            async with asyncio.timeout(SLOW_S):
                await send({"type": "http.response.body", "body": text.encode(), "more_body": True})

        await say("retry: 2000\n\n")
        pace = _Pace()
        while True:
            if not self._may_read():
                await send({"type": "http.response.body", "body": b""})
                raise _SignedOutError
            step = self._live.steps.count
            text = await self._reasons() + self._state() + self._backup()
            if text:
                await say(text)
            await pace.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_S):
                    await self._live.steps.after(step)
                    continue
            await say(": all is as it was\n\n")

    def _state(self) -> str:
        """The state, where it is another one."""
        view = site_view(self._live.snapshot(), self._site.alarms())
        before, self._shown = self._shown, view
        if before is not None and view == before.model_copy(update={"at": view.at}):
            return ""
        return f"event: site\ndata: {view.model_dump_json()}\n\n"

    def _backup(self) -> str:
        """The home's backup, where it has one and it is another one."""
        backup = self._live.backup
        if backup is None:
            return ""
        view = backup_view(backup.snapshot())
        before, self._backup_shown = self._backup_shown, view
        if before is not None and _same_backup(view, before):
            return ""
        return f"event: backup\ndata: {view.model_dump_json()}\n\n"

    async def _reasons(self) -> str:
        """What was journalled since the last look."""
        if self._site.journal.last_seq <= self._seq:
            return ""
        last_seq, zone = self._site.journal.last_seq, self._live.snapshot().settings.time_zone
        journal: Path = self._site.journal.path
        found = await asyncio.to_thread(reasons.read_after, journal, self._seq, zone, _MISSED_MAX)
        self._seq = found[-1].seq if len(found) == _MISSED_MAX else last_seq
        return "".join(
            f"event: reason\nid: {reason.seq}\ndata: {reason.model_dump_json()}\n\n"
            for reason in found
        )


def _same_backup(view: BackupView, before: BackupView) -> bool:
    """Whether nothing happened but time, and the gateway said the same again."""
    gateway = before.gateway
    if gateway is not None and view.gateway is not None:
        gateway = gateway.model_copy(update={"told_at": view.gateway.told_at})
    return view == before.model_copy(update={"at": view.at, "gateway": gateway})


class _Pace:
    """Waits a second by the wall's clock, also where the site's own time is simulated: it finds out how fast that passes."""

    def __init__(self) -> None:
        self._wait_s = EVERY_S

    async def wait(self) -> None:
        begun_s = time.monotonic()
        await asyncio.sleep(self._wait_s)
        took_s = time.monotonic() - begun_s
        if took_s < EVERY_S / 2:
            self._wait_s = min(2 * self._wait_s, _WAIT_S_MAX)
        elif took_s > 2 * EVERY_S:
            self._wait_s = max(self._wait_s / 2, EVERY_S)


async def _first(*waiting: Coroutine[Any, Any, object]) -> None:
    """Wait for the first of them; the others are given up."""
    tasks = [asyncio.create_task(one) for one in waiting]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    """Wait until the reader went away."""
    while (await receive())["type"] != "http.disconnect":
        pass
