"""What another wish would cost: the plan that the site would follow then, beside the one by the wishes that hold.

Nothing is changed. All that is known now is asked of the same planner twice; each answer's cost is told beyond what the house
alone would pay over the same hours, so that plans of different length can be compared. Energy that is left in the battery
is worth what the planner says it is worth to the drives and days that follow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import msgspec
import numpy as np

from parkwatt.domain.plan import CostParts
from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray
from parkwatt.domain.site.wish import Departure, Wishes
from parkwatt.domain.tariff import Tariff
from parkwatt.plan.exact.costs import cost_of
from parkwatt.plan.exact.flows import Flows
from parkwatt.plan.exact.planner import plan_priced
from parkwatt.plan.exact.storage import StorageStay, storage_stays
from parkwatt.site.live.cars import CarView, view
from parkwatt.site.live.planning import TIME_LIMIT_S, pose
from parkwatt.site.live.planning_kept import flows_of, follow
from parkwatt.site.live.planning_knowledge import site_known
from parkwatt.site.live.request import PlanRequest
from parkwatt.site.live.requesting import plan_request
from parkwatt.site.live.settings import SiteSettings
from parkwatt.site.live.state import SiteState

How = Literal["planned", "at_once", "rest"]
_US: Final = 1_000_000
# Less than this is not missing.
_NOTHING_KWH: Final = 0.01
_BAND: Final = (0.1, 0.9)


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One car by some wishes. ``how``: planned, or charging at once, or at rest, as its mode says.

    ``full_kwh``: what each car charges up to where it charges at once, by its name.
    """

    request: PlanRequest
    car_id: str
    how: How
    full_kwh: dict[str, float]


@dataclass(frozen=True, slots=True)
class Worth:
    """What a kWh that is left is worth, and by how much less above some energies, as in a problem's stay."""

    energy_value_per_kwh: float
    end_value_drops: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What comes of a question. ``costs``: beyond the house's own; ``end_value`` is minus the worth of what the cars hold more.

    ``edges_unix_s``: [n+1] of the car's stay; ``power_kw``: [n], ``energy_kwh``: [n+1] of the car.
    ``ready_unix_s``: when the car holds what is asked; None: not by its departure, or nothing is asked. ``worth``: how what is
    left in the car was valued.
    """

    costs: CostParts
    worth: Worth
    edges_unix_s: TimeArray
    power_kw: FloatArray
    energy_kwh: FloatArray
    departs_unix_s: int | None
    energy_kwh_asked: float | None
    ready_unix_s: int | None

    @property
    def ready(self) -> bool | None:
        """Whether the car will hold what is asked; None where nothing is."""
        return None if self.energy_kwh_asked is None else self.ready_unix_s is not None


def question(
    state: SiteState,
    cars: list[CarView],
    tariff: Tariff,
    site: SiteSettings,
    car_id: str,
    wishes: Wishes,
    asked: Departure | None,
    now_unix_us: int,
) -> Question | None:
    """What to ask for a car by other wishes and another named departure; None where it is not there to be planned for."""
    changed = [
        _changed(car, wishes, asked, site, now_unix_us) if car.car_id == car_id else car
        for car in cars
    ]
    mine = next(car for car in changed if car.car_id == car_id)
    if not mine.here:
        return None
    request = replace(plan_request(state, changed, tariff, site, now_unix_us), running=None)
    full_kwh = {
        car.car_id: max(car.wishes.target_soc * car.settings.capacity_kwh, car.asked_kwh or 0.0)
        for car in changed
    }
    return Question(request, car_id, _how(wishes), full_kwh)


def _how(wishes: Wishes) -> How:
    if wishes.mode == "now":
        return "at_once"
    return "rest" if wishes.mode == "off" else "planned"


def _changed(
    car: CarView, wishes: Wishes, asked: Departure | None, site: SiteSettings, now_unix_us: int
) -> CarView:
    """The car by other wishes. One that charges at once, or never, is put into the problem as one that could be planned."""
    posed = wishes if _how(wishes) == "planned" else msgspec.structs.replace(wishes, mode="smart")
    state = msgspec.structs.replace(car.state, wishes=posed, asked=asked)
    return view(car.settings, state, car.seen, car.estimate, site, now_unix_us, car.reserve)


def answer(
    asked: Question, worth: Worth | None = None, *, time_limit_s: float = TIME_LIMIT_S
) -> Outcome:
    """What comes of it. Raises SolverError where the solver fails numerically.

    ``worth``: by which what is left in the car is told; None: as the question's own problem has it. Two answers are only
    comparable by one.
    """
    posed = pose(asked.request)
    problem, items = posed.problem, storage_stays(posed.problem)
    planned = flows_of(items, plan_priced(problem, time_limit_s=time_limit_s).plan)
    flows = planned
    if asked.how != "planned":
        wanted_kw = [
            _wanted_kw(item, problem, asked) if item.storage.id == asked.car_id else power_kw
            for item, power_kw in zip(items, planned.power_kw, strict=True)
        ]
        flows = follow(problem, items, wanted_kw, peak_kw=float(planned.import_kw.max()))
    return _outcome(asked, problem, posed.edges_unix_s, items, flows, worth)


def at_once(asked: Question) -> CostParts:
    """What all cars would cost if each charged at once, beyond the house's own."""
    problem = pose(asked.request).problem
    items = storage_stays(problem)
    wanted_kw = [_wanted_kw(item, problem, replace(asked, how="at_once")) for item in items]
    return _beyond_house(problem, items, follow(problem, items, wanted_kw, peak_kw=np.inf))


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """[S] load and sun of the hours ahead, kW: what nine in ten courses exceed, and what one in ten does; NaN: not known."""

    edges_unix_s: TimeArray
    load_kw_p10: FloatArray
    load_kw_p90: FloatArray
    solar_kw_p10: FloatArray
    solar_kw_p90: FloatArray


