"""What a house uses and a roof yields before anything was measured: standard shapes, scaled by what their owner says.

Load. A base (fridge, standby) through day and night, and an activity that rises with getting up, at noon at weekends and
most in the evening; a fifth more in winter. Heat: by how far the mean of the day lies below 15 °C, most in the morning
and evening, for a mean temperature of 10 °C that swings by 9 °C over the year (a house in Central Europe). Both are
scaled so that a year sums to what its owner says.

Sun. The sun's place by Cooper's declination (1969) and Spencer's equation of time (1971), the angle on the panel after
Duffie & Beckman, direct light after Meinel (1976) through the air mass of Kasten & Young (1989), a tenth of it scattered;
of that the share that a mean sky lets through, 75 % in high summer and 43 % in winter; nearer to the equator than 50° skies are
clearer, by 2 % a degree (a rule of thumb).

`Beginning` passes from such a guess to what was learned as days of measurements come in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import NormalDist
from typing import Final

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid
from parkwatt.forecast.local_time import DAY_S, HOUR_S, LocalClock
from parkwatt.forecast.power import (
    QUANTILES,
    NativeSteps,
    PowerForecast,
    PowerForecaster,
    Quantiles,
    check_quantiles,
)

_GRID: Final = TimeGrid(0, 900, 1)
_YEAR_H: Final = 8766.0
_BASE_KW_MAX: Final = 0.16
_BASE_SHARE_MAX: Final = 0.5
_SEASON: Final = 0.22
_HEAT_UP_TO_C: Final = 15.0
_MEAN_C, _SWING_C, _COLDEST_DAY = 10.0, 9.0, 20.0
_LOAD_SPREAD, _SUN_SPREAD = 0.45, 0.6
_EFFICIENCY: Final = 0.82
_DAYS_TO_LEARN: Final = 7.0


@dataclass(frozen=True, slots=True)
class StandardLoad:
    """A household's load. ``kwh_per_year``: without cars and heating, ``heat_kwh_per_year``: of a heat pump.

    ``time_zone``: IANA name. Raises ValueError where it is not known.
    """

    kwh_per_year: float
    heat_kwh_per_year: float
    time_zone: str

    def forecast(
        self, now_unix_s: int, edges_unix_s: TimeArray, quantiles: Quantiles = QUANTILES
    ) -> PowerForecast:
        """The standard load of the S steps between ``edges_unix_s`` [S+1]; ``now_unix_s`` does not matter."""
        del now_unix_s
        steps = NativeSteps.covering(_GRID, edges_unix_s)
        local_s = LocalClock.of(self.time_zone).local_s(steps.starts_unix_s() + 450)
        mean_kw = self.kwh_per_year / _YEAR_H
        base_kw = min(_BASE_KW_MAX, mean_kw * _BASE_SHARE_MAX)
        lively = _activity(local_s) / _activity(_WEEK_S).mean()
        season = 1.0 + _SEASON * np.cos(2.0 * np.pi * (_day_of_year(local_s) - 10.0) / 365.25)
        power_kw = base_kw + (mean_kw - base_kw) * lively * season
        power_kw = power_kw + self.heat_kwh_per_year / _YEAR_H * _heat(local_s) / _MEAN_HEAT
        return _spread(steps, power_kw, edges_unix_s, quantiles, _LOAD_SPREAD)


@dataclass(frozen=True, slots=True)
class StandardSun:
    """A roof's yield. ``azimuth_deg``: clockwise from north, 180 looks south; ``tilt_deg``: 0 lies flat."""

    peak_kw: float
    azimuth_deg: float
    tilt_deg: float
    latitude_deg: float
    longitude_deg: float

    def forecast(
        self, now_unix_s: int, edges_unix_s: TimeArray, quantiles: Quantiles = QUANTILES
    ) -> PowerForecast:
        """The usual yield of the S steps between ``edges_unix_s`` [S+1]; ``now_unix_s`` does not matter."""
        del now_unix_s
        steps = NativeSteps.covering(_GRID, edges_unix_s)
        power_kw = self._mean_kw(steps.starts_unix_s() + 450)
        return _spread(steps, power_kw, edges_unix_s, quantiles, _SUN_SPREAD)

    def _mean_kw(self, times_unix_s: TimeArray) -> FloatArray:
        day = _day_of_year(times_unix_s)
        angle = 2.0 * np.pi * (day - 1.0) / 365.0
        equation_min = 229.2 * (
            0.000075
            + 0.001868 * np.cos(angle)
            - 0.032077 * np.sin(angle)
            - 0.014615 * np.cos(2 * angle)
            - 0.04089 * np.sin(2 * angle)
        )
        hour = (times_unix_s % DAY_S) / HOUR_S + self.longitude_deg / 15.0 + equation_min / 60.0
        turn = np.pi / 12.0 * (hour - 12.0)
        declination = np.radians(23.45) * np.sin(2.0 * np.pi * (284.0 + day) / 365.0)
        latitude, tilt = np.radians(self.latitude_deg), np.radians(self.tilt_deg)
        facing = np.radians(self.azimuth_deg - 180.0)
        height = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(
            declination
        ) * np.cos(turn)
        on_panel = (
            np.sin(declination) * np.sin(latitude) * np.cos(tilt)
            - np.sin(declination) * np.cos(latitude) * np.sin(tilt) * np.cos(facing)
            + np.cos(declination) * np.cos(latitude) * np.cos(tilt) * np.cos(turn)
            + np.cos(declination) * np.sin(latitude) * np.sin(tilt) * np.cos(facing) * np.cos(turn)
            + np.cos(declination) * np.sin(tilt) * np.sin(facing) * np.sin(turn)
        )
        up = height > 0.0
        above_deg = np.degrees(np.arcsin(np.clip(height, 0.0, 1.0)))
        air_mass = 1.0 / (np.maximum(height, 0.0) + 0.50572 * (above_deg + 6.07995) ** -1.6364)
        direct = np.where(up, 1.353 * 0.7 ** (air_mass**0.678), 0.0)
        scattered = 0.1 * direct * (1.0 + np.cos(tilt)) / 2.0
        light = direct * np.maximum(on_panel, 0.0) + scattered
        summer = np.cos(2.0 * np.pi * (day - 196.0) / 365.25) * np.sign(self.latitude_deg or 1.0)
        clearer = 1.0 + 0.02 * min(max(50.0 - abs(self.latitude_deg), 0.0), 20.0)
        clearness = np.minimum((0.59 + 0.16 * summer) * clearer, 0.95)
        return np.asarray(
            np.minimum(self.peak_kw * _EFFICIENCY * clearness * light, self.peak_kw),
            dtype=np.float64,
        )


