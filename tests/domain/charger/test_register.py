"""Energy by a register: by law for one that only grows, by example for one that does not."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.charger.register import RegisterEnergy

_T = 1_785_850_545_000_000
_MINUTE = 60_000_000

Values = list[tuple[float, int]]


@st.composite
def growing(draw: st.DrawFn) -> Values:
    """A register that only grows, with what a charger of up to 400 kW moves; times may repeat."""
    value, time = draw(st.floats(0.0, 50_000.0)), _T
    values = [(value, time)]
    for step_us in draw(st.lists(st.integers(0, 3600 * 1_000_000), min_size=1, max_size=20)):
        value += draw(st.floats(0.0, 1.0)) * 400.0 * step_us / 3.6e9
        time += step_us
        values.append((value, time))
    return values


def energy(values: Values) -> float:
    register = RegisterEnergy()
    for value, time in values:
        register.add(value, time)
    assert register.energy_kwh is not None
    return register.energy_kwh


@given(growing())
def test_a_growing_register_moved_its_last_less_its_first(values: Values) -> None:
    assert math.isclose(energy(values), values[-1][0] - values[0][0], abs_tol=1e-9)


@given(growing(), st.randoms(use_true_random=False), st.integers(0, 5))
def test_order_of_arrival_and_repetition_change_nothing(
    values: Values, random: object, repeated: int
) -> None:
    arrived = values + values[:repeated]
    random.shuffle(arrived)  # type: ignore[attr-defined]
    assert math.isclose(energy(arrived), energy(values), abs_tol=1e-9)


@given(growing(), st.integers(-7200, 7200))
def test_a_clock_that_is_set_in_the_middle_changes_nothing(values: Values, jump_s: int) -> None:
    half = len(values) // 2
    moved = values[:half] + [(value, time + jump_s * 1_000_000) for value, time in values[half:]]
    assert math.isclose(energy(moved), energy(values), abs_tol=1e-9)


@given(
    st.lists(
        st.tuples(st.floats(0.0, 1e7), st.integers(_T, _T + 10_000 * _MINUTE)),
        min_size=1,
        max_size=30,
    )
)
def test_energy_is_never_negative_and_grows_only_as_a_charger_can(values: Values) -> None:
    register = RegisterEnergy()
    energy_kwh = 0.0
    for value, time in values:
        register.add(value, time)
        assert register.energy_kwh is not None
        assert register.energy_kwh >= energy_kwh - 1e-6
        energy_kwh = register.energy_kwh
    span_us = max(time for _, time in values) - min(time for _, time in values)
    assert energy_kwh <= 1600.0 * (span_us + (len(values) + 1) * _MINUTE) / 3.6e9 * 2


def test_before_the_first_value_energy_is_unknown() -> None:
    assert RegisterEnergy().energy_kwh is None


def test_a_restart_at_zero_goes_on_counting() -> None:
    minutes = [(100.0, 0), (110.0, 60), (0.5, 62), (3.0, 90)]
    assert energy([(value, _T + minute * _MINUTE) for value, minute in minutes]) == pytest.approx(
        13.0
    )


def test_another_meters_sum_is_counted_from_where_it_begins() -> None:
    minutes = [(9000.0, 0), (9001.0, 5), (5000.0, 6), (5002.0, 12)]
    assert energy([(value, _T + minute * _MINUTE) for value, minute in minutes]) == pytest.approx(
        3.0
    )


@pytest.mark.parametrize("false_kwh", [0.0, 4_294_967.295])
def test_a_false_value_among_good_ones_costs_no_more_than_its_gap(false_kwh: float) -> None:
    minutes = [(5000.0, 0), (5001.0, 5), (false_kwh, 6), (5001.4, 7), (5003.0, 15)]
    assert energy([(value, _T + minute * _MINUTE) for value, minute in minutes]) == pytest.approx(
        2.6
    )


def test_zero_before_the_meter_was_read_is_not_counted_from() -> None:
    minutes = [(0.0, 0), (5000.0, 1), (5003.0, 31), (0.0, 0)]
    assert energy([(value, _T + minute * _MINUTE) for value, minute in minutes]) == pytest.approx(
        3.0
    )


def test_what_comes_late_of_a_segment_that_ended_is_not_counted_again() -> None:
    minutes = [(100.0, 0), (110.0, 60), (0.5, 62), (109.0, 59), (3.0, 90), (105.0, 30)]
    assert energy([(value, _T + minute * _MINUTE) for value, minute in minutes]) == pytest.approx(
        13.0
    )


def test_rounding_of_the_last_digit_is_no_restart() -> None:
    register = RegisterEnergy()
    for value, minute in [(100.0, 0), (110.001, 60), (110.0, 61), (110.002, 62)]:
        register.add(value, _T + minute * _MINUTE)
    assert register.restart_count == 0
    assert register.energy_kwh == pytest.approx(10.002)
