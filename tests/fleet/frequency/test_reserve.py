"""Sharing a reserve: never beyond what a car can do, and all of it as long as there is enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.fleet.dispatch.bounds import Batteries, Bounds, bounds
from parkwatt.fleet.frequency.reserve import AlertClock, hold, holdable_kw, is_alert, watched

COUNT = 12


def cars(rng: np.random.Generator) -> Batteries:
    """Cars of all kinds: some nearly empty, some full, some about to leave."""
    full = rng.uniform(20.0, 100.0, COUNT)
    arrays = (
        full * rng.random(COUNT),
        full * rng.uniform(0.0, 0.3, COUNT),
        full,
        full * rng.uniform(0.3, 1.0, COUNT),
        np.where(rng.random(COUNT) < 0.5, rng.uniform(0.0, 40_000.0, COUNT), np.inf),
        rng.choice([0.0, 7.4, 11.0, 22.0], COUNT),
        rng.choice([0.0, 7.4, 11.0], COUNT),
        np.full(COUNT, 0.93),
        np.full(COUNT, 0.93),
        np.zeros(COUNT),
    )
    return Batteries(*(np.asarray(one, np.float32) for one in arrays))


def both(batteries: Batteries) -> tuple[Bounds, Bounds]:
    long = bounds(batteries, hold_s=1800.0, early_s=600.0)
    return long, bounds(batteries, hold_s=300.0, early_s=600.0)


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 1.5), st.booleans())
def test_shares_lie_within_what_cars_can_do(seed: int, part: float, restores: bool) -> None:
    rng = np.random.default_rng(seed)
    long, short = both(cars(rng))
    takes_part = rng.random(COUNT) < 0.8
    planned = rng.uniform(-11.0, 11.0, COUNT)
    most_kw = holdable_kw(Bounds(*(one[takes_part] for one in long)))
    found = hold(part * most_kw, planned, long, short, takes_part, restores=restores)
    assert (found.reserve_kw >= 0.0).all()
    assert (found.reserve_kw[~takes_part] == 0.0).all()
    assert found.base_kw[~takes_part] == pytest.approx(planned[~takes_part])
    within = found.reserve_kw > 0.0
    low = np.minimum(long.low_kw, short.low_kw) - 1e-3
    high = np.maximum(long.high_kw, short.high_kw) + 1e-3
    assert (found.base_kw - found.reserve_kw >= low)[within].all()
    assert (found.base_kw + found.reserve_kw <= high)[within].all()
    if part <= 1.0:
        assert found.reserve_kw.sum() == pytest.approx(part * most_kw, abs=1e-6)
        assert found.missing_kw == 0.0


def test_what_is_not_there_for_long_is_given_for_a_short_time() -> None:
    # 2 kWh above the floor: 3.72 kW for half an hour, all 11 kW for five minutes.
    one = np.ones(1, np.float32)
    battery = Batteries(
        one * 12, one * 10, one * 60, one * 0, one * np.inf, one * 11, one * 11, one * 0.93, one * 0.93, one * 0
    )  # fmt: skip
    long, short = both(battery)
    assert holdable_kw(long) == pytest.approx((11.0 + 3.72) / 2.0, abs=0.01)
    found = hold(10.0, np.zeros(1), long, short, np.ones(1, bool))
    assert found.reserve_kw[0] == pytest.approx(10.0)
    assert found.missing_kw == 0.0
    assert found.short_kw == pytest.approx(10.0 - 7.36, abs=0.01)
    # Around a base that lets it give 10 kW down and up.
    assert found.base_kw[0] == pytest.approx(0.0, abs=1.0)


def test_the_base_brings_back_what_was_given_but_not_in_an_alert() -> None:
    one = np.ones(1, np.float32)
    battery = Batteries(
        one * 12, one * 10, one * 60, one * 0, one * np.inf, one * 11, one * 11, one * 0.93, one * 0.93, one * 0
    )  # fmt: skip
    long, short = both(battery)
    calm = hold(6.0, np.zeros(1), long, short, np.ones(1, bool))
    assert calm.base_kw[0] == pytest.approx(
        6.0 - 3.72, abs=0.01
    )  # charges until it could give 6 kW for 30 minutes
    alert = hold(6.0, np.zeros(1), long, short, np.ones(1, bool), restores=False)
    assert alert.base_kw[0] == 0.0


def test_a_reserve_below_nothing_is_refused() -> None:
    rng = np.random.default_rng(1)
    long, short = both(cars(rng))
    with pytest.raises(InputError, match="reserve_kw"):
        hold(-1.0, np.zeros(COUNT), long, short, np.ones(COUNT, bool))


@pytest.mark.parametrize(
    ("deviation_mhz", "seconds", "alert"),
    [(49.0, 5000, False), (60.0, 899, False), (60.0, 900, True), (-110.0, 299, False), (-110.0, 300, True)],
)  # fmt: skip
def test_the_alert_state(deviation_mhz: float, seconds: int, alert: bool) -> None:
    clock = AlertClock()
    for _ in range(seconds):
        clock = watched(clock, deviation_mhz, 1.0)
    assert is_alert(clock) is alert
    assert not is_alert(watched(clock, 10.0, 1.0))
