"""Registers that grow, begin anew, jump, round, and fall silent."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.site.account.curve import Curve, interval_curve, register_curve, shaped
from parkwatt.site.account.readings import IntervalEnergies, Readings

US = 1_000_000


def curve_of(values: list[tuple[float, float]], power_kw_max: float = 50.0) -> Curve:
    """The curve of (minute, kWh) values."""
    readings = Readings()
    for minute, value_kwh in values:
        readings.add(round(minute * 60 * US), value_kwh, True)
    return register_curve(readings, power_kw_max)


def test_energy_flows_evenly_between_two_values() -> None:
    curve = curve_of([(0, 100.0), (10, 101.0), (20, 104.0)])
    assert curve.until(np.array([0, 300, 600, 900, 1200, 9999])).tolist() == [0, 0.5, 1, 2.5, 4, 4]


def test_a_register_that_begins_anew_counts_from_nothing() -> None:
    curve = curve_of([(0, 100.0), (10, 102.0), (11, 0.0), (20, 3.0)])
    assert (curve.total_kwh, curve.restart_count) == (5.0, 1)


def test_another_meter_counts_from_its_first_value() -> None:
    curve = curve_of([(0, 100.0), (10, 102.0), (11, 90.0), (20, 93.0), (21, 7000.0), (30, 7001.0)])
    assert (curve.total_kwh, curve.restart_count) == (6.0, 2)


@pytest.mark.parametrize("false_kwh", [0.0, 99_999.0, 50.0])
def test_a_single_false_value_counts_nothing(false_kwh: float) -> None:
    curve = curve_of([(0, 500.0), (10, 502.0), (11, false_kwh), (12, 502.2), (20, 503.0)])
    assert (curve.total_kwh, curve.restart_count) == (3.0, 0)


def test_a_rounded_digit_is_no_restart() -> None:
    assert curve_of([(0, 12.0), (5, 12.345), (6, 12.3), (7, 12.4)]).total_kwh == pytest.approx(0.4)


@given(st.lists(st.lists(st.floats(0.0, 2.0), min_size=1, max_size=8), min_size=1, max_size=6))
def test_sessions_that_each_begin_at_nothing_add_up(sessions: list[list[float]]) -> None:
    minute, values, total_kwh = 0.0, [], 0.0
    for session in sessions:
        register = 0.0
        values.append((minute, register))
        for moved_kwh in session:
            minute += 15
            register += moved_kwh
            values.append((minute, register))
        total_kwh += register
        minute += 300
    curve = curve_of(values)
    # Less than a tenth of a kWh back may be rounding.
    assert curve.total_kwh == pytest.approx(total_kwh, abs=0.1 * len(sessions) + 1e-9)
    assert np.all(np.diff(curve.energy_kwh) >= 0)


def test_energies_of_intervals_end_where_they_were_told() -> None:
    energies = IntervalEnergies()
    for minute, kwh in ((15, 1.0), (30, 2.0), (600, 0.5)):
        energies.add(minute * 60 * US, kwh)
    curve = interval_curve(energies)
    found = curve.until(np.array([0, 450, 900, 1800, 540 * 60, 600 * 60]))
    assert found.tolist() == pytest.approx([0, 0.5, 1.0, 3.0, 3.0, 3.5])


def test_a_gap_is_shaped_by_the_quarters_where_they_agree() -> None:
    curve = curve_of([(0, 0.0), (60, 4.0)])
    assert curve.guessed_until(np.array([3600])).tolist() == [4.0]
    starts = np.arange(0, 3600, 900)
    told = np.array([0.0, 0.0, 1.5, 2.5])
    better = shaped(curve, starts, starts + 900, told, 50.0)
    assert better.until(starts + 900).tolist() == pytest.approx([0.0, 0.0, 1.5, 4.0])
    assert better.guessed_until(np.array([3600])).tolist() == [0.0]


@pytest.mark.parametrize(
    "told", [[0.0, 0.0, 0.0, 1.0], [0.0, np.nan, 1.5, 2.5], [0.0, 0.0, 0.0, 4.0]]
)
def test_quarters_that_tell_another_energy_nothing_or_the_impossible_shape_nothing(
    told: list[float],
) -> None:
    curve = curve_of([(0, 0.0), (60, 4.0)])
    starts = np.arange(0, 3600, 900)
    assert shaped(curve, starts, starts + 900, np.array(told), 12.0) is curve
