"""What a pool tells of its past comes from its seconds as long as they are kept, then from its minutes."""

from __future__ import annotations

import pytest

from parkwatt.app.pool.measured import PoolHistory, PoolSecond
from parkwatt.domain.fleet.operation import PoolMinute

US = 1_000_000
MINUTE = 60 * US


def second(at_s: float, power_kw: float) -> PoolSecond:
    return PoolSecond(round(at_s * US), power_kw, 10.0, None, 5.0, 20.0)


def minute(power_kw: float, energy_kwh: float = 30.0) -> PoolMinute:
    return PoolMinute(power_kw, 10.0, -5.0, 3, 3, 5.0, 20.0, energy_kwh, 60.0)


def test_a_span_is_cut_to_the_second() -> None:
    history = PoolHistory()
    for at_s in range(200):
        history.add_second(second(at_s, 100.0 if at_s < 90 else -200.0))
    assert history.mean("power_kw", 60 * US, 120 * US) == pytest.approx(-50.0)
    assert history.mean("energy_kwh", 90 * US, 150 * US) == pytest.approx(-200.0 / 60.0)
    assert history.mean("target_kw", 90 * US, 150 * US) == 10.0
    assert history.mean("discharge_kw_max", 90 * US, 150 * US) == 10.0
    assert history.mean("operating", 90 * US, 150 * US) == 0.0
    last = history.last
    assert last is not None
    assert last.power_kw == -200.0
    assert [one.at_unix_us for one in history.seconds(2)] == [198 * US, 199 * US]


def test_before_the_seconds_there_are_minutes() -> None:
    history = PoolHistory()
    for number in range(1, 121):
        history.add_minute(minute(float(number), 30.0), number * MINUTE)
    history.add_second(second(119 * 60, 7.0))
    assert history.mean("power_kw", 0, 4 * MINUTE) == pytest.approx(2.5)
    assert history.mean("energy_kwh", 0, 60 * MINUTE) == pytest.approx(30.5)
    assert history.mean("soc", 0, 4 * MINUTE) == pytest.approx(0.5)
    assert history.mean("target_kw", 0, MINUTE) == -5.0


def test_what_was_not_measured_is_not_known() -> None:
    history = PoolHistory()
    assert history.mean("power_kw", 0, MINUTE) is None
    history.add_minute(minute(4.0, 0.0), MINUTE)
    assert history.mean("power_kw", 0, 2 * MINUTE) == 4.0
    assert history.mean("power_kw", 0, 3 * MINUTE) is None
    assert history.mean("colour", 0, MINUTE) is None
    history.add_minute(PoolMinute(4.0, 10.0, None, 3, 3), 2 * MINUTE)
    assert history.mean("soc", MINUTE, 2 * MINUTE) is None
    # A program that stood still knows nothing of that time.
    history.add_second(second(200, 1.0))
    history.add_second(second(2000, 1.0))
    assert history.mean("power_kw", 300 * US, 1000 * US) is None
