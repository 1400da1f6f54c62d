"""What an earlier plan knows of the stays and nodes of now: `parkwatt fleet plan --after`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.series import TimeArray
from parkwatt.io.fleet_files.columns import FleetRows
from parkwatt.io.fleet_files.earlier import EarlierPlan
from parkwatt.plan.coordinate import Warm


@dataclass(frozen=True, slots=True, eq=False)
class WarmStart:
    """``stay_count``, ``node_count``: of how many stays and nodes of now the earlier plan knows something."""

    warm: Warm
    stay_count: int
    node_count: int


def warm_start(earlier: EarlierPlan, rows: FleetRows, names: tuple[str, ...]) -> WarmStart:
    """The plans of the same cars' stays, and prices of nodes of the same name; others begin without a plan and at price 0."""
    found, power_kw = (
        matched(earlier, rows),
        np.zeros((len(rows.place), earlier.power_kw.shape[1]), np.float32),
    )
    known = found >= 0
    power_kw[known] = earlier.power_kw[found[known]]
    steps = len(earlier.market_per_kwh)
    nothing, peaks = np.zeros(steps), earlier.peak_per_kwh
    warm = Warm(
        node_per_kwh=np.array([earlier.node_per_kwh.get(name, nothing) for name in names]),
        peak_per_kwh=None if peaks is None else np.array([peaks.get(n, nothing) for n in names]),
        power_kw=power_kw,
        # A pool of another name has no price that the market's would be a part of.
        import_per_kwh=earlier.market_per_kwh if names[0] in earlier.node_per_kwh else nothing,
    )
    same = sum(name in earlier.node_per_kwh for name in names)
    return WarmStart(warm, int(known.sum()), same)


def matched(earlier: EarlierPlan, rows: FleetRows) -> NDArray[np.int64]:
    """[N] the place of the same car's earlier stay that shares the most steps with each stay of now; -1: none."""
    count = len(rows.place)
    both = np.concatenate((rows.car_id.astype(str), earlier.car_id.astype(str)))
    _, code = np.unique(both, return_inverse=True)
    now, before = code[:count], code[count:]
    order = np.argsort(before, kind="stable")
    first: TimeArray = np.searchsorted(before[order], now)
    stays = np.searchsorted(before[order], now, side="right") - first
    found, most = np.full(count, -1), np.zeros(count, np.int64)
    for nth in range(int(stays.max(initial=0))):
        has = np.flatnonzero(stays > nth)
        place = order[first[has] + nth]
        shared = np.minimum(rows.to_step[has], earlier.to_step[place])
        shared = shared - np.maximum(rows.from_step[has], earlier.from_step[place])
        better = shared > most[has]
        found[has[better]], most[has[better]] = place[better], shared[better]
    return found
