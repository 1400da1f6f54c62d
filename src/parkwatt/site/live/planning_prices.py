"""The prices of a running site as its planner sees them: what sources have told so far, with holes filled and named.

Feeds are late, lose hours or fail for days, and a plan is wanted all the same. Known prices end with the last quarter of an
hour whose import price is known; beyond it the guess of `parkwatt.forecast.price` stands, as in the study. A hole
ahead is filled by the guess from the prices before it, a hole in the past, from which the guess learns, by the nearest
day at the same time. Where nothing at all is known, energy is taken to cost what the last plan took it to cost, else
half of what it costs on the road, and to earn nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeGrid
from parkwatt.forecast.price import PriceForecaster
from parkwatt.site.horizon.prices import KnownPrices
from parkwatt.site.live.request import PlanRequest

_DAY_S: Final = 86_400
_STEP_S: Final = 900
# The guess learns from three weeks.
_DAYS_BACK: Final = 22
_SHARE_OF_PUBLIC_PRICE: Final = 0.5


@dataclass(frozen=True, slots=True)
class LivePrices:
    """``prices``: without a hole. ``known_until_unix_s``: beyond it they are a guess.

    ``risks``: what is not known, in words.
    """

    prices: KnownPrices
    known_until_unix_s: int
    risks: tuple[str, ...]


def live_prices(request: PlanRequest, end_unix_s: int) -> LivePrices:
    """The prices that are known at ``request.now_unix_s``, from those of the last weeks up to ``end_unix_s`` at most."""
    tariff, now_s = request.tariff, request.now_unix_s
    grid = _grid(request, end_unix_s)
    buy, sell = tariff.import_price_on(grid), tariff.export_price_on(grid)
    published_s = tariff.known_until_unix_s(now_s)
    if published_s is not None:
        unpublished = grid.starts_unix_s() + grid.step_s > published_s
        buy[unpublished] = sell[unpublished] = np.nan
    finite = np.flatnonzero(np.isfinite(buy))
    now_step = grid.index(now_s)
    known = int(finite[-1]) + 1 if len(finite) else now_step
    known_until_s = grid.start_unix_s + known * grid.step_s
    count = max(known, now_step + 1)
    # Before the first price nothing is to be learned; a whole hour begins the grid.
    first = min(int(finite[0]) if len(finite) else now_step, now_step) // 4 * 4
    used = TimeGrid(grid.start_unix_s + first * _STEP_S, _STEP_S, count - first)
    teller = _Teller(request, used)
    buy = teller.whole("import", buy[first:count], known - first, _import_price(request))
    sell = teller.whole("export", sell[first:count], known - first, 0.0)

    def known_until(_: int) -> int:
        return used.end_unix_s

    zone = str(tariff.time_zone)
    prices = KnownPrices(used, buy, sell, known_until, zone, request.holidays)
    return LivePrices(prices, known_until_s, tuple(teller.risks))


def _grid(request: PlanRequest, end_unix_s: int) -> TimeGrid:
    """Quarter hours from a whole local hour some weeks ago."""
    offset = datetime.fromtimestamp(request.now_unix_s, tz=request.tariff.time_zone).utcoffset()
    offset_s = 0 if offset is None else int(offset.total_seconds())
    start_s = request.now_unix_s - _DAYS_BACK * _DAY_S
    start_s -= (start_s + offset_s) % 3600
    return TimeGrid(start_s, _STEP_S, -(-(end_unix_s - start_s) // _STEP_S))


def _import_price(request: PlanRequest) -> float:
    """What import is taken to cost where no price of it was ever told."""
    if request.running is not None:
        return float(np.mean(request.running.import_price_per_kwh))
    return request.public_price_per_kwh * _SHARE_OF_PUBLIC_PRICE


class _Teller:
    """Fills holes and notes those that matter for the plan."""

    def __init__(self, request: PlanRequest, grid: TimeGrid) -> None:
        self._request = request
        self._grid = grid
        self._now_step = grid.index(request.now_unix_s)
        self.risks: list[str] = []

    def whole(
        self, name: str, price_per_kwh: FloatArray, known: int, otherwise_per_kwh: float
    ) -> FloatArray:
        """The prices without holes.

        ``known``: the step at which known prices end; ``otherwise_per_kwh``: where none is known.
        """
        unknown = np.isnan(price_per_kwh)
        if unknown.all():
            self.risks.append(
                f"no {name} price is known; a flat {otherwise_per_kwh:.3f} "
                f"{self._request.tariff.currency}/kWh is assumed"
            )
            return np.full(len(price_per_kwh), otherwise_per_kwh)
        if not unknown.any():
            return price_per_kwh
        now = self._now_step
        filled = price_per_kwh.copy()
        filled[:now] = _by_nearest_days(price_per_kwh, self._grid.step_s)[:now]
        ahead = now + np.flatnonzero(unknown[now:])
        if len(ahead):
            filled[ahead] = self._guess(filled, ahead)
            self._tell(name, ahead, known)
        return filled

    def _guess(self, price_per_kwh: FloatArray, ahead: NDArray[np.int64]) -> FloatArray:
        """[holes] from the prices before the first; where there are none, from those after it."""
        first = int(ahead[0])
        if first == 0:
            return _by_nearest_days(price_per_kwh, self._grid.step_s)[ahead]
        zone = str(self._request.tariff.time_zone)
        forecaster = PriceForecaster(self._grid, price_per_kwh, zone, self._request.holidays)
        return forecaster.beyond(first, int(ahead[-1]) + 1 - first)[ahead - first]

    def _tell(self, name: str, ahead: NDArray[np.int64], known: int) -> None:
        first_s = self._grid.start_unix_s + int(ahead[0]) * self._grid.step_s
        local = datetime.fromtimestamp(first_s, tz=self._request.tariff.time_zone)
        if int(ahead[0]) >= known:
            self.risks.append(f"no {name} price is known from now on; a guess stands for it")
            return
        hours = len(ahead) * self._grid.step_h
        self.risks.append(
            f"the {name} price of {hours:g} h is not known, from {local:%d.%m. %H:%M} on; "
            "a guess stands for it"
        )


def _by_nearest_days(price_per_kwh: FloatArray, step_s: int) -> FloatArray:
    """Each hole filled by the nearest day that is known at this time of day, earlier days first; else by the mean of all."""
    per_day = _DAY_S // step_s
    days = -(-len(price_per_kwh) // per_day)
    padded = np.full(days * per_day, np.nan)
    padded[: len(price_per_kwh)] = price_per_kwh
    table = padded.reshape(days, per_day)
    filled = table.copy()
    for back in range(1, days):
        for shift in (back, -back):
            source = np.full_like(table, np.nan)
            if shift > 0:
                source[shift:] = table[:-shift]
            else:
                source[:shift] = table[-shift:]
            filled = np.where(np.isnan(filled), source, filled)
        if not np.isnan(filled).any():
            break
    filled = np.where(np.isnan(filled), np.nanmean(price_per_kwh), filled)
    return np.asarray(filled.ravel()[: len(price_per_kwh)])
