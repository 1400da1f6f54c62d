"""A block's seconds as the record that settlement pays by."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from parkwatt.domain.errors import InputError
from parkwatt.fleet.frequency.block import performed


def test_available_seconds_and_score() -> None:
    share = np.full(1000, 0.5)
    response = np.where(np.arange(1000) < 900, 0.5, 0.0)
    found = performed("fcr", "b1", share, response, np.arange(1000) < 40)
    assert (found.available_s, found.score) == (960, Decimal("0.9000"))


def test_shapes_must_agree() -> None:
    with pytest.raises(InputError, match="each second"):
        performed("fcr", "b1", np.zeros(10), np.zeros(9), np.zeros(10, bool))
