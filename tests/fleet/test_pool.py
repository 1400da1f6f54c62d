"""One step of a pool: the plan without a target, and what is let through of one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from parkwatt.fleet.dispatch.follow import FollowSettings, begin
from parkwatt.fleet.guard.admission import Admission, Limits
from parkwatt.fleet.pool import Members, Now, PoolMemory, PoolStep, Wanted, step

LIMITS = Limits(100.0, 200.0, 1000.0, 1000.0, 1.0, 60.0)
COUNT = 4


def single(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def members() -> Members:
    ones = np.ones(COUNT, np.float32)
    return Members(
        capacity_kwh=60 * ones,
        floor_kwh=12 * ones,
        asked_kwh=30 * ones,
        charge_kw_max=11 * ones,
        discharge_kw_max=single(11, 11, 11, 0),
        charge_efficiency=0.93 * ones,
        discharge_efficiency=0.93 * ones,
        wear_per_kwh=0 * ones,
        least_kw=0 * ones,
        cohort=np.zeros(COUNT, np.int64),
    )


def now(**changed: Any) -> Now:
    yes = np.ones(COUNT, bool)
    known = Now(
        present=yes,
        linked=yes,
        discharges=yes,
        power_kw=single(11, 0, 0, 0),
        read_s=np.zeros(COUNT),
        answer_s=np.full(COUNT, 5.0),
        energy_kwh=single(20, 40, 50, 40),
        ready_s=np.full(COUNT, 36_000, np.float32),
    )
    return known._replace(**changed)


def one_step(known: Now, wanted: Wanted, memory: PoolMemory | None = None) -> PoolStep:
    memory = memory or PoolMemory(begin(COUNT), Admission(), np.zeros(COUNT, np.float32), -np.inf)
    return step(memory, members(), known, wanted, LIMITS, FollowSettings(), 10.0, early_s=600.0)[1]


def test_without_a_target_cars_charge_at_once_to_what_was_asked() -> None:
    found = one_step(now(), Wanted())
    assert found.plan_kw.tolist() == [11.0, 0.0, 0.0, 0.0]
    assert found.target_kw is None
    assert found.power_kw == found.planned_kw == 11.0
    assert found.told.power_kw.tolist() == [11.0, 0.0, 0.0, 0.0]
    # Three can give, all can take more.
    assert found.down_kw == pytest.approx(11.0 + 3 * 11.0)
    assert found.up_kw == pytest.approx(3 * 11.0)


def test_a_target_is_met_at_the_meter() -> None:
    found = one_step(now(), Wanted(power_kw=-12.0))
    assert found.target_kw == pytest.approx(-12.0)
    assert found.told.expected_kw == pytest.approx(-12.0, abs=0.01)
    assert found.told.power_kw.min() >= -11.0
    assert found.told.power_kw[3] == 0.0, "its driver did not agree"
    found = one_step(now(), Wanted(change_kw=10.0))
    assert found.target_kw == pytest.approx(21.0)


def test_who_is_away_or_cannot_be_reached_is_told_nothing() -> None:
    away = now(
        present=np.array([True, False, True, True]),
        linked=np.array([True, True, False, True]),
        power_kw=single(11, np.nan, 4, 0),
        energy_kwh=single(20, np.nan, 50, 40),
    )
    found = one_step(away, Wanted(power_kw=0.0))
    assert found.told.row.tolist() == [0, 3]
    assert found.power_kw == pytest.approx(15.0)
    assert found.down_kw == pytest.approx(22.0)


def test_a_charger_that_has_shown_that_it_cannot_is_not_asked() -> None:
    found = one_step(now(discharges=np.zeros(COUNT, bool)), Wanted(power_kw=-30.0))
    assert found.told.power_kw.min() >= 0.0
    assert found.told.missing_kw == pytest.approx(-30.0)


def test_what_is_given_is_remembered_and_fades() -> None:
    memory = PoolMemory(begin(COUNT), Admission(), np.zeros(COUNT, np.float32), 0.0)
    known = now(power_kw=single(11, -11, 0, 0))
    memory, _ = step(
        memory, members(), known, Wanted(power_kw=0.0), LIMITS, FollowSettings(), 36.0, early_s=0.0
    )
    assert memory.given_kwh.tolist() == pytest.approx([0.0, 0.11, 0.0, 0.0], abs=1e-3)
    memory, _ = step(
        memory, members(), now(), Wanted(), LIMITS, FollowSettings(), 86_436.0, early_s=0.0
    )
    assert memory.given_kwh[1] == pytest.approx(0.055, abs=1e-3)
