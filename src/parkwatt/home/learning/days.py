"""The hours of a home's circuits as days by hour of the wall clock, ready for whole days to be drawn.

In the repeated hour of a 25-hour day the cell holds the mean of both; the skipped hour of a 23-hour day is a gap. A
circuit's day counts as known where at least three quarters of its hours are; the gaps of such a day get the circuit's usual
energy at that hour, so that they neither add nor take. All other days of a circuit are unknown: another is drawn for them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.forecast.local_time import DAY_S, HOUR_S, LocalClock
from parkwatt.home.learning.history import CircuitHistory

BoolArray = NDArray[np.bool_]

DAY_HOURS: Final = 24
_KNOWN_SHARE_MIN: Final = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class CircuitDays:
    """Rows of local days from ``first_day`` on; the last is the day of now, as far as it is over.

    ``measured_kw``: [D, 24, C], NaN where unknown. ``filled_kw``: with the gaps of known days filled, and 0 in unknown ones.
    ``known``: [D, C] whether a circuit's day is known. ``kinds``: [D] kind of day. ``clock``: the home's.
    """

    clock: LocalClock
    first_day: int
    measured_kw: FloatArray
    filled_kw: FloatArray
    known: BoolArray
    kinds: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        history: CircuitHistory,
        circuit_ids: Sequence[str],
        clock: LocalClock,
        now_unix_s: int,
    ) -> CircuitDays:
        """The history laid out as far as it is over at ``now_unix_s``."""
        first_hour, energy_kwh = history.table(circuit_ids, now_unix_s)
        starts = (first_hour + np.arange(len(energy_kwh), dtype=np.int64)) * HOUR_S
        local = clock.local_s(starts)
        today = clock.scalar_local_s(now_unix_s) // DAY_S
        first_day = int(local[0]) // DAY_S if len(local) else today
        count = today - first_day + 1
        measured = _laid_out(local, first_day, count, energy_kwh)
        usual = _nanmean(measured)
        known = np.isfinite(measured).mean(axis=1) >= _KNOWN_SHARE_MIN
        filled = np.where(np.isfinite(measured), measured, usual[np.newaxis])
        filled = np.where(known[:, np.newaxis, :], filled, 0.0)
        kinds = clock.kind_of_day(first_day + np.arange(count, dtype=np.int64))
        return cls(clock, first_day, measured, np.nan_to_num(filled), known, kinds)

    @property
    def today(self) -> int:
        """The row of the day of now."""
        return len(self.kinds) - 1

    def hourly_kw(self) -> FloatArray:
        """[24·D, C] `measured_kw` as one row after the other."""
        days, hours, circuits = self.measured_kw.shape
        return self.measured_kw.reshape(days * hours, circuits)

    def cells(self, times_unix_s: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """([T] row, [T] hour of the day) of instants; rows beyond today go on counting."""
        local = self.clock.local_s(times_unix_s)
        days = local // DAY_S
        return days - self.first_day, (local - days * DAY_S) // HOUR_S


def _laid_out(
    local: NDArray[np.int64], first_day: int, count: int, energy_kwh: FloatArray
) -> FloatArray:
    """[D, 24, C] mean kW by local day and hour; NaN where nothing is known."""
    cells = (local // DAY_S - first_day) * DAY_HOURS + local % DAY_S // HOUR_S
    circuits = energy_kwh.shape[1]
    total = np.zeros((count * DAY_HOURS, circuits))
    number = np.zeros_like(total)
    known = np.isfinite(energy_kwh)
    np.add.at(total, cells, np.where(known, energy_kwh, 0.0))
    np.add.at(number, cells, known.astype(np.float64))
    mean = np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)
    return mean.reshape(count, DAY_HOURS, circuits)


def _nanmean(measured: FloatArray) -> FloatArray:
    """[24, C] mean over the days; a circuit's mean of all hours where an hour was never seen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an hour that was never seen has no mean
        by_hour = np.nanmean(measured, axis=0)
        overall = np.nanmean(measured, axis=(0, 1))
    return np.asarray(np.where(np.isfinite(by_hour), by_hour, overall))
