"""The program's clock: it goes on, whatever is done to the computer's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.clock.steady_clock import SteadyClock

_US = 1_000_000
_BEGIN_US = 1_700_000_000 * _US


class Computer:
    """A computer whose clock is set by a test."""

    def __init__(self) -> None:
        self.passed_s = 100.0
        self.wrong_s = 0.0
        self.clock = SteadyClock(self.wall, lambda: self.passed_s)

    def wall(self) -> int:
        """What it shows."""
        return _BEGIN_US + round((self.passed_s - 100.0 + self.wrong_s) * _US)

    def ahead_s(self) -> float:
        """How far the program's clock is ahead of the computer's."""
        return (self.clock() - self.wall()) / _US


def test_a_clock_that_nobody_sets_is_followed() -> None:
    computer = Computer()
    for _ in range(1000):
        computer.passed_s += 0.013
        assert computer.clock() == computer.wall()


def test_a_step_forward_is_followed_at_once() -> None:
    computer = Computer()
    computer.wrong_s = 7200.0
    assert computer.ahead_s() == 0.0


def test_a_step_back_is_made_up_for_bit_by_bit() -> None:
    computer = Computer()
    computer.clock()
    computer.wrong_s = -600.0
    before_us = computer.clock()
    for _ in range(1000):
        computer.passed_s += 1.0
        now_us = computer.clock()
        assert 0.74 * _US <= now_us - before_us <= 1.01 * _US
        before_us = now_us
    assert computer.ahead_s() == pytest.approx(350.0, abs=1.0)
    assert computer.clock.ahead_us == pytest.approx(350e6, abs=1e6)
    computer.passed_s += 1500.0
    assert computer.ahead_s() == 0.0


def test_a_clock_that_was_wrong_by_years_is_put_back_at_once() -> None:
    computer = Computer()
    computer.wrong_s = 10 * 365 * 86_400.0
    computer.clock()
    computer.wrong_s = 0.0
    assert computer.ahead_s() == 0.0


@given(
    st.lists(
        st.tuples(
            st.floats(min_value=0.0, max_value=5.0),
            st.floats(min_value=-3600.0, max_value=3600.0) | st.just(0.0),
        ),
        max_size=60,
    )
)
def test_it_never_goes_back_or_stands_still(steps: list[tuple[float, float]]) -> None:
    computer = Computer()
    wrong_s = 0.0
    before_us = computer.clock()
    for passed_s, set_by_s in steps:
        computer.passed_s += passed_s
        wrong_s = min(max(wrong_s + set_by_s, -10_000.0), 10_000.0)
        computer.wrong_s = wrong_s
        now_us = computer.clock()
        assert now_us - before_us >= 0.74 * passed_s * _US - 2
        assert computer.clock.ahead_us >= 0
        before_us = now_us
