"""A pool comes to its target and stays there by its meter, whoever leaves, refuses or lies; no driver pays for it."""

from __future__ import annotations

import numpy as np
import pytest

from parkwatt.domain.errors import InputError
from parkwatt.fleet.dispatch.bounds import Bounds
from parkwatt.fleet.dispatch.follow import FollowSettings, Seen, begin, follow, joined
from parkwatt.io.sim.virtual_pool import virtual_pool
from tests.fleet.dispatch.pools import hold, wishes_of

EVENT_S = 60


@pytest.mark.parametrize(("seed", "share"), [(0, -0.7), (1, -0.3), (2, 0.4)])
def test_ten_thousand_cars_come_to_the_set_point_and_stay(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    model = virtual_pool(10_000, rng, leave=0.05, refuse=0.02, lie=0.01, leave_within_s=300.0)
    wishes = wishes_of(model, rng)
    # A share of what all chargers could give or take.
    target_kw = share * float(model.charge_kw_max.sum())
    course = hold(model, wishes, lambda now_s, _: target_kw if now_s >= EVENT_S else None, 300, rng)
    after = course.pool_kw[EVENT_S:]
    way = (after - after[0]) / (target_kw - after[0])
    assert (way[10:] >= 0.9).all()
    assert way.max() <= 1.03
    assert np.abs(after[10:] / target_kw - 1.0).mean() <= 0.01
    # Settled, it is closer still, and few cars are told anything new.
    assert np.abs(after[60:] / target_kw - 1.0).mean() <= 0.003
    assert course.sent[EVENT_S + 60 :].mean() <= 0.1 * len(model.energy_kwh)
    assert course.spare_kwh.min() >= -1e-3


def test_without_a_meter_of_the_pool_only_lies_stay() -> None:
    rng = np.random.default_rng(3)
    model = virtual_pool(2000, rng, leave=0.05, refuse=0.02, lie=0.01, leave_within_s=200.0)
    target_kw = -0.5 * float(model.charge_kw_max.sum())
    course = hold(
        model, wishes_of(model, rng), lambda *_: target_kw, 200, rng, with_pool_meter=False
    )
    assert np.abs(course.pool_kw[10:] / target_kw - 1.0).mean() <= 0.04


def test_who_cannot_be_reached_is_carried_by_the_rest() -> None:
    rng = np.random.default_rng(4)
    model = virtual_pool(1000, rng, leave=0.0, refuse=0.0, lie=0.0, leave_within_s=1.0)
    target_kw = -0.3 * float(model.charge_kw_max.sum())
    away = rng.random(1000) < 0.2

    def linked(now_s: float) -> np.ndarray:
        return np.ones(1000, bool) if now_s < 100 else ~away

    course = hold(model, wishes_of(model, rng), lambda *_: target_kw, 260, rng, linked=linked)
    # The lease of those is over 60 s after the last set-point: then they charge, and others give more.
    error = np.abs(course.pool_kw / target_kw - 1.0)
    assert error[90:].max() <= 0.12
    assert error[190:].mean() <= 0.01


def test_a_target_that_moves_is_followed() -> None:
    rng = np.random.default_rng(5)
    model = virtual_pool(3000, rng, leave=0.02, refuse=0.02, lie=0.01, leave_within_s=400.0)
    scale_kw = 0.4 * float(model.charge_kw_max.sum())

    def target(now_s: float, _: float) -> float:
        # A set-point every four seconds, as aFRR has them.
        return scale_kw * float(np.sin(2.0 * np.pi * (now_s // 4 * 4) / 300.0))

    course = hold(model, wishes_of(model, rng), target, 400, rng)
    wanted = np.array([target(now_s, 0.0) for now_s in range(400)])
    late = 5  # seconds that set-points and chargers take
    off = course.pool_kw[1 + 60 + late : 401] - wanted[60 : 400 - late]
    assert np.abs(off).mean() <= 0.05 * scale_kw


def small(count: int) -> tuple[Seen, Bounds]:
    ones = np.ones(count, np.float32)
    yes = np.ones(count, bool)
    seen = Seen(0 * ones, np.full(count, -1.0), 5.0 * np.ones(count), yes, yes, 0 * ones, None, 0.0)
    return seen, Bounds(-11 * ones, 11 * ones, 10 * ones, 0 * ones)


def test_without_a_target_each_car_follows_its_plan_within_its_bounds() -> None:
    seen, within = small(4)
    planned = np.array([-20.0, -3.0, 5.0, 40.0], np.float32)
    state, told = follow(
        begin(4),
        seen,
        planned,
        within,
        np.ones(4, np.float32),
        None,
        0.0,
        FollowSettings(),
    )
    assert told.row.tolist() == [0, 1, 2, 3]
    assert told.power_kw.tolist() == [-11.0, -3.0, 5.0, 11.0]
    # Nothing is said twice before a part of the lease is over, and all again before it ends.
    state, told = follow(
        state,
        seen,
        planned,
        within,
        np.ones(4, np.float32),
        None,
        2.0,
        FollowSettings(),
    )
    assert told.row.size == 0
    said = set()
    for now_s in range(3, 32):
        state, told = follow(
            state,
            seen,
            planned,
            within,
            np.ones(4, np.float32),
            None,
            float(now_s),
            FollowSettings(),
        )
        said |= set(told.row.tolist())
    assert said == {0, 1, 2, 3}


def test_a_pool_whose_cars_change_keeps_what_it_knows_of_the_others() -> None:
    seen, within = small(3)
    planned = np.array([1.0, 2.0, 3.0], np.float32)
    state, _ = follow(
        begin(3),
        seen,
        planned,
        within,
        np.ones(3, np.float32),
        None,
        0.0,
        FollowSettings(),
    )
    state = joined(state._replace(stray_kw=5.0), np.array([2, -1, 0, -1]))
    assert state.command_kw[[0, 2]].tolist() == [3.0, 1.0]
    assert np.isnan(state.command_kw[[1, 3]]).all()
    assert state.stray_kw == 5.0


def test_what_cannot_be_meant_is_refused() -> None:
    seen, within = small(3)
    planned, weight = np.zeros(3, np.float32), np.ones(3, np.float32)
    with pytest.raises(InputError, match="target_kw"):
        follow(begin(3), seen, planned, within, weight, np.nan, 0.0, FollowSettings())
    with pytest.raises(InputError, match="weight"):
        follow(begin(3), seen, planned, within, weight[:2], 1.0, 0.0, FollowSettings())
