"""The route about the plan that a site follows."""

from __future__ import annotations

from fastapi import APIRouter

from parkwatt.app.api.site_routes import NOT_RUN, LiveGiven
from parkwatt.app.api.site_views import PlanView, plan_view

router = APIRouter(prefix="/v1", tags=["site"], responses=NOT_RUN)


@router.get("/plan")
async def show_plan(live: LiveGiven) -> PlanView | None:
    """The plan that is followed, with its reasons; null before the first one."""
    snapshot = live.snapshot()
    return None if snapshot.plan is None else plan_view(snapshot.plan, snapshot.plan_because)
