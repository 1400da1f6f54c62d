"""Routes about a running site's own settings: its file as text and as tables, what the doctor finds, and its devices.

A change is checked by the site's own reader, written whole or not at all, and the site begins again with it in the same
process: a second or two, in which chargers go by what they were told last. Comments and order of the file stay.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, Any

import tomlkit
from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from tomlkit.exceptions import TOMLKitError

from parkwatt.app.access.roles import Caller
from parkwatt.app.api.callers import CallerGiven, needs
from parkwatt.app.api.chargers import SiteGiven
from parkwatt.app.api.devices import DeviceView, devices
from parkwatt.app.api.owners_settings import check_reach
from parkwatt.app.api.upkeep import Upkeep
from parkwatt.app.api.views import DetailView
from parkwatt.app.toml_merge import changed_fields, merge, plain
from parkwatt.domain.errors import InputError, InputFault

_NO_FILE: dict[int | str, dict[str, Any]] = {
    409: {
        "model": DetailView,
        "description": "The file changed since, or this server has none of its own",
    }
}
router = APIRouter(prefix="/v1", tags=["settings"], responses=_NO_FILE)
_TURN = asyncio.Lock()
_EXAMINING = asyncio.Lock()


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SettingsView(_View):
    """The site's file."""

    file: str
    version: str = Field(description="changes with the file; send it back with a change")
    text: str
    tables: dict[str, Any]
    trouble: str | None = Field(
        description="why the last change was taken back: the site could not begin with it"
    )


class SettingsRequest(_View):
    """The file anew: its whole ``text``, or ``tables`` that take the place of those it has; comments stay."""

    version: Annotated[str, Field(max_length=64)]
    text: Annotated[str, Field(max_length=400_000)] | None = None
    tables: dict[str, Any] | None = None
    only_check: bool = False


class SettingsChangedView(_View):
    """What became of a change."""

    version: str
    changed: list[str] = Field(description="the fields that mean something else now")
    begins_again: bool = Field(
        description="the site begins again with them now, by itself; false where only words changed, or nothing was written"
    )


class CheckedView(_View):
    """What the doctor found of one thing."""

    level: str = Field(description="ok, warning, error or skipped")
    subject: str
    message: str
    remedy: str = Field(description="what to do about it, empty where nothing is to be done")


def upkeep_of(site: SiteGiven) -> Upkeep:
    """The site's file. Raises HTTPException where this server keeps none."""
    if site.upkeep is None:
        raise HTTPException(409, "this server does not keep its own file: change it by hand")
    return site.upkeep


UpkeepGiven = Annotated[Upkeep, Depends(upkeep_of)]


@router.get("/settings", dependencies=[needs("settings")])
async def show_settings(upkeep: UpkeepGiven) -> SettingsView:
    """The site's file as it is."""
    text = await asyncio.to_thread(upkeep.read)
    return SettingsView(
        file=upkeep.shown,
        version=_version(text),
        text=text,
        tables=plain(_parsed(text)),
        trouble=upkeep.trouble,
    )


@router.put("/settings", dependencies=[needs("settings")])
async def change_settings(
    upkeep: UpkeepGiven, caller: CallerGiven, wish: SettingsRequest
) -> SettingsChangedView:
    """Change the file. Where it then means something else, the site begins again with it, by itself, after this answer."""
    async with _TURN:
        return await _change(upkeep, caller, wish)


@router.get("/doctor", dependencies=[needs("settings")])
async def examine(upkeep: UpkeepGiven) -> list[CheckedView]:
    """What `parkwatt doctor` finds: it may take some seconds."""
    async with _EXAMINING:
        found = await asyncio.to_thread(upkeep.examine)
    return [
        CheckedView(level=one.level, subject=one.subject, message=one.message, remedy=one.remedy)
        for one in found
    ]


@router.get("/devices")
async def list_devices(site: SiteGiven) -> list[DeviceView]:
    """All that the site hears and speaks with: when it was last seen, and what to do where something is wrong."""
    return devices(site)


async def _change(upkeep: Upkeep, caller: Caller, wish: SettingsRequest) -> SettingsChangedView:
    before = await asyncio.to_thread(upkeep.read)
    if wish.version != _version(before):
        raise HTTPException(409, "the file was changed since you read it: read it again")
    after = _wanted(before, wish)
    tables, wanted = plain(_parsed(before)), plain(_parsed(after))
    check_reach(caller, tables, wanted)  # before any file that it names is looked at
    await asyncio.to_thread(upkeep.check, after)
    changed = changed_fields(tables, wanted)
    if not wish.only_check and after != before:
        await asyncio.to_thread(upkeep.write, after)
        if changed:
            upkeep.begin_again()
    return SettingsChangedView(
        version=_version(before if wish.only_check else after),
        changed=changed,
        begins_again=bool(changed) and not wish.only_check,
    )


def _wanted(before: str, wish: SettingsRequest) -> str:
    if (wish.text is None) == (wish.tables is None):
        raise InputError([InputFault("text", "must be given, or tables in its place, not both")])
    if wish.text is not None:
        return wish.text
    document = _parsed(before)
    try:
        merge(document, wish.tables or {})
        text = tomlkit.dumps(document)
        text.encode()  # half a character (a lone surrogate) cannot be written
    except (ValueError, TypeError, RecursionError, TOMLKitError) as error:
        raise InputError([InputFault("tables", f"cannot stand in TOML: {error}")]) from error
    if plain(_parsed(text)) != plain(wish.tables):
        rule = "cannot be put into the file as it is written: send its text in their place"
        raise InputError([InputFault("tables", rule)])
    return text


def _parsed(text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except (ValueError, RecursionError, TOMLKitError) as error:
        raise InputError([InputFault("text", f"is not TOML: {error}")]) from error


def _version(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
