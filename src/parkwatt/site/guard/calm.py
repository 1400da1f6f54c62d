"""Calm: least powers, switchings a day, least times on and off, and how fast a power rises.

These only choose among what limits, floors and departures allow. A reduction towards 0 is never slowed. Starting
keeps one switching in hand to stop again, so that the budget does not end with a charger that runs. What was used comes back
little by little: after a morning of clouds there is some for the evening.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from parkwatt.site.guard.settings import GuardSettings
from parkwatt.site.guard.state import NOTHING_KW, SAME_KW, PointState, direction

_US = 1_000_000
# A charger that rests begins from this share of its least power on, one that runs goes on down to this share.
_BEGINS_SHARE = 0.5
_GOES_ON_SHARE = 0.25
# What a charger without a least power is held at where it may not stop.
_HELD_KW = 0.1
# After a clock that was put back: nobody knows how long it was.
_UNKNOWN_S = 1.0


@dataclass(slots=True)
class Span:
    """What one car may do now: powers' magnitudes in kW; ``before`` 1, 0 or −1: what it did until now."""

    charge_kw_most: float
    discharge_kw_most: float
    charge_kw_least: float
    discharge_kw_least: float
    before: int

    def most_kw(self, sign: int) -> float:
        """The most in a direction."""
        return (self.charge_kw_most if sign > 0 else self.discharge_kw_most) + SAME_KW

    def least_kw(self, sign: int) -> float:
        """The least that the charger does in a direction."""
        return max(self.charge_kw_least if sign > 0 else self.discharge_kw_least, NOTHING_KW)

    def held_kw(self) -> float | None:
        """The least power that goes on with what it did; None where that is not allowed."""
        if self.before == 0:
            return 0.0
        held_kw = max(self.least_kw(self.before), _HELD_KW)
        return self.before * held_kw if held_kw <= self.most_kw(self.before) else None


def at_least(power_kw: float, span: Span, *, needed: bool) -> float:
    """The power, or where it is below the least: the least or nothing, as is allowed and nearer."""
    sign = 1 if power_kw > 0 else -1
    magnitude_kw, least_kw = abs(power_kw), span.least_kw(sign)
    if magnitude_kw >= least_kw - SAME_KW:
        return power_kw
    share = _GOES_ON_SHARE if span.before == sign else _BEGINS_SHARE
    rounds_up = magnitude_kw >= max(share * least_kw, NOTHING_KW) or needed
    return sign * least_kw if rounds_up and least_kw <= span.most_kw(sign) else 0.0


def switched(
    power_kw: float,
    span: Span,
    point: PointState | None,
    settings: GuardSettings,
    now_unix_us: int,
) -> tuple[float, str]:
    """The power, or what is held in its place with the reason why, where a switching is not granted."""
    sign = direction(power_kw)
    if point is None or sign == span.before:
        return power_kw, ""
    held_kw = span.held_kw()
    if held_kw is None and sign == 0:
        return power_kw, ""
    count, most = point.switchings_lately(now_unix_us), settings.switchings_lately_max
    soon = "" if held_kw is None else _too_soon(span, point, settings, now_unix_us)
    if not soon and count + (2 if sign else 1) <= most:
        return power_kw, ""
    reason = soon or _used_up(count, settings)
    stops = span.before != 0 and not soon and count + 1 <= most
    return (0.0 if stops or held_kw is None else held_kw), reason


def _used_up(count: float, settings: GuardSettings) -> str:
    """Why no start is granted, and when one will be."""
    wait_h = 24.0 * math.log(max(count / (settings.switchings_lately_max - 2.0), 1.0))
    budget = settings.switchings_per_day_max
    return f"its budget of {budget} switchings in 24 hours is used up, the next start is in {wait_h:.1f} h"


def _too_soon(span: Span, point: PointState, settings: GuardSettings, now_unix_us: int) -> str:
    if point.switched_unix_us is None:
        return ""
    since_s = (now_unix_us - point.switched_unix_us) / _US
    least_s = settings.on_s_min if span.before else settings.off_s_min
    if not 0 <= since_s < least_s:
        return ""
    did = "began" if span.before else "stopped"
    return f"it {did} {since_s:.0f} s ago and changes after {least_s:.0f} s at the earliest"


def ramped(
    power_kw: float,
    now_kw: float,
    span: Span,
    point: PointState | None,
    settings: GuardSettings,
    now_unix_us: int,
) -> float:
    """The power as far as it may rise in this step. From nothing it rises at once to the least that the charger does."""
    sign = direction(power_kw)
    before_kw = max(sign * now_kw, 0.0)
    seconds = settings.step_s_max
    if point is not None:
        seconds = min((now_unix_us - point.decided_unix_us) / _US, settings.step_s_max)
        if seconds < 0:
            seconds = _UNKNOWN_S
    most_kw = max(before_kw + settings.ramp_kw_per_s * seconds, span.least_kw(sign))
    return sign * min(abs(power_kw), most_kw)
