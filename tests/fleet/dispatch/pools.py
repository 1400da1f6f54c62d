"""A virtual pool at a loop that holds its meter at a target."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from parkwatt.fleet.dispatch.bounds import Batteries, bounds, weights
from parkwatt.fleet.dispatch.follow import FollowSettings, Seen, begin, follow
from parkwatt.io.sim.virtual_pool import PoolModel, VirtualPool

EARLY_S = 600.0


class Wishes(NamedTuple):
    """Floors and departures of the drivers; [N], kWh and seconds."""

    floor_kwh: np.ndarray
    asked_kwh: np.ndarray
    ready_s: np.ndarray


class Course(NamedTuple):
    """``pool_kw``: [S + 1] what the meter showed at each second; ``sent``: [S] how many set-points; ``spare_kwh``: [S] the
    least that any car that obeys had above its floor, and above what full power brings to what is asked by departure.
    """

    pool_kw: np.ndarray
    sent: np.ndarray
    spare_kwh: np.ndarray


def single(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, np.float32)


def wishes_of(model: PoolModel, rng: np.random.Generator) -> Wishes:
    """Half of the drivers want 80 % in one to ten hours, where that can be; no one begins below the floor."""
    count = len(model.energy_kwh)
    ready_s = rng.uniform(1.0, 10.0, count) * 3600.0
    reach = (
        model.energy_kwh
        + model.charge_kw_max * model.charge_efficiency * (ready_s - EARLY_S) / 3600.0
    )
    asked = np.where(rng.random(count) < 0.5, 0.8 * model.full_kwh, 0.0)
    return Wishes(
        np.minimum(0.3 * model.full_kwh, model.energy_kwh), np.minimum(asked, reach), ready_s
    )


def hold(
    model: PoolModel,
    wishes: Wishes,
    target: Callable[[float, float], float | None],
    seconds: int,
    rng: np.random.Generator,
    *,
    linked: Callable[[float], np.ndarray] | None = None,
    with_pool_meter: bool = True,
    settings: FollowSettings | None = None,
    least_kw: float = 0.0,
) -> Course:
    """``target``: of the time and of what the pool does then."""
    settings = settings or FollowSettings()
    pool, count = VirtualPool(model, rng), len(model.energy_kwh)
    state, nothing = begin(count), np.zeros(count, np.float32)
    pool_kw, sent, spare = [float(pool.true_kw.sum())], [], []
    for second in range(seconds):
        now_s, heard = float(second), pool.readings()
        cars = Batteries(
            *(
                single(one)
                for one in (
                    pool.energy_kwh,
                    wishes.floor_kwh,
                    model.full_kwh,
                    wishes.asked_kwh,
                    wishes.ready_s - now_s,
                    model.charge_kw_max,
                    model.discharge_kw_max,
                    model.charge_efficiency,
                    model.discharge_efficiency,
                    np.full(count, least_kw),
                )
            )
        )
        within = bounds(cars, hold_s=settings.lease_s, early_s=EARLY_S)
        planned_kw = np.clip(single(model.driver_kw), within.low_kw, within.high_kw)
        aim_kw = target(now_s, heard.pool_kw)
        down = aim_kw is not None and aim_kw < float(planned_kw.sum())
        weight = weights(cars, within, given_kwh=nothing, wear_per_kwh=nothing, down=down)
        links = np.ones(count, bool) if linked is None else linked(now_s)
        seen = Seen(
            single(heard.power_kw),
            heard.read_s,
            np.full(count, 5.0),
            heard.present,
            links,
            single(model.driver_kw),
            heard.pool_kw if with_pool_meter else None,
            now_s,
        )
        state, told = follow(state, seen, planned_kw, within, weight, aim_kw, now_s, settings)
        assert links[told.row].all()
        pool.tell(told.row, told.power_kw.astype(float), settings.lease_s)
        pool.advance(1.0)
        pool_kw.append(float(pool.true_kw.sum()))
        sent.append(len(told.row))
        left_h = np.maximum(wishes.ready_s - pool.now_s, 0.0) / 3600.0
        late = wishes.asked_kwh - model.charge_kw_max * model.charge_efficiency * left_h
        obeys = pool.present & (model.conduct == 0)
        spare.append(float((pool.energy_kwh - np.maximum(wishes.floor_kwh, late))[obeys].min()))
    return Course(np.array(pool_kw), np.array(sent), np.array(spare))
