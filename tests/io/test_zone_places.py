"""Where time zones lie."""

from __future__ import annotations

import pytest

from parkwatt.io.zone_places import place_of


@pytest.mark.parametrize(
    ("zone", "north", "east"),
    [
        ("Europe/Amsterdam", 52.4, 4.9),
        ("America/New_York", 40.7, -74.0),
        ("Australia/Sydney", -33.9, 151.2),
    ],
)
def test_towns_lie_where_they_do(zone: str, north: float, east: float) -> None:
    assert place_of(zone) == pytest.approx((north, east), abs=0.1)


def test_a_zone_without_a_place_has_none() -> None:
    assert place_of("UTC") is None
