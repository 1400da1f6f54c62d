"""Which part of a pool's reserve each car holds, and around which power, so that it could give all of it for as long as it has
to.

A car that can be led from ``low`` to ``high`` for a time holds a reserve ``r`` around a base ``b`` where

    low ≤ b − r   and   b + r ≤ high

so at most half of the range, wherever its plan would lie. Low and high are those of `parkwatt.fleet.dispatch.bounds`: floors
and departures are kept also after all of it was given. The base leaves the plan by no more than that needs, and so brings back
what an activation took: a car that gave moves its low up, and its base with it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.fleet.dispatch.bounds import Bounds

FloatArray = NDArray[np.float64]
_SAME_KW: Final = 1e-9


class Held(NamedTuple):
    """``reserve_kw``, ``base_kw``: [N] of each car. ``missing_kw``: of the reserve, what cannot be given at all now.
    ``short_kw``: what cannot be given for as long as it has to.
    """

    reserve_kw: FloatArray
    base_kw: FloatArray
    missing_kw: float
    short_kw: float


def holdable_kw(within: Bounds) -> float:
    """The most that cars can hold both ways."""
    return float(_half(within).sum())


def hold(
    reserve_kw: float,
    planned_kw: FloatArray,
    long: Bounds,
    short: Bounds,
    takes_part: NDArray[np.bool_],
    *,
    restores: bool = True,
) -> Held:
    """Share ``reserve_kw`` among cars, and find the power that each stays around; ``planned_kw``: [N] without a reserve.

    ``long``: what cars can do for as long as the reserve has to last; ``short``: until shares are made anew. In proportion to
    what each can hold for long; what is missing then, by what can be held for a short time, so that nothing is withheld as
    long as a battery has it. ``takes_part``: [N]; others hold none, and stay at their plan. ``restores``: bases may leave the
    plan so that all of it can be given again; not in an alert, in which that would undo what the pool gives. Raises InputError
    for a reserve below 0.
    """
    if not reserve_kw >= 0.0:
        raise InputError([InputFault("reserve_kw", "must be a number of at least 0", reserve_kw)])
    long_kw = np.where(takes_part, _half(long), 0.0)
    short_kw = np.where(takes_part, np.maximum(_half(short), long_kw), 0.0)
    found = _up_to(reserve_kw, long_kw)
    lacking_kw = reserve_kw - float(found.sum())
    if lacking_kw > _SAME_KW:
        found = found + _up_to(lacking_kw, short_kw - found)
    missing_kw = max(reserve_kw - float(found.sum()), 0.0)
    # Who gives more than it holds for long is bounded by what it can for a short time; so is everyone in an alert.
    by_long = (found <= long_kw + _SAME_KW) & restores
    low = np.where(by_long, long.low_kw, short.low_kw).astype(float) + found
    high = np.where(by_long, long.high_kw, short.high_kw).astype(float) - found
    base = np.clip(planned_kw, np.minimum(low, high), np.maximum(low, high))
    return Held(
        found,
        np.where(takes_part, base, planned_kw),
        missing_kw if missing_kw > _SAME_KW else 0.0,
        max(lacking_kw, 0.0),
    )


def _half(within: Bounds) -> FloatArray:
    range_kw = within.high_kw.astype(np.float64) - within.low_kw.astype(np.float64)
    return np.asarray(np.maximum(range_kw, 0.0) / 2.0, np.float64)


def _up_to(wanted_kw: float, most_kw: FloatArray) -> FloatArray:
    """In proportion to ``most_kw``, and all of it where that is not enough."""
    whole = float(most_kw.sum())
    return most_kw * min(wanted_kw / whole, 1.0) if whole > 0.0 else np.zeros_like(most_kw)


class AlertClock(NamedTuple):
    """For how long the frequency has been away from nominal; see `is_alert`."""

    beyond_50_s: float = 0.0
    beyond_100_s: float = 0.0


def watched(clock: AlertClock, deviation_mhz: float, passed_s: float) -> AlertClock:
    """After ``passed_s`` more seconds at a deviation."""
    away = abs(deviation_mhz)
    return AlertClock(
        clock.beyond_50_s + passed_s if away > 50.0 else 0.0,
        clock.beyond_100_s + passed_s if away > 100.0 else 0.0,
    )


def is_alert(clock: AlertClock) -> bool:
    """Whether Continental Europe's system is in the alert state: beyond ±50 mHz for 15 min, or beyond ±100 mHz for 5 min.

    Source: Regulation (EU) 2017/1485, article 18(2)(c) with the values of annex III.
    """
    return clock.beyond_50_s >= 900.0 or clock.beyond_100_s >= 300.0
