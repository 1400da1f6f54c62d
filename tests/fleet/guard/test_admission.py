"""What is asked of a whole pool passes only as far and as fast as a grid can bear, whatever is asked."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.fleet.guard.admission import Admission, Limits, admit, resume, stop

LIMITS = Limits(
    up_kw_max=30_000.0,
    down_kw_max=40_000.0,
    ramp_kw_per_s=4_000.0,
    travel_kw=80_000.0,
    travel_kw_per_s=50.0,
    reversal_s=60.0,
)


def course(wanted_kw: list[float], step_s: float = 1.0, limits: Limits = LIMITS) -> np.ndarray:
    """What passes of wishes that follow each other."""
    state, passed = Admission(), [0.0]
    for number, one in enumerate(wanted_kw):
        state, admitted = admit(state, one, limits, number * step_s)
        passed.append(admitted.deviation_kw)
    return np.array(passed)


@given(
    wanted=st.lists(
        st.floats(-1e6, 1e6) | st.sampled_from([np.nan, np.inf, -np.inf]), max_size=300
    ),
    step_s=st.sampled_from([0.5, 1.0, 4.0]),
)
@settings(max_examples=200, deadline=None)
def test_no_sequence_of_wishes_gets_past_the_limits(wanted: list[float], step_s: float) -> None:
    passed = course(wanted, step_s)
    assert (passed <= LIMITS.up_kw_max + 1e-6).all()
    assert (passed >= -LIMITS.down_kw_max - 1e-6).all()
    moves = np.diff(passed)
    assert (np.abs(moves) <= LIMITS.ramp_kw_per_s * max(step_s, 1.0) + 1e-6).all()
    # Outward moves in any window are paid from the budget.
    outward = np.maximum(np.diff(np.abs(passed)), 0.0)
    total = np.concatenate(([0.0], np.cumsum(outward)))
    begin, end = np.triu_indices(len(total))
    allowed = LIMITS.travel_kw + LIMITS.travel_kw_per_s * step_s * (end - begin)
    assert (total[end] - total[begin] <= allowed + 1e-3).all()
    # Between one side and the other lies a minute at the plan.
    sides = np.sign(passed)
    places = np.flatnonzero(sides)
    for before, after in pairwise(places.tolist()):
        if sides[before] != sides[after]:
            assert (after - before - 1) * step_s >= LIMITS.reversal_s - 1e-6


@pytest.mark.parametrize("period_s", [4, 20, 120, 600])
def test_a_square_wave_is_damped(period_s: int) -> None:
    seconds = 4 * 3600
    wave = [-40_000.0 if now % period_s < period_s / 2 else 30_000.0 for now in range(seconds)]
    passed = course(wave)
    late = passed[seconds // 2 :]
    # Of waves that go on for hours no more is left than the budget that refills in a period.
    allowed_kw = 2.0 * LIMITS.travel_kw_per_s * (period_s + 2.0 * LIMITS.reversal_s)
    assert np.abs(late).max() <= allowed_kw
    assert np.abs(late).max() < 0.9 * 30_000.0 or period_s > 300


def test_a_single_event_is_not_hindered() -> None:
    passed = course([-40_000.0] * 3600 + [0.0] * 60)
    assert passed[10] == -40_000.0
    assert (passed[10:3600] == -40_000.0).all()
    assert passed[3615] == 0.0


def test_a_slip_of_the_finger_is_refused_and_a_little_too_much_is_cut() -> None:
    state, admitted = admit(Admission(), -4_000_000.0, LIMITS, 0.0)
    assert admitted.deviation_kw == 0.0
    assert admitted.rules == ("refused",)
    assert "40000 kW enrolled" in admitted.reason
    assert "-4e+06 kW" in admitted.reason
    _, admitted = admit(state._replace(deviation_kw=-40_000.0), -41_000.0, LIMITS, 1.0)
    assert admitted.deviation_kw == -40_000.0
    assert admitted.rules == ("bounds",)


def test_after_a_pause_nothing_leaps() -> None:
    state, _ = admit(Admission(), 0.0, LIMITS, 0.0)
    _, admitted = admit(state, -40_000.0, LIMITS._replace(ramp_kw_per_s=100.0), 86_400.0)
    assert admitted.deviation_kw == -1000.0


def test_a_stop_leads_back_to_the_plan_by_the_ramp() -> None:
    state = Admission(deviation_kw=-20_000.0, at_s=0.0, side=-1)
    state = stop(state)
    state, admitted = admit(state, -20_000.0, LIMITS, 1.0)
    assert admitted.deviation_kw == -16_000.0
    assert admitted.rules == ("stopped", "ramp")
    for now_s in range(2, 8):
        state, admitted = admit(state, -20_000.0, LIMITS, float(now_s))
    assert admitted.deviation_kw == 0.0
    _, admitted = admit(resume(state), -20_000.0, LIMITS, 8.0)
    assert admitted.deviation_kw == -4000.0


def test_limits_have_to_be_numbers_of_at_least_zero() -> None:
    LIMITS.raise_if_wrong()
    with pytest.raises(InputError, match=r"ramp_kw_per_s.*-1") as caught:
        LIMITS._replace(ramp_kw_per_s=-1.0, travel_kw=float("nan")).raise_if_wrong()
    assert len(caught.value.faults) == 2
