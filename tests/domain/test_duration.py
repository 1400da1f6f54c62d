"""Durations as people write them, and what is none."""

from __future__ import annotations

import pytest

from parkwatt.domain.duration import read_duration_s
from parkwatt.domain.errors import InputError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1h30m", 5400), ("36h", 129_600), ("2d", 172_800), ("0.5s", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    assert read_duration_s("for", text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "-5s", "10m 5s", "5w", "1e3s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(InputError, match="duration"):
        read_duration_s("for", text)
