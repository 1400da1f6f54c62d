"""The band of frequency response: never beyond the reserve, never for a frequency that no grid has, never a wave for ever."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.fleet.frequency.curve import curve_of
from parkwatt.fleet.guard.response import Response, ResponseGate, respond
from parkwatt.io.programmes.programme_file import programme_named

CURVE = curve_of(programme_named("fcr"))


def course(frequencies: Sequence[float | None], reserve_kw: float = 100.0) -> list[Response]:
    """The answers to readings a second apart; None: none came."""
    gate, found = ResponseGate(), []
    for second, hz in enumerate(frequencies):
        gate, answer = respond(gate, hz, float(second), reserve_kw, CURVE, float(second))
        found.append(answer)
    return found


def test_a_step_is_answered_in_time() -> None:
    found = course([50.0] * 10 + [49.8] * 40)
    assert found[10 + 5].power_kw == pytest.approx(-100.0)
    assert found[-1].power_kw == pytest.approx(-100.0)
    assert found[-1].rules == ()


@given(st.lists(st.floats(45.0, 55.0) | st.none(), max_size=60), st.floats(0.0, 1e6))
def test_never_more_than_the_reserve(frequencies: list[float | None], reserve_kw: float) -> None:
    for answer in course(frequencies, reserve_kw):
        assert abs(answer.power_kw) <= reserve_kw * (1.0 + 1e-9)


@given(st.integers(1, 200), st.sampled_from(["square", "sine", "chance"]), st.integers(0, 999))
def test_no_wave_swings_for_ever(period_s: int, shape: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frequencies: list[float | None] = []
    for second in range(1200):
        if shape == "square":
            frequencies.append(49.8 if second // period_s % 2 else 50.2)
        elif shape == "sine":
            frequencies.append(50.0 + 0.2 * math.sin(2.0 * math.pi * second / period_s))
        else:
            frequencies.append(float(50.0 + 0.3 * rng.standard_normal()))
    shares = np.array([one.power_kw for one in course(frequencies, 1.0)])
    before, after = shares[:-1], shares[1:]
    away = np.where(before * after < 0.0, np.abs(after), np.abs(after) - np.abs(before))
    # 4 reserves at once, and then 60 an hour.
    assert np.maximum(away, 0.0).sum() <= 4.0 + 1200.0 * 60.0 / 3600.0 + 1e-6


@pytest.mark.parametrize("wrong", [0.0, 60.0, 25.0, math.nan, math.inf, -50.0])
def test_a_frequency_of_no_grid_changes_nothing(wrong: float) -> None:
    found = course([49.9] * 10 + [wrong] * 3)
    assert found[-1].power_kw == pytest.approx(-50.0)
    assert "disbelieved" in found[-1].rules


def test_a_jump_is_not_believed_until_it_lasts() -> None:
    found = course([50.0] * 10 + [46.0])
    assert found[-1].power_kw == 0.0
    assert found[-1].rules == ("disbelieved",)
    assert "46" in found[-1].reason


def test_without_readings_the_answer_fades() -> None:
    found = course([49.8] * 10 + [None] * 20)
    assert found[12].power_kw == pytest.approx(-100.0)
    assert -100.0 < found[19].power_kw < 0.0
    assert found[-1].power_kw == 0.0
    assert found[-1].rules == ("stale",)


def test_a_stop_ends_it() -> None:
    gate = ResponseGate()
    for second in range(10):
        gate, _ = respond(gate, 49.8, float(second), 100.0, CURVE, float(second))
    for second in range(10, 20):
        gate, answer = respond(gate, 49.8, float(second), 100.0, CURVE, float(second), stopped=True)
    assert answer.power_kw == 0.0
    assert "stopped" in answer.rules


def test_a_bad_half_day_is_answered_in_full() -> None:
    """Generated like Great Britain's worst recorded hours: 18 reserves of travel an hour."""
    seconds = np.arange(4 * 3600)
    # 9 full swings of a sine an hour are 18 reserves of travel.
    hz = 50.0 + 0.2 * np.sin(2.0 * np.pi * seconds / 400.0)
    found = course(hz.tolist(), 1.0)
    off = np.abs(np.array([one.power_kw for one in found]) - CURVE.shares(hz))
    assert off[30:].max() < 1e-9
    assert all(one.rules == () for one in found[30:])
