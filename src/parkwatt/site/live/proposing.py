"""What each car should do now: by its mode, its plan, and what load and sun really are. The guard has the last word.

A planned car follows its plan's intent through the control step that the study uses (`parkwatt.site.control`): what
differs from
the forecast is taken up by the grid or by the battery, whichever the plan's own prices say is cheaper.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from parkwatt.domain.site.live_plan import LivePlan
from parkwatt.domain.site.observation import GridSeen
from parkwatt.site.control import Intent, Moment, control_power_kw
from parkwatt.site.guard.facts import Proposal
from parkwatt.site.live.cars import CarView
from parkwatt.site.live.settings import SiteSettings

# The control step looks a minute ahead: a battery that is full or at its floor within it is approached, not overrun.
_AHEAD_H: Final = 1.0 / 60.0
_NOTHING_KW: Final = 0.05


@dataclass(frozen=True, slots=True)
class Now:
    """What holds for the whole site in this step. ``base_kw``: load less sun, None where no fresh meter tells it."""

    now_unix_s: int
    base_kw: float | None
    import_price_per_kwh: float
    export_price_per_kwh: float
    plan: LivePlan | None
    grid: GridSeen = field(default_factory=GridSeen)


def propose(cars: list[CarView], now: Now, site: SiteSettings) -> list[Proposal]:
    """One proposal for each car that is here. Without the grid no plan, meter or tariff counts.

    Cars that may discharge come last: they take up what the others leave.
    """
    if now.grid.is_island:
        return [_on_island(car, now.grid) for car in cars if car.here]
    order = sorted((car for car in cars if car.here), key=lambda car: (not car.why_not, car.car_id))
    proposals: dict[str, Proposal] = {}
    # What the others do: as planned until they have been proposed for.
    others_kw = {car.car_id: _planned_kw(car, now) for car in order}
    for car in order:
        beside_kw = sum(power for car_id, power in others_kw.items() if car_id != car.car_id)
        proposal = _propose(car, now, beside_kw, site)
        others_kw[car.car_id] = proposal.power_kw or 0.0
        proposals[car.car_id] = proposal
    return [proposals[car.car_id] for car in cars if car.car_id in proposals]


def _on_island(car: CarView, grid: GridSeen) -> Proposal:
    if car.car_id == grid.source_car_id:
        return _proposal(car, 0.0, "its inverter carries the house, which it follows by itself")
    if car.car_id not in grid.may_charge:
        return _proposal(car, 0.0, "the grid is gone: no car charges unless it is asked to")
    power_kw = 0.0 if car.wishes.mode == "off" else _at_once_kw(car)
    words = (
        "charging from the island, as was asked" if power_kw else "off, or its target is reached"
    )
    return _proposal(car, power_kw, words)


def _planned_kw(car: CarView, now: Now) -> float:
    if car.wishes.mode == "off":
        return 0.0
    if car.wishes.mode == "now":
        return _at_once_kw(car)
    found = None if now.plan is None else now.plan.car(car.car_id)
    step = None if now.plan is None else now.plan.step_at(now.now_unix_s)
    return 0.0 if found is None or step is None else found.power_kw[step]


def _propose(car: CarView, now: Now, beside_kw: float, site: SiteSettings) -> Proposal:
    mode = car.wishes.mode
    if mode == "off":
        return _proposal(car, 0.0, "switched off by its driver")
    if mode == "now":
        power_kw = _at_once_kw(car)
        target = car.wishes.target_soc
        words = (
            f"charging at once up to {target:.0%}" if power_kw else f"full: {target:.0%} reached"
        )
        return _proposal(car, power_kw, words)
    floor_kwh = car.storage.energy_kwh_min
    if car.estimate is not None and car.energy_kwh + car.estimate.error_kwh < floor_kwh:
        floor = car.wishes.floor_soc
        words = f"below its floor of {floor:.0%}: charging at once"
        return _proposal(car, car.storage.charge_kw_max, words)
    return _as_planned(car, now, beside_kw, site)


def _as_planned(car: CarView, now: Now, beside_kw: float, site: SiteSettings) -> Proposal:
    plan = now.plan
    found = None if plan is None else plan.car(car.car_id)
    step = None if plan is None else plan.step_at(now.now_unix_s)
    if plan is None or found is None or step is None:
        return _proposal(car, 0.0, "waiting for a plan")
    stored = found.stored_value_per_kwh
    power_kw = found.power_kw[step]
    reason = _reason(plan, car.car_id, now.now_unix_s, site.time_zone)
    if now.base_kw is None:
        # Nothing tells the house's power: what was planned is done as far as it only charges.
        return _proposal(
            car, max(power_kw, 0.0), reason or "as planned; no meter tells the house's power"
        )
    margin_kw = 0.0 if car.may_export else site.control.zero_export_margin_kw
    base_kw = now.base_kw + beside_kw
    moment = Moment(
        base_kw=base_kw - margin_kw if base_kw > 0 else base_kw,
        import_price_per_kwh=now.import_price_per_kwh,
        export_price_per_kwh=now.export_price_per_kwh,
        energy_kwh=car.energy_kwh,
        energy_kwh_needed=float("-inf"),
        duration_h=_AHEAD_H,
        import_limit_kw=site.import_limit_kw,
        export_limit_kw=site.export_limit_kw,
        battery_may_export=car.may_export,
    )
    intent = Intent(power_kw, plan.grid_kw[step], None if stored is None else stored[step])
    wanted_kw = control_power_kw(car.storage, intent, moment)
    return _proposal(
        car, wanted_kw, _in_words(wanted_kw, power_kw, base_kw, reason), following=True
    )


def _at_once_kw(car: CarView) -> float:
    target_kwh = car.wishes.target_soc * car.settings.capacity_kwh
    if car.asked_kwh is not None:
        target_kwh = max(target_kwh, car.asked_kwh)
    if car.estimate is not None and car.energy_kwh >= target_kwh:
        return 0.0
    return car.storage.charge_kw_max


def _in_words(wanted_kw: float, planned_kw: float, base_kw: float, reason: str) -> str:
    if wanted_kw < -_NOTHING_KW and wanted_kw < planned_kw - _NOTHING_KW:
        doing = "running the house from the car, which uses more than forecast"
    elif wanted_kw > _NOTHING_KW and wanted_kw > planned_kw + _NOTHING_KW and base_kw < 0:
        doing = "charging what the sun gives beyond the forecast"
    elif wanted_kw > planned_kw + _NOTHING_KW and planned_kw < 0:
        doing = "giving less than planned: the house uses less than forecast"
    else:
        return reason or "as planned"
    return f"{doing} ({reason})" if reason else doing


def _reason(plan: LivePlan, car_id: str, now_unix_s: int, zone: ZoneInfo) -> str:
    for reason in plan.reasons:
        if reason.car_id == car_id and reason.from_unix_s <= now_unix_s < reason.until_unix_s:
            until = datetime.fromtimestamp(reason.until_unix_s, tz=zone)
            return f"until {until:%H:%M}: {reason.message}"
    return ""


def _proposal(car: CarView, power_kw: float, reason: str, *, following: bool = False) -> Proposal:
    return Proposal(
        car.settings.charger_id, car.settings.evse_id, power_kw, reason, following=following
    )
