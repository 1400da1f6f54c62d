"""The guard's memory: the same events give the same state, days begin anew, and a clock that is stepped does no harm."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.site.event import GuardChange, SetpointDecided
from parkwatt.site.guard import GuardSettings, GuardState
from parkwatt.site.guard.state import PointState

US = 1_000_000
DAY_S = 86_400
MIDNIGHT_S = 20_000 * DAY_S


def _decided(power_kw: float, lease_s: int = 120, rule: str = "ramp") -> SetpointDecided:
    change = GuardChange(rule, 0.0, power_kw, "why")
    return SetpointDecided("CP-1", 1, "car", power_kw, power_kw, lease_s, "because", (change,))


def _point(state: GuardState) -> PointState:
    point = state.point("CP-1", 1)
    assert point is not None
    return point


@given(
    told=st.lists(
        st.tuples(st.floats(-20, 20), st.integers(-7200, 7200), st.sampled_from([0, 30, 120]))
    )
)
def test_a_state_from_a_snapshot_goes_on_as_the_one_that_it_was_taken_of(
    told: list[tuple[float, int, int]],
) -> None:
    one, now_s = GuardState(), MIDNIGHT_S
    other = GuardState()
    for power_kw, later_s, lease_s in told:
        now_s += later_s
        one.apply(_decided(power_kw, lease_s), now_s * US)
        other = msgspec.json.decode(msgspec.json.encode(other), type=GuardState)
        other.apply(_decided(power_kw, lease_s), now_s * US)
        assert one == other
        assert len(_point(one).recent) <= 64


def test_a_lease_ends() -> None:
    state = GuardState()
    state.apply(_decided(5.0), MIDNIGHT_S * US)
    point = _point(state)
    assert point.lease_runs((MIDNIGHT_S + 119) * US)
    assert point.does((MIDNIGHT_S + 119) * US) == 1
    assert not point.lease_runs((MIDNIGHT_S + 120) * US)
    assert point.does((MIDNIGHT_S + 120) * US) == 0


def test_a_release_holds_until_the_next_set_point() -> None:
    state = GuardState()
    state.apply(_decided(7.0, lease_s=0), MIDNIGHT_S * US)
    assert not _point(state).lease_runs((MIDNIGHT_S + 1) * US)
    assert _point(state).does((MIDNIGHT_S + 3600) * US) == 1


def test_switchings_fade_and_do_not_count_anew_for_a_clock_put_back_a_little() -> None:
    state = GuardState()
    for turn in range(6):
        state.apply(_decided(5.0 if turn % 2 == 0 else -5.0), (MIDNIGHT_S + turn) * US)
    point = _point(state)
    assert point.switchings_lately((MIDNIGHT_S + 5) * US) == pytest.approx(6, abs=0.01)
    assert point.switchings_lately((MIDNIGHT_S - 10) * US) == pytest.approx(6, abs=0.01)
    assert point.switchings_lately((MIDNIGHT_S + DAY_S) * US) == pytest.approx(6 / math.e, abs=0.01)
    # A clock that was years ahead for a moment blocks nothing.
    assert point.switchings_lately((MIDNIGHT_S - 900 * DAY_S) * US) == 0
    state.apply(_decided(-4.0), (MIDNIGHT_S + 20) * US)
    assert point.switchings_lately((MIDNIGHT_S + 20) * US) == pytest.approx(6, abs=0.01)


@given(pauses_s=st.lists(st.integers(0, 20_000), min_size=1, max_size=200))
def test_no_day_of_any_24_hours_sees_more_switchings_than_its_budget(pauses_s: list[int]) -> None:
    settings, state, now_s = GuardSettings(switchings_per_day_max=20), GuardState(), MIDNIGHT_S
    charges, taken_s = True, []
    state.apply(_decided(0.0), now_s * US)
    for pause_s in pauses_s:
        now_s += pause_s
        if _point(state).switchings_lately(now_s * US) + 1 <= settings.switchings_lately_max:
            state.apply(_decided(5.0 if charges else 0.0), now_s * US)
            charges = not charges
            taken_s.append(now_s)
    for first_s in taken_s:
        assert sum(first_s <= at_s < first_s + DAY_S for at_s in taken_s) <= 20


def test_what_was_told_lately_spans_a_range() -> None:
    state = GuardState()
    for at_s, power_kw in ((0, 5.0), (10, -2.0), (12, 1.0)):
        state.apply(_decided(power_kw), (MIDNIGHT_S + at_s) * US)
    point = _point(state)
    assert point.range_kw((MIDNIGHT_S + 13) * US, 5) == (-2.0, 5.0)
    assert point.range_kw((MIDNIGHT_S + 16) * US, 5) == (-2.0, 1.0)
    assert point.range_kw((MIDNIGHT_S + 18) * US, 5) == (1.0, 1.0)


def test_charging_for_a_departure_is_remembered() -> None:
    state = GuardState()
    state.apply(_decided(11.0, rule="ready"), MIDNIGHT_S * US)
    assert _point(state).must_charge
    state.apply(_decided(11.0), (MIDNIGHT_S + 2) * US)
    assert not _point(state).must_charge
