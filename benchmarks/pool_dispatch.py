"""Ten thousand virtual cars led as a pool: how soon and how closely their meter shows what was asked for.

One in twenty leaves during the event, one in fifty refuses, one in a hundred tells that it does what it does not. Held against
the same cars told once, and again as leases need it, without a look at any meter.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.harness import Figure
from parkwatt.fleet.dispatch.bounds import Batteries, Bounds, bounds, weights
from parkwatt.fleet.dispatch.follow import Following, FollowSettings, Seen, Told, begin, follow
from parkwatt.io.sim.virtual_pool import PoolModel, VirtualPool, virtual_pool

CARS, SEEDS, EVENT_S, LASTS_S = 10_000, 5, 60, 540
EARLY_S = 600.0
SHARE = -0.5


def figures() -> list[Figure]:
    """Seconds to nine tenths of the way, the mean error after ten seconds, and milliseconds a step."""
    closed = [course(seed, by_meters=True) for seed in range(SEEDS)]
    told_once = [course(seed, by_meters=False) for seed in range(SEEDS)]
    error, open_error = (float(np.mean([one[1] for one in found])) for found in (closed, told_once))
    name = f"a pool of {CARS:,} cars that leave, refuse and lie"
    return [
        Figure(f"{name}: nine tenths of the way", max(one[0] for one in closed), "s", "", None),
        Figure(
            f"{name}: mean error after 10 s",
            100.0 * error,
            "%",
            f"told without a look at meters: {100.0 * open_error:.2f} %",
            error / open_error,
        ),
        Figure(f"{name}: a step", 1e3 * float(np.mean([one[2] for one in closed])), "ms", "", None),
    ]


def course(seed: int, *, by_meters: bool) -> tuple[float, float, float]:
    """Seconds to nine tenths of the way for good, the mean error from ten seconds on, seconds of work a step."""
    rng, settings = np.random.default_rng(seed), FollowSettings()
    model = virtual_pool(
        CARS, rng, leave=0.05, refuse=0.02, lie=0.01, leave_within_s=float(LASTS_S)
    )
    pool, state = VirtualPool(model, rng), begin(CARS)
    target_kw = SHARE * float(model.charge_kw_max.sum())
    floor_kwh = np.minimum(0.3 * model.full_kwh, model.energy_kwh)
    powers, work_s = [], []
    for second in range(EVENT_S + LASTS_S):
        heard = pool.readings()
        unread = np.full(CARS, np.nan, np.float32)
        seen = Seen(
            heard.power_kw.astype(np.float32) if by_meters else unread,
            heard.read_s,
            np.full(CARS, 5.0),
            heard.present if by_meters else np.ones(CARS, bool),
            np.ones(CARS, bool),
            model.driver_kw.astype(np.float32),
            heard.pool_kw if by_meters else None,
            float(second),
        )
        begun_s = time.perf_counter()
        within, weight, planned = _bounds(model, pool, floor_kwh, settings)
        aim_kw = target_kw if second >= EVENT_S else None
        state, told = _step(state, seen, planned, within, weight, aim_kw, second, settings)
        work_s.append(time.perf_counter() - begun_s)
        pool.tell(told.row, told.power_kw.astype(float), settings.lease_s)
        pool.advance(1.0)
        powers.append(float(pool.true_kw.sum()))
    after = np.array(powers[EVENT_S - 1 :])
    short = np.flatnonzero((after - after[0]) / (target_kw - after[0]) < 0.9)
    reached_s = float(short[-1] + 1) if short.size else 0.0
    return reached_s, float(np.abs(after[10:] / target_kw - 1.0).mean()), float(np.mean(work_s[5:]))


def _bounds(
    model: PoolModel, pool: VirtualPool, floor_kwh: np.ndarray, settings: FollowSettings
) -> tuple[Bounds, np.ndarray, np.ndarray]:
    def single(array: np.ndarray) -> np.ndarray:
        return np.asarray(array, np.float32)

    nothing = np.zeros(CARS, np.float32)
    cars = Batteries(
        single(pool.energy_kwh),
        single(floor_kwh),
        single(model.full_kwh),
        nothing,
        np.full(CARS, np.inf, np.float32),
        single(model.charge_kw_max),
        single(model.discharge_kw_max),
        single(model.charge_efficiency),
        single(model.discharge_efficiency),
        nothing,
    )
    within = bounds(cars, hold_s=settings.lease_s, early_s=EARLY_S)
    weight = weights(cars, within, given_kwh=nothing, wear_per_kwh=nothing, down=True)
    return within, weight, np.clip(single(model.driver_kw), within.low_kw, within.high_kw)


def _step(
    state: Following,
    seen: Seen,
    planned: np.ndarray,
    within: Bounds,
    weight: np.ndarray,
    aim_kw: float | None,
    second: int,
    settings: FollowSettings,
) -> tuple[Following, Told]:
    return follow(state, seen, planned, within, weight, aim_kw, float(second), settings)
