"""The delay counts only what was seen: laws of the return to service."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.home.grid_code import GRID_CODES, EnterServiceState, qualify, ramp_kw
from parkwatt.home.grid_code.enter_service import GAP_S_MAX

CODE = GRID_CODES["ieee1547-2018"]
GOOD = ((1.0,), 60.0)
S = 1_000_000

# What may be read, with its time since the reading before: good, bad and unknown.
READINGS = st.tuples(
    st.sampled_from([GOOD] * 6 + [((0.9,), 60.0), ((1.0,), 61.0), (None, 60.0), ((1.0,), None)]),
    st.integers(1, 15 * S),
)


@given(st.lists(READINGS, min_size=1, max_size=80))
def test_qualified_means_seen_in_the_band_for_the_delay(
    readings: list[tuple[tuple[tuple[float, ...] | None, float | None], int]],
) -> None:
    state, now_us = EnterServiceState(), 0
    good_since_us: int | None = None
    for (voltage_pu, frequency_hz), after_us in readings:
        now_us += after_us
        state, answer = qualify(state, CODE, voltage_pu, frequency_hz, now_us)
        is_good = (voltage_pu, frequency_hz) == GOOD
        if not is_good:
            good_since_us = None
        elif good_since_us is None or after_us > GAP_S_MAX * S:
            good_since_us = now_us
        assert answer.in_band == is_good
        stayed_us = 0 if good_since_us is None else now_us - good_since_us
        assert answer.qualified == (is_good and stayed_us >= CODE.delay_s * S)
        assert answer.remaining_s == pytest.approx(max(0.0, CODE.delay_s - stayed_us / S))


def test_a_return_in_words() -> None:
    state, answer = qualify(EnterServiceState(), CODE, (0.0,), 0.0, 0)
    assert (
        answer.reason
        == "the voltage is 0.000 of nominal, not 0.917 to 1.05; then 300 s in the band are needed"
    )
    for time_s in range(1, 302):
        state, answer = qualify(state, CODE, (1.0,), 60.0, time_s * S)
        assert answer.qualified == (time_s == 301)
        if time_s == 2:
            assert answer.reason == "in the band; 299 s of 300 s are left"
    assert answer.reason == "voltage and frequency have been in the band for 300 s"


@pytest.mark.parametrize(
    ("voltage_pu", "frequency_hz", "reason"),
    [
        (None, 60.0, "the grid's voltage is unknown"),
        ((), 60.0, "the grid's voltage is unknown"),
        ((1.0, math.nan), 60.0, "the grid's voltage is unknown"),
        ((1.0,), None, "the grid's frequency is unknown"),
        ((1.0,), math.nan, "the grid's frequency is unknown"),
        ((1.0, 1.06), 60.0, "the voltage is 1.060 of nominal, not 0.917 to 1.05"),
        ((1.0,), 60.2, "the frequency is 60.20 Hz, not 59.5 to 60.1 Hz"),
    ],
)
def test_what_is_not_in_the_band(
    voltage_pu: tuple[float, ...] | None, frequency_hz: float | None, reason: str
) -> None:
    state, answer = qualify(EnterServiceState(0, 299 * S), CODE, voltage_pu, frequency_hz, 300 * S)
    assert state == EnterServiceState()
    assert not answer.in_band
    assert not answer.qualified
    assert answer.remaining_s == CODE.delay_s
    assert answer.reason.startswith(reason)


def test_time_that_was_not_seen_does_not_count() -> None:
    """Parkwatt was dead for an hour: the state that it wrote before says nothing about that hour."""
    state, answer = qualify(EnterServiceState(0, 100 * S), CODE, *GOOD, 3600 * S)
    assert not answer.qualified
    assert answer.remaining_s == CODE.delay_s
    assert state.in_band_since_unix_us == 3600 * S


def test_a_clock_that_goes_back_starts_anew() -> None:
    _, answer = qualify(EnterServiceState(0, 299 * S), CODE, *GOOD, 200 * S)
    assert answer.remaining_s == CODE.delay_s


@given(st.floats(-10.0, 2000.0), st.floats(0.0, 20.0), st.sampled_from(sorted(GRID_CODES)))
def test_the_ramp_grows_evenly_to_full_power(
    entered_s: float, power_kw_max: float, name: str
) -> None:
    code = GRID_CODES[name]
    power_kw = ramp_kw(code, entered_s, power_kw_max)
    assert 0.0 <= power_kw <= power_kw_max
    assert power_kw <= ramp_kw(code, entered_s + 1.0, power_kw_max)
    if 0.0 <= entered_s < code.ramp_s:
        assert power_kw == pytest.approx(power_kw_max * entered_s / code.ramp_s)
    if entered_s >= code.ramp_s:
        assert power_kw == power_kw_max
