"""Return to service: has the grid stayed in the band for long enough, and how much power may follow.

IEEE 1547-2018, 4.10: service is entered once voltage and frequency have been within their bounds for the delay without
interruption; then power grows linearly over the ramp. The delay starts when they are first *seen* in the band. Whatever is not
seen is not in it: an unknown value starts the delay anew, and so does a gap between two looks (Parkwatt was not running).
The randomised delay that the standard allows in place of the ramp is not used: it exists for the sum of many homes
whose power would return in a step, and a ramp serves that too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import msgspec

from parkwatt.home.grid_code.profiles import GridCode

_US_PER_S: Final = 1_000_000
GAP_S_MAX: Final = 10.0


class EnterServiceState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Since when the grid has been seen in the band, without a gap; None while it is not. ``seen_unix_us``: the last look."""

    in_band_since_unix_us: int | None = None
    seen_unix_us: int | None = None


@dataclass(frozen=True, slots=True)
class Qualification:
    """Whether the grid is in the band now, has been for the delay, and how long it still has to be. ``reason``: in words."""

    in_band: bool
    qualified: bool
    remaining_s: float
    reason: str


def qualify(
    state: EnterServiceState,
    grid_code: GridCode,
    voltage_pu: tuple[float, ...] | None,
    frequency_hz: float | None,
    now_unix_us: int,
) -> tuple[EnterServiceState, Qualification]:
    """Look at the grid once more.

    ``voltage_pu``: of the nominal voltage, every phase; ``frequency_hz``: both on the utility's side. None (and NaN, and no
    phase at all) is unknown, and unknown is not in the band. After more than `GAP_S_MAX` without a look, or when the clock
    went back, the delay starts anew.
    """
    outside = _outside(grid_code, voltage_pu, frequency_hz)
    if outside:
        reason = f"{outside}; then {grid_code.delay_s:g} s in the band are needed"
        return EnterServiceState(), Qualification(False, False, grid_code.delay_s, reason)
    since_us = _since_us(state, now_unix_us)
    remaining_s = max(0.0, grid_code.delay_s - (now_unix_us - since_us) / _US_PER_S)
    qualified = remaining_s == 0.0
    reason = f"voltage and frequency have been in the band for {grid_code.delay_s:g} s"
    if not qualified:
        reason = f"in the band; {math.ceil(remaining_s)} s of {grid_code.delay_s:g} s are left"
    return EnterServiceState(since_us, now_unix_us), Qualification(
        True, qualified, remaining_s, reason
    )


def ramp_kw(grid_code: GridCode, entered_s: float, power_kw_max: float) -> float:
    """The most that may be fed in ``entered_s`` seconds after service was entered: it grows linearly over the ramp."""
    if entered_s < 0.0:
        return 0.0
    if entered_s >= grid_code.ramp_s:
        return power_kw_max
    return power_kw_max * entered_s / grid_code.ramp_s


def _since_us(state: EnterServiceState, now_unix_us: int) -> int:
    """Since when the grid has been watched in the band; now, where it has not been."""
    since_us, seen_us = state.in_band_since_unix_us, state.seen_unix_us
    if since_us is None or seen_us is None:
        return now_unix_us
    is_watched = 0 <= now_unix_us - seen_us <= GAP_S_MAX * _US_PER_S
    return since_us if is_watched else now_unix_us


def _outside(
    grid_code: GridCode, voltage_pu: tuple[float, ...] | None, frequency_hz: float | None
) -> str:
    """What keeps the grid out of the band, in words; empty where nothing does."""
    if not voltage_pu or any(math.isnan(one) for one in voltage_pu):
        return "the grid's voltage is unknown"
    if frequency_hz is None or math.isnan(frequency_hz):
        return "the grid's frequency is unknown"
    low_pu, high_pu = grid_code.voltage_pu_min, grid_code.voltage_pu_max
    for one in voltage_pu:
        if not low_pu <= one <= high_pu:
            return f"the voltage is {one:.3f} of nominal, not {low_pu:g} to {high_pu:g}"
    low_hz, high_hz = grid_code.frequency_hz_min, grid_code.frequency_hz_max
    if not low_hz <= frequency_hz <= high_hz:
        return f"the frequency is {frequency_hz:.2f} Hz, not {low_hz:g} to {high_hz:g} Hz"
    return ""
