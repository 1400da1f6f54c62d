"""A symmetric frequency reserve that a pool sells in blocks of four hours, paid for capacity: bids, pay, and shares.

The rules are those of the FCR Cooperation: six blocks of a local day, gate on the day before at 08:00, one price for up and
down, whole lots of 1 MW. What a bid needs is held for half an hour in both directions, with a quarter more power than is sold
(limited reservoirs). A bid rests only on what the pool held before: the least but a few of the same block on days of the same
kind (weekday, weekend) in eight weeks, up to the day before yesterday, since yesterday is not over at the gate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.fleet.year.drivers import MINUTES_OF_DAY, YearDays
from parkwatt.plan.batch.cars import IntArray

BLOCKS_OF_DAY: Final = 6
_LOOK_BACK_DAYS: Final = 56
_LOOK_BACK_DAYS_LEAST: Final = 4
_SATURDAY: Final = 5
_GATE_DAYS: Final = 1


@dataclass(frozen=True, slots=True)
class CapacityRules:
    """``price_per_mw_h``: for each MW sold and hour; ``lot_kw``: what is sold is a multiple; ``hours_h``: how long it must
    last; ``power_factor``: held for each kW sold; ``miss_share``: of past blocks that may have been below a bid;
    ``activated_share``: mean of what is called for, of what is sold, both directions together.
    """

    price_per_mw_h: float = 15.0
    lot_kw: float = 1000.0
    hours_h: float = 0.5
    power_factor: float = 1.25
    miss_share: float = 0.05
    activated_share: float = 0.085

    @property
    def reserve_per_kwh(self) -> float:
        """What a kW that is held earns in an hour, where all of it can be sold."""
        return self.price_per_mw_h / 1000.0 / self.power_factor


class CapacityYear(NamedTuple):
    """B blocks of the year. ``first_step``: [B + 1]; ``held_kw``: [B] least of both directions in the block; ``bid_kw``: [B];
    ``paid``: [B] currency, 0 where less was held than was sold; ``hours``: [B].
    """

    first_step: IntArray
    held_kw: FloatArray
    bid_kw: FloatArray
    paid: FloatArray
    hours: FloatArray

    @property
    def missed_share(self) -> float:
        """Of the blocks with a bid, those in which less was held."""
        sold = self.bid_kw > 0.0
        return float((self.paid[sold] == 0.0).mean()) if sold.any() else 0.0


def block_steps(days: YearDays) -> IntArray:
    """[6 D + 1] the steps at which the blocks of all days begin; where the clock changes, the first block has the odd hour."""
    length = MINUTES_OF_DAY // BLOCKS_OF_DAY // days.step_minutes
    from_end = np.arange(BLOCKS_OF_DAY - 1, 0, -1) * length
    later = days.first_step[1:, None] - from_end
    begins = np.concatenate((days.first_step[:-1, None], later), axis=1)
    return np.append(begins.ravel(), days.step_count)


def by_block(series: NDArray[np.float32], first_step: IntArray) -> FloatArray:
    """[n, B] means over the steps of each block, of [n, S]."""
    sums = np.add.reduceat(series, first_step[:-1], axis=1, dtype=np.float64)
    return np.asarray(sums / np.diff(first_step))


def sell(
    up_kw: FloatArray, down_kw: FloatArray, days: YearDays, rules: CapacityRules
) -> CapacityYear:
    """What a pool that held ``up_kw`` and ``down_kw`` [S] sold and was paid."""
    first_step = block_steps(days)
    held = np.minimum.reduceat(np.minimum(up_kw, down_kw), first_step[:-1])
    held = np.maximum(held, 0.0)
    hours = np.diff(first_step) * days.step_minutes / 60.0
    bid = bids_kw(held.reshape(-1, BLOCKS_OF_DAY), days.weekday, rules).ravel()
    kept = held >= bid * rules.power_factor
    paid = np.where(kept, bid / 1000.0 * hours * rules.price_per_mw_h, 0.0)
    return CapacityYear(first_step, held, bid, paid, hours)


def bids_kw(held_kw: FloatArray, weekday: IntArray, rules: CapacityRules) -> FloatArray:
    """[D, 6] what is bid for each block, from what was held [D, 6] on the days before the gate alone; ``weekday``: [D]."""
    bids, weekend = np.zeros_like(held_kw), weekday >= _SATURDAY
    for day in range(len(held_kw)):
        last = day - _GATE_DAYS
        before = np.arange(max(last - _LOOK_BACK_DAYS, 0), max(last, 0))
        past = held_kw[before[weekend[before] == weekend[day]]]
        if len(past) < _LOOK_BACK_DAYS_LEAST:
            continue
        safe = np.quantile(past, rules.miss_share, axis=0) / rules.power_factor
        bids[day] = np.floor(safe / rules.lot_kw) * rules.lot_kw
    return bids


class Brought(NamedTuple):
    """Of each driver: ``paid``: [n] of what the pool was paid; ``sold_kw_h``: [n] kW times hours that were sold and kept."""

    paid: FloatArray
    sold_kw_h: FloatArray


def share_out(sold: CapacityYear, held_kw: FloatArray) -> Brought:
    """What the pool was paid, block by block, in the shares of what drivers held [n, B]. It all goes out."""
    together = held_kw.sum(axis=0)
    share = np.divide(held_kw, together, out=np.zeros_like(held_kw), where=together > 0.0)
    kept = np.where(sold.paid > 0.0, sold.bid_kw * sold.hours, 0.0)
    return Brought(share @ sold.paid, share @ kept)


class Called(NamedTuple):
    """What being called for takes: ``cost``: [n] of losses, bought again; ``given_kwh``: [n] at the charger."""

    cost: FloatArray
    given_kwh: FloatArray


def called_for(
    sold_kw_h: FloatArray,
    rules: CapacityRules,
    efficiency: float,
    import_per_kwh: float,
    export_per_kwh: float,
) -> Called:
    """Half of the energy that is called for is given at ``export_per_kwh``, half is taken at ``import_per_kwh``, and what is
    lost on both ways is bought as well.
    """
    given = sold_kw_h * rules.activated_share / 2.0
    lost_per_kwh = (1.0 / efficiency**2 - 1.0) * import_per_kwh
    return Called(given * (lost_per_kwh + import_per_kwh - export_per_kwh), given)
