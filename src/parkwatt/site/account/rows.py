"""The spans in which everything is valued: the site's quarters, and between them those in which a register moved.

Of each: prices, what the site imported and exported, and how sure that is. Where a quarter was not metered, its exchange
follows from load, sun and cars; where these are not known either, it is not known. A price that is not known is the mean
of the known ones of that local day, else of all days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.calendar import LocalClock, local_clock
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray
from parkwatt.site.account.curve import Curve
from parkwatt.site.account.quarters import QUARTER_S, Quarters

_US: Final = 1_000_000
_NOTHING_KWH: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """[R] each, in order of time, not overlapping. ``source``: the index of the quarter, -1 where there is none.

    ``known_price``: False where a mean stands in for a price.
    """

    start_unix_s: TimeArray
    end_unix_s: TimeArray
    source: NDArray[np.int64]
    import_price_per_kwh: FloatArray
    export_price_per_kwh: FloatArray
    known_price: NDArray[np.bool_]
    local: LocalClock

    @property
    def hours(self) -> FloatArray:
        """[R] how long each is."""
        hours: FloatArray = (self.end_unix_s - self.start_unix_s) / 3600.0
        return hours

    def column(self, values: FloatArray) -> FloatArray:
        """[R] a column of the quarters, NaN where there is no quarter."""
        if not len(values):
            return np.full(len(self.source), np.nan)
        return np.where(self.source >= 0, values[self.source], np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Exchange:
    """[R] what the site imported and exported, in kWh, and whether that is known."""

    import_kwh: FloatArray
    export_kwh: FloatArray
    known: NDArray[np.bool_]


def make_rows(
    quarters: Quarters, curves: Sequence[Curve], until_unix_s: int, time_zone: ZoneInfo
) -> Rows:
    """The spans of all quarters, and the quarters of an hour in which a register moved and none was closed."""
    start, duration = quarters.start_unix_s, quarters.duration_s
    extra = _moving(curves, until_unix_s)
    last = np.searchsorted(start, extra, side="right") - 1
    if len(start):
        covered = (last >= 0) & (extra < start[np.maximum(last, 0)] + duration[np.maximum(last, 0)])
        following = np.searchsorted(start, extra, side="left")
        next_start = np.append(start, np.iinfo(np.int64).max)[following]
        extra = extra[~covered & (next_start >= extra + QUARTER_S)]
    starts = np.concatenate([start, extra])
    order = np.argsort(starts, kind="stable")
    source = np.concatenate([np.arange(len(start)), np.full(len(extra), -1)])[order]
    ends = np.concatenate([start + duration, extra + QUARTER_S])[order]
    starts = starts[order]
    ends = np.minimum(ends, np.append(starts[1:], np.iinfo(np.int64).max))
    local = local_clock(starts, time_zone)
    bought, sold = (
        _at(source, quarters.site(name))
        for name in ("import_price_per_kwh", "export_price_per_kwh")
    )
    known = np.isfinite(bought) & np.isfinite(sold)
    return Rows(
        starts,
        ends,
        source,
        _with_means(bought, local.day),
        _with_means(sold, local.day),
        known,
        local,
    )


def _at(source: NDArray[np.int64], values: FloatArray) -> FloatArray:
    if not len(values):
        return np.full(len(source), np.nan)
    return np.where(source >= 0, values[source], np.nan)


def _moving(curves: Sequence[Curve], until_unix_s: int) -> TimeArray:
    """The starts of the quarters of an hour, before ``until``, in which a register moved."""
    found = [np.zeros(0, dtype=np.int64)]
    for curve in curves:
        moving = np.flatnonzero(np.diff(curve.energy_kwh) > _NOTHING_KWH)
        first = curve.at_unix_us[moving] // (_US * QUARTER_S)
        last = (curve.at_unix_us[moving + 1] - 1) // (_US * QUARTER_S)
        most = int((last - first).max()) if len(first) else -1
        found += [np.unique((first + n)[first + n <= last]) for n in range(most + 1)]
    starts = np.unique(np.concatenate(found)) * QUARTER_S
    return starts[starts + QUARTER_S <= until_unix_s]


def _with_means(price_per_kwh: FloatArray, day: TimeArray) -> FloatArray:
    """[R] the prices, with the day's mean, else that of all, in place of unknown ones; 0 where none is known."""
    known = np.isfinite(price_per_kwh)
    if known.all():
        return price_per_kwh
    overall = float(price_per_kwh[known].mean()) if known.any() else 0.0
    _, index = np.unique(day, return_inverse=True)
    count = np.bincount(index, weights=known.astype(np.float64))
    total = np.bincount(index, weights=np.where(known, price_per_kwh, 0.0))
    mean = np.where(count > 0, total / np.maximum(count, 1.0), overall)
    return np.where(known, price_per_kwh, mean[index])


def exchange(rows: Rows, quarters: Quarters, cars_kwh: FloatArray) -> Exchange:
    """What the site exchanged; ``cars_kwh``: [R] all cars' charge less discharge."""
    imported, exported = (
        rows.column(quarters.site(name)).copy() for name in ("import_kwh", "export_kwh")
    )
    load, solar = (rows.column(quarters.site(name)) for name in ("load_kwh", "solar_kwh"))
    net_kwh = load - solar + cars_kwh
    metered = np.isfinite(imported) & np.isfinite(exported)
    known = metered | np.isfinite(net_kwh)
    imported = np.where(metered, imported, np.maximum(net_kwh, 0.0))
    exported = np.where(metered, exported, np.maximum(-net_kwh, 0.0))
    return Exchange(imported, exported, known)
