"""Study results of believable shape, made by plain rules instead of the study engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeGrid, unix_s
from parkwatt.site.outcome import (
    MonthResult,
    StrategyName,
    StrategyResult,
    StudyResult,
    WearResult,
)

ALL: tuple[StrategyName, ...] = ("charge_at_once", "smart", "v2h", "v2g", "foresight")
FULL_KWH, FLOOR_KWH, WISH_KWH, DRIVEN_KWH = 58.0, 12.0, 46.0, 7.5
WEAR_PRICE = 0.031
LOSSES = {  # calendar, driving, grid use of a deep cycle: % a year
    "NMC622": (1.21, 0.52, 0.44),
    "NMC111": (1.65, 0.38, -0.21),
    "NMC811": (1.44, 0.61, 0.72),
    "NCA": (1.92, 0.66, 1.35),
    "LFP 250 Ah": (1.12, 0.21, -0.30),
    "LFP 2.3 Ah": (1.31, 0.35, 0.18),
}


@dataclass(frozen=True)
class Days:
    """The span: local hour of the day and whether the car is plugged in, [T] each."""

    grid: TimeGrid
    hour: FloatArray
    connected: FloatArray
    month: list[str]


def make_study(
    *,
    start: datetime = datetime(2024, 1, 1, tzinfo=UTC),
    days: int = 10,
    step_minutes: int = 15,
    names: tuple[StrategyName, ...] = ALL,
    site_name: str = "Number 7, Canal Street",
    time_zone: str = "Europe/Amsterdam",
    currency: str = "EUR",
    charger_price: float | None = 3200.0,
    price_spread: float = 1.0,
    notes: tuple[str, ...] = ("Departures were declared by the driver.",),
) -> StudyResult:
    """A study of ``days`` days; ``price_spread`` 0 makes the price flat, so that nothing can be saved."""
    span = _days(start, days, step_minutes, time_zone)
    step_count = span.grid.step_count
    random = np.random.default_rng(7)
    day = np.arange(step_count) * span.grid.step_h / 24.0
    season = np.cos(2 * np.pi * (day - 15) / 365.25)  # 1 in mid January
    evening = np.exp(-(((span.hour - 19) / 2.2) ** 2))
    noon = np.exp(-(((span.hour - 13) / 2.8) ** 2))
    swing = 0.2 * evening - (0.09 - 0.06 * season) * noon + 0.02 * season
    price = 0.25 + price_spread * (swing + random.normal(0, 0.008, step_count))
    load = 0.25 + 0.9 * evening + 0.4 * np.exp(-(((span.hour - 7.5) / 1.2) ** 2))
    load = load * random.gamma(4, 0.25, step_count) * (1 + 0.2 * season)
    solar = np.maximum(0, np.cos((span.hour - 13) / 24 * 2 * np.pi) - 0.25 + 0.3 * (1 - season) / 2)
    solar = 4.2 * solar * np.clip(random.normal(0.6, 0.25, step_count), 0.05, 1)
    wear_of = {"charge_at_once": 0.0, "smart": -0.1, "v2h": 0.55, "v2g": 1.0, "foresight": 1.05}
    strategies = tuple(
        _strategy(name, span, price, 0.82 * price, load, solar, wear_of[name]) for name in names
    )
    return StudyResult(
        site_name=site_name,
        currency=currency,
        time_zone=time_zone,
        grid=span.grid,
        import_price_per_kwh=price,
        export_price_per_kwh=0.82 * price,
        load_kw=load,
        solar_kw=solar,
        connected=span.connected,
        energy_kwh_min=FLOOR_KWH,
        energy_kwh_max=FULL_KWH,
        cell="NMC622",
        wear_price_per_kwh=WEAR_PRICE,
        pack_price_per_kwh=130.0,
        charger_price=charger_price,
        strategies=strategies,
        notes=notes,
    )


def _days(start: datetime, days: int, step_minutes: int, time_zone: str) -> Days:
    grid = TimeGrid(unix_s(start), 60 * step_minutes, days * 24 * 60 // step_minutes)
    zone = ZoneInfo(time_zone)
    local = [datetime.fromtimestamp(t, zone) for t in grid.starts_unix_s().tolist()]
    hour = np.array([time.hour + time.minute / 60 for time in local])
    workday = np.array([time.weekday() < 5 for time in local])
    away = workday & (hour >= 8) & (hour < 17.5)
    return Days(grid, hour, (~away).astype(np.float64), [f"{time:%Y-%m}" for time in local])


def _wished_power(name: StrategyName, hour: float, load_kw: float, solar_kw: float) -> float:
    """The power a rule of thumb asks for, before the battery's bounds."""
    if name == "charge_at_once":
        return 11.0
    if 1 <= hour < 6:
        return 7.0
    if name != "smart" and 17.5 <= hour < 23:
        return -max(load_kw - solar_kw, 0.0) if name == "v2h" or hour >= 20.5 else -4.0
    return max(solar_kw - load_kw, 0.0)