@dataclass(frozen=True, slots=True)
class Beginning:
    """``guess`` until something is known, then more and more of ``learned``: all of it after a week of measurements."""

    guess: PowerForecaster
    learned: PowerForecaster

    def forecast(
        self, now_unix_s: int, edges_unix_s: TimeArray, quantiles: Quantiles = QUANTILES
    ) -> PowerForecast:
        """The mixture over the S steps between ``edges_unix_s`` [S+1]; where nothing was learned, the guess."""
        guess = self.guess.forecast(now_unix_s, edges_unix_s, quantiles)
        learned = self.learned.forecast(now_unix_s, edges_unix_s, quantiles)
        share = min(learned.known_days / _DAYS_TO_LEARN, 1.0)
        return PowerForecast(
            _mixed(learned.mean_kw, guess.mean_kw, share),
            _mixed(learned.quantile_kw, guess.quantile_kw, share),
            learned.known_days,
        )


def _mixed(learned: FloatArray, guess: FloatArray, share: float) -> FloatArray:
    known = np.isfinite(learned) & (share > 0.0)
    return np.where(known, share * np.where(known, learned, 0.0) + (1.0 - share) * guess, guess)


def _spread(
    steps: NativeSteps,
    power_kw: FloatArray,
    edges_unix_s: TimeArray,
    quantiles: Quantiles,
    spread: float,
) -> PowerForecast:
    """Quantiles as of a log-normal about the mean."""
    check_quantiles(quantiles)
    mean_kw = steps.mean_over(power_kw, edges_unix_s)
    normal = NormalDist()
    factors = [np.exp(spread * normal.inv_cdf(one) - spread**2 / 2.0) for one in quantiles]
    return PowerForecast(mean_kw, np.outer(np.array(factors), mean_kw), 0.0)


def _day_of_year(times_s: TimeArray) -> FloatArray:
    """[N] 1 … 366, with the fraction of the day."""
    if not len(times_s):
        return np.zeros(0)
    year = datetime.fromtimestamp(int(times_s[0]), tz=UTC).year
    begin = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    return np.asarray(1.0 + ((times_s - begin) / DAY_S) % 365.25, dtype=np.float64)


def _activity(local_s: TimeArray) -> FloatArray:
    """[N] how busy the house is by its local clock, 1970-01-01 having been a Thursday."""
    hour = (local_s % DAY_S) / HOUR_S
    free = (local_s // DAY_S + 3) % 7 >= 5
    working = 0.25 + 1.0 * _bump(hour, 7.3, 0.8) + 2.3 * _bump(hour, 19.2, 2.0)
    resting = 0.25 + 0.9 * _bump(hour, 9.7, 1.5) + 0.7 * _bump(hour, 13.0, 2.0)
    resting = resting + 2.0 * _bump(hour, 19.0, 2.2)
    return np.asarray(np.where(free, resting, working) * (1.0 - 0.75 * _bump(hour, 3.0, 1.7)))


def _heat(local_s: TimeArray) -> FloatArray:
    """[N] how much heat is wanted, in degrees below the heating limit, by day and hour."""
    day = _day_of_year(local_s)
    outside_c = _MEAN_C - _SWING_C * np.cos(2.0 * np.pi * (day - _COLDEST_DAY) / 365.25)
    hour = (local_s % DAY_S) / HOUR_S
    rhythm = 0.8 + 0.5 * _bump(hour, 7.0, 2.0) + 0.4 * _bump(hour, 18.5, 3.0)
    return np.asarray(np.maximum(_HEAT_UP_TO_C - outside_c, 0.0) * rhythm)


def _bump(hour: FloatArray, centre: float, width: float) -> FloatArray:
    """[N] a bell around an hour of the day."""
    away = (hour - centre + 12.0) % 24.0 - 12.0
    return np.asarray(np.exp(-0.5 * (away / width) ** 2))


_WEEK_S: Final = 900 * np.arange(7 * 96, dtype=np.int64)
_YEAR_S: Final = HOUR_S * np.arange(8766, dtype=np.int64)
_MEAN_HEAT: Final = float(_heat(_YEAR_S).mean())
