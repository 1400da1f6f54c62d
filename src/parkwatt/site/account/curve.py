"""From the values of a register to a curve: how much has passed by any time.

Between two values energy is taken to have flowed evenly. A register should only grow, and sometimes does not:

* it begins anew (after a boot, or with each transaction): what it then shows counts from 0, where the charger can have moved
  that much since; else it is another meter's sum, and what passed before its first value is not known and not counted;
* one value is false: it lies apart from its neighbours by more than a charger can move, and they agree without it;
* its last digits are rounded now and then: a little back is nothing.

Over a gap that is longer than a quarter of an hour an even flow is a guess. Where the site's own quarters
(`parkwatt.site.account.quarters`) tell the same energy for the gap, their shape takes its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray
from parkwatt.site.account.readings import QUARTER_US, IntervalEnergies, Readings

_US: Final = 1_000_000
_HOUR_US: Final = 3.6e9
# A meter may round its last digit.
_TOLERANCE_KWH: Final = 0.0011
_ROUNDED_KWH: Final = 0.1
# Clocks of chargers have whole seconds, and stand still in some.
_SLACK_US: Final = 60 * _US
# The false values in a row that are looked past.
_LOOK_AHEAD: Final = 3
# What passed over a longer gap is taken to have passed at its end: an even flow over weeks says nothing.
_GAP_US_MAX: Final = 45 * 86_400 * _US
# An interval's energy passed in at most this time.
_INTERVAL_US_MAX: Final = 3600 * _US
# A gap is one if it is longer than a quarter and a late reading, and holds this much.
_GAP_US: Final = QUARTER_US + _SLACK_US
_GAP_KWH: Final = 0.02
# The shape told by quarters is believed where their sum is this near to what the register moved.
_SAME_KWH, _SAME_SHARE = 0.1, 0.02

_CanMove = Callable[[float, int], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Energy that passed until each of [N] times, in µs. ``guessed_kwh``: [N] the same of energy that is spread evenly over
    gaps. ``restart_count``: how often the register began anew.
    """

    at_unix_us: TimeArray
    energy_kwh: FloatArray
    guessed_kwh: FloatArray
    restart_count: int = 0

    @property
    def known(self) -> bool:
        """Whether anything was told at all."""
        return len(self.at_unix_us) > 0

    @property
    def total_kwh(self) -> float:
        """All that passed."""
        return float(self.energy_kwh[-1]) if self.known else 0.0

    def until(self, unix_s: TimeArray) -> FloatArray:
        """[M] energy that passed until each of these times, in seconds."""
        return self._read(self.energy_kwh, unix_s)

    def guessed_until(self, unix_s: TimeArray) -> FloatArray:
        """[M] the part of it that is spread evenly over gaps."""
        return self._read(self.guessed_kwh, unix_s)

    def until_us(self, unix_us: TimeArray) -> FloatArray:
        """[M] energy that passed until each of these times, in µs."""
        return self._read_us(self.energy_kwh, unix_us)

    def guessed_until_us(self, unix_us: TimeArray) -> FloatArray:
        """[M] the part of it that is spread evenly over gaps."""
        return self._read_us(self.guessed_kwh, unix_us)

    def _read(self, values: FloatArray, unix_s: TimeArray) -> FloatArray:
        return self._read_us(values, np.asarray(unix_s * float(_US), dtype=np.float64))

    def _read_us(self, values: FloatArray, unix_us: TimeArray | FloatArray) -> FloatArray:
        if not self.known:
            return np.zeros(len(unix_us))
        return np.asarray(np.interp(unix_us, self.at_unix_us, values))


def register_curve(readings: Readings, power_kw_max: float) -> Curve:
    """The curve of a register, of a charger that can move ``power_kw_max``."""
    at = np.array(readings.at_unix_us, dtype=np.int64)
    value = np.array(readings.value_kwh, dtype=np.float64)
    if not len(at):
        return _curve(at, value, 0)
    rise, passed_us = np.diff(value), np.diff(at)
    if np.all(rise >= -_TOLERANCE_KWH) and np.all(rise <= _most_kwh(passed_us, power_kw_max)):
        # The running maximum: a digit back and forth moves nothing.
        return _curve(at, np.maximum.accumulate(value) - value[0], 0)
    kept, energy, restart_count = _walk(at.tolist(), value.tolist(), power_kw_max)
    return _curve(at[kept], np.array(energy), restart_count)


def interval_curve(energies: IntervalEnergies) -> Curve:
    """The curve of energies that were told for the time since the reading before."""
    at: list[int] = []
    total: list[float] = []
    passed_kwh = 0.0
    for end_unix_us, energy_kwh in zip(energies.at_unix_us, energies.energy_kwh, strict=True):
        begin_unix_us = end_unix_us - (_INTERVAL_US_MAX if at else QUARTER_US)
        if not at or at[-1] < begin_unix_us:
            at.append(begin_unix_us)
            total.append(passed_kwh)
        passed_kwh += max(energy_kwh, 0.0)
        at.append(end_unix_us)
        total.append(passed_kwh)
    return _curve(np.array(at, dtype=np.int64), np.array(total, dtype=np.float64), 0)


def _most_kwh(passed_us: TimeArray, power_kw_max: float) -> FloatArray:
    return np.asarray(power_kw_max * (passed_us + _SLACK_US) / _HOUR_US, dtype=np.float64)


