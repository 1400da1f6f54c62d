"""What a wish would cost before it is said, what nothing but charging at once would cost, and the bands of load and sun.

All of it asks the site's own planner, in a thread, one question at a time: the control never waits for it. Nothing is changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final, Literal, TypeVar

import msgspec
import numpy as np
from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from parkwatt.app.api.callers import needs
from parkwatt.app.api.site_routes import NOT_RUN, UNKNOWN_CAR, LiveGiven, car_of
from parkwatt.app.api.views import moment
from parkwatt.app.api.wishes import CarGiven, Told, WishesChange, asked_departure, changed
from parkwatt.domain.plan import CostParts
from parkwatt.domain.record import FloatArray
from parkwatt.domain.site.live_plan import LivePlan
from parkwatt.domain.site.wish import Departure, Wishes
from parkwatt.site.live.what_if import Outcome, Question, answer, at_once, bands

router = APIRouter(prefix="/v1", tags=["wishes"], responses=NOT_RUN)

_US: Final = 1_000_000
_NOT_HERE: Final = "the car is not plugged in: there is nothing to plan"
# Who asks while so many wait is told to come again: the planner is the site's first.
_WAITING_MAX: Final = 4
_SOC_STEP: Final = 0.1
_EARLIER_S: Final = 3600
T = TypeVar("T")


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CostView(_View):
    """What the cars cost over the hours ahead beyond what the house pays; ``net`` counts wear and what is left."""

    paid: float = Field(description="for energy: bought less sold")
    demand: float = Field(description="the demand charge")
    wear: float
    stored: float = Field(
        description="worth of what is in the batteries then beyond now; counts against the cost"
    )
    net: float


class OutcomeStepView(_View):
    """One step of the car's stay: mean power, energy at its end."""

    start: datetime
    end: datetime
    power_kw: float
    energy_kwh: float


class OutcomeView(_View):
    """What comes of some wishes."""

    cost: CostView
    departs_at: datetime | None = Field(description="null: nobody named it, the plan goes by habit")
    asked_kwh: float | None
    expected_kwh: float = Field(description="at the stay's end")
    ready: bool | None = Field(description="null: nothing is asked")
    ready_at: datetime | None
    steps: list[OutcomeStepView]


class WhatIfView(_View):
    """A question's answer beside what holds now. ``difference``: of the net cost; positive costs more."""

    car_id: str
    currency: str
    now: OutcomeView
    then: OutcomeView
    difference: float


class WishCostView(_View):
    """One wish that could be said, and what it would cost."""

    wish: Literal["target", "floor", "earlier", "mode"]
    value: str = Field(description="per cent, local time or mode")
    difference: float = Field(description="of the net cost; positive costs more")
    paid: float = Field(description="of what is paid for energy alone")
    ready: bool | None


class WishCostsView(_View):
    """What the wishes next to those that hold would cost."""

    car_id: str
    currency: str
    wishes: list[WishCostView]


class BandStepView(_View):
    """Load and sun of one step, kW: what 90 % and 10 % of courses exceed; null: not known yet."""

    start: datetime
    end: datetime
    load_kw_p10: float | None
    load_kw_p90: float | None
    solar_kw_p10: float | None
    solar_kw_p90: float | None


class OutlookView(_View):
    """The plan beside charging at once, and how sure load and sun are. ``saved``: by the plan; negative: it costs more."""

    currency: str
    planned: CostView
    at_once: CostView
    saved: float
    bands: list[BandStepView]


class Wish(WishesChange):
    """Wishes and a departure that are asked about; what is left out stays as it is."""

    departs_at: datetime | None = Field(
        None, description="the next departure; its target is `target_soc`"
    )


