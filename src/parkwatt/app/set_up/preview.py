"""One night of the site that a draft makes: the plan for a car that comes home in the evening, beside charging at once.

The plan is made by the site's own planner from the site's own settings. Prices are the real ones where the tariff knows them or
its source answers in time, else an example that looks like an exchange's day; the preview says which. Both ways end with
the same energy in the car, or the difference counts at the mean price that the plan pays.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.app.live_settings import LiveSettings
from parkwatt.domain.calendar import day_number, local_time_unix_s
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeGrid
from parkwatt.domain.site.event import PricesReceived, SourceChanged
from parkwatt.domain.site.live_plan import LivePlan
from parkwatt.domain.tariff import PriceBook, Tariff
from parkwatt.io.prices.feed import price_feed
from parkwatt.io.prices.settings import FeedSettings
from parkwatt.site.live.departures import next_departure
from parkwatt.site.live.planning import make_plan
from parkwatt.site.live.request import CarNow, PlanRequest
from parkwatt.site.live.settings import SiteSettings

_US: Final = 1_000_000
_PATIENCE_S: Final = 6.0
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400
_ARRIVES_S: Final = 18 * _HOUR_S
ARRIVES_SOC: Final = 0.4
_EXAMPLE_DAYS_BACK, _EXAMPLE_HOURS = 7, 9 * 24
# EUR per kWh by the hour of the day: cheap at night and at noon, dear in the evening, as exchanges are.
_EXAMPLE_DAY: Final = (
    *(0.075, 0.068, 0.064, 0.062, 0.066, 0.080, 0.105, 0.128),
    *(0.120, 0.096, 0.074, 0.060, 0.052, 0.055, 0.068, 0.088),
    *(0.112, 0.145, 0.178, 0.184, 0.158, 0.126, 0.104, 0.088),
)


@dataclass(frozen=True, slots=True)
class Preview:
    """``plan``: of the night; ``until_unix_s``: the departure. Costs in the plan's currency over the same time, wear of
    discharging apart. ``example``: why the prices are an example; None: they are real. ``start_kwh``: in the car when it comes.
    """

    plan: LivePlan
    until_unix_s: int
    cost: float
    cost_at_once: float
    wear: float
    start_kwh: float
    target_kwh: float
    example: str | None

    @property
    def saved(self) -> float:
        """Against charging at once, wear taken off."""
        return self.cost_at_once - self.cost - self.wear


async def preview(settings: LiveSettings, now_unix_s: int) -> Preview:
    """The night ahead. ``settings``: of a draft without a fault. Raises SolverError where the planner fails."""
    tariff, example = await _with_prices(settings, now_unix_s)
    arrives_s = _arrival(now_unix_s, settings.site.time_zone)
    return await asyncio.to_thread(_night, settings.site, tariff, example, arrives_s)


def _arrival(now_unix_s: int, zone: ZoneInfo) -> int:
    """When the car comes home: six in the evening, or now where it is later."""
    local = datetime.fromtimestamp(now_unix_s, tz=zone)
    evening = local_time_unix_s(day_number(local.date()), _ARRIVES_S, zone)
    return max(evening, now_unix_s)


def _night(site: SiteSettings, tariff: Tariff, example: str | None, now_unix_s: int) -> Preview:
    car = site.cars[0]
    wishes, capacity_kwh = car.wishes, car.capacity_kwh
    start_kwh = max(ARRIVES_SOC, wishes.floor_soc) * capacity_kwh
    departure = next_departure(wishes, now_unix_s, site.time_zone, since_unix_s=now_unix_s)
    until_s = now_unix_s + _DAY_S if departure is None else departure.departs_unix_s
    discharges = wishes.consents and car.charger_discharges and wishes.mode in ("home", "grid")
    storage = replace(
        car.storage,
        energy_kwh_min=wishes.floor_soc * capacity_kwh,
        energy_kwh_max=wishes.highest_soc * capacity_kwh,
        discharge_kw_max=car.storage.discharge_kw_max if discharges else 0.0,
    )
    target_kwh = wishes.target_soc * capacity_kwh
    planned = make_plan(
        PlanRequest(
            now_unix_s=now_unix_s,
            site_name=site.name,
            tariff=tariff,
            history=TimeGrid(now_unix_s // 900 * 900 - 900, 900, 1),
            load_kw=np.full(1, np.nan),
            solar_kw=np.full(1, 0.0 if site.solar_guess is None else np.nan),
            load_guess=site.load_guess,
            solar_guess=site.solar_guess,
            cars=(
                CarNow(
                    car_id=car.car_id,
                    storage=storage,
                    energy_kwh=start_kwh,
                    since_unix_s=now_unix_s,
                    departs_unix_s=until_s,
                    energy_kwh_asked=target_kwh,
                ),
            ),
            import_limit_kw=site.import_limit_kw,
            export_limit_kw=site.export_limit_kw,
            public_price_per_kwh=site.public_price_per_kwh,
        )
    )
    return _told(planned.plan, site, start_kwh, target_kwh, until_s, example)


def _told(
    plan: LivePlan,
    site: SiteSettings,
    start_kwh: float,
    target_kwh: float,
    until_s: int,
    example: str | None,
) -> Preview:
    """The two bills up to the departure."""
    car, found = site.cars[0], plan.cars[0]
    edges = np.minimum(np.array(plan.edges_unix_s), until_s)
    hours = np.diff(edges) / _HOUR_S
    buy, sell = np.array(plan.import_price_per_kwh), np.array(plan.export_price_per_kwh)
    house_kw = np.array(plan.load_kw) - np.array(plan.solar_kw)
    power_kw = np.array(found.power_kw)
    at_once_kw = _at_once_kw(
        hours, start_kwh, target_kwh, car.storage.charge_kw_max, car.storage.charge_efficiency
    )
    cost = _bill(house_kw + power_kw, hours, buy, sell)
    cost_at_once = _bill(house_kw + at_once_kw, hours, buy, sell)
    taken_kwh = np.maximum(power_kw, 0.0) * hours
    last = int(np.searchsorted(np.array(plan.edges_unix_s), until_s))
    ends_kwh = found.energy_kwh[min(last, len(found.energy_kwh) - 1)]
    once_kwh = start_kwh + float((at_once_kw * hours).sum()) * car.storage.charge_efficiency
    paid = (
        float((taken_kwh * buy).sum() / taken_kwh.sum())
        if taken_kwh.sum() > 0
        else float(buy.mean())
    )
    cost += (once_kwh - ends_kwh) / car.storage.charge_efficiency * paid
    given_kwh = float((np.maximum(-power_kw, 0.0) * hours).sum())
    wear = given_kwh * car.storage.wear_price_per_kwh
    return Preview(plan, until_s, cost, cost_at_once, wear, start_kwh, target_kwh, example)


def _at_once_kw(
    hours: FloatArray, start_kwh: float, target_kwh: float, power_kw: float, efficiency: float
) -> FloatArray:
    """[T] mean power of each step where the car charges at once up to its target."""
    missing_kwh = max(target_kwh - start_kwh, 0.0) / efficiency
    before_kwh = np.concatenate(([0.0], np.cumsum(power_kw * hours)[:-1]))
    taken_kwh = np.clip(missing_kwh - before_kwh, 0.0, power_kw * hours)
    return np.divide(taken_kwh, hours, out=np.zeros(len(hours)), where=hours > 0.0)


def _bill(grid_kw: FloatArray, hours: FloatArray, buy: FloatArray, sell: FloatArray) -> float:
    prices = np.where(grid_kw > 0.0, buy, sell)
    return float((grid_kw * hours * prices).sum())


async def _with_prices(settings: LiveSettings, now_unix_s: int) -> tuple[Tariff, str | None]:
    """The tariff with its sources' prices; where one does not answer, all are an example, and why."""
    book, why = PriceBook(), None
    for feed in settings.feeds:
        told = await _asked(feed, settings.folder, now_unix_s)
        if isinstance(told, PricesReceived):
            book = book.with_prices(told, now_unix_s)
        else:
            why = told
    if why is not None:
        book = PriceBook()
        for feed in settings.feeds:
            book = book.with_prices(_example(feed.name, settings, now_unix_s), now_unix_s)
    tariff = settings.site.tariff
    return (tariff.with_feeds(book.all_series()) if settings.feeds else tariff), why


