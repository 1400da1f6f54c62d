"""Watching a car's calendar, a file or an address, and telling its trips when they change.

An address is asked every quarter of an hour, only for what is new (ETag, Last-Modified); after a fault ever more rarely.
The trips read last stay, whatever happens to the calendar. Its address is a secret, so no sentence holds it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

from parkwatt.domain.site.event import SourceChanged, TripsRead
from parkwatt.io.calendars.trips import read_trips
from parkwatt.io.download import (
    BYTES_MAX,
    ClientFactory,
    Page,
    SourceError,
    client_for,
    download,
    status_fault,
)

_LOOK_EVERY_S: Final = 900.0
_LOOK_AT_FILE_EVERY_S: Final = 300.0
_BACK_OFF_S: Final = 120.0
_BACK_OFF_S_MAX: Final = 3600.0
_DAY_S: Final = 86_400
_DAYS_AHEAD: Final = 30
_WHO: Final = "the calendar"

OnTrips = Callable[[TripsRead], None]
OnState = Callable[[SourceChanged], None]


class TripCalendar:
    """The calendar of one car; made by `trip_calendar`."""

    def __init__(
        self,
        car_id: str,
        source: _FileText | _WebText,
        zone: ZoneInfo,
        clock: Callable[[], int],
        match: str | None,
        random: Random,
    ) -> None:
        self._car_id = car_id
        self._source = source
        self._zone = zone
        self._clock = clock
        self._match = match
        self._random = random
        self._told: TripsRead | None = None
        self._state: SourceChanged | None = None

    async def run(self, on_trips: OnTrips, on_state: OnState) -> NoReturn:
        """Look for new trips, for ever; tell them where they differ from those told before."""
        text: str | None = None
        read: tuple[str | None, int] | None = None
        failures = 0
        while True:
            rest_s, retry_after_s = self._source.look_every_s, None
            try:
                new = await self._source.text()
                text = text if new is None else new
                day = self._clock() // 1_000_000 // _DAY_S
                if (text, day) != read:
                    self._tell_trips(on_trips, await self._trips(text or "", day))
                    read = (text, day)
                failures = 0
                self._tell_state(on_state, "")
            except SourceError as error:
                failures += 1
                self._tell_state(on_state, error.reason)
                retry_after_s = error.retry_after_s
                back_off_s = min(_BACK_OFF_S * 2.0 ** min(failures - 1, 10), _BACK_OFF_S_MAX)
                rest_s = max(back_off_s * self._random.uniform(0.7, 1.0), retry_after_s or 0.0)
            await asyncio.sleep(rest_s)

    async def _trips(self, text: str, day: int) -> TripsRead:
        """The trips of a month from the beginning of a day on, so that they change once a day at most of themselves."""
        trips = await asyncio.to_thread(
            read_trips, text, self._zone, day * _DAY_S, (day + _DAYS_AHEAD) * _DAY_S, self._match
        )
        return TripsRead(self._car_id, trips, self._source.kind)

    def _tell_trips(self, on_trips: OnTrips, trips: TripsRead) -> None:
        if trips != self._told:
            self._told = trips
            on_trips(trips)

    def _tell_state(self, on_state: OnState, reason: str) -> None:
        state = SourceChanged(f"calendar {self._car_id}", ok=not reason, reason=reason)
        if state != self._state:
            self._state = state
            on_state(state)


class _FileText:
    """The text of a file, told where it has changed."""

    kind = "file"
    look_every_s = _LOOK_AT_FILE_EVERY_S

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark: tuple[int, int, int] | None = None

    async def text(self) -> str | None:
        """The whole text; None where it is as before. Raises SourceError."""
        try:
            status = self._path.stat()
            mark = (status.st_mtime_ns, status.st_size, status.st_ino)
            if mark == self._mark:
                return None
            if status.st_size > BYTES_MAX:
                raise SourceError(
                    f"{self._path.name} is larger than {BYTES_MAX >> 20} MB", "broken"
                )
            content = self._path.read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SourceError(f"{self._path.name} cannot be read ({reason})", "absent") from None
        self._mark = mark
        return content.decode("utf-8", "replace")


class _WebText:
    """The text at an address, asked for only where it has changed."""

    kind = "address"
    look_every_s = _LOOK_EVERY_S

    def __init__(self, url: str, make_client: ClientFactory) -> None:
        self._url = url
        self._make_client = make_client
        self._before: Page | None = None

    async def text(self) -> str | None:
        """The whole text; None where it is as before. Raises SourceError."""
        headers = {"Accept": "text/calendar"}
        if self._before is not None and self._before.etag is not None:
            headers["If-None-Match"] = self._before.etag
        if self._before is not None and self._before.last_modified is not None:
            headers["If-Modified-Since"] = self._before.last_modified
        async with self._make_client() as client:
            page = await download(
                client, client.build_request("GET", self._url, headers=headers), _WHO
            )
        if page.status == 304 and self._before is not None:
            return None
        if page.status != 200:
            raise status_fault(page, _WHO)
        self._before = page
        return page.body.decode("utf-8", "replace")


def trip_calendar(
    car_id: str,
    where: str,
    *,
    zone: ZoneInfo,
    clock: Callable[[], int],
    match: str | None = None,
    client_factory: ClientFactory | None = None,
    folder: Path = Path(),
    seed: int | None = None,
) -> TripCalendar:
    """The calendar of a car. ``where``: a file, relative to ``folder``, or an address (http, https, webcal).

    ``zone``: of times without one. ``clock``: µs since 1970 UTC. ``match``: only events that hold this text.
    """
    scheme, separator, rest = where.partition("://")
    source: _FileText | _WebText = _FileText(folder / where)
    if separator and scheme.lower() in ("http", "https", "webcal", "webcals"):
        url = where if scheme.lower().startswith("http") else f"https://{rest}"
        source = _WebText(url, client_factory or client_for(url))
    return TripCalendar(car_id, source, zone, clock, match, Random(seed))  # noqa: S311 - spreads questions
