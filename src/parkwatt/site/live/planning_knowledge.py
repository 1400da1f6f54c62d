"""From a request to what `parkwatt.site.horizon` plans with: the site ahead, and each car with its habits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from parkwatt.domain.calendar import day_number, local_time_unix_s
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid
from parkwatt.forecast.load import LoadForecaster
from parkwatt.forecast.power import QUANTILES, PowerForecast, PowerForecaster, Quantiles
from parkwatt.forecast.presence import PresenceModel
from parkwatt.forecast.solar import SolarForecaster
from parkwatt.forecast.standard import Beginning
from parkwatt.site.horizon.departure import departure_ahead
from parkwatt.site.horizon.knowledge import CarAhead, PastUse, SiteAhead, StayAhead
from parkwatt.site.horizon.problem import PresentCar
from parkwatt.site.horizon.worth import StoredWorth
from parkwatt.site.live.planning_prices import LivePrices, live_prices
from parkwatt.site.live.request import CarNow, Habits, PlanRequest

_DAY_S: Final = 86_400
_NEAR_S: Final = 7200
# What energy is worth at the end of a plan depends on the stays of the days that follow.
_BEYOND_S: Final = 5 * _DAY_S
_DAYS_OF_HABIT: Final = 28
_STEP_S: Final = 900


@dataclass(frozen=True, slots=True, eq=False)
class FixedLoadForecaster:
    """Another forecast with ``fixed_kw`` on top of it until a time: cars that charge whatever the plan says.

    Where the other forecast is unknown, so is the sum.
    """

    forecaster: PowerForecaster
    fixed_kw: float
    until_unix_s: int

    def forecast(
        self, now_unix_s: int, edges_unix_s: TimeArray, quantiles: Quantiles = QUANTILES
    ) -> PowerForecast:
        """The sum over the S steps between ``edges_unix_s`` [S+1], as far as it can be told at ``now_unix_s``."""
        found = self.forecaster.forecast(now_unix_s, edges_unix_s, quantiles)
        within_s = np.clip(self.until_unix_s - edges_unix_s[:-1], 0, np.diff(edges_unix_s))
        fixed_kw = self.fixed_kw * within_s / np.diff(edges_unix_s)
        return PowerForecast(
            found.mean_kw + fixed_kw, found.quantile_kw + fixed_kw, found.known_days
        )


def site_known(request: PlanRequest) -> tuple[SiteAhead, LivePrices]:
    """The site ahead, and how its prices are known."""
    horizon_s = round(request.horizon_h * 4) * _STEP_S
    end_s = request.now_unix_s - request.now_unix_s % _STEP_S + horizon_s + _BEYOND_S
    prices = live_prices(request, end_s)
    charge = request.tariff.demand_charge
    history, load_kw, solar_kw = _measured(request)
    zone = str(request.tariff.time_zone)
    load: PowerForecaster = LoadForecaster(
        history, load_kw, zone, request.holidays, request.load_prior_kw
    )
    if request.load_guess is not None:
        load = Beginning(request.load_guess, load)
    if request.fixed_kw > 0 and request.fixed_until_unix_s > request.now_unix_s:
        load = FixedLoadForecaster(load, request.fixed_kw, request.fixed_until_unix_s)
    solar = request.solar_forecaster
    if solar is None:
        solar = SolarForecaster(history, solar_kw, zone)
        if request.solar_guess is not None:
            solar = Beginning(request.solar_guess, solar)
    site = SiteAhead(
        currency=request.tariff.currency,
        time_zone=request.tariff.time_zone,
        prices=prices.prices,
        load_forecaster=load,
        solar_forecaster=solar,
        end_unix_s=end_s,
        near_s=_NEAR_S,
        horizon_s=horizon_s,
        solar_curtailable=request.solar_curtailable,
        import_limit_kw=request.import_limit_kw,
        export_limit_kw=request.export_limit_kw,
        demand_charge_per_kw=0.0 if charge is None else charge.price_per_kw_month,
    )
    return site, prices


def peak_so_far_kw(request: PlanRequest) -> float:
    """The import that the month is charged for already."""
    charge = request.tariff.demand_charge
    return 0.0 if charge is None else max(request.peak_so_far_kw, charge.minimum_kw)


def _measured(request: PlanRequest) -> tuple[TimeGrid, FloatArray, FloatArray]:
    """The history up to now: what has not been measured since its end is unknown."""
    history = request.history
    missing = max(history.index(request.now_unix_s) - history.step_count, 0)
    unknown = np.full(missing, np.nan)
    return (
        TimeGrid(history.start_unix_s, history.step_s, history.step_count + missing),
        np.concatenate((request.load_kw, unknown)),
        np.concatenate((request.solar_kw, unknown)),
    )


def present_car(site: SiteAhead, request: PlanRequest, now: CarNow) -> PresentCar:
    """A car with all that is known of it."""
    habits = request.habits.get(now.car_id, NO_HABITS)
    known = request.known_stays.get(now.car_id)
    car = CarAhead(
        storage=now.storage,
        past=_past_use(request, now, habits),
        presence=_presence(request, now, habits),
        early_probability=request.early_probability if now.departs_unix_s is None else None,
        stays_known=None
        if known is None
        else tuple(
            StayAhead(
                stay.arrival_unix_s,
                stay.departure_unix_s,
                stay.energy_kwh_used,
                stay.energy_kwh_asked,
            )
            for stay in known
        ),
        energy_kwh_on_road_min=request.energy_kwh_on_road_min,
        may_export=now.may_export,
    )
    # Who should have left by now may leave any moment.
    departs_s = now.departs_unix_s
    if departs_s is not None:
        departs_s = max(departs_s, request.now_unix_s + 1)
    departure = departure_ahead(site, car, request.now_unix_s, now.since_unix_s, departs_s)
    return PresentCar(
        car,
        StoredWorth(site, car),
        now.energy_kwh,
        now.since_unix_s,
        now.energy_kwh_asked,
        departure,
    )


NO_HABITS: Final = Habits(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


def _presence(request: PlanRequest, now: CarNow, habits: Habits) -> PresenceModel:
    """The habits with the present stay, whose end lies ahead and is not read: it ends the last absence."""
    not_yet = request.now_unix_s + _DAYS_OF_HABIT * _DAY_S
    used_kwh = np.nan if now.used_kwh is None else now.used_kwh
    return PresenceModel(
        np.append(habits.arrival_unix_s, now.since_unix_s),
        np.append(habits.departure_unix_s, not_yet),
        np.append(habits.energy_kwh_used, used_kwh),
        str(request.tariff.time_zone),
        request.holidays,
    )


def _past_use(request: PlanRequest, now: CarNow, habits: Habits) -> PastUse:
    """Quarter hours of the last weeks, from the day on at which the car is first known to have come."""
    arrivals = np.append(habits.arrival_unix_s, now.since_unix_s)
    departures = np.append(habits.departure_unix_s, request.now_unix_s)
    used_kwh = np.append(habits.energy_kwh_used, np.nan if now.used_kwh is None else now.used_kwh)
    zone = request.tariff.time_zone
    first_day = day_number(datetime.fromtimestamp(int(arrivals.min()), tz=zone).date())
    since_s = max(
        local_time_unix_s(first_day, 0, zone),
        request.now_unix_s // _STEP_S * _STEP_S - (_DAYS_OF_HABIT + 1) * _DAY_S,
    )
    since_s = min(since_s, request.now_unix_s)
    grid = TimeGrid(since_s, _STEP_S, -(-(request.now_unix_s - since_s) // _STEP_S) + 1)
    plugged = np.zeros(grid.step_count)
    for arrival, departure in zip(arrivals.tolist(), departures.tolist(), strict=True):
        plugged[max(grid.index(arrival), 0) : max(grid.index(departure), 0)] = 1.0
    told = np.isfinite(used_kwh)
    order = np.argsort(arrivals[told], kind="stable")
    return PastUse(grid, plugged, arrivals[told][order], used_kwh[told][order])
