"""Driving against the house: how many hours each distance costs that the car is kept ready for.

All distances are reckoned at once, so that a page can show the price of each while it is dragged. The reckoning runs in a
thread; one that is as young as the forecast that the page shows is not made again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from weakref import WeakKeyDictionary

from pydantic import BaseModel, Field

from parkwatt.app.api.backup_views import HoursView, hours_view
from parkwatt.app.api.live import LiveSnapshot
from parkwatt.app.api.live_backup import BackupSnapshot
from parkwatt.app.api.views import moment
from parkwatt.domain.calendar import day_number, local_time_unix_s
from parkwatt.home.announced import outage_length
from parkwatt.home.controller import HomeController
from parkwatt.home.forecast_request import forecast_request
from parkwatt.home.forecasting import runtime_request
from parkwatt.home.island_source import asked_for_driving, distance_km_with, energy_kwh_for
from parkwatt.home.observation import HomeCar
from parkwatt.home.runtime import Kept, RuntimeRequest, trade_off
from parkwatt.site.live.settings import SiteSettings

_US: Final = 1_000_000
_STEPS_KM: Final = (5, 10, 20, 25, 50, 100)
_POINTS_MAX: Final = 40
_CONSUMPTION: Final = 0.18
# Where nobody named a departure: when most people drive.
_MORNING_S: Final = 7 * 3600 + 1800
_KEPT_S: Final = 60


class TradeOffPointView(BaseModel):
    """So far the car gets when it leaves, and so long the house lasts then."""

    distance_km: float
    energy_kwh: float = Field(description="kept in the battery for it")
    hours: HoursView


class TradeOffView(BaseModel):
    """Driving against the house, for the car that carries it."""

    at: datetime
    car_id: str | None = Field(description="null: a battery carries the house")
    ready_at: datetime = Field(description="as asked, else the next departure, else in the morning")
    asked_km: float | None = Field(description="what is kept now; null: nothing")
    hours_per_10_km: float | None = Field(description="what ten kilometres cost on average")
    points: list[TradeOffPointView] = Field(description="from 0 km on; empty where `why_not` says")
    why_not: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is reckoned: the same is not reckoned twice in a minute."""

    request: RuntimeRequest
    car_id: str
    ready_unix_s: int
    distances_km: tuple[float, ...]
    energies_kwh: tuple[float, ...]

    @property
    def key(self) -> tuple[object, ...]:
        minute = self.request.at_unix_s // _KEPT_S
        battery_kwh = sum(one.energy_kwh for one in self.request.batteries)
        off = self.request.off
        return minute, round(battery_kwh, 1), off, self.ready_unix_s, self.energies_kwh


_Known = tuple[tuple[object, ...], tuple[Kept, ...]]
_known: WeakKeyDictionary[HomeController, _Known] = WeakKeyDictionary()


def consumption_kwh_per_km(settings: SiteSettings, car_id: str) -> float:
    """What a car takes for a kilometre."""
    car = settings.car(car_id)
    return _CONSUMPTION if car is None else car.consumption_kwh_per_km


async def trade_off_view(live: LiveSnapshot, backup: BackupSnapshot) -> TradeOffView:
    """Reckon it, in a thread."""
    controller, now_unix_s = backup.controller, backup.now_unix_us // _US
    settings = controller.settings
    car_id = settings.source_car_id
    car = controller.observation.car(car_id)
    ready_unix_s = _ready_unix_s(live, controller, now_unix_s)
    view = TradeOffView(
        at=moment(backup.now_unix_us),
        car_id=car_id,
        ready_at=moment(ready_unix_s * _US),
        asked_km=None,
        hours_per_10_km=None,
        points=[],
        why_not=_why_not(controller, car),
    )
    if view.why_not or car is None:
        return view
    consumption = consumption_kwh_per_km(live.settings, car.car_id)
    said = asked_for_driving(controller.state, car.car_id, now_unix_s)
    if said is not None and said.energy_kwh is not None:
        view.asked_km = round(distance_km_with(settings, car, said.energy_kwh, consumption), 1)
    asked = _asked(controller, car, consumption, ready_unix_s, now_unix_s)
    if asked is None:
        view.why_not = "nothing is known of what the house uses"
        return view
    known = _known.get(controller)
    if known is None or known[0] != asked.key:
        kept = await asyncio.to_thread(
            trade_off, asked.request, asked.car_id, asked.ready_unix_s, asked.energies_kwh
        )
        known = _known[controller] = asked.key, kept
    view.points = [
        TradeOffPointView(distance_km=km, energy_kwh=one.energy_kwh, hours=hours_view(one.hours))
        for km, one in zip(asked.distances_km, known[1], strict=True)
    ]
    view.hours_per_10_km = _per_10_km(view.points)
    return view


