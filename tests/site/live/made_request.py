"""Random requests for a plan, from one seed: what a real site can bring, on ordinary days and on nasty ones."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.domain.problem import Storage
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import IntervalSeries, TimeGrid
from parkwatt.domain.tariff import (
    DayAheadPublication,
    DemandCharge,
    FlatPrice,
    Price,
    SeriesPrice,
    Tariff,
)
from parkwatt.site.live.request import CarNow, Habits, KnownStay, PlanRequest

ZONE = ZoneInfo("Europe/Amsterdam")
# Noon on a day in June, and on the days before the clocks go forward and back in 2024.
NOONS = (1_717_408_800, 1_711_796_400, 1_729_936_800)
_DAY_S = 86_400


def series_price(start_unix_s: int, step_s: int, price_per_kwh: FloatArray) -> SeriesPrice:
    """A day-ahead price, published at 13:00 for the next day."""
    start = start_unix_s + step_s * np.arange(len(price_per_kwh), dtype=np.int64)
    return SeriesPrice(
        IntervalSeries(start, start + step_s, price_per_kwh),
        publication=DayAheadPublication(13 * 3600, ZONE),
    )


def one_car(**fields: object) -> CarNow:
    """A car at home since an hour before the first of `NOONS`, that wants 40 of 60 kWh at 07:00 the next day."""
    storage = Storage(
        id="car",
        energy_kwh_min=12.0,
        energy_kwh_max=60.0,
        charge_kw_max=11.0,
        discharge_kw_max=10.0,
        charge_kw_min=1.4,
        charge_efficiency=0.93,
        discharge_efficiency=0.92,
        wear_price_per_kwh=0.03,
        holding_price_per_kwh_h=2e-5,
    )
    now = CarNow("car", storage, 20.0, NOONS[0] - 3600, NOONS[0] + 19 * 3600, 40.0)
    return replace(now, **fields)  # type: ignore[arg-type]


def one_request(*cars: CarNow, **fields: object) -> PlanRequest:
    """A quiet site at the first of `NOONS`: a week of history, 0.5 kW of load, no sun, cheap nights."""
    now_s, start_s = NOONS[0], NOONS[0] - 7 * _DAY_S
    count = 7 * 96
    hours = np.arange(start_s // 3600, start_s // 3600 + 10 * 24)
    price = np.where((hours + 2) % 24 < 6, 0.1, 0.3)
    request = PlanRequest(
        now_unix_s=now_s,
        site_name="quiet",
        tariff=Tariff(
            "EUR",
            ZONE,
            Price((series_price(start_s, 3600, price),)),
            Price((FlatPrice(0.05),)),
        ),
        history=TimeGrid(start_s, 900, count),
        load_kw=np.full(count, 0.5),
        solar_kw=np.zeros(count),
        cars=cars,
    )
    return replace(request, **fields)  # type: ignore[arg-type]


def random_request(
    seed: int, car_count_max: int = 3, *, now_unix_s: int | None = None
) -> PlanRequest:
    """All features mixed. ``now_unix_s``: a chosen moment for the same site, cars and history as far as it goes."""
    chance = np.random.default_rng(seed)
    noon_s = int(chance.choice(NOONS))
    chosen_s = noon_s + int(chance.integers(-12 * 3600, 36 * 3600))
    now_s = chosen_s if now_unix_s is None else now_unix_s
    days = int(chance.choice([0, 1, 12, 40]))
    history, load_kw, solar_kw = _history(chance, now_s, days)
    buy, sell = _prices(chance, noon_s)
    count = int(chance.integers(0, car_count_max + 1))
    cars = tuple(_car(chance, f"car{place}", chosen_s) for place in range(count))
    habits = {car.car_id: _habits(chance, chosen_s) for car in cars if chance.random() < 0.8}
    known = {car.car_id: _calendar(chance, chosen_s, car) for car in cars if chance.random() < 0.2}
    return PlanRequest(
        now_unix_s=now_s,
        site_name="random",
        tariff=Tariff(
            "EUR",
            ZONE,
            buy,
            sell,
            DemandCharge(5.0, 1.0) if chance.random() < 0.2 else None,
        ),
        history=history,
        load_kw=load_kw,
        solar_kw=solar_kw,
        cars=cars,
        habits=habits,
        known_stays=known,
        fixed_kw=float(chance.choice([0.0, 0.0, 11.0])),
        fixed_until_unix_s=now_s + int(chance.integers(-3600, 7200)),
        solar_curtailable=bool(chance.random() < 0.7),
        import_limit_kw=float(chance.choice([3.0, 9.0, 17.0])) if chance.random() < 0.5 else None,
        export_limit_kw=float(chance.choice([0.0, 4.0])) if chance.random() < 0.4 else None,
        peak_so_far_kw=float(chance.choice([0.0, 5.0])),
        horizon_h=float(chance.choice([24.0, 168.0])),
    )


def _history(
    chance: np.random.Generator, now_s: int, days: int
) -> tuple[TimeGrid, FloatArray, FloatArray]:
    """Days of load and sun up to now or a little before, with holes."""
    end_s = now_s // 900 * 900 - 900 * int(chance.integers(0, 5))
    count = days * 96
    hour = (end_s / 3600 - np.arange(count, 0, -1) / 4) % 24
    load = 0.3 + chance.gamma(1.0, 0.5, count) * (1 + (hour > 17))
    peak_kw = float(chance.choice([0.0, 4.0, 12.0]))
    solar = peak_kw * np.maximum(np.sin((hour - 6) * np.pi / 12), 0) * chance.random(count)
    for values in (load, solar):
        values[chance.random(count) < chance.choice([0.0, 0.3])] = np.nan
    return TimeGrid(end_s - count * 900, 900, count), load, solar


def _prices(chance: np.random.Generator, noon_s: int) -> tuple[Price, Price]:
    """Day-ahead prices of some weeks, by the hour or the quarter hour, some with holes; or flat ones; or none at all."""
    step_s = int(chance.choice([900, 3600]))
    start_s = noon_s - 12 * 3600 - int(chance.choice([0, 1, 30])) * _DAY_S
    hours = np.arange(start_s, noon_s + 4 * _DAY_S, step_s) / 3600
    spot = 0.1 + 0.1 * np.cos((hours - 19) * np.pi / 6) + 0.06 * chance.normal(size=len(hours))
    spot -= 0.2 * (chance.random(len(hours)) < 0.05)
    share = float(chance.choice([0.0, 0.0, 0.1, 0.7, 1.0]))
    spot[chance.random(len(hours)) < share] = np.nan
    buy = Price((series_price(start_s, step_s, spot), FlatPrice(float(chance.choice([0.0, 0.15])))))
    if chance.random() < 0.15:
        buy = Price((FlatPrice(0.25),))
    sell = Price((FlatPrice(float(chance.choice([0.0, 0.08, 0.3]))),))
    if chance.random() < 0.4:
        sell = Price((series_price(start_s, step_s, spot),))
    return buy, sell


def _car(chance: np.random.Generator, car_id: str, now_s: int) -> CarNow:
    capacity_kwh = float(chance.choice([24.0, 60.0]))
    charge_kw = float(chance.choice([3.7, 11.0, 11.0]))
    storage = Storage(
        id=car_id,
        energy_kwh_min=float(chance.choice([0.0, 0.2, 0.6, 1.0])) * capacity_kwh,
        energy_kwh_max=capacity_kwh,
        charge_kw_max=charge_kw,
        discharge_kw_max=float(chance.choice([0.0, charge_kw])),
        charge_kw_min=1.4,
        charge_efficiency=0.93,
        discharge_efficiency=0.91,
        wear_price_per_kwh=float(chance.choice([0.0, 0.03, 0.2])),
        holding_price_per_kwh_h=float(chance.choice([0.0, 2e-5])),
        holding_from_kwh=0.6 * capacity_kwh,
    )
    ahead_s = int(chance.choice([1, 180, 3600, 50_000, 200_000, 900_000]))
    departs = None if chance.random() < 0.3 else now_s + int(ahead_s * chance.uniform(0.5, 1.0)) + 1
    return CarNow(
        car_id,
        storage,
        energy_kwh=float(chance.uniform(0.0, 1.02)) * capacity_kwh,
        since_unix_s=now_s - int(chance.integers(0, 50_000)),
        departs_unix_s=departs,
        energy_kwh_asked=float(chance.uniform(0.3, 1.0)) * capacity_kwh
        if chance.random() < 0.8
        else None,
        may_export=bool(chance.random() < 0.5),
        used_kwh=float(chance.uniform(0.0, 15.0)) if chance.random() < 0.5 else None,
    )


def _habits(chance: np.random.Generator, now_s: int) -> Habits:
    count = int(chance.choice([0, 1, 40]))
    days = np.arange(-count, 0) - 1
    arrival = now_s // _DAY_S * _DAY_S + days * _DAY_S + 17 * 3600 + chance.integers(0, 3600, count)
    used = chance.uniform(2.0, 20.0, count)
    used[chance.random(count) < 0.2] = np.nan
    return Habits(arrival, arrival + 12 * 3600 + chance.integers(0, 7200, count), used)


def _calendar(chance: np.random.Generator, now_s: int, car: CarNow) -> tuple[KnownStay, ...]:
    stays = []
    at_s = (car.departs_unix_s or now_s + 50_000) + 3600
    for _ in range(int(chance.integers(0, 10))):
        end_s = at_s + int(chance.integers(600, 60_000))
        stays.append(KnownStay(at_s, end_s, float(chance.uniform(0, 20)), car.energy_kwh_asked))
        at_s = end_s + int(chance.integers(600, 40_000))
    return tuple(stays)
