"""Real homes as circuits with tiers, in steps of ten minutes, from `../shared/data`; generated ones where that is missing.

What is a circuit, and how much it matters, is set by rule, the same for each home of a kind:

- *Sub-metered* (REFIT house 2, UK-DALE house 2; by the minute). Kettle and microwave are nice to have, dishwasher and
  washing machine are not needed; all that has no meter of its own (fridge, heating, light, network, cooking) must stay.
- *Whole home* (California, by the hour, with a roof; no sub-meters). Of the load up to the home's median all must stay; of
  what is above it 15 % must stay, 50 % (cooling, cooking) is nice to have, and 35 % (laundry, pool) is not needed.

Nothing is filled in but gaps of up to half an hour, with the value before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from parkwatt.app.demo.household import load_kw
from parkwatt.app.demo.local_time import grid_of_days, local_time
from parkwatt.app.demo.sky import Roof, daily_clearness, solar_power_kw
from parkwatt.domain.home.circuit import Circuit, Tier
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeGrid, utc

HomeKind = Literal["sub-metered", "whole home"]

DATA: Final = Path(__file__).resolve().parents[3] / "shared" / "data"
STEP_S: Final = 600
_GAP_STEPS: Final = 3
_KNOWN_SHARE_MIN: Final = 0.5  # of a step's minutes
_SUB_METERED: Final = {
    "refit": "submetered_refit_house2_1min",
    "ukdale": "submetered_ukdale_house2_1min",
}
_APPLIANCES: Final[dict[str, Tier]] = {
    "kettle": "nice_to_have",
    "microwave": "nice_to_have",
    "dishwasher": "not_needed",
    "washing_machine": "not_needed",
}
# Of what is above the median: name, tier, share.
_SHARES: Final[tuple[tuple[str, Tier, float], ...]] = (
    ("essentials", "must_have", 0.15),
    ("comfort", "nice_to_have", 0.50),
    ("extras", "not_needed", 0.35),
)
_INRUSH_FACTOR: Final = 1.5


@dataclass(frozen=True, eq=False)
class Home:
    """One home: ``power_kw`` [C, T] of its circuits and ``solar_kw`` [T], both NaN where unknown."""

    name: str
    kind: HomeKind
    time_zone: str
    grid: TimeGrid
    circuits: tuple[Circuit, ...]
    power_kw: FloatArray
    solar_kw: FloatArray

    def tier(self, tier: Tier) -> list[int]:
        """The places of the circuits of a tier."""
        return [place for place, one in enumerate(self.circuits) if one.tier == tier]

    @property
    def has_sun(self) -> bool:
        """Whether there is a roof with modules."""
        return bool(np.nanmax(self.solar_kw, initial=0.0) > 0.0)


def is_real() -> bool:
    """Whether the data are there; otherwise all is generated."""
    return DATA.is_dir()


@cache
def homes() -> tuple[Home, ...]:
    """The sub-metered homes, then those with a meter for the whole."""
    if not is_real():
        return made_homes()
    return (*(_sub_metered(*one) for one in _SUB_METERED.items()), *_californian())


@cache
def made_homes(days: int = 120) -> tuple[Home, ...]:
    """A generated home of each kind, in summer and autumn."""
    return _made_home("made whole home", 3, days), _made_sub_metered(4, days)


def by_shares(name: str, zone: str, grid: TimeGrid, load: FloatArray, solar: FloatArray) -> Home:
    """A home whose load [T] has one meter, split by the rule above."""
    median_kw = float(np.nanmedian(load))
    above = np.maximum(load - median_kw, 0.0)
    rows = np.array([share * above for _, _, share in _SHARES])
    rows[0] += np.minimum(load, median_kw)
    circuits = tuple(_circuit(*one[:2], row) for one, row in zip(_SHARES, rows, strict=True))
    return Home(name, "whole home", zone, grid, circuits, rows, solar)


def by_appliance(
    name: str, zone: str, grid: TimeGrid, aggregate: FloatArray, appliances: dict[str, FloatArray]
) -> Home:
    """A home with meters [T] of some appliances beside the one for all."""
    rows = np.array([aggregate - sum(appliances.values()), *appliances.values()])
    rows = np.maximum(rows, 0.0)
    kinds: list[tuple[str, Tier]] = [("essentials", "must_have")]
    kinds += [(one, _APPLIANCES[one]) for one in appliances]
    circuits = tuple(_circuit(*kind, row) for kind, row in zip(kinds, rows, strict=True))
    return Home(name, "sub-metered", zone, grid, circuits, rows, np.zeros(grid.step_count))


def _circuit(name: str, tier: Tier, power_kw: FloatArray) -> Circuit:
    rated_kw = round(float(np.nanmax(power_kw)), 2)
    return Circuit(name, name.replace("_", " "), tier, rated_kw, _INRUSH_FACTOR * rated_kw)


def _sub_metered(name: str, file: str) -> Home:
    path = DATA / "homes" / f"{file}.parquet"
    columns = ["aggregate", *_APPLIANCES]
    means = ", ".join(f"avg({column}_w)" for column in columns)
    query = (
        f"select epoch(ts_utc)::bigint // {STEP_S} as step, count(aggregate_w), {means} "  # noqa: S608
        f"from '{path}' group by 1 order by 1"
    )
    found = duckdb.execute(query).fetchnumpy()
    step, count, *values = (np.ma.filled(np.ma.asarray(one), np.nan) for one in found.values())
    grid = TimeGrid(int(step[0]) * STEP_S, STEP_S, int(step[-1] - step[0]) + 1)
    measured = {}
    for column, watts in zip(columns, values, strict=True):
        series = np.full(grid.step_count, np.nan)
        kw = np.where(count >= _KNOWN_SHARE_MIN * STEP_S / 60, watts.astype(np.float64), np.nan)
        series[(step - step[0]).astype(np.int64)] = kw / 1000.0
        measured[column] = _bridged(series)
    aggregate = measured.pop("aggregate")
    return by_appliance(name, "Europe/London", grid, aggregate, measured)


def _californian() -> list[Home]:
    path = DATA / "homes" / "california_homes_hourly_9.parquet"
    query = (
        "select home_id, epoch(ts_utc)::bigint, load_kwh, pv_kwh "  # noqa: S608
        f"from '{path}' order by 1, 2"
    )
    by_home: dict[str, list[tuple[float, ...]]] = {}
    for name, *values in duckdb.execute(query).fetchall():
        by_home.setdefault(str(name), []).append(tuple(float(value) for value in values))
    found = []
    for name, rows in by_home.items():
        hour, load, sun = np.array(rows).T
        place = ((hour - hour[0]) // 3600).astype(np.int64)
        hourly = np.full((2, int(place[-1]) + 1), np.nan)
        hourly[:, place] = load, sun
        load, sun = np.repeat(hourly, 3600 // STEP_S, axis=1)
        grid = TimeGrid(int(hour[0]), STEP_S, len(load))
        found.append(by_shares(name, "America/Los_Angeles", grid, load, sun))
    return found


def _bridged(series: FloatArray) -> FloatArray:
    """Gaps of up to half an hour with the value before them."""
    known = np.isfinite(series)
    last = np.maximum.accumulate(np.where(known, np.arange(len(series)), -1))
    age = np.arange(len(series)) - last
    fill = ~known & (last >= 0) & (age <= _GAP_STEPS)
    # Only gaps that end within the half hour: the beginning of a long one stays unknown.
    following = np.minimum.accumulate(np.where(known, np.arange(len(series)), 2**60)[::-1])[::-1]
    fill &= following - last <= _GAP_STEPS + 1
    return np.where(fill, series[np.maximum(last, 0)], series)


def _made_load(seed: int, days: int) -> tuple[str, TimeGrid, FloatArray, FloatArray]:
    zone = "America/Los_Angeles"
    start = utc(1_465_000_000).date()
    grid = grid_of_days(start, days, STEP_S, ZoneInfo(zone))
    starts = grid.starts_unix_s()
    local = local_time(starts, ZoneInfo(zone))
    clearness = daily_clearness(np.random.default_rng([seed, 0]), 1, days + 1)
    sun = solar_power_kw(np.random.default_rng([seed, 1]), starts, STEP_S, local, clearness, Roof())
    return zone, grid, load_kw(np.random.default_rng([seed, 2]), local, STEP_S, 6000.0), sun


def _made_home(name: str, seed: int, days: int) -> Home:
    zone, grid, load, sun = _made_load(seed, days)
    return by_shares(name, zone, grid, load, sun)


def _made_sub_metered(seed: int, days: int) -> Home:
    """Appliances that run at random, most in the evening, beside a generated load; some days of it are missing."""
    zone, grid, load, _ = _made_load(seed, days)
    random = np.random.default_rng([seed, 3])
    hour = local_time(grid.starts_unix_s(), ZoneInfo(zone)).hour
    likely = 0.2 + np.exp(-0.5 * ((hour - 18.0) / 3.0) ** 2)
    runs = {
        "kettle": (4.0, 0.5, 1),
        "microwave": (2.0, 0.3, 1),
        "dishwasher": (0.7, 1.0, 6),
        "washing_machine": (0.4, 0.8, 8),
    }
    appliances: dict[str, FloatArray] = {}
    for name, (per_day, run_kw, steps) in runs.items():
        begins = random.random(len(load)) < per_day * likely / likely.sum() * days
        on = np.convolve(begins, np.ones(steps))[: len(load)] > 0
        appliances[name] = np.where(on, run_kw, 0.0)
    missing = slice(20 * 144, 22 * 144)
    for series in (load, *appliances.values()):
        series[missing] = np.nan
    return by_appliance("made sub-metered", zone, grid, load + sum(appliances.values()), appliances)
