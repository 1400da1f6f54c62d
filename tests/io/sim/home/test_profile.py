"""Power by the second from steps of any length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.sim.home.profile import StepProfile, none_kw

START_UNIX_S = 1_704_150_000


@given(
    powers_kw=st.lists(st.floats(-20, 20), min_size=1, max_size=20),
    step_s=st.integers(1, 900),
    offset_s=st.integers(-2000, 2000),
    count=st.integers(0, 3000),
)
def test_each_second_has_its_step_s_power(
    powers_kw: list[float], step_s: int, offset_s: int, count: int
) -> None:
    profile = StepProfile(START_UNIX_S, step_s, np.array(powers_kw))
    found = profile.by_second(START_UNIX_S + offset_s, count)
    steps = [(offset_s + second) // step_s for second in range(count)]
    last = len(powers_kw) - 1
    assert found.tolist() == [powers_kw[min(max(step, 0), last)] for step in steps]


def test_nothing_is_unknown_to_the_physics() -> None:
    with pytest.raises(ValueError, match="unknown"):
        StepProfile(START_UNIX_S, 60, np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="at least"):
        StepProfile(START_UNIX_S, 60, np.array([]))
    assert none_kw(START_UNIX_S).by_second(START_UNIX_S, 3).tolist() == [0.0, 0.0, 0.0]
