"""What a car does next, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from parkwatt.app.up.home_assistant.words import action, nothing_planned

ZONE = ZoneInfo("Europe/Berlin")
NOW = int(datetime(2027, 1, 15, 17, tzinfo=UTC).timestamp())
HOUR = 3600


def test_times_are_local_and_say_their_day() -> None:
    assert action(1, NOW + HOUR, NOW, ZONE, "en") == "charges from 19:00"
    assert action(-1, NOW + 8 * HOUR, NOW, ZONE, "de") == "entlädt ab morgen 02:00"
    assert action(0, NOW + 60 * HOUR, NOW, ZONE, "de") == "ruht ab Mo 06:00"
    assert nothing_planned("en") == "nothing planned"
