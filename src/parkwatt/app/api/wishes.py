"""Routes by which a driver says what they want. Each is answered once it is in the journal and the control has looked at it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from parkwatt.app.api.callers import CallerGiven, needs
from parkwatt.app.api.chargers import SiteGiven
from parkwatt.app.api.live import LiveSite
from parkwatt.app.api.site_routes import NOT_RUN, UNKNOWN_CAR, LiveGiven, car_of
from parkwatt.app.api.site_views import (
    DAYS,
    CarView,
    ModeName,
    WishesView,
    car_view,
    wishes_view,
)
from parkwatt.domain.record import Faults
from parkwatt.domain.site.wish import Departure, Wishes

router = APIRouter(prefix="/v1/cars/{car_id}", tags=["wishes"], responses=NOT_RUN | UNKNOWN_CAR)

_US: Final = 1_000_000
_DRIVER: Final = [needs("drive")]
# A control that stands still must not keep a driver waiting: what they said is in the journal by then.
_STEP_S: Final = 3.0
_AHEAD_S: Final = 14 * 86_400
_OLD_S: Final = 86_400
_CLOCK_SKEW_S: Final = 60
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WishesChange(_Wish):
    """What is to hold from now on; what is left out stays as it is."""

    mode: ModeName | None = None
    floor_soc: float | None = Field(None, ge=0.0, le=1.0)
    target_soc: float | None = Field(None, ge=0.0, le=1.0)
    highest_soc: float | None = Field(None, gt=0.0, le=1.0)
    ready_by: dict[str, str | None] | None = Field(
        None,
        description="local times by day of the week (monday …), null: not wanted on that day; days left out stay as they are",
    )
    discharge: bool | None = Field(None, description="whether the driver agrees to discharging")
    until_departure: bool = Field(False, description="then what held before holds again")


class ModeChange(_Wish):
    """Another mode."""

    mode: ModeName
    until_departure: bool = Field(False, description="then the mode before holds again")


class DepartureRequest(_Wish):
    """The next departure."""

    departs_at: datetime
    target_soc: float | None = Field(None, ge=0.0, le=1.0, description="null: the wishes' target")


class SocTelling(_Wish):
    """A state of charge, for a car whose charger does not tell it."""

    soc: float = Field(ge=0.0, le=1.0, description="fraction")
    measured_at: datetime | None = Field(None, description="null: now")


@dataclass(frozen=True, slots=True)
class Told:
    """To whom something is said: the control, and the car that it is about. ``origin``: who says it."""

    live: LiveSite
    car_id: str
    wishes: Wishes
    now_unix_s: int
    origin: str

    async def looked_at(self, step: int) -> CarView:
        """The car, once the control has taken another step than ``step``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STEP_S):
                await self.live.steps.after(step)
        snapshot = self.live.snapshot()
        return car_view(car_of(snapshot, self.car_id), snapshot)


