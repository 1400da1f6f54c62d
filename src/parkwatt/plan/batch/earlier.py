"""Of plans of equal cost the one that charges earlier: energy charged goes from later steps to earlier ones of the same price.

What a battery gains and when prices are the same is moved forward as long as least and full power, and the maximum in
between, allow it; so a flat price gives one run of charging at arrival, and not some charging here and there.
"""

from __future__ import annotations

from typing import Final

from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.compiled import compiled
from parkwatt.plan.batch.level_costs import Car
from parkwatt.plan.batch.rankings import RankArray, Ranking

_LEAST_KWH: Final = 1e-9


@compiled
def charge_earlier(
    car: Car, ranking: Ranking, duration_h: FloatArray, gain_kwh: FloatArray
) -> None:
    """Move what steps add to the battery forward, at no cost. ``gain_kwh``: [T] of a plan that is valid, changed."""
    up_slope, ties = ranking.up_slope, False
    for step in range(car.first, car.last):
        ties = ties or _price_comes_again(step, up_slope, ranking.charge_rank, ranking.step_of)
    if not ties:
        return
    # First steps that need not charge at all, from the last on; then what is left of the others.
    for later in range(car.last - 1, car.first, -1):
        if gain_kwh[later] > 0.0:
            before_kwh = gain_kwh.copy()
            _pull(car, later, 0.0, up_slope, duration_h, gain_kwh)
            if gain_kwh[later] > _LEAST_KWH:
                gain_kwh[:] = before_kwh
            else:
                gain_kwh[later] = 0.0
    for later in range(car.last - 1, car.first, -1):
        least_kwh = car.least_up * duration_h[later]
        if gain_kwh[later] > least_kwh:
            _pull(car, later, least_kwh, up_slope, duration_h, gain_kwh)


@compiled
def _price_comes_again(
    step: int, up_slope: FloatArray, charge_rank: RankArray, step_of: RankArray
) -> bool:
    """Whether the next segments in the order include charging at the same price; equal ones stand side by side."""
    rank = charge_rank[step] + 1
    return bool(rank < len(step_of) and up_slope[step_of[rank]] == up_slope[step])


@compiled
def _pull(
    car: Car,
    later: int,
    least_kwh: float,
    up_slope: FloatArray,
    duration_h: FloatArray,
    gain_kwh: FloatArray,
) -> None:
    """Move from a step to earlier ones of its price, the earliest first, all but ``least_kwh``."""
    for step in range(car.first, later):
        if gain_kwh[step] < 0.0 or up_slope[step] != up_slope[later]:
            continue
        energy_kwh, highest_kwh = car.arrival_kwh, 0.0
        for between in range(car.first, later):
            energy_kwh += gain_kwh[between]
            if between >= step:
                highest_kwh = max(highest_kwh, energy_kwh)
        moved_kwh = min(car.most_up * duration_h[step] - gain_kwh[step], car.cap_kwh - highest_kwh)
        moved_kwh = min(moved_kwh, gain_kwh[later] - least_kwh)
        enough_kwh = car.least_up * duration_h[step] - _LEAST_KWH
        if moved_kwh > 0.0 and gain_kwh[step] + moved_kwh >= enough_kwh:
            gain_kwh[step] += moved_kwh
            gain_kwh[later] -= moved_kwh