def _walk(
    at: list[int], value: list[float], power_kw_max: float
) -> tuple[list[int], list[float], int]:
    """Indices of the values that are believed, energy until each, and how often the register began anew."""

    def can_move(energy_kwh: float, passed_us: int) -> bool:
        return energy_kwh <= power_kw_max * (passed_us + _SLACK_US) / _HOUR_US

    kept, energy, restart_count = [0], [0.0], 0
    last = 0
    for index in range(1, len(at)):
        rise_kwh, passed_us = value[index] - value[last], at[index] - at[last]
        gained_kwh = rise_kwh
        if rise_kwh < 0:
            if -rise_kwh <= _TOLERANCE_KWH or (
                -rise_kwh <= _ROUNDED_KWH and value[index] > value[last] / 2
            ):
                continue
            if _is_false(at, value, last, index, can_move):
                continue
            gained_kwh = value[index] if can_move(value[index], passed_us) else 0.0
            restart_count += 1
        elif not can_move(rise_kwh, passed_us):
            if _is_false(at, value, last, index, can_move):
                continue
            gained_kwh = 0.0
            restart_count += 1
        kept.append(index)
        energy.append(energy[-1] + gained_kwh)
        last = index
    return kept, energy, restart_count


def _is_false(at: list[int], value: list[float], last: int, index: int, can_move: _CanMove) -> bool:
    """Whether one of the next values follows the last believed one, and cannot follow this one."""
    for later in range(index + 1, min(index + 1 + _LOOK_AHEAD, len(at))):
        rise_kwh = value[later] - value[last]
        from_here_kwh = value[later] - value[index]
        passed_us = at[later] - at[index]
        follows_last = rise_kwh >= -_TOLERANCE_KWH and can_move(rise_kwh, at[later] - at[last])
        follows_this = from_here_kwh >= -_TOLERANCE_KWH and can_move(from_here_kwh, passed_us)
        if follows_last and not follows_this:
            return True
    return False


def _curve(at: TimeArray, energy_kwh: FloatArray, restart_count: int) -> Curve:
    """The curve through these points, with what gaps hold noted."""
    if len(at) > 1:
        long = np.flatnonzero((np.diff(at) > _GAP_US_MAX) & (np.diff(energy_kwh) > 0))
        at = np.insert(at, long + 1, at[long + 1] - QUARTER_US)
        energy_kwh = np.insert(energy_kwh, long + 1, energy_kwh[long])
    moved = np.diff(energy_kwh, prepend=energy_kwh[:1])
    passed_us = np.diff(at, prepend=at[:1])
    is_gap = (passed_us > _GAP_US) & (moved > _GAP_KWH)
    return Curve(at, energy_kwh, np.cumsum(np.where(is_gap, moved, 0.0)), restart_count)


def shaped(
    curve: Curve,
    start_unix_s: TimeArray,
    end_unix_s: TimeArray,
    quarters_kwh: FloatArray,
    power_kw_max: float,
) -> Curve:
    """The curve with its gaps shaped by what the site's own quarters [R] told (NaN where they told nothing)."""
    gaps = np.flatnonzero(np.diff(curve.guessed_kwh) > 0)
    if not len(gaps) or not len(start_unix_s):
        return curve
    new_at: list[TimeArray] = []
    new_energy_kwh: list[FloatArray] = []
    new_index: list[TimeArray] = []
    guessed = np.diff(curve.guessed_kwh, prepend=0.0)
    most_kwh = power_kw_max * (end_unix_s - start_unix_s) / 3600.0
    for gap in gaps.tolist():
        begin_us, end_us = int(curve.at_unix_us[gap]), int(curve.at_unix_us[gap + 1])
        first = int(np.searchsorted(end_unix_s * _US, begin_us, side="right"))
        last = int(np.searchsorted(start_unix_s * _US, end_us, side="left"))
        told = quarters_kwh[first:last]
        joined = bool(np.all(start_unix_s[first + 1 : last] == end_unix_s[first : last - 1]))
        if last - first < 2 or not joined or not np.all(told <= most_kwh[first:last]):
            continue  # also where a quarter told nothing: NaN is not less
        bounds_kwh = curve.until(np.array([start_unix_s[first], end_unix_s[last - 1]]))
        moved_kwh = float(bounds_kwh[1] - bounds_kwh[0])
        if abs(float(told.sum()) - moved_kwh) > max(_SAME_KWH, _SAME_SHARE * moved_kwh):
            continue
        low, high = float(curve.energy_kwh[gap]), float(curve.energy_kwh[gap + 1])
        until = np.clip(float(bounds_kwh[0]) + np.cumsum(told[:-1]), low, high)
        new_at.append(end_unix_s[first : last - 1] * _US)
        new_energy_kwh.append(until)
        new_index.append(np.full(len(until), gap + 1, dtype=np.int64))
        guessed[gap + 1] = 0.0
    if not new_at:
        return curve
    index, at = np.concatenate(new_index), np.concatenate(new_at)
    return Curve(
        np.insert(curve.at_unix_us, index, at),
        np.insert(curve.energy_kwh, index, np.concatenate(new_energy_kwh)),
        np.cumsum(np.insert(guessed, index, 0.0)),
        curve.restart_count,
    )