def bands(request: PlanRequest, edges_unix_s: TimeArray) -> Bands:
    """Load and sun with their bands over the steps between ``edges_unix_s`` [S+1]."""
    site, _ = site_known(request)
    load = site.load_forecaster.forecast(request.now_unix_s, edges_unix_s, _BAND).quantile_kw
    sun = site.solar_forecaster.forecast(request.now_unix_s, edges_unix_s, _BAND).quantile_kw
    return Bands(edges_unix_s, load[0], load[1], sun[0], sun[1])


def _wanted_kw(item: StorageStay, problem: Problem, asked: Question) -> FloatArray:
    """[n] full power until the car is as full as it is wished; nothing for one that rests."""
    wanted_kw = np.zeros(item.step_count)
    if asked.how == "rest":
        return wanted_kw
    storage, energy_kwh = item.storage, item.stay.energy_kwh_at_arrival
    full_kwh = min(asked.full_kwh.get(storage.id, storage.energy_kwh_max), storage.energy_kwh_max)
    for step, hours in enumerate(problem.duration_h[item.steps].tolist()):
        room_kw = max(full_kwh - energy_kwh, 0.0) / (hours * storage.charge_efficiency)
        wanted_kw[step] = min(storage.charge_kw_max, room_kw)
        energy_kwh += hours * storage.charge_efficiency * wanted_kw[step]
    return wanted_kw


def _beyond_house(problem: Problem, items: list[StorageStay], flows: Flows) -> CostParts:
    """The cost beyond what the house pays while all cars rest."""
    zero_kw = [np.zeros(item.step_count) for item in items]
    found = cost_of(problem, items, flows)
    house = cost_of(problem, items, follow(problem, items, zero_kw, peak_kw=np.inf))
    return CostParts(
        energy=found.energy - house.energy,
        demand=found.demand - house.demand,
        wear=found.wear - house.wear,
        end_value=found.end_value - house.end_value,
    )


def _outcome(
    asked: Question,
    problem: Problem,
    edges_unix_s: TimeArray,
    items: list[StorageStay],
    flows: Flows,
    worth: Worth | None,
) -> Outcome:
    place, item = next(
        (place, item) for place, item in enumerate(items) if item.storage.id == asked.car_id
    )
    now = next(car for car in asked.request.cars if car.car_id == asked.car_id)
    energy_kwh = flows.energy_kwh[place]
    edges = edges_unix_s[item.stay.from_step : item.stay.to_step + 1]
    ready = None
    if now.energy_kwh_asked is not None:
        below = np.flatnonzero(energy_kwh < now.energy_kwh_asked - _NOTHING_KWH)
        first = int(below[-1]) + 1 if len(below) else 0
        ready = int(edges[first]) if first < len(edges) else None
    if worth is None:
        worth = Worth(item.stay.energy_value_per_kwh, tuple(item.stay.end_value_drops))
    valued = list(items)
    valued[place] = replace(
        item,
        stay=replace(
            item.stay,
            energy_value_per_kwh=worth.energy_value_per_kwh,
            end_value_drops=worth.end_value_drops,
        ),
    )
    return Outcome(
        costs=_beyond_house(problem, valued, flows),
        worth=worth,
        edges_unix_s=edges,
        power_kw=flows.power_kw[place],
        energy_kwh=energy_kwh,
        departs_unix_s=now.departs_unix_s,
        energy_kwh_asked=now.energy_kwh_asked,
        ready_unix_s=ready,
    )
