"""Routes about a pool: what it does now, what is asked of it, its stop, and changes that two people agree to.

They need a running pool (`parkwatt fleet up`); another server answers 409. People are told apart by their names, so that who
proposed a change cannot agree to it; the token in the pool's folder is one person.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import uuid4

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from parkwatt.app.api.callers import CallerGiven, OriginGiven, needs
from parkwatt.app.api.chargers import SiteGiven
from parkwatt.app.api.views import DetailView, moment
from parkwatt.app.pool.live import LivePool, PoolSnapshot
from parkwatt.app.pool.measured import PoolSecond
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.fleet.operation import TargetAsked
from parkwatt.fleet.guard.admission import Limits
from parkwatt.fleet.guard.approvals import Proposal

NOT_RUN: dict[int | str, dict[str, Any]] = {
    409: {"model": DetailView, "description": "No pool runs here"}
}
_UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": DetailView, "description": "There is no such target"}
}
_OPERATOR: Final = [needs("operate")]
_SETTINGS: Final = [needs("settings")]
router = APIRouter(prefix="/v1/pool", tags=["pool"], responses=NOT_RUN)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SecondView(_Body):
    """One step of the pool; kW, from the grid positive."""

    at: datetime
    power_kw: float = Field(description="by the chargers' meters")
    planned_kw: float = Field(description="what it would be without a target")
    target_kw: float | None = Field(description="what was let through; null: nothing is asked")
    up_kw: float = Field(description="how far above the plan it could go now")
    down_kw: float = Field(description="how far below the plan it could go now")


class LimitsView(_Body):
    """How far and fast the pool may be led."""

    up_kw_max: float
    down_kw_max: float
    ramp_kw_per_s: float
    travel_kw: float
    travel_kw_per_s: float
    reversal_s: float


class TargetView(_Body):
    """What somebody asks of the pool."""

    target_id: str
    begin: datetime
    until: datetime
    power_kw: float | None
    change_kw: float | None
    origin: str
    reason: str


class ProposalView(_Body):
    """A change that waits for a second person."""

    proposal_id: int
    proposed_by: str
    reason: str
    limits: LimitsView | None
    resumes: bool


class PoolView(_Body):
    """The pool now. ``held_back_by``: the rules that changed what is asked, ``why``: the same in words."""

    name: str
    now: datetime
    members: int
    plugged_in: int
    linked: int
    last: SecondView | None
    told: int
    missing_kw: float
    target: TargetView | None
    targets: list[TargetView]
    held_back_by: list[str]
    why: str
    stopped_by: str
    limits: LimitsView
    proposals: list[ProposalView]


class TargetRequest(_Body):
    """Ask the pool for a power: at its meter, or by how much it is to leave its plan."""

    power_kw: float | None = None
    change_kw: float | None = None
    begin: datetime | None = Field(None, description="null: now")
    minutes: float = Field(gt=0.0, le=1440.0)
    reason: str = Field("", max_length=200)


class Reason(_Body):
    """Why."""

    reason: str = Field("", max_length=200)


class LimitsRequest(LimitsView):
    """New limits, and why."""

    reason: str = Field("", max_length=200)


class ProposedView(_Body):
    """``proposal_id``: null: it holds already; else it waits for a second person."""

    proposal_id: int | None


def running_pool(site: SiteGiven) -> LivePool:
    """The pool. Raises HTTPException where none runs."""
    if site.pool is None:
        raise HTTPException(409, "no pool runs here: start parkwatt fleet up POOL.toml")
    return site.pool


PoolGiven = Annotated[LivePool, Depends(running_pool)]


@router.get("")
async def show_pool(pool: PoolGiven) -> PoolView:
    """What the pool does now."""
    return pool_view(pool.snapshot())


@router.get("/seconds")
async def show_seconds(
    pool: PoolGiven, last: Annotated[int, Query(ge=1, le=3600)] = 600
) -> list[SecondView]:
    """The last steps, oldest first; an hour of them is kept."""
    return [_second(one) for one in pool.history.seconds(last)]


@router.post("/targets", status_code=201, dependencies=_OPERATOR)
async def ask(
    pool: PoolGiven, site: SiteGiven, wish: TargetRequest, origin: OriginGiven
) -> TargetView:
    """Ask the pool for a power. It holds until another one is asked for, it is over, or taken back."""
    begin = moment(site.now_unix_us()) if wish.begin is None else wish.begin
    if begin.tzinfo is None:
        raise InputError([InputFault("begin", "must name its zone (Z or +01:00)", begin)])
    until = begin + timedelta(minutes=wish.minutes)
    asked = TargetAsked(
        target_id=uuid4().hex[:12],
        from_unix_us=round(begin.timestamp() * 1e6),
        until_unix_us=round(until.timestamp() * 1e6),
        origin=origin,
        power_kw=wish.power_kw,
        change_kw=wish.change_kw,
        reason=wish.reason,
    )
    return _target(await pool.ask(asked))


@router.delete("/targets/{target_id}", dependencies=_OPERATOR, responses=_UNKNOWN)
async def cancel(pool: PoolGiven, target_id: str, origin: OriginGiven) -> PoolView:
    """Take a target back."""
    if not await pool.cancel(target_id, origin):
        raise HTTPException(404, f"there is no target {target_id!r}")
    return pool_view(pool.snapshot())


@router.post("/stop", dependencies=_OPERATOR)
async def stop(pool: PoolGiven, why: Reason, caller: CallerGiven) -> PoolView:
    """Stop the pool at once: it goes back to its plan, and no target passes. One person may."""
    await pool.stop(caller.origin, why.reason)
    return pool_view(pool.snapshot())


@router.post("/resume", dependencies=_OPERATOR)
async def propose_resume(pool: PoolGiven, why: Reason, caller: CallerGiven) -> ProposedView:
    """Propose to end a stop; a second person has to agree."""
    return ProposedView(proposal_id=await pool.propose_resume(caller.origin, why.reason))


@router.put("/limits", dependencies=_SETTINGS)
async def change_limits(pool: PoolGiven, wish: LimitsRequest, caller: CallerGiven) -> ProposedView:
    """Change limits: lower ones hold at once, higher ones once a second person agrees."""
    limits = Limits(*(getattr(wish, name) for name in Limits._fields))
    return ProposedView(proposal_id=await pool.change_limits(caller.origin, limits, wish.reason))


@router.post("/proposals/{proposal_id}/approve", dependencies=_OPERATOR)
async def approve(pool: PoolGiven, proposal_id: int, caller: CallerGiven) -> PoolView:
    """Agree to what somebody else proposed."""
    await pool.approve(caller.origin, proposal_id)
    return pool_view(pool.snapshot())


def pool_view(snapshot: PoolSnapshot) -> PoolView:
    """A snapshot as the API shows it."""
    admitted = snapshot.admitted
    return PoolView(
        name=snapshot.name,
        now=moment(snapshot.now_unix_us),
        members=snapshot.members,
        plugged_in=snapshot.here,
        linked=snapshot.linked,
        last=None if snapshot.last is None else _second(snapshot.last),
        told=snapshot.told,
        missing_kw=snapshot.missing_kw,
        target=None if snapshot.target is None else _target(snapshot.target),
        targets=[_target(one) for one in snapshot.targets],
        held_back_by=[] if admitted is None else list(admitted.rules),
        why="" if admitted is None else admitted.reason,
        stopped_by=snapshot.stopped_by,
        limits=LimitsView(**snapshot.limits._asdict()),
        proposals=[_proposal(one) for one in snapshot.proposals],
    )


def _second(one: PoolSecond) -> SecondView:
    return SecondView(
        at=moment(one.at_unix_us),
        power_kw=one.power_kw,
        planned_kw=one.planned_kw,
        target_kw=one.target_kw,
        up_kw=one.up_kw,
        down_kw=one.down_kw,
    )


def _target(one: TargetAsked) -> TargetView:
    return TargetView(
        target_id=one.target_id,
        begin=moment(one.from_unix_us),
        until=moment(one.until_unix_us),
        power_kw=one.power_kw,
        change_kw=one.change_kw,
        origin=one.origin,
        reason=one.reason,
    )


def _proposal(one: Proposal) -> ProposalView:
    limits = None if one.limits is None else LimitsView(**one.limits._asdict())
    return ProposalView(
        proposal_id=one.proposal_id,
        proposed_by=one.proposed_by,
        reason=one.reason,
        limits=limits,
        resumes=one.resumes,
    )
