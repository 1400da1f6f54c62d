"""Routes about the past: any moment, and a day as a whole.

They fold in a thread, two at a time: whoever comes third waits. The site's control is asked for nothing but its settings.
"""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from fastapi import APIRouter, HTTPException, Request

from parkwatt.app.api.chargers import SiteGiven
from parkwatt.app.api.past.backup import backup_at
from parkwatt.app.api.past.day import day_view
from parkwatt.app.api.past.journal import HOUR_US, US, PastJournal
from parkwatt.app.api.past.site import site_at
from parkwatt.app.api.past.views import AtView, DayView, SpanView, unknown
from parkwatt.app.api.reasons import unix_us
from parkwatt.app.api.site_routes import NOT_RUN, LiveGiven
from parkwatt.app.api.site_views import site_view
from parkwatt.app.api.views import moment as moment_view
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.home.settings import HomeSettings
from parkwatt.site.live.settings import SiteSettings

router = APIRouter(prefix="/v1/at", tags=["journal"], responses=NOT_RUN)
FOLDS_MAX: Final = 2


class Folds:
    """How many moments are folded at once; the application has one."""

    def __init__(self) -> None:
        self.free = asyncio.Semaphore(FOLDS_MAX)


@router.get("")
async def show_moment(
    request: Request, site: SiteGiven, live: LiveGiven, moment: datetime
) -> AtView:
    """The site and its backup as they were at a moment, by the journal. What that does not hold is null, and listed."""
    at_unix_us = unix_us("moment", moment)
    if at_unix_us > site.now_unix_us():
        rule = "must not be in the future"
        raise InputError([InputFault("moment", rule, moment.isoformat())])
    settings = live.snapshot().settings
    home = None if live.backup is None else live.backup.snapshot().controller.settings
    folds: Folds = request.app.state.folds
    async with folds.free:
        shown = await asyncio.to_thread(_at, site.journal.path, at_unix_us, settings, home)
    if shown is None:
        raise HTTPException(404, "the journal begins later")
    return shown


@router.get("/day")
async def show_day(request: Request, site: SiteGiven, live: LiveGiven, day: date) -> DayView:
    """A local day by quarters of an hour: what the house drew, the sun gave, the cars did."""
    snapshot = live.snapshot()
    today = moment_view(site.now_unix_us()).astimezone(snapshot.settings.time_zone).date()
    if not date(2000, 1, 1) <= day <= today + timedelta(days=1):
        rule = "must be a day since 2000 that has begun"
        raise InputError([InputFault("day", rule, day.isoformat())])
    folds: Folds = request.app.state.folds
    async with folds.free:
        return await asyncio.to_thread(day_view, site.journal.path, day, snapshot.settings)


def _at(
    journal: Path, at_unix_us: int, settings: SiteSettings, home: HomeSettings | None
) -> AtView | None:
    past = PastJournal(journal, at_unix_us)
    if past.last_seq == 0:
        return None
    found = site_at(past, settings)
    minute = found.minute
    hour_unix_us = at_unix_us - at_unix_us % HOUR_US
    return AtView(
        moment=moment_view(at_unix_us),
        site=site_view(found.snapshot, []),
        backup=None if home is None else backup_at(past, home, found.snapshot),
        powers_of=None
        if minute is None
        else _span(minute.start_unix_s * US, minute.duration_s * US),
        circuits_of=None if home is None else _span(hour_unix_us, HOUR_US),
        unknown=unknown(measured=minute is not None, has_backup=home is not None),
    )


def _span(start_unix_us: int, duration_us: int) -> SpanView:
    return SpanView(start=moment_view(start_unix_us), end=moment_view(start_unix_us + duration_us))
