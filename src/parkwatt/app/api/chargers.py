"""Routes about chargers: what they are and do, and commands to them.

Lists come in pages, because the event loop that makes them is the chargers' too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request

from parkwatt.app.api.callers import needs
from parkwatt.app.api.site import Site
from parkwatt.app.api.views import (
    CallAnswer,
    CallRequest,
    ChargerDetails,
    ChargerView,
    DetailView,
    EvseView,
    MessageView,
    SetpointRequest,
    TransactionView,
    charger_details,
    charger_view,
    evse_view,
    moment,
    transaction_view,
)
from parkwatt.domain.charger.command import FrequencyCurve
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp.by_hand import check_by_hand
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.station import Station
from parkwatt.io.ocpp.version import Version
from parkwatt.site.guard.facts import Proposal

router = APIRouter(prefix="/v1")
_EVSE_IDS_MAX = 256
PAGE_MAX = 500
_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": DetailView, "description": "No such charger was ever heard of"}
}
_NO_LINK: dict[int | str, dict[str, Any]] = {
    409: {"model": DetailView, "description": "The charger is not connected"}
}

_OPERATOR = [needs("operate")]

Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]


def running_site(request: Request) -> Site:
    """The site behind the application."""
    site = request.app.state.site
    assert isinstance(site, Site)  # noqa: S101 set by create_application
    return site


SiteGiven = Annotated[Site, Depends(running_site)]


def _station(site: Site, charger_id: str) -> Station:
    station = site.backend.station(charger_id)
    if station is None:
        raise HTTPException(404, f"no charger {charger_id!r} was heard of")
    return station


def _states_after(site: Site, after: str) -> Iterator[tuple[str, ChargerState]]:
    charger_ids = site.backend.charger_ids
    for charger_id in charger_ids[bisect_right(charger_ids, after) :]:
        yield charger_id, _station(site, charger_id).state


@router.get("/chargers", tags=["chargers"])
async def list_chargers(
    site: SiteGiven, connected: bool | None = None, after: str = "", limit: Limit = 100
) -> list[ChargerView]:
    """Chargers that were ever heard of, by id: those after the id ``after``, at most ``limit``.

    ``connected`` keeps those that have a link, or none.
    """
    now_unix_us = site.now_unix_us()
    found = (
        charger_view(state, now_unix_us)
        for _, state in _states_after(site, after)
        if connected is None or state.connected == connected
    )
    return list(islice(found, limit))


@router.get("/chargers/{charger_id}", tags=["chargers"], responses=_UNKNOWN)
async def show_charger(site: SiteGiven, charger_id: str) -> ChargerDetails:
    """A charger with what it told of itself and its last messages."""
    state = _station(site, charger_id).state
    messages = [
        MessageView(at=moment(time), sent=sent, frame=frame)
        for time, sent, frame in site.backend.last_messages(charger_id)
    ]
    return charger_details(state, messages, site.now_unix_us())


@router.get("/chargers/{charger_id}/transactions", tags=["transactions"], responses=_UNKNOWN)
async def charger_transactions(site: SiteGiven, charger_id: str) -> list[TransactionView]:
    """Open transactions and the last that ended, oldest first; the journal has all."""
    state = _station(site, charger_id).state
    return [transaction_view(charger_id, known) for known in state.transactions.values()]


@router.get("/transactions", tags=["transactions"])
async def open_transactions(
    site: SiteGiven, after: str = "", limit: Limit = 100
) -> list[TransactionView]:
    """The transactions that run, by charger: of those after the id ``after``.

    A charger's are not torn apart: where they cross ``limit`` all of them come.
    """
    found: list[TransactionView] = []
    for charger_id, state in _states_after(site, after):
        if len(found) >= limit:
            break
        found += [
            transaction_view(charger_id, known)
            for known in state.transactions.values()
            if known.open
        ]
    return found


@router.put(
    "/chargers/{charger_id}/evses/{evse_id}/setpoint",
    tags=["commands"],
    dependencies=_OPERATOR,
    responses=_UNKNOWN,
)
async def set_power(
    site: SiteGiven, charger_id: str, evse_id: int, wish: SetpointRequest
) -> EvseView:
    """Hold a power, as far as the guard lets it pass.

    What the charger makes of it is in `rung` and in the journal (`setpoint.judged`).
    """
    station = _station(site, charger_id)
    _known_evse(evse_id)
    curve = None
    if wish.frequency_curve is not None:
        curve = FrequencyCurve(
            tuple(point.frequency_hz for point in wish.frequency_curve),
            tuple(point.power_kw for point in wish.frequency_curve),
        )
    proposal = Proposal(
        charger_id,
        evse_id,
        wish.power_kw,
        wish.reason,
        by_driver=True,
        frequency_curve=curve,
    )
    site.hand_power(proposal, wish.lease_s)
    return _evse_view(site, station, evse_id)


@router.delete(
    "/chargers/{charger_id}/evses/{evse_id}/setpoint",
    tags=["commands"],
    dependencies=_OPERATOR,
    responses=_UNKNOWN,
)
async def release_power(site: SiteGiven, charger_id: str, evse_id: int) -> EvseView:
    """End a set-point: the charger charges for its driver."""
    station = _station(site, charger_id)
    _known_evse(evse_id)
    proposal = Proposal(charger_id, evse_id, None, "released through the API", by_driver=True)
    site.hand_power(proposal)
    return _evse_view(site, station, evse_id)


@router.delete(
    "/chargers/{charger_id}/evses/{evse_id}/rung",
    tags=["commands"],
    dependencies=_OPERATOR,
    responses=_UNKNOWN,
)
async def forget_rung(site: SiteGiven, charger_id: str, evse_id: int) -> EvseView:
    """Forget what the charger proved or failed to, so that it is tried anew."""
    station = _station(site, charger_id)
    _known_evse(evse_id)
    site.backend.forget_rung(charger_id, evse_id)
    return _evse_view(site, station, evse_id)


@router.post(
    "/chargers/{charger_id}/calls",
    tags=["commands"],
    dependencies=_OPERATOR,
    responses=_UNKNOWN | _NO_LINK,
)
async def call(site: SiteGiven, charger_id: str, request: CallRequest) -> CallAnswer:
    """Send one message, checked first, and wait for the answer."""
    station = _station(site, charger_id)
    if station.session is None:
        raise HTTPException(409, f"charger {charger_id!r} is not connected")
    version = Version(station.state.protocol)
    check_by_hand(version, station.settings, request.action, request.payload)
    answer = await site.backend.call(
        charger_id,
        Call(
            request.action,
            request.payload,
            "hand",
            "sent by hand",
            urgent=True,
            timeout_s=request.timeout_s,
        ),
    )
    return CallAnswer(
        status=answer.status,
        reason_code=answer.reason_code,
        error=answer.error,
        description=answer.description,
        payload=dict(answer.payload),
    )


def _known_evse(evse_id: int) -> None:
    if not 1 <= evse_id <= _EVSE_IDS_MAX:
        raise HTTPException(404, f"evse_id must be from 1 to {_EVSE_IDS_MAX}, got {evse_id}")


def _evse_view(site: Site, station: Station, evse_id: int) -> EvseView:
    state = station.state
    return evse_view(state.evse(evse_id), site.now_unix_us(), connected=state.connected)