@dataclass(slots=True)
class Planner:
    """Asks one question at a time, in a thread; the application has one. The last outlook is kept, as it is for a plan."""

    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _waiting: int = 0
    outlook: tuple[LivePlan, OutlookView] | None = None

    async def ask(self, work: Callable[[], T]) -> T:
        """Raises HTTPException where too many ask."""
        if self._waiting >= _WAITING_MAX:
            raise HTTPException(
                503, "others are asking: try again in a second", {"Retry-After": "1"}
            )
        self._waiting += 1
        try:
            async with self._lock:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1


def planner_of(request: Request) -> Planner:
    """The application's."""
    planner = request.app.state.planner
    assert isinstance(planner, Planner)  # noqa: S101 set by create_application
    return planner


PlannerGiven = Annotated[Planner, Depends(planner_of)]


@router.post("/cars/{car_id}/what-if", dependencies=[needs("read")], responses=UNKNOWN_CAR)
async def what_if(car: CarGiven, wish: Wish, planner: PlannerGiven) -> WhatIfView:
    """What other wishes would cost, and whether the car would be ready. Nothing is changed."""
    wishes, asked = changed(car.wishes, wish), _asked_now(car)
    then = asked
    if wish.departs_at is not None:
        then = asked_departure(car, wish.departs_at, wish.target_soc)
    before = _question(car, car.wishes, asked)
    after = _question(car, wishes, then)

    def work() -> tuple[Outcome, Outcome]:
        held = answer(before)
        return held, answer(after, held.worth)

    now_found, then_found = await planner.ask(work)
    now, found = _outcome_view(now_found), _outcome_view(then_found)
    return WhatIfView(
        car_id=car.car_id,
        currency=car.live.snapshot().tariff.currency,
        now=now,
        then=found,
        difference=round(found.cost.net - now.cost.net, 4),
    )


@router.get("/cars/{car_id}/wish-costs", responses=UNKNOWN_CAR)
async def wish_costs(car: CarGiven, planner: PlannerGiven) -> WishCostsView:
    """What a higher or lower target and floor, an earlier departure and another mode would each cost."""
    asked = _asked_now(car)
    before = _question(car, car.wishes, asked)
    variants = [
        (kind, value, _question(car, wishes, departure))
        for kind, value, wishes, departure in _variants(car, asked)
    ]

    def work() -> tuple[Outcome, list[Outcome]]:
        held = answer(before)
        return held, [answer(question, held.worth) for _, _, question in variants]

    now, found = await planner.ask(work)
    return WishCostsView(
        car_id=car.car_id,
        currency=car.live.snapshot().tariff.currency,
        wishes=[
            WishCostView(
                wish=kind,
                value=value,
                difference=round(one.costs.total - now.costs.total, 4),
                paid=round(one.costs.energy - now.costs.energy, 4),
                ready=one.ready,
            )
            for (kind, value, _), one in zip(variants, found, strict=True)
        ],
    )


@router.get("/plan/outlook")
async def outlook(live: LiveGiven, planner: PlannerGiven) -> OutlookView | None:
    """The plan's cost beside that of charging at once, and the bands of load and sun; null without a car that is planned."""
    snapshot = live.snapshot()
    plan, here = snapshot.plan, [car for car in snapshot.cars if car.view.is_planned]
    if plan is None or not here:
        return None
    kept = planner.outlook
    if kept is not None and kept[0] is plan:
        return kept[1]
    view = here[0].view
    question = live.question(view.car_id, view.wishes, view.state.asked)
    if question is None:
        return None
    edges = np.array(plan.edges_unix_s)
    edges = edges[edges >= question.request.now_unix_s - 3600]

    def work() -> OutlookView:
        planned, charged = answer(question).costs, at_once(question)
        found = bands(question.request, edges)
        steps = zip(
            found.edges_unix_s[:-1].tolist(),
            found.edges_unix_s[1:].tolist(),
            *(
                _known(values)
                for values in (
                    found.load_kw_p10,
                    found.load_kw_p90,
                    found.solar_kw_p10,
                    found.solar_kw_p90,
                )
            ),
            strict=True,
        )
        return OutlookView(
            currency=plan.currency,
            planned=_cost_view(planned),
            at_once=_cost_view(charged),
            saved=round(charged.total - planned.total, 4),
            bands=[
                BandStepView(
                    start=moment(start * _US),
                    end=moment(end * _US),
                    load_kw_p10=low,
                    load_kw_p90=high,
                    solar_kw_p10=dim,
                    solar_kw_p90=bright,
                )
                for start, end, low, high, dim, bright in steps
            ],
        )

    found = await planner.ask(work)
    planner.outlook = (plan, found)
    return found