def _why_not(controller: HomeController, car: HomeCar | None) -> str:
    if controller.settings.source_car_id is None:
        return "a battery carries the house, no car"
    if car is None or not car.here:
        return "the car is not plugged in"
    if car.energy_kwh is None:
        return "nobody tells the car's state of charge"
    if controller.forecast is None:
        return "it is not reckoned yet how long the house lasts"
    return ""


def _asked(
    controller: HomeController,
    car: HomeCar,
    consumption_kwh_per_km: float,
    ready_unix_s: int,
    now_unix_s: int,
) -> _Asked | None:
    settings, known = controller.settings, controller.forecast
    if known is None:
        return None
    length = outage_length(controller.state.outages_s, settings.expected_outage_s)
    wanted = forecast_request(
        settings,
        controller.state,
        controller.observation,
        known=known,
        length=length,
        running_kw=controller.running_kw(now_unix_s * _US),
        now_unix_s=now_unix_s,
    )
    request = runtime_request(wanted, known.use)
    if request is None:
        return None
    most_km = distance_km_with(settings, car, car.energy_kwh or 0.0, consumption_kwh_per_km)
    distances_km = distances(most_km)
    return _Asked(
        request=request,
        car_id=car.car_id,
        ready_unix_s=ready_unix_s,
        distances_km=distances_km,
        energies_kwh=tuple(
            round(energy_kwh_for(settings, car, km, consumption_kwh_per_km), 3)
            for km in distances_km
        ),
    )


def distances(most_km: float) -> tuple[float, ...]:
    """From 0 in round steps, at most forty, up to the first that takes all there is."""
    step_km = next((step for step in _STEPS_KM if most_km / step < _POINTS_MAX - 1), _STEPS_KM[-1])
    count = min(int(most_km // step_km) + 2, _POINTS_MAX)
    return tuple(float(step_km * number) for number in range(count))


def _per_10_km(points: list[TradeOffPointView]) -> float | None:
    """By the points between which the hours change: at the end all is kept, and nothing is left to lose."""
    lasting = [one for one in points if one.hours.hours_p50 > 0.0 and not one.hours.at_least]
    if len(lasting) < 2:
        return None
    first, last = lasting[0], lasting[-1]
    lost_h = first.hours.hours_p50 - last.hours.hours_p50
    return lost_h / (last.distance_km - first.distance_km) * 10.0


def _ready_unix_s(live: LiveSnapshot, controller: HomeController, now_unix_s: int) -> int:
    """When the car is wanted: as asked for an outage, else its next departure, else in the morning."""
    car_id = controller.settings.source_car_id
    if car_id is not None:
        asked = asked_for_driving(controller.state, car_id, now_unix_s)
        if asked is not None and asked.ready_unix_s is not None:
            return asked.ready_unix_s
        car = live.car(car_id)
        departure = None if car is None else car.view.departure
        if (
            departure is not None
            and departure.source != "outage"
            and departure.departs_unix_s > now_unix_s
        ):
            return departure.departs_unix_s
    zone = live.settings.time_zone
    today = day_number(datetime.fromtimestamp(now_unix_s, tz=zone).date())
    morning_unix_s = local_time_unix_s(today, _MORNING_S, zone)
    if morning_unix_s > now_unix_s:
        return morning_unix_s
    return local_time_unix_s(today + 1, _MORNING_S, zone)
