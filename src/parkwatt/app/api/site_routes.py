"""Routes about a running site: what it does now, its cars, its prices, and the reasons of what was decided.

They need a site's control (`parkwatt up`); a back end that runs without one answers 409.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query

from parkwatt.app.api import reasons, reasons_search
from parkwatt.app.api.chargers import SiteGiven
from parkwatt.app.api.live import LiveCar, LiveSite, LiveSnapshot
from parkwatt.app.api.reasons import ReasonView
from parkwatt.app.api.reasons_search import SearchView
from parkwatt.app.api.site_views import (
    CarView,
    PricesView,
    SiteView,
    car_view,
    prices_view,
    site_view,
)
from parkwatt.app.api.views import DetailView

NOT_RUN: dict[int | str, dict[str, Any]] = {
    409: {"model": DetailView, "description": "Only chargers are served: no control runs here"}
}
UNKNOWN_CAR: dict[int | str, dict[str, Any]] = {
    404: {"model": DetailView, "description": "The site has no such car"}
}
router = APIRouter(prefix="/v1", tags=["site"], responses=NOT_RUN)

_NO_CONTROL = (
    "no site is controlled here, only its chargers are served: start parkwatt up SITE.toml"
)
_STARTING = "the site's control has not looked at its cars yet: ask again in a second"
_DAY_US = 86_400_000_000


def controlled_site(site: SiteGiven) -> LiveSite:
    """The site's control. Raises HTTPException where none runs."""
    if site.live is None:
        raise HTTPException(409, _NO_CONTROL)
    return site.live


LiveGiven = Annotated[LiveSite, Depends(controlled_site)]


def car_of(snapshot: LiveSnapshot, car_id: str) -> LiveCar:
    """A car of the site. Raises HTTPException where there is none of that name, or it was not looked at yet."""
    if snapshot.settings.car(car_id) is None:
        raise HTTPException(404, f"this site has no car {car_id!r}")
    car = snapshot.car(car_id)
    if car is None:
        raise HTTPException(503, _STARTING)
    return car


@router.get("/site")
async def show_site(site: SiteGiven, live: LiveGiven) -> SiteView:
    """What happens at the site now."""
    return site_view(live.snapshot(), site.alarms())


@router.get("/cars")
async def list_cars(live: LiveGiven) -> list[CarView]:
    """The site's cars."""
    snapshot = live.snapshot()
    return [car_view(car, snapshot) for car in snapshot.cars]


@router.get("/cars/{car_id}", responses=UNKNOWN_CAR)
async def show_car(live: LiveGiven, car_id: str) -> CarView:
    """A car."""
    snapshot = live.snapshot()
    return car_view(car_of(snapshot, car_id), snapshot)


@router.get("/prices")
async def show_prices(
    live: LiveGiven, hours: Annotated[int, Query(ge=1, le=168)] = 36
) -> PricesView:
    """Prices from now on, as far as they are known and at most so many hours."""
    return prices_view(live.snapshot(), hours)


@router.get("/reasons")
async def list_reasons(
    site: SiteGiven,
    live: LiveGiven,
    car_id: str | None = None,
    kind: str | None = None,
    begin: Annotated[datetime | None, Query(alias="from")] = None,
    until: datetime | None = None,
    limit: Annotated[int, Query(ge=1, le=reasons.REASONS_MAX)] = 100,
) -> list[ReasonView]:
    """What was decided and why, from the journal: the last ``limit`` of a span, oldest first.

    Without a span: of the last day.
    """
    until_unix_us = None if until is None else reasons.unix_us("until", until)
    end_unix_us = site.now_unix_us() if until_unix_us is None else until_unix_us
    from_unix_us = end_unix_us - _DAY_US if begin is None else reasons.unix_us("from", begin)
    wanted = reasons.Wanted(from_unix_us, until_unix_us, car_id, kind, limit)
    zone = live.snapshot().settings.time_zone
    return await asyncio.to_thread(reasons.read, site.journal.path, wanted, zone)


@router.get("/reasons/search")
async def search_reasons(
    site: SiteGiven,
    live: LiveGiven,
    q: Annotated[str, Query(max_length=200, description="all of these words")] = "",
    language: Annotated[str, Query(pattern="^[a-z]{2}$")] = "en",
    group: Annotated[list[reasons_search.Group] | None, Query()] = None,
    car_id: str | None = None,
    begin: Annotated[datetime | None, Query(alias="from")] = None,
    until: datetime | None = None,
    before_seq: Annotated[int | None, Query(ge=1)] = None,
    following: Annotated[
        bool, Query(description="also set-points that only follow the meter")
    ] = False,
    limit: Annotated[int, Query(ge=1, le=reasons_search.FOUND_MAX)] = 50,
) -> SearchView:
    """What was decided and why, in whose words these words are: from now back, for a second; then from `before_seq` on."""
    wanted = reasons_search.Search(
        words=q,
        language=language,
        groups=tuple(group or ()),
        car_id=car_id,
        from_unix_us=None if begin is None else reasons.unix_us("from", begin),
        until_unix_us=None if until is None else reasons.unix_us("until", until),
        before_seq=before_seq,
        following=following,
        limit=limit,
    )
    zone = live.snapshot().settings.time_zone
    return await asyncio.to_thread(reasons_search.search, site.journal.path, wanted, zone)
