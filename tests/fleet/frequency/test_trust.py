"""Who holds a reserve: a car whose meter is off three times is out, and is tried again."""

from __future__ import annotations

import numpy as np

from parkwatt.fleet.frequency.trust import begin, looked

LOW, HIGH = np.array([-1.0, -1.0, -1.0]), np.array([3.0, 3.0, 3.0])


def test_three_in_a_row() -> None:
    trust = begin(3)
    for at, second in enumerate((8.0, 8.0, 8.0)):
        trust = looked(trust, np.array([2.0, second, np.nan]), LOW, HIGH, float(30 * at))
    assert trust.takes_part(90.0).tolist() == [True, False, True]
    assert trust.takes_part(60.0 + 1800.0).all()


def test_one_good_reading_forgives() -> None:
    trust = begin(3)
    for power_kw in (8.0, 8.0, 2.0, 8.0, 8.0):
        trust = looked(trust, np.full(3, power_kw), LOW, HIGH, 0.0)
    assert trust.takes_part(0.0).all()


def test_a_little_off_is_not_off() -> None:
    trust = begin(3)
    for _ in range(5):
        trust = looked(trust, np.array([3.4, -1.4, 3.0]), LOW, HIGH, 0.0)
    assert trust.takes_part(0.0).all()