def _asked_now(car: Told) -> Departure | None:
    return car_of(car.live.snapshot(), car.car_id).view.state.asked


def _question(car: Told, wishes: Wishes, asked: Departure | None) -> Question:
    """Raises HTTPException where the car is away."""
    found = car.live.question(car.car_id, wishes, asked)
    if found is None:
        raise HTTPException(409, _NOT_HERE)
    return found


def _variants(
    car: Told, asked: Departure | None
) -> Iterator[tuple[Literal["target", "floor", "earlier", "mode"], str, Wishes, Departure | None]]:
    """Wishes next to those that hold."""
    wishes = car.wishes
    for change in (_SOC_STEP, -_SOC_STEP):
        target_soc = round(wishes.target_soc + change, 2)
        if wishes.floor_soc <= target_soc <= wishes.highest_soc:
            changed_wishes = msgspec.structs.replace(wishes, target_soc=target_soc)
            yield "target", f"{target_soc:.0%}", changed_wishes, asked
    for change in (_SOC_STEP, -_SOC_STEP):
        floor_soc = round(wishes.floor_soc + change, 2)
        if 0.0 <= floor_soc <= wishes.target_soc:
            yield (
                "floor",
                f"{floor_soc:.0%}",
                msgspec.structs.replace(wishes, floor_soc=floor_soc),
                asked,
            )
    snapshot = car.live.snapshot()
    departure = car_of(snapshot, car.car_id).view.departure
    if departure is not None:
        at_unix_s = departure.departs_unix_s - _EARLIER_S
        if at_unix_s > car.now_unix_s + _EARLIER_S:
            at = datetime.fromtimestamp(at_unix_s, tz=snapshot.settings.time_zone)
            earlier = Departure(at_unix_s, "asked", target_soc=departure.target_soc)
            yield "earlier", f"{at:%H:%M}", wishes, earlier
    for mode in ("now", "smart", *(("home", "grid") if wishes.consents else ()), "off"):
        if mode != wishes.mode:
            yield "mode", mode, msgspec.structs.replace(wishes, mode=mode), asked


def _outcome_view(found: Outcome) -> OutcomeView:
    edges, departs, ready = found.edges_unix_s.tolist(), found.departs_unix_s, found.ready_unix_s
    return OutcomeView(
        cost=_cost_view(found.costs),
        departs_at=None if departs is None else moment(departs * _US),
        asked_kwh=found.energy_kwh_asked,
        expected_kwh=round(float(found.energy_kwh[-1]), 3),
        ready=found.ready,
        ready_at=None if ready is None else moment(ready * _US),
        steps=[
            OutcomeStepView(
                start=moment(edges[index] * _US),
                end=moment(edges[index + 1] * _US),
                power_kw=round(power_kw, 3),
                energy_kwh=round(float(found.energy_kwh[index + 1]), 3),
            )
            for index, power_kw in enumerate(found.power_kw.tolist())
        ],
    )


def _cost_view(costs: CostParts) -> CostView:
    return CostView(
        paid=round(costs.energy, 4),
        demand=round(costs.demand, 4),
        wear=round(costs.wear, 4),
        stored=round(-costs.end_value, 4),
        net=round(costs.total, 4),
    )


def _known(values: FloatArray) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 3) for value in values]