def told_car(site: SiteGiven, live: LiveGiven, caller: CallerGiven, car_id: str) -> Told:
    """The car of the path. Raises HTTPException where there is none of that name."""
    car = car_of(live.snapshot(), car_id)
    return Told(live, car_id, car.view.wishes, site.now_unix_us() // _US, caller.origin)


CarGiven = Annotated[Told, Depends(told_car)]


@router.get("/wishes")
async def show_wishes(car: CarGiven) -> WishesView:
    """What holds for a car now."""
    state = car_of(car.live.snapshot(), car.car_id).view.state
    return wishes_view(car.wishes, until_departure=state.wishes_end)


@router.put("/wishes", dependencies=_DRIVER)
async def change_wishes(car: CarGiven, change: WishesChange) -> CarView:
    """Change what holds for a car, from now on or until its departure. Fields that are left out stay as they are."""
    wishes = changed(car.wishes, change)
    return await _set(car, wishes, until_departure=change.until_departure)


@router.post("/mode", dependencies=_DRIVER)
async def change_mode(car: CarGiven, change: ModeChange) -> CarView:
    """Change the mode alone: now, smart, home, grid or off."""
    wishes = changed(car.wishes, WishesChange.model_validate({"mode": change.mode}))
    return await _set(car, wishes, until_departure=change.until_departure)


@router.put("/departure", dependencies=_DRIVER)
async def ask_departure(car: CarGiven, wish: DepartureRequest) -> CarView:
    """Name the next departure: it goes before weekly times and trips. What is not possible is told in the answer."""
    departure = asked_departure(car, wish.departs_at, wish.target_soc)
    step = car.live.steps.count
    await car.live.ask_departure(car.car_id, departure, origin=car.origin)
    return await car.looked_at(step)


@router.delete("/departure", dependencies=_DRIVER)
async def forget_departure(car: CarGiven) -> CarView:
    """Take the named departure back: weekly times and trips count again."""
    step = car.live.steps.count
    await car.live.ask_departure(car.car_id, None, origin=car.origin)
    return await car.looked_at(step)


@router.post("/soc", dependencies=_DRIVER)
async def tell_soc(car: CarGiven, telling: SocTelling) -> CarView:
    """Tell a state of charge; a later one from the charger goes before it."""
    faults = Faults()
    measured_unix_s = car.now_unix_s
    if telling.measured_at is not None:
        measured_unix_s = _unix_s("measured_at", telling.measured_at, faults)
        if not faults.found and not -_CLOCK_SKEW_S <= car.now_unix_s - measured_unix_s <= _OLD_S:
            rule = "must not be in the future, nor older than a day"
            faults.add("measured_at", rule, telling.measured_at.isoformat())
    faults.raise_if_any()
    measured_unix_s = min(measured_unix_s, car.now_unix_s)
    step = car.live.steps.count
    await car.live.tell_soc(car.car_id, telling.soc, measured_unix_s * _US, origin=car.origin)
    return await car.looked_at(step)


async def _set(car: Told, wishes: Wishes, *, until_departure: bool) -> CarView:
    step = car.live.steps.count
    await car.live.set_wishes(
        car.car_id, wishes, until_departure=until_departure, origin=car.origin
    )
    return await car.looked_at(step)


def asked_departure(car: Told, departs_at: datetime, target_soc: float | None) -> Departure:
    """A departure that is named. Raises InputError with every broken rule."""
    faults = Faults()
    departs_unix_s = _unix_s("departs_at", departs_at, faults)
    if not faults.found and not 0 < departs_unix_s - car.now_unix_s <= _AHEAD_S:
        rule = "must be in the future, at most 14 days ahead"
        faults.add("departs_at", rule, departs_at.isoformat())
    _check_target(car.wishes.floor_soc, target_soc, faults)
    faults.raise_if_any()
    return Departure(departs_unix_s, "asked", target_soc=target_soc)


def changed(wishes: Wishes, change: WishesChange) -> Wishes:
    """The wishes with what is given in ``change``. Raises InputError with every broken rule."""
    faults = Faults()
    given = {
        "mode": change.mode,
        "floor_soc": change.floor_soc,
        "target_soc": change.target_soc,
        "highest_soc": change.highest_soc,
        "consents": change.discharge,
    }
    result = msgspec.structs.replace(
        wishes,
        ready_by_s=_week(wishes.ready_by_s, change.ready_by or {}, faults),
        **{name: value for name, value in given.items() if value is not None},
    )
    if not result.floor_soc <= result.target_soc <= result.highest_soc:
        rule = (
            f"must be from floor_soc ({result.floor_soc:g}) to highest_soc ({result.highest_soc:g})"
        )
        faults.add("target_soc", rule, result.target_soc)
    if result.mode in ("home", "grid") and not result.consents:
        rule = (
            "must be now, smart or off while the driver does not agree to discharging (discharge)"
        )
        faults.add("mode", rule, result.mode)
    faults.raise_if_any()
    return result


def _week(
    before: tuple[int | None, ...], change: dict[str, str | None], faults: Faults
) -> tuple[int | None, ...]:
    times = list(before)
    for day, text in change.items():
        if day not in DAYS:
            faults.add("ready_by", f"must name days of {', '.join(DAYS)}", day)
            continue
        match = None if text is None else _TIME.fullmatch(text)
        if text is not None and match is None:
            faults.add(f"ready_by.{day}", "must be a local time such as 07:30, or null", text)
            continue
        times[DAYS.index(day)] = (
            None if match is None else int(match[1]) * 3600 + int(match[2]) * 60
        )
    return tuple(times)


def _check_target(floor_soc: float, target_soc: float | None, faults: Faults) -> None:
    if target_soc is not None and target_soc < floor_soc:
        faults.add("target_soc", f"must be at least the floor, {floor_soc:g}", target_soc)


def _unix_s(field: str, time: datetime, faults: Faults) -> int:
    if time.tzinfo is None:
        faults.add(field, "must name its zone, as in 2026-11-22T07:30+01:00", time.isoformat())
        return 0
    return int(time.timestamp())
