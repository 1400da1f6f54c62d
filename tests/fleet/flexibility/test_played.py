"""What a pool could have done: by hand for one car, and for any cars what was promised can be given, floors and departures
kept.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.fleet.flexibility.played import DayHeld, Fleet, Stays, play_days


def fleet(count: int, capacity_kwh: float = 60.0) -> Fleet:
    """Cars of 11 kW both ways, floor 20 %."""
    ones = np.ones(count)
    return Fleet(
        ones * capacity_kwh, ones * 0.2 * capacity_kwh, ones * 11.0, ones * 11.0, ones * 0.9, np.zeros(count, np.int64)
    )  # fmt: skip


def stays(*rows: tuple[int, int, int, float, float]) -> Stays:
    """Car, from, to, what it brings, what it wants."""
    table = np.array(sorted(rows, key=lambda row: row[1]))
    whole = table[:, :3].astype(np.int64)
    return Stays(whole[:, 0], whole[:, 1], whole[:, 2], table[:, 3], table[:, 4])


def day(of: Fleet, there: Stays) -> DayHeld:
    """The first day."""
    return next(play_days(of, there, 1, reserve_minutes=30))


def test_a_car_with_room_both_ways_holds_all_of_its_power() -> None:
    # 40 of 60 kWh, 20 wanted: 45 minutes at 11 kW take 7.4 kWh and give 9.2 kWh.
    held = day(fleet(1), stays((0, 8, 40, 40.0, 20.0)))
    assert held.reserve_kw[8:39, 0] == pytest.approx(11.0)
    assert (held.reserve_kw[:8] == 0.0).all()
    assert (held.reserve_kw[40:] == 0.0).all()
    assert held.up_kwh[8, 0] == pytest.approx(20.0 / 0.9)
    assert held.down_kwh[8, 0] == pytest.approx((40.0 - 12.0) * 0.9)


def test_a_car_at_its_floor_gives_nothing_and_a_full_one_takes_nothing() -> None:
    low = day(fleet(1), stays((0, 0, 96, 12.0, 12.0)))
    assert low.down_kw[0, 0] == pytest.approx(0.0)
    assert low.up_kw[0, 0] == pytest.approx(11.0)
    full = day(fleet(1), stays((0, 0, 96, 60.0, 60.0)))
    assert full.up_kw[0, 0] == pytest.approx(0.0, abs=1e-6)


def test_before_a_departure_nothing_is_held() -> None:
    # It wants 30 kWh more by step 16, which takes three hours at full power: it charges, and is not to be disturbed.
    held = day(fleet(1), stays((0, 0, 16, 20.0, 50.0)))
    assert (held.reserve_kw[1:12] == 0.0).all()
    assert (held.down_kw[1:12] == 0.0).all()
    assert 60.0 - held.up_kwh[15, 0] * 0.9 >= 50.0


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_what_is_promised_down_can_be_given(seed: int) -> None:
    """Each car gives what it promised for 30 minutes at one moment, and can still have what its driver wants when it leaves."""
    rng = np.random.default_rng(seed)
    rows = []
    for car in range(6):
        begin = int(rng.integers(0, 60))
        end = begin + int(rng.integers(4, 36))
        brings = rng.uniform(5.0, 55.0)
        wants = min(
            brings + rng.uniform(0.0, 0.9 * 11.0 * max((end - begin) / 4.0 - 1.0, 0.0)), 60.0
        )
        rows.append((car, begin, end, brings, wants))
    cars = fleet(6)
    held = day(cars, stays(*rows))
    for car, begin, end, brings, wants in rows:
        # Its energy as it was played, worked out anew from what it could take.
        for step in range(begin, end):
            energy = 60.0 - float(held.up_kwh[step, car]) * 0.9
            down_kw = float(held.down_kw[step, car])
            plan_kw = 11.0 / 2.0 if energy < wants - 1e-6 else 0.0
            gives_kw = min(plan_kw, 11.0) - down_kw if down_kw > plan_kw else 0.0
            after = energy + gives_kw / 0.9 * 0.5
            assert after >= min(12.0, brings) - 0.02
            left_h = max((end - step) / 4.0 - 0.5, 0.0)
            if down_kw > plan_kw:
                assert after + 11.0 * 0.9 * left_h >= min(wants, 60.0) - 0.02
