"""The study of the simulated month: what a replay says that has the same data and the same knowledge, beside what was lived.

The study works in quarter hours with constant efficiencies, so a month that is compared with it has a car whose efficiency is
constant too. Both know prices when they are published, each departure when the car is plugged in, and load and sun
only from what they have seen since the span began.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from parkwatt.app.live_settings import LiveSettings
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import IntervalSeries, TimeGrid
from parkwatt.domain.tariff import DayAheadPublication
from parkwatt.forecast.load import LoadForecaster
from parkwatt.forecast.presence import PresenceModel
from parkwatt.forecast.solar import SolarForecaster
from parkwatt.io.sim.home.price_server import MARKET
from parkwatt.io.sim.home.truth import Truth
from parkwatt.site.outcome import StrategyName, StrategyResult
from parkwatt.site.study.account import account
from parkwatt.site.study.inputs import PlugIn, StudyInputs
from parkwatt.site.study.replay import Departed, Replay, ReplayState
from tests.soak.month_home import CAPACITY_KWH, FLOOR_SOC, READY_SOC, SOC_AT_START, MonthData

_STEP_S = 900
_PUBLISHED_AT_S = 13 * 3600


@dataclass(frozen=True, slots=True)
class Comparison:
    """Net cost of the month, wear included and what is left in the car counted: lived, studied, charged at once."""

    lived: StrategyResult
    studied: StrategyResult
    at_once: StrategyResult

    def __str__(self) -> str:
        """The figures, and how they compare."""
        lived, studied = self.lived.net_cost, self.studied.net_cost
        saved, could = self.at_once.net_cost - lived, self.at_once.net_cost - studied
        return (
            f"net cost: lived {lived:.2f}, studied {studied:.2f} ({100 * (lived / studied - 1):+.2f} %), "
            f"at once {self.at_once.net_cost:.2f}\n"
            f"saved against charging at once: lived {saved:.2f}, studied {could:.2f} ({100 * saved / could:.1f} %)\n"
            f"discharged: lived {self.lived.discharged_kwh:.1f} kWh, studied {self.studied.discharged_kwh:.1f} kWh; "
            f"wear: {self.lived.wear_cost:.2f}, {self.studied.wear_cost:.2f}; "
            f"sold: {self.lived.sold_kwh:.1f}, {self.studied.sold_kwh:.1f} kWh; "
            f"bought: {self.lived.bought_kwh:.1f}, {self.studied.bought_kwh:.1f} kWh"
        )


def compare(data: MonthData, settings: LiveSettings, truth: Truth, beyond_s: int) -> Comparison:
    """What was lived against the study. ``data`` reach ``beyond_s`` past the truth, so that the study can look ahead."""
    inputs = study_inputs(data, settings)
    count = (data.seconds - beyond_s) // _STEP_S
    power_kw = truth.car_kw[0][: count * _STEP_S].reshape(count, _STEP_S).mean(axis=1)
    soc = truth.soc[0][: count * _STEP_S].astype(np.float64)
    energy_kwh = _energy_kwh(soc, count)
    studied, departed = _replayed(inputs, "v2h", count)
    at_once, _ = _replayed(inputs, "charge_at_once", count)
    span = _cut(inputs, count)
    lived = account(span, "v2h", power_kw.astype(np.float64), energy_kwh, departed, ())
    return Comparison(lived, studied, at_once)


def _energy_kwh(soc: FloatArray, count: int) -> FloatArray:
    """[count + 1] at the quarter hours; between two stays what the car left with."""
    energy = np.full(count + 1, SOC_AT_START * CAPACITY_KWH)
    known = np.flatnonzero(np.isfinite(soc))
    edges = np.arange(1, count + 1) * _STEP_S
    at = np.searchsorted(known, edges) - 1
    energy[1:] = np.where(at >= 0, soc[known[np.maximum(at, 0)]] * CAPACITY_KWH, energy[0])
    return energy


def _replayed(
    inputs: StudyInputs, strategy: StrategyName, count: int
) -> tuple[StrategyResult, list[Departed]]:
    state = ReplayState.at_start(inputs)
    Replay(inputs, strategy).run(state)
    departed = [item for item in state.departures if item.step <= count]
    span = _cut(inputs, count)
    power_kw, energy_kwh = state.power_kw[:count], state.energy_kwh[: count + 1]
    return account(span, strategy, power_kw, energy_kwh, departed, ()), departed


def _cut(inputs: StudyInputs, count: int) -> StudyInputs:
    """The first ``count`` steps."""
    grid = inputs.grid
    return replace(
        inputs,
        grid=TimeGrid(grid.start_unix_s, grid.step_s, count),
        import_price_per_kwh=inputs.import_price_per_kwh[:count],
        export_price_per_kwh=inputs.export_price_per_kwh[:count],
        load_kw=inputs.load_kw[:count],
        solar_kw=inputs.solar_kw[:count],
        plug_ins=tuple(stay for stay in inputs.plug_ins if stay.departure_step <= count),
    )


def study_inputs(data: MonthData, settings: LiveSettings) -> StudyInputs:
    """The month as a study is given it."""
    count = data.seconds // _STEP_S
    grid = TimeGrid(data.start_unix_s, _STEP_S, count)
    site, car = settings.site, settings.site.cars[0]
    load_kw, solar_kw = (
        profile.by_second(data.start_unix_s, count * _STEP_S).reshape(count, _STEP_S).mean(axis=1)
        for profile in (data.load, data.solar)
    )
    market = data.prices
    starts = market.start_unix_s + market.step_s * np.arange(len(market.price_eur_per_mwh))
    series = IntervalSeries(starts, starts + market.step_s, market.price_eur_per_mwh / 1000.0)
    tariff = site.tariff.with_feeds({feed.name: series for feed in settings.feeds})
    publication = DayAheadPublication(_PUBLISHED_AT_S, MARKET)
    zone = str(site.time_zone)
    stays = [stay for stay in data.stays if stay.departure_unix_s <= grid.end_unix_s]
    storage = replace(
        car.storage, energy_kwh_min=FLOOR_SOC * CAPACITY_KWH, energy_kwh_max=CAPACITY_KWH
    )
    return StudyInputs(
        site_name=site.name,
        currency=tariff.currency,
        time_zone=site.time_zone,
        grid=grid,
        import_price_per_kwh=tariff.import_price_on(grid),
        export_price_per_kwh=tariff.export_price_on(grid),
        prices_known_until=publication.known_until_unix_s,
        load_kw=load_kw,
        solar_kw=solar_kw,
        load_forecaster=LoadForecaster(grid, load_kw, zone),
        solar_forecaster=SolarForecaster(grid, solar_kw, zone),
        car=storage,
        energy_kwh_at_start=SOC_AT_START * CAPACITY_KWH,
        plug_ins=tuple(
            PlugIn(
                max(-(-(stay.arrival_unix_s - grid.start_unix_s) // _STEP_S), 0),
                (stay.departure_unix_s - grid.start_unix_s) // _STEP_S,
                stay.energy_used_kwh,
                READY_SOC * CAPACITY_KWH,
            )
            for stay in stays
        ),
        import_limit_kw=site.import_limit_kw,
        energy_kwh_on_road_min=0.05 * CAPACITY_KWH,
        presence=PresenceModel(
            np.array([stay.arrival_unix_s for stay in stays], dtype=np.int64),
            np.array([stay.departure_unix_s for stay in stays], dtype=np.int64),
            np.array([stay.energy_used_kwh for stay in stays]),
            zone,
        ),
        replan_steps=1,
        near_steps=8,
        notes=(f"from {datetime.fromtimestamp(grid.start_unix_s, UTC):%Y-%m-%d}",),
    )