async def _asked(feed: FeedSettings, folder: Path, now_unix_s: int) -> PricesReceived | str:
    """What a source tells first, or why it tells nothing."""
    told: asyncio.Queue[PricesReceived | SourceChanged] = asyncio.Queue()
    source = price_feed(
        feed, clock=lambda: now_unix_s * _US, known_until=lambda: None, folder=folder
    )
    task = asyncio.ensure_future(source.run(told.put_nowait, told.put_nowait))
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                first = await told.get()
                if isinstance(first, PricesReceived):
                    return first
                if not first.ok:
                    return first.reason
    except TimeoutError:
        return f"{feed.title} told nothing within {_PATIENCE_S:.0f} s"
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task


def _example(name: str, settings: LiveSettings, now_unix_s: int) -> PricesReceived:
    zone = settings.site.time_zone
    begin = now_unix_s // _HOUR_S * _HOUR_S - _EXAMPLE_DAYS_BACK * _DAY_S
    hours = [
        datetime.fromtimestamp(begin + index * _HOUR_S, tz=zone).hour
        for index in range(_EXAMPLE_HOURS)
    ]
    return PricesReceived(
        feed=name,
        start_unix_s=begin,
        step_s=_HOUR_S,
        price_per_kwh=tuple(_EXAMPLE_DAY[hour] for hour in hours),
        source="example",
    )
