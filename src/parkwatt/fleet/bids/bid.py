"""The best bid for a block: what it earns less wear, losses and what keeping the promise costs, never less sure than asked
for.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
# A bid that is so small beside what the pool can do rests on a few cars.
_WORTH_SHARE: Final = 0.05
_LOTS_MAX: Final = 2000


class Offer(NamedTuple):
    """What is known of a block of ``hours``. ``sure_kw``: what is held with the confidence asked for; ``past_kw``: [n] what it
    would have been on each of the days before, were that day's share to come again. ``pool_kw``: the most that is expected at
    any time of the day.
    """

    hours: float
    sure_kw: float
    past_kw: FloatArray
    pool_kw: float


class Terms(NamedTuple):
    """``price_per_mw_h``: paid for each MW and hour that is held; ``penalty_factor``: of that, for a block that is not.
    ``step_kw``, ``least_kw``: what may be bid. ``cost_per_kw_h``: of each kW held for an hour (`cost_per_kw_h`).
    """

    price_per_mw_h: float
    penalty_factor: float
    step_kw: float
    least_kw: float
    cost_per_kw_h: float


class Bid(NamedTuple):
    """``power_kw``: 0: no bid. ``delivered_share``: of the days before, those that would have held it. ``revenue``: expected,
    after penalties; ``cost``: wear, losses and promises; ``reason``: why it is not more.
    """

    power_kw: float
    delivered_share: float
    revenue: float
    cost: float
    reason: str

    @property
    def net(self) -> float:
        """What is left."""
        return self.revenue - self.cost


def cost_per_kw_h(
    activated_share: float,
    efficiency: float,
    import_per_kwh: float,
    wear_per_kwh: float,
    keeping_per_kw_h: float,
) -> float:
    """What a kW that is held for an hour costs: half of what is called for is given, which wears (``wear_per_kwh`` of what is
    given), and its losses on both ways are bought (``import_per_kwh``). ``activated_share``: mean of what is called for, both
    ways together, of what is held. ``keeping_per_kw_h``: of charging at dearer hours so that cars can answer.
    """
    given_kwh = activated_share / 2.0
    lost_kwh = given_kwh * (1.0 / efficiency**2 - 1.0)
    return given_kwh * wear_per_kwh + lost_kwh * import_per_kwh + keeping_per_kw_h


def best_bid(offer: Offer, terms: Terms) -> Bid:
    """The bid, a multiple of the step up to what is sure, with the highest expected net; 0 where none is worth it."""
    most = max(min(offer.sure_kw, 1e9), 0.0)
    if offer.sure_kw < _WORTH_SHARE * offer.pool_kw:
        return _nothing(
            f"only {offer.sure_kw:,.0f} kW are sure, of {offer.pool_kw:,.0f} kW at best"
        )
    lots = math.floor(most / terms.step_kw + 1e-9)
    if lots * terms.step_kw < max(terms.least_kw, terms.step_kw):
        return _nothing(
            f"{most:,.0f} kW are sure, and {max(terms.least_kw, terms.step_kw):,.0f} kW is the least bid"
        )
    first = max(math.ceil(terms.least_kw / terms.step_kw - 1e-9), 1)
    numbers = np.unique(np.linspace(first, lots, min(lots - first + 1, _LOTS_MAX)).astype(np.int64))
    powers = numbers * terms.step_kw
    past = np.sort(offer.past_kw[~np.isnan(offer.past_kw)])
    missed = np.searchsorted(past, powers - 1e-9) / max(len(past), 1)
    price = terms.price_per_mw_h / 1000.0
    revenue = powers * offer.hours * price * (1.0 - missed - terms.penalty_factor * missed)
    cost = powers * offer.hours * terms.cost_per_kw_h
    best = int(np.argmax(revenue - cost))
    if revenue[best] - cost[best] <= 0.0:
        return _nothing(
            f"the price does not pay for {terms.cost_per_kw_h * 1000:.2f} per MW and hour of wear and losses"
        )
    held = powers[best] >= lots * terms.step_kw - 1e-9
    reason = "all that is sure" if held else "more would cost more in penalties than it earns"
    return Bid(
        float(powers[best]),
        1.0 - float(missed[best]),
        float(revenue[best]),
        float(cost[best]),
        reason,
    )


def _nothing(reason: str) -> Bid:
    return Bid(0.0, 1.0, 0.0, 0.0, reason)
