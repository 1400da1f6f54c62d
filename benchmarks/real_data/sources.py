"""Reads prices, homes and charging sessions from `../shared/data`, all laid onto the local wall clock.

Each comes from another place and year, so only the wall clock and the weekday carry over: six in the evening on a Tuesday
stays that. Where the folder is missing the demo's formulas make all three.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from parkwatt.app.demo.driving import sessions as made_sessions
from parkwatt.app.demo.household import load_kw
from parkwatt.app.demo.local_time import grid_of_days, local_time
from parkwatt.app.demo.market import day_ahead_price_per_mwh
from parkwatt.app.demo.sky import Roof, daily_clearness, solar_power_kw
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray
from parkwatt.forecast.local_time import DAY_S, HOUR_S, LocalClock

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TIME_ZONE = "Europe/Amsterdam"
SESSIONS_PER_USER_MIN = 60
_MADE_START, _MADE_DAYS = date(2024, 1, 1), 366


@dataclass(frozen=True, eq=False)
class Prices:
    """Day-ahead prices by the hour: [N] UTC starts and currency per kWh."""

    start_unix_s: TimeArray
    price_per_kwh: FloatArray


@dataclass(frozen=True, eq=False)
class Home:
    """A year of a home by the hour: [N] hours on its wall clock, load and sun in kW."""

    hour_local_s: TimeArray
    load_kw: FloatArray
    solar_kw: FloatArray


@dataclass(frozen=True, eq=False)
class Sessions:
    """One car's sessions: [N] wall-clock times in and out, kWh charged in each."""

    user: str
    arrival_local_s: TimeArray
    departure_local_s: TimeArray
    energy_kwh: FloatArray


def is_real() -> bool:
    """Whether the data are there; otherwise all is generated."""
    return DATA.is_dir()


@cache
def prices(zone: str) -> Prices:
    """A price zone as the data name it: `NL_2021_2022`, `DELU_2024`."""
    if not is_real():
        return _made_prices(int(zone.split("_")[1]))
    path = DATA / "prices" / f"dayahead_{zone}.parquet"
    query = f"select epoch(ts_utc), price_eur_per_mwh from '{path}' order by 1"  # noqa: S608
    rows = np.array(duckdb.execute(query).fetchall(), dtype=np.float64)
    return Prices(rows[:, 0].astype(np.int64), rows[:, 1] / 1000.0)


@cache
def homes() -> tuple[Home, ...]:
    """The homes in the order of their names."""
    if not is_real():
        return tuple(_made_home(seed) for seed in range(4))
    path = DATA / "homes" / "california_homes_hourly_9.parquet"
    query = (
        "select home_id, epoch(ts_local_naive), load_kwh, pv_kwh "  # noqa: S608
        f"from '{path}' order by 1, ts_utc"
    )
    by_home: dict[str, list[tuple[float, ...]]] = {}
    for name, *values in duckdb.execute(query).fetchall():
        by_home.setdefault(str(name), []).append(tuple(float(value) for value in values))
    found = []
    for rows in by_home.values():
        hour, load, sun = np.array(rows).T
        found.append(Home(hour.astype(np.int64), load, sun))
    return tuple(found)


@cache
def users() -> tuple[Sessions, ...]:
    """All cars in the order of their names, also those with few sessions."""
    if not is_real():
        return tuple(_made_user(seed) for seed in range(8))
    path = DATA / "ev_sessions" / "norway_residential_visible_sites.parquet"
    rows = duckdb.execute(
        "select user_id, epoch(plugin_utc), epoch(plugout_utc), energy_kwh "  # noqa: S608
        f"from '{path}' where plugout_utc > plugin_utc order by 1, 2"
    ).fetchall()
    clock = LocalClock.of("Europe/Oslo")
    by_user: dict[str, list[tuple[float, ...]]] = {}
    for user, *values in rows:
        numbers = tuple(np.nan if value is None else float(value) for value in values)
        by_user.setdefault(str(user), []).append(numbers)
    found = []
    for user, numbers_of_user in by_user.items():
        arrival, departure, energy = np.array(numbers_of_user).T
        found.append(
            Sessions(
                user,
                clock.local_s(arrival.astype(np.int64)),
                clock.local_s(departure.astype(np.int64)),
                energy,
            )
        )
    return tuple(found)


def half(of_users: tuple[Sessions, ...], *, held_out: bool) -> list[Sessions]:
    """Every other car, with enough sessions: the half on which constants were chosen, or the one they never saw."""
    first = 1 if held_out else 0
    return [user for user in of_users[first::2] if len(user.energy_kwh) >= SESSIONS_PER_USER_MIN]


def _made_prices(first_year: int) -> Prices:
    zone = ZoneInfo(TIME_ZONE)
    days = 2 * _MADE_DAYS
    hours = grid_of_days(date(first_year, 1, 1), days, HOUR_S, zone).starts_unix_s()
    clearness = daily_clearness(np.random.default_rng(0), 1, days)
    price = day_ahead_price_per_mwh(np.random.default_rng(1), local_time(hours, zone), clearness)
    return Prices(hours, price / 1000.0)


def _made_home(seed: int) -> Home:
    zone = ZoneInfo("UTC")
    starts = grid_of_days(_MADE_START, _MADE_DAYS, HOUR_S, zone).starts_unix_s()
    local = local_time(starts, zone)
    clearness = daily_clearness(np.random.default_rng([seed, 0]), 1, _MADE_DAYS)
    sun = solar_power_kw(np.random.default_rng([seed, 1]), starts, HOUR_S, local, clearness, Roof())
    return Home(starts, load_kw(np.random.default_rng([seed, 2]), local, HOUR_S, 3500.0), sun)


def _made_user(seed: int) -> Sessions:
    found = made_sessions(
        np.random.default_rng([seed, 3]), _MADE_START, _MADE_DAYS, ZoneInfo("UTC")
    )
    used_kwh = [session.energy_used_kwh for session in found]
    return Sessions(
        f"made {seed}",
        np.array([int(session.arrival.timestamp()) for session in found]),
        np.array([int(session.departure.timestamp()) for session in found]),
        np.array(used_kwh) / 0.9,
    )


def hours_at(home: Home, wanted_local_s: TimeArray) -> TimeArray:
    """[M] for each wanted wall-clock time the place of the home's hour: same weekday, same season (a year of 52 weeks)."""
    year_s = 364 * DAY_S
    week_s = 7 * DAY_S
    first = int(home.hour_local_s[0]) // week_s * week_s + week_s
    into_year_s = (wanted_local_s - first) % year_s
    place = np.searchsorted(home.hour_local_s, first + into_year_s, side="right") - 1
    return np.asarray(place, dtype=np.int64)
