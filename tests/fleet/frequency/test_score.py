"""PJM's score against the manual's formula written down in another way, and tests of a step and of energy by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.fleet.frequency.score import (
    delivery,
    energy_test,
    pjm_score,
    pjm_scores,
    step_test,
)


def plainly(signal: list[float], response: list[float]) -> tuple[float, float, float, float]:
    """The score by loops and sums, with Python's floats."""
    parts = []
    for first in range(0, 360, 30):
        asked = signal[first : first + 30]
        mean = math.fsum(asked) / 30
        spread = math.fsum((one - mean) ** 2 for one in asked)
        off = math.fsum(abs(signal[n] - response[n]) for n in range(first, first + 30))
        precision = max(0.0, 1.0 - off / math.fsum(abs(one) for one in asked))
        if math.sqrt(spread / 30) < 0.01:
            slopes = []
            for values in (asked, response[first : first + 30]):
                middle = math.fsum(values) / 30
                rise = math.fsum((n - 14.5) * (one - middle) for n, one in enumerate(values))
                slopes.append(rise / math.fsum((n - 14.5) ** 2 for n in range(30)))
            parts.append((1.0, max(0.0, 1.0 - abs(slopes[0] - slopes[1])), precision))
            continue
        found = []
        for late in range(31):
            given_ = response[first + late : first + late + 30]
            middle = math.fsum(given_) / 30
            wide = math.fsum((one - middle) ** 2 for one in given_)
            both = math.fsum((a - mean) * (b - middle) for a, b in zip(asked, given_, strict=True))
            still = math.sqrt(wide / 30) < 0.00001
            found.append(0.0 if still else both / math.sqrt(spread * wide))
        late = 30 if math.fsum(found) == 0.0 else max(range(31), key=lambda n: found[n])
        parts.append(((300 - 10 * late) / 300, found[late], precision))
    delay, correlation, accuracy = (math.fsum(column) / 12 for column in zip(*parts, strict=True))
    return (delay + correlation + accuracy) / 3, delay, correlation, accuracy


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(0, 25), st.floats(0.0, 0.3), st.booleans())
def test_equals_the_formula(seed: int, late: int, noise: float, stands: bool) -> None:
    rng = np.random.default_rng(seed)
    signal = np.clip(0.1 + np.cumsum(rng.normal(0.0, 0.05, 390)), -1.0, 1.0)
    if stands:
        signal[60:120] = 0.4
    response = np.roll(signal, late) * rng.uniform(0.4, 1.3) + rng.normal(0.0, noise, 390)
    expected = plainly(signal.tolist(), response.tolist())
    assert pjm_score(signal, response) == pytest.approx(expected, abs=1e-9)


def test_by_hand() -> None:
    # A triangle that is answered 50 s late and by half: correlation 1, delay 250/300, precision below a half.
    signal = np.abs((np.arange(390.0) % 30) - 15.0) / 15.0
    found = pjm_score(signal, 0.5 * np.roll(signal, 5))
    assert found.correlation == pytest.approx(1.0)
    assert found.delay == pytest.approx(250.0 / 300.0)
    assert found.precision < 0.5


def test_no_answer_scores_nothing_but_for_standing_still() -> None:
    signal = np.sin(np.arange(390.0) / 7.0)
    found = pjm_score(signal, np.zeros(390))
    assert found[1:] == pytest.approx((0.0, 0.0, 0.0))


def test_nothing_asked_is_held_against_the_reserve() -> None:
    found = pjm_score(np.zeros(390), np.full(390, 0.1))
    assert found.precision == pytest.approx(0.9)


def test_hours_follow_each_other_and_the_rest_is_left_out() -> None:
    signal = np.sin(np.arange(360 * 2 + 30.0) / 5.0)
    assert len(pjm_scores(signal, signal)) == 2
    assert len(pjm_scores(signal[:-1], signal[:-1])) == 1
    assert pjm_scores(signal, signal)[0].score == pytest.approx(1.0)


def test_a_wrong_length_is_told() -> None:
    with pytest.raises(InputError, match="390"):
        pjm_score(np.zeros(360), np.zeros(390))


def ramp(full_s: int, height: float = 1.0, last_s: int = 60) -> np.ndarray:
    return np.minimum((np.arange(last_s) + 1.0) / full_s, 1.0) * height


@pytest.mark.parametrize(
    ("response", "passed"),
    [
        (ramp(30), True),
        (ramp(31), False),  # all of it a second late
        (ramp(5, 1.2), True),
        (ramp(5, 1.21), False),  # too much
        (ramp(5, 0.99), False),  # too little
        (np.where(np.arange(60) < 16, 0.0, 1.0), False),  # half of it too late
        (np.where(np.arange(60) == 50, 0.9, 1.0), False),  # let go once
    ],
)
def test_a_step(response: np.ndarray, passed: bool) -> None:
    assert step_test(response, full_activation_s=30, most=1.2).passed is passed


def test_energy_is_held_until_it_is_not() -> None:
    answer = np.ones(30 + 900)
    assert energy_test(answer, reserve_minutes=15, full_activation_s=30).passed
    answer[30 + 600 :] = 0.5
    found = energy_test(answer, reserve_minutes=15, full_activation_s=30)
    assert (found.held_s, found.passed) == (600.0, False)
    # A record that ends too early proves nothing.
    assert not energy_test(np.ones(500), reserve_minutes=15, full_activation_s=30).passed


def test_an_answer_has_its_time() -> None:
    signal = np.where(np.arange(200) < 100, 0.0, 1.0)
    late = np.where(np.arange(200) < 130, 0.0, 1.0)
    assert delivery(signal, late).within_share == 1.0
    too_late = np.where(np.arange(200) < 140, 0.0, 1.0)
    assert delivery(signal, too_late).within_share == pytest.approx(1.0 - 10 / 200)