def _strategy(
    name: StrategyName,
    span: Days,
    price: FloatArray,
    sell: FloatArray,
    load: FloatArray,
    solar: FloatArray,
    depth: float,
) -> StrategyResult:
    step_h, count = span.grid.step_h, span.grid.step_count
    energy = np.empty(count + 1)
    energy[0] = 30.0
    power = np.zeros(count)
    away_steps = 9.5 / step_h
    for step in range(count):
        if not span.connected[step]:
            energy[step + 1] = energy[step] - DRIVEN_KWH / away_steps
            continue
        wish = _wished_power(name, span.hour[step], load[step], solar[step])
        highest = (WISH_KWH - energy[step]) / step_h / 0.93
        lowest = -(energy[step] - FLOOR_KWH - 8.0) * 0.93 / step_h
        power[step] = max(min(wish, max(highest, 0.0)), min(lowest, 0.0))
        change = power[step] * 0.93 if power[step] > 0 else power[step] / 0.93
        energy[step + 1] = energy[step] + step_h * change
    grid_kw = load - solar + power
    bought, sold = np.maximum(grid_kw, 0), np.maximum(-grid_kw, 0)
    discharged = np.maximum(-power, 0) * step_h / 0.93
    cost = (bought * price - sold * sell) * step_h
    months = sorted(set(span.month))
    index = np.searchsorted(months, span.month)
    cost_by_month = np.bincount(index, weights=cost)
    wear_by_month = np.bincount(index, weights=discharged * WEAR_PRICE)
    departures = int(np.sum((span.connected[:-1] == 1) & (span.connected[1:] == 0)))
    return StrategyResult(
        name=name,
        power_kw=power,
        energy_kwh=energy,
        import_kw=bought,
        export_kw=sold,
        solar_used_kw=solar,
        energy_cost=float(cost.sum()) * (0.985 if name == "foresight" else 1.0),
        demand_cost=0.0,
        wear_cost=float(discharged.sum()) * WEAR_PRICE,
        stored_value=(energy[-1] - energy[0]) * 0.25,
        bought_kwh=float(bought.sum()) * step_h,
        sold_kwh=float(sold.sum()) * step_h,
        discharged_kwh=float(discharged.sum()),
        import_peak_kw=float(bought.max()),
        self_consumption=float(1 - sold.sum() / max(solar.sum(), sold.sum(), 1e-9)),
        departure_count=departures,
        missed_count=0,
        shortfall_kwh=0.0,
        shortfall_kwh_avoidable=0.0,
        below_floor_kwh_h=0.0,
        months=tuple(
            MonthResult(month, float(cost_by_month[i]), 0.0, float(wear_by_month[i]))
            for i, month in enumerate(months)
        ),
        wear=tuple(
            WearResult(cell, calendar, driving, grid_use * depth)
            for cell, (calendar, driving, grid_use) in LOSSES.items()
        ),
    )
