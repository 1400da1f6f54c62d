"""When a new plan is wanted, and what the planner is then told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeGrid
from parkwatt.domain.tariff import Tariff
from parkwatt.site.live.cars import CarView
from parkwatt.site.live.request import CarNow, Habits, PlanRequest
from parkwatt.site.live.settings import SiteSettings
from parkwatt.site.live.state import INTERVAL_S, CarState, History, SiteState

_US: Final = 1_000_000
# What asks for a plan again and again is heard that often at most.
_LEAST_US: Final = 10 * _US
# A plan that does not come is asked for again after this time.
_PATIENCE_US: Final = 120 * _US
# How long load and sun must differ from the plan's, and how far the battery may be from it.
_BAND_US: Final = 300 * _US
_ENERGY_BAND_KWH: Final = 2.0
# Who is late may come any minute; a plan that reached no further would be over with the next quarter hour.
_LATE_S: Final = 1800


@dataclass(slots=True)
class PlanTrigger:
    """Remembers what asks for a new plan. ``wanted``: why, in words; the first reason is told."""

    wanted: list[str] = field(default_factory=list)
    asked_unix_us: int | None = None
    made_unix_us: int = 0
    off_since_unix_us: int | None = None
    _situation: tuple[tuple[object, ...], ...] | None = None

    def want(self, because: str) -> None:
        """Something happened that a plan should know of."""
        if because not in self.wanted:
            self.wanted.append(because)

    def made(self, now_unix_us: int) -> None:
        """A plan came, and was adopted or not."""
        self.asked_unix_us, self.made_unix_us = None, now_unix_us

    def look(
        self,
        cars: list[CarView],
        state: SiteState,
        base_kw: float | None,
        replan_s: int,
        band_kw: float,
        now_unix_us: int,
    ) -> None:
        """Whether what is seen asks for a plan."""
        situation = tuple(_situation(car) for car in cars)
        if self._situation is not None and situation != self._situation:
            for before, after in zip(self._situation, situation, strict=True):
                if before != after:
                    self.want(_change(before, after))
        self._situation = situation
        planned = [car for car in cars if car.is_planned]
        plan = state.plan
        if not planned:
            self.wanted.clear()
            self.off_since_unix_us = None
            return
        if plan is None:
            self.want("there is no plan yet")
        elif plan.step_at(now_unix_us // _US) is None:
            self.want("the plan is over")
        elif any(plan.car(car.car_id) is None for car in planned):
            self.want("a car was plugged in")
        elif now_unix_us // (_US * replan_s) != self.made_unix_us // (_US * replan_s):
            self.want(f"{replan_s // 60} minutes are over")
        if plan is not None and base_kw is not None:
            self._compare(state, planned, base_kw, band_kw, now_unix_us)

    def _compare(
        self,
        state: SiteState,
        planned: list[CarView],
        base_kw: float,
        band_kw: float,
        now_unix_us: int,
    ) -> None:
        plan = state.plan
        step = None if plan is None else plan.step_at(now_unix_us // _US)
        if plan is None or step is None:
            return
        off_kw = abs(base_kw - (plan.load_kw[step] - plan.solar_kw[step]))
        if off_kw <= band_kw:
            self.off_since_unix_us = None
        elif self.off_since_unix_us is None:
            self.off_since_unix_us = now_unix_us
        elif now_unix_us - self.off_since_unix_us > _BAND_US:
            self.off_since_unix_us = now_unix_us
            self.want(f"load and sun are {off_kw:.1f} kW off the forecast")
        edges = plan.edges_unix_s
        share = (now_unix_us / _US - edges[step]) / (edges[step + 1] - edges[step])
        for car in planned:
            found = plan.car(car.car_id)
            if found is None or self.made_unix_us > now_unix_us - _BAND_US:
                continue
            begins, ends = found.energy_kwh[step], found.energy_kwh[step + 1]
            off_kwh = abs(car.energy_kwh - (begins + share * (ends - begins)))
            if off_kwh > _ENERGY_BAND_KWH:
                self.want(f"{car.car_id} is {off_kwh:.1f} kWh off its plan")

    def take(self, now_unix_us: int) -> str | None:
        """Why a plan is to be asked for now; None where it is not."""
        asked = self.asked_unix_us
        if not self.wanted or (asked is not None and now_unix_us - asked < _PATIENCE_US):
            return None
        if 0 <= now_unix_us - self.made_unix_us < _LEAST_US and asked is None and self.made_unix_us:
            urgent = any(not reason.startswith("load and sun") for reason in self.wanted)
            if not urgent:
                return None
        because = "; ".join(self.wanted[:3])
        self.wanted.clear()
        self.asked_unix_us = now_unix_us
        return because


def _situation(car: CarView) -> tuple[object, ...]:
    """What, when it changes, makes a plan old."""
    return (
        car.here,
        car.wishes,
        None if car.departure is None else car.departure.departs_unix_s,
        car.asked_kwh,
        car.why_not,
        car.storage.charge_kw_max,
        car.storage.discharge_kw_max,
        car.estimate is None,
        car.car_id,
    )


def _change(before: tuple[object, ...], after: tuple[object, ...]) -> str:
    car_id = after[-1]
    if before[0] != after[0]:
        return f"{car_id} was plugged in" if after[0] else f"{car_id} left"
    if before[1] != after[1]:
        return f"the wishes for {car_id} changed"
    if before[2:4] != after[2:4]:
        return f"the next departure of {car_id} changed"
    return f"what {car_id} can do changed"


def plan_request(
    state: SiteState,
    cars: list[CarView],
    tariff: Tariff,
    site: SiteSettings,
    now_unix_us: int,
) -> PlanRequest:
    """All that is known now, for the planner."""
    now_unix_s = now_unix_us // _US
    planned = [car for car in cars if car.is_planned]
    at_once = [car for car in cars if car.here and car.wishes.mode == "now"]
    fixed_kw = sum(car.storage.charge_kw_max for car in at_once if _missing_kwh(car) > 0)
    hours = [
        _missing_kwh(car) / max(car.storage.charge_kw_max * car.storage.charge_efficiency, 0.1)
        for car in at_once
    ]
    history = state.history
    return PlanRequest(
        now_unix_s=now_unix_s,
        site_name=site.name,
        tariff=tariff,
        history=_grid(history, now_unix_s),
        load_kw=_array(history.load_kw),
        solar_kw=_array(history.solar_kw)
        if site.has_solar
        else np.full(max(len(history.load_kw), 1), 0.0 if site.solar_guess is None else np.nan),
        load_guess=site.load_guess,
        solar_guess=site.solar_guess,
        cars=tuple(_car_now(car, now_unix_s) for car in planned),
        habits={car.car_id: _habits(car.state) for car in planned},
        load_prior_kw=site.load_prior_kw,
        fixed_kw=fixed_kw,
        fixed_until_unix_s=now_unix_s + round(max(hours, default=0.0) * 3600),
        solar_curtailable=site.solar_curtailable,
        import_limit_kw=site.import_limit_kw,
        export_limit_kw=site.export_limit_kw,
        peak_so_far_kw=max(state.month_peaks_kw.values(), default=0.0),
        public_price_per_kwh=site.public_price_per_kwh,
        energy_kwh_on_road_min=0.05
        * max((car.settings.capacity_kwh for car in planned), default=60.0),
        early_probability=site.early_probability,
        horizon_h=site.horizon_h,
        holidays=site.holidays,
        running=state.plan,
    )


def _missing_kwh(car: CarView) -> float:
    target_kwh = max(car.wishes.target_soc * car.settings.capacity_kwh, car.asked_kwh or 0.0)
    return max(target_kwh - car.energy_kwh, 0.0)


def _car_now(car: CarView, now_unix_s: int) -> CarNow:
    stay = car.state.stay
    departs_unix_s = None
    if car.departure is not None:
        # A driver who is late may come any minute: what was asked stays in the car.
        departs_unix_s = max(car.departure.departs_unix_s, now_unix_s + _LATE_S)
        if car.departure.departs_unix_s > now_unix_s:
            departs_unix_s = car.departure.departs_unix_s
    used_kwh = None
    if stay is not None and stay.arrived_kwh is not None and car.state.left_with_kwh is not None:
        used_kwh = max(car.state.left_with_kwh - stay.arrived_kwh, 0.0)
    return CarNow(
        car_id=car.car_id,
        storage=car.storage,
        energy_kwh=car.energy_kwh,
        since_unix_s=now_unix_s if stay is None else min(stay.began.since_unix_s, now_unix_s),
        departs_unix_s=departs_unix_s,
        energy_kwh_asked=car.asked_kwh,
        may_export=car.may_export,
        used_kwh=used_kwh,
    )


def _habits(state: CarState) -> Habits:
    used = [np.nan if stay.used_kwh is None else stay.used_kwh for stay in state.stays]
    return Habits(
        np.array([stay.arrival_unix_s for stay in state.stays], dtype=np.int64),
        np.array([stay.departure_unix_s for stay in state.stays], dtype=np.int64),
        np.array(used, dtype=np.float64),
    )


def _grid(history: History, now_unix_s: int) -> TimeGrid:
    if not history.load_kw:
        return TimeGrid(now_unix_s - now_unix_s % INTERVAL_S - INTERVAL_S, INTERVAL_S, 1)
    return TimeGrid(history.start_unix_s, INTERVAL_S, len(history.load_kw))


def _array(values: list[float | None]) -> FloatArray:
    if not values:
        return np.full(1, np.nan)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
