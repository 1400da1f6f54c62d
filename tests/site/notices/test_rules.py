"""Quiet hours by the clock on the wall, also on days with 23 and 25 hours."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from parkwatt.site.notices import QuietHours

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(22 * 3600, 7 * 3600)


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        (datetime(2027, 1, 15, 20, 59, 59, tzinfo=UTC), False),
        (datetime(2027, 1, 15, 21, 0, tzinfo=UTC), True),
        (datetime(2027, 1, 16, 5, 59, tzinfo=UTC), True),
        (datetime(2027, 1, 16, 6, 0, tzinfo=UTC), False),
        # The night in which the clock goes forward, and the one in which it goes back.
        (datetime(2027, 3, 28, 4, 59, tzinfo=UTC), True),
        (datetime(2027, 3, 28, 5, 0, tzinfo=UTC), False),
        (datetime(2027, 10, 31, 5, 59, tzinfo=UTC), True),
        (datetime(2027, 10, 31, 6, 0, tzinfo=UTC), False),
    ],
)
def test_over_midnight(at: datetime, quiet: bool) -> None:
    assert NIGHT.hold(int(at.timestamp()), BERLIN) is quiet


def test_within_a_day() -> None:
    noon = QuietHours(12 * 3600, 14 * 3600)
    assert noon.hold(int(datetime(2027, 1, 15, 11, 30, tzinfo=UTC).timestamp()), BERLIN)
    assert not noon.hold(int(datetime(2027, 1, 15, 13, 0, tzinfo=UTC).timestamp()), BERLIN)
