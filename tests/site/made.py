"""Random sites over a few days, from one seed: prices, load, sun, a car and its trips, with or without each feature."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.domain.problem import Storage
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeGrid
from parkwatt.domain.tariff import DayAheadPublication, DemandCharge
from parkwatt.forecast.load import LoadForecaster
from parkwatt.forecast.presence import PresenceModel
from parkwatt.forecast.solar import SolarForecaster
from parkwatt.site.study.inputs import PlugIn, StudyInputs

ZONE = ZoneInfo("Europe/Amsterdam")
_MONDAY_S = 1_717_365_600  # 2024-06-03 00:00 in Amsterdam
_BEFORE_MONTH_END_S = 1_719_525_600  # 2024-06-28 00:00 in Amsterdam


def random_inputs(
    seed: int,
    days: int = 4,
    *,
    least_powers: bool = True,
    import_limit: bool = True,
    quarter_hours: bool = False,
) -> StudyInputs:
    """A site in steps of an hour or half an hour, or in ``quarter_hours``; all features mixed.

    ``least_powers``, ``import_limit``: whether the charger may have the first and the connection the second.
    """
    chance = np.random.default_rng(seed)
    step_s = int(chance.choice([1800, 3600]))
    if quarter_hours:
        step_s = 900
    start_s = int(chance.choice([_MONDAY_S, _BEFORE_MONTH_END_S]))
    grid = TimeGrid(start_s, step_s, days * 86_400 // step_s)
    hour = np.arange(grid.step_count) * grid.step_h
    spot = 0.1 + 0.1 * np.cos((hour - 19) * np.pi / 6) + 0.06 * chance.normal(size=len(hour))
    spot -= 0.15 * (chance.random(len(hour)) < 0.05)
    buy = 1.2 * spot + chance.choice([0.0, 0.13])
    sell = spot if chance.random() < 0.5 else np.full(len(hour), 0.07)
    load = 0.3 + chance.gamma(1.0, 0.5, len(hour)) * (1 + (hour % 24 > 17))
    peak_kw = float(chance.choice([0.0, 3.0, 8.0]))
    solar = peak_kw * np.maximum(np.sin((hour % 24 - 6) * np.pi / 12), 0) * chance.random(len(hour))
    car = _car(chance)
    plug_ins = _plug_ins(chance, grid, car)
    arrival = np.array([grid.start_unix_s + p.arrival_step * step_s for p in plug_ins])
    departure = np.array([grid.start_unix_s + p.departure_step * step_s for p in plug_ins])
    used = np.array([p.energy_kwh_used for p in plug_ins])
    if not least_powers:
        car = replace(car, charge_kw_min=0.0, discharge_kw_min=0.0)
    import_limit_kw = float(chance.choice([6.0, 17.0])) if chance.random() < 0.4 else None
    publication = DayAheadPublication(13 * 3600, ZONE)
    return StudyInputs(
        site_name="random",
        currency="EUR",
        time_zone=ZONE,
        grid=grid,
        import_price_per_kwh=buy,
        export_price_per_kwh=sell,
        prices_known_until=publication.known_until_unix_s,
        load_kw=load,
        solar_kw=solar,
        load_forecaster=LoadForecaster(grid, load, ZONE.key),
        solar_forecaster=SolarForecaster(grid, solar, ZONE.key),
        car=car,
        energy_kwh_at_start=float(chance.uniform(0.3, 0.9)) * car.energy_kwh_max,
        plug_ins=plug_ins,
        solar_curtailable=bool(chance.random() < 0.7),
        import_limit_kw=import_limit_kw if import_limit else None,
        export_limit_kw=float(chance.choice([0.0, 4.0])) if chance.random() < 0.4 else None,
        demand_charge=DemandCharge(5.0, 1.0) if chance.random() < 0.4 else None,
        energy_kwh_on_road_min=0.05 * car.energy_kwh_max,
        presence=PresenceModel(arrival, departure, used, ZONE.key),
        replan_steps=int(chance.integers(1, 4)),
        near_steps=4,
        horizon_h=float(chance.choice([24.0, 48.0])),
    )


def with_series(
    inputs: StudyInputs,
    import_price_per_kwh: FloatArray,
    load_kw: FloatArray,
    solar_kw: FloatArray,
) -> StudyInputs:
    """The same site with other series, and forecasters that learn from them."""
    zone = inputs.time_zone.key
    return replace(
        inputs,
        import_price_per_kwh=import_price_per_kwh,
        load_kw=load_kw,
        solar_kw=solar_kw,
        load_forecaster=LoadForecaster(inputs.grid, load_kw, zone),
        solar_forecaster=SolarForecaster(inputs.grid, solar_kw, zone),
    )


def plain_inputs(step_count: int, plug_ins: tuple[PlugIn, ...], **fields: object) -> StudyInputs:
    """A small site in steps of an hour for calculations by hand: no load, no sun, flat prices, a loss-free car."""
    grid = TimeGrid(_MONDAY_S, 3600, step_count)
    nothing = np.zeros(step_count)
    inputs = StudyInputs(
        site_name="plain",
        currency="EUR",
        time_zone=ZONE,
        grid=grid,
        import_price_per_kwh=np.full(step_count, 0.3),
        export_price_per_kwh=np.full(step_count, 0.1),
        prices_known_until=lambda _: None,
        load_kw=nothing,
        solar_kw=nothing,
        load_forecaster=LoadForecaster(grid, nothing, ZONE.key),
        solar_forecaster=SolarForecaster(grid, nothing, ZONE.key),
        car=Storage(
            id="car",
            energy_kwh_min=10.0,
            energy_kwh_max=50.0,
            charge_kw_max=10.0,
            discharge_kw_max=10.0,
            charge_efficiency=1.0,
            discharge_efficiency=1.0,
        ),
        energy_kwh_at_start=20.0,
        plug_ins=plug_ins,
    )
    return replace(inputs, **fields)  # type: ignore[arg-type]


def _car(chance: np.random.Generator) -> Storage:
    energy_kwh_max = float(chance.choice([24.0, 60.0]))
    charge_kw_max = float(chance.choice([3.7, 11.0]))
    return Storage(
        id="car",
        energy_kwh_min=float(chance.choice([0.0, 0.2, 0.4])) * energy_kwh_max,
        energy_kwh_max=energy_kwh_max,
        charge_kw_max=charge_kw_max,
        discharge_kw_max=float(chance.choice([0.0, charge_kw_max])),
        charge_kw_min=float(chance.choice([0.0, 1.4])),
        discharge_kw_min=float(chance.choice([0.0, 1.0])),
        charge_efficiency=0.93,
        discharge_efficiency=0.91,
        wear_price_per_kwh=float(chance.choice([0.0, 0.03, 0.2])),
        holding_price_per_kwh_h=float(chance.choice([0.0, 2e-5])),
        holding_from_kwh=0.6 * energy_kwh_max,
    )


def _plug_ins(chance: np.random.Generator, grid: TimeGrid, car: Storage) -> tuple[PlugIn, ...]:
    plug_ins = []
    step = int(chance.integers(0, 6))
    while step < grid.step_count - 2:
        end = min(step + int(chance.integers(2, 20 * 3600 // grid.step_s)), grid.step_count)
        used = float(chance.uniform(0.0, 0.3)) * car.energy_kwh_max
        if chance.random() < 0.1:
            used = 1.2 * car.energy_kwh_max  # a long way: some of it is charged on the road
        asked = float(chance.uniform(0.5, 1.05)) * car.energy_kwh_max
        asks = end < grid.step_count and chance.random() < 0.9
        plug_ins.append(PlugIn(step, end, used, asked if asks else None))
        step = end + int(chance.integers(1, 12 * 3600 // grid.step_s))
    return tuple(plug_ins)
