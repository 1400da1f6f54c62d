"""Made-up years for tests: days without a change of clocks, and sessions that say little but are all right."""

from __future__ import annotations

import numpy as np

from parkwatt.fleet.year.capacity import CapacityRules
from parkwatt.fleet.year.car import YearCar
from parkwatt.fleet.year.drivers import RecordedSessions, YearDays
from parkwatt.fleet.year.study import Programme, YearTerms
from parkwatt.plan.wear import CELLS

STEP_MINUTES = 15
STEPS_OF_DAY = 96


def plain_days(day_count: int, first_weekday: int = 0) -> YearDays:
    """Days of 24 hours."""
    weekday = (first_weekday + np.arange(day_count)) % 7
    return YearDays(np.arange(day_count + 1) * STEPS_OF_DAY, weekday, STEP_MINUTES)


def recorded(user_count: int, week_count: int, seed: int) -> RecordedSessions:
    """Users who come home on most evenings and leave in the morning."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(user_count):
        for day in range(7 * week_count):
            if random.random() < 0.8:
                minute = int(random.integers(16 * 60, 20 * 60))
                minutes = int(random.integers(9 * 60, 15 * 60))
                rows.append((user, 700 + day, minute, minutes, float(random.uniform(3.0, 20.0))))
    users, days, begins, lengths, energies = zip(*rows, strict=True)
    return RecordedSessions(
        np.array(users), np.array(days), np.array(begins), np.array(lengths), np.array(energies)
    )


def a_car(**changed: float) -> YearCar:
    """60 kWh, 11 kW."""
    usual = {
        "energy_kwh_max": 60.0,
        "power_kw_max": 11.0,
        "efficiency": 0.93,
        "floor_soc": 0.2,
        "asked_soc": 0.8,
        "wear_price_per_kwh": 0.01,
        "holding_price_per_kwh_h": 0.0,
        "holding_from_kwh": 60.0,
    }
    return YearCar(**{**usual, **changed})


def terms_of_year(programme: Programme, day_count: int = 42, seed: int = 3) -> YearTerms:
    """Summer days with dear evenings."""
    days = plain_days(day_count)
    random = np.random.default_rng(seed)
    hour = (np.arange(days.step_count) // 4) % 24
    dear = np.where((hour >= 17) & (hour < 21), 0.25, 0.08)
    daily = np.repeat(random.uniform(0.7, 1.3, day_count), STEPS_OF_DAY)
    price = dear * daily
    return YearTerms(
        programme=programme,
        days=days,
        months=np.full(day_count, 7),
        first_day_of_year=152,
        import_per_kwh=price + 0.03,
        export_per_kwh=price,
        car=a_car(),
        cell=CELLS["nmc-a"],
        pack_price_per_kwh=100.0,
        capacity=CapacityRules(lot_kw=1.0),
    )
