"""Watching a feed of alerts, and telling the outages that it announces as they come, change and go.

The feed is asked every five minutes, only for what is new (ETag, Last-Modified); after a fault ever more rarely. It holds the
alerts that are in force: one that was told and is in it no more was taken back, and that is told too. What was told stands,
whatever happens to the feed. Nothing is kept in a file: what was told is in the journal, and ``standing`` says what of it still
stands, so that nothing is told twice after a restart, and what went away meanwhile is taken back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from random import Random
from typing import Final, NoReturn
from urllib.parse import urlsplit

from parkwatt.domain.home.event import OutageAnnounced
from parkwatt.domain.site.event import SourceChanged
from parkwatt.io.alerts.cap import WHO, CapAlert, read_cap
from parkwatt.io.alerts.match import announcements
from parkwatt.io.alerts.settings import AlertSettings
from parkwatt.io.download import (
    ClientFactory,
    Page,
    SourceError,
    client_for,
    download,
    status_fault,
)

LOOK_EVERY_S: Final = 300.0
BACK_OFF_S: Final = 60.0
BACK_OFF_S_MAX: Final = 1800.0

OnAnnounced = Callable[[OutageAnnounced], None]
OnState = Callable[[SourceChanged], None]


class AlertFeed:
    """The feed of alerts of a home; made by `alert_feed`."""

    def __init__(
        self,
        settings: AlertSettings,
        clock: Callable[[], int],
        standing: Callable[[], Iterable[OutageAnnounced]],
        make_client: ClientFactory,
        random: Random,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._standing = standing
        self._make_client = make_client
        self._random = random
        self._origin = f"alerts {urlsplit(settings.url).hostname}"
        self._before: Page | None = None
        self._state: SourceChanged | None = None

    async def run(self, on_announced: OnAnnounced, on_state: OnState) -> NoReturn:
        """Look for new alerts, for ever; tell what is announced, and the feed's own state."""
        alerts: tuple[CapAlert, ...] = ()
        failures = 0
        while True:
            try:
                body = await self._body()
                if body is not None:
                    alerts = await asyncio.to_thread(read_cap, body)
                self._tell(alerts, on_announced)
                failures, rest_s = 0, LOOK_EVERY_S * self._random.uniform(0.9, 1.1)
                self._tell_state(on_state, "")
            except SourceError as error:
                self._before = None  # what cannot be read is asked for as a whole
                failures += 1
                self._tell_state(on_state, error.reason)
                back_off_s = min(BACK_OFF_S * 2.0 ** min(failures - 1, 10), BACK_OFF_S_MAX)
                rest_s = back_off_s * self._random.uniform(0.7, 1.0)
                rest_s = max(rest_s, error.retry_after_s or 0.0)
            await asyncio.sleep(rest_s)

    async def _body(self) -> bytes | None:
        """The whole feed; None where it is as before. Raises SourceError."""
        headers = {"Accept": "application/atom+xml, application/cap+xml, application/xml"}
        if self._before is not None and self._before.etag is not None:
            headers["If-None-Match"] = self._before.etag
        if self._before is not None and self._before.last_modified is not None:
            headers["If-Modified-Since"] = self._before.last_modified
        async with self._make_client() as client:
            request = client.build_request("GET", self._settings.url, headers=headers)
            page = await download(client, request, WHO)
        if page.status == 304 and self._before is not None:
            return None
        if page.status != 200:
            raise status_fault(page, WHO)
        self._before = page
        return page.body

    def _tell(self, alerts: tuple[CapAlert, ...], on_announced: OnAnnounced) -> None:
        """What differs from what stands: new and changed announcements, and those that are gone."""
        now_unix_s = self._clock() // 1_000_000
        found = announcements(alerts, self._settings, self._origin, now_unix_s)
        told = {one.announcement_id: one for one in self._standing() if one.origin == self._origin}
        for announcement_id, one in found.items():
            if told.get(announcement_id) != one:
                on_announced(one)
        for announcement_id, one in told.items():
            if announcement_id not in found and one.end_unix_s > now_unix_s:
                on_announced(_withdrawn(one))

    def _tell_state(self, on_state: OnState, reason: str) -> None:
        state = SourceChanged(self._origin, ok=not reason, reason=reason)
        if state != self._state:
            self._state = state
            on_state(state)


def _withdrawn(one: OutageAnnounced) -> OutageAnnounced:
    return OutageAnnounced(
        announcement_id=one.announcement_id,
        outage=one.outage,
        start_unix_s=one.start_unix_s,
        end_unix_s=one.end_unix_s,
        origin=one.origin,
        withdrawn=True,
        text=one.text,
    )


def alert_feed(
    settings: AlertSettings,
    *,
    clock: Callable[[], int],
    standing: Callable[[], Iterable[OutageAnnounced]],
    client_factory: ClientFactory | None = None,
    seed: int | None = None,
) -> AlertFeed:
    """The feed that ``settings`` describe.

    ``clock``: µs since 1970 UTC. ``standing``: the announcements that stand by the journal, of whomever
    (`parkwatt.home.announced.AnnouncedState.announcements`); what `AlertFeed.run` tells must be in it at the next call.
    ``seed``: of the random spread of questions; None draws it.
    """
    random = Random(seed)  # noqa: S311 - spreads questions, keeps no secret
    return AlertFeed(settings, clock, standing, client_factory or client_for(settings.url), random)
