"""The order of segments by slope, kept for the models of cars and rows of prices that were met last."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.compiled import compiled

RankArray = NDArray[np.uint16]

# A fleet has some models of cars at some prices: so many rankings are kept at hand. A power of two.
_SLOTS = 64


class PriceOrders(NamedTuple):
    """[P, T] each: prices, and the steps in their order."""

    import_price_per_kwh: FloatArray
    export_price_per_kwh: FloatArray
    import_order: RankArray
    export_order: RankArray


class Ranking(NamedTuple):
    """``up_slope``, ``keep_slope``: [T] of charging and of not discharging, per kWh in the battery. ``charge_rank``,
    ``keep_rank``: [T]. ``step_of``, ``slope_of``: [2T] by rank.
    """

    up_slope: FloatArray
    keep_slope: FloatArray
    charge_rank: RankArray
    keep_rank: RankArray
    step_of: RankArray
    slope_of: FloatArray


class Rankings(NamedTuple):
    """``keys``: [slots, 4]; the rest are rankings, [slots, …]."""

    keys: FloatArray
    up_slope: FloatArray
    keep_slope: FloatArray
    charge_rank: RankArray
    keep_rank: RankArray
    step_of: RankArray
    slope_of: FloatArray


def order(import_price_per_kwh: FloatArray, export_price_per_kwh: FloatArray) -> PriceOrders:
    """Order prices [P, T]; of equal ones the earlier step comes first."""
    return PriceOrders(
        np.ascontiguousarray(import_price_per_kwh),
        np.ascontiguousarray(export_price_per_kwh),
        np.argsort(import_price_per_kwh, axis=1, kind="stable").astype(np.uint16),
        np.argsort(export_price_per_kwh, axis=1, kind="stable").astype(np.uint16),
    )


@compiled
def new_rankings(steps: int) -> Rankings:
    """Room for rankings of T ``steps``."""
    return Rankings(
        np.full((_SLOTS, 4), np.nan),
        np.empty((_SLOTS, steps)),
        np.empty((_SLOTS, steps)),
        np.empty((_SLOTS, steps), np.uint16),
        np.empty((_SLOTS, steps), np.uint16),
        np.empty((_SLOTS, 2 * steps), np.uint16),
        np.empty((_SLOTS, 2 * steps)),
    )


@compiled
def slot_with(
    price_row: int,
    charge_factor: float,
    discharge_factor: float,
    wear: float,
    orders: PriceOrders,
    kept: Rankings,
) -> np.uint64:
    """The slot with the ranking for a row of prices and a model of car, made now where another one was in its place.

    ``charge_factor``: 1 / η_c, ``discharge_factor``: η_d.
    """
    mixed = charge_factor * 7919.0 + discharge_factor * 104729.0 + wear * 1299709.0
    slot = (price_row * 31 + int(mixed * 64.0)) & (_SLOTS - 1)
    keys = kept.keys
    if (
        keys[slot, 0] != price_row
        or keys[slot, 1] != charge_factor
        or keys[slot, 2] != discharge_factor
        or keys[slot, 3] != wear
    ):
        keys[slot, 0], keys[slot, 1] = price_row, charge_factor
        keys[slot, 2], keys[slot, 3] = discharge_factor, wear
        up_slope, keep_slope = kept.up_slope[slot], kept.keep_slope[slot]
        for step in range(len(up_slope)):
            up_slope[step] = orders.import_price_per_kwh[price_row, step] * charge_factor
            keep_slope[step] = (
                orders.export_price_per_kwh[price_row, step] * discharge_factor - wear
            )
        _rank(
            ranking_in(np.uint64(slot), kept),
            orders.import_order[price_row],
            orders.export_order[price_row],
        )
    return np.uint64(slot)


@compiled
def ranking_in(slot: np.uint64, kept: Rankings) -> Ranking:
    """The ranking of a slot."""
    return Ranking(
        kept.up_slope[slot],
        kept.keep_slope[slot],
        kept.charge_rank[slot],
        kept.keep_rank[slot],
        kept.step_of[slot],
        kept.slope_of[slot],
    )


@compiled
def _rank(ranking: Ranking, import_order: RankArray, export_order: RankArray) -> None:
    """Merge both orders: earlier steps first, and not discharging first where slopes are equal."""
    steps = len(import_order)
    i = j = 0
    for rank in range(2 * steps):
        take_charge = j >= steps
        if not take_charge and i < steps:
            charging = ranking.up_slope[import_order[i]]
            take_charge = charging < ranking.keep_slope[export_order[j]]
        if take_charge:
            step = import_order[i]
            ranking.charge_rank[step] = rank
            ranking.slope_of[rank] = ranking.up_slope[step]
            i += 1
        else:
            step = export_order[j]
            ranking.keep_rank[step] = rank
            ranking.slope_of[rank] = ranking.keep_slope[step]
            j += 1
        ranking.step_of[rank] = step
