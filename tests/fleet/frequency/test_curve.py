"""The curve of a programme: what Continental Europe's and Great Britain's rules ask for at which frequency."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.fleet.frequency.curve import curve_of
from parkwatt.io.programmes.programme_file import programme_named

FCR = curve_of(programme_named("fcr"))


@pytest.mark.parametrize(
    ("frequency_hz", "share"),
    [
        (50.0, 0.0),
        (50.004, 0.0),
        (49.996, 0.0),
        (50.01, 0.05),
        (49.99, -0.05),
        (49.9, -0.5),
        (50.1, 0.5),
        (49.8, -1.0),
        (50.2, 1.0),
        (49.5, -1.0),
        (52.0, 1.0),
    ],
)
def test_continental_europe(frequency_hz: float, share: float) -> None:
    assert FCR.share_of(frequency_hz) == pytest.approx(share, abs=1e-9)


def test_dynamic_containment_has_its_knee() -> None:
    curve = curve_of(programme_named("dynamic-containment"))
    shares = curve.shares(np.array([49.985, 50.015, 49.8, 50.2, 49.65, 49.5]))
    assert shares == pytest.approx([0.0, 0.0, -0.05, 0.05, -0.525, -1.0], abs=1e-9)


@given(st.floats(47.0, 53.0))
def test_it_is_odd_and_within_the_reserve(frequency_hz: float) -> None:
    share = FCR.share_of(frequency_hz)
    assert abs(share) <= 1.0
    assert FCR.share_of(100.0 - frequency_hz) == pytest.approx(-share, abs=1e-6)


def test_a_charger_gets_the_same_points_as_powers() -> None:
    hertz, power_kw = FCR.points_kw(7.0)
    assert hertz[0] == pytest.approx(49.8)
    assert hertz[-1] == pytest.approx(50.2)
    assert (power_kw[0], power_kw[-1]) == (-7.0, 7.0)
    assert all(a < b for a, b in itertools.pairwise(hertz))


def test_a_programme_without_a_curve_is_refused() -> None:
    with pytest.raises(InputError, match="full_activation_mhz"):
        curve_of(programme_named("elrp"))
