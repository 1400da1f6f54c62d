"""Routes of the set-up: they are there while a site has no file yet, and work on one draft of it."""

from __future__ import annotations

import asyncio
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException, Request

from parkwatt.app.api.callers import needs
from parkwatt.app.api.setup_views import (
    CatalogueView,
    ChargerInvitedView,
    ChargerRequest,
    CheckRequest,
    CheckView,
    DraftRequest,
    FinishedView,
    LoadFileRequest,
    LoadFileView,
    PreviewView,
    SetUpView,
    catalogue_view,
    preview_view,
    setup_view,
)
from parkwatt.app.api.views import FaultView
from parkwatt.app.set_up.checking import faults_of
from parkwatt.app.set_up.load_file import load_of_year
from parkwatt.app.set_up.set_up import SetUp
from parkwatt.app.set_up.site_toml import battery_of, site_toml
from parkwatt.domain.errors import InputError, InputFault, ParkwattError

router = APIRouter(prefix="/v1/setup", tags=["set-up"], dependencies=[needs("settings")])
_VALUE_CHARACTERS_MAX = 200


def running_setup(request: Request) -> SetUp:
    """The set-up behind the application. Raises HTTPException once the file is written."""
    set_up = request.app.state.set_up
    assert isinstance(set_up, SetUp)  # noqa: S101 set by create_setup_application
    return set_up


SetUpGiven = Annotated[SetUp, Depends(running_setup)]


def unfinished(set_up: SetUpGiven) -> SetUp:
    """The set-up while its file is not written. Raises HTTPException afterwards."""
    if set_up.finished:
        raise HTTPException(409, "the site is set up and begins in a moment")
    return set_up


UnfinishedGiven = Annotated[SetUp, Depends(unfinished)]


@router.get("")
async def show_setup(set_up: SetUpGiven) -> SetUpView:
    """Where the set-up stands: the answers so far, and the chargers that tried to connect."""
    return setup_view(set_up)


@router.get("/catalogue")
async def show_catalogue() -> CatalogueView:
    """What can be chosen from: cars, with the sources of their figures, and bidding zones."""
    return catalogue_view()


@router.post("/check")
async def check_draft(set_up: UnfinishedGiven, wish: CheckRequest) -> CheckView:
    """What is wrong with the answers of a step, or of all; and the file as it would be."""
    _, faults = await asyncio.to_thread(set_up.take, wish.draft)
    told = faults if wish.step is None else faults_of(faults, wish.step)
    return CheckView(
        faults=[_fault_view(fault) for fault in told],
        site_toml=site_toml(wish.draft, set_up.addresses),
    )


@router.post("/preview")
async def preview_draft(set_up: UnfinishedGiven, wish: DraftRequest) -> PreviewView:
    """One night of the site that the answers make, with money."""
    found = await set_up.preview(wish.draft)
    return preview_view(found, battery_of(wish.draft.car)[1])


@router.post("/charger")
async def invite_charger(set_up: UnfinishedGiven, wish: ChargerRequest) -> ChargerInvitedView:
    """Make a password for the charger, or another one: what to type into it."""
    admission = await asyncio.to_thread(set_up.invite, wish.charger)
    return ChargerInvitedView(
        charger_id=wish.charger.id,
        url=set_up.charger_url,
        password=admission.made.password,
    )


@router.post("/load-file")
async def read_load_file(set_up: UnfinishedGiven, wish: LoadFileRequest) -> LoadFileView:
    """What a year of a load in a CSV file would be. The file is not kept."""
    try:
        zone = ZoneInfo(set_up.draft.place.time_zone)
    except (OSError, LookupError, ValueError):
        zone = ZoneInfo("UTC")
    try:
        found = await asyncio.to_thread(load_of_year, wish.text, zone)
    except ParkwattError as error:
        if isinstance(error, InputError):
            raise
        raise InputError([InputFault("home.load_file", str(error))]) from error
    return LoadFileView(kwh_per_year=found.kwh_per_year, days=found.days, column=found.column)


@router.post("/finish", status_code=202)
async def finish(set_up: UnfinishedGiven, wish: DraftRequest) -> FinishedView:
    """Write the site's file. The site begins in a moment, at the same addresses."""
    set_up.finish(wish.draft)
    return FinishedView(site_file=str(set_up.path))


def _fault_view(fault: InputFault) -> FaultView:
    value = None if fault.value is None else str(fault.value)[:_VALUE_CHARACTERS_MAX]
    return FaultView(field=fault.field, rule=fault.rule, value=value)
