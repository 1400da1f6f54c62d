"""How a state is written."""

from __future__ import annotations

from datetime import UTC, datetime

from parkwatt.io.mqtt.home_assistant.entity import Entity, state_text

POWER = Entity(key="power", platform="sensor", name="Power", decimals=2)


def test_states_are_written_as_home_assistant_reads_them() -> None:
    assert state_text(POWER, None) == "None"
    assert state_text(POWER, 1.234) == "1.23"
    assert state_text(POWER, -0.001) == "0.00"
    assert state_text(POWER, -1.5) == "-1.50"
    assert state_text(POWER, True) == "ON"
    assert state_text(POWER, False) == "OFF"
    assert state_text(POWER, datetime(2027, 1, 15, 17, tzinfo=UTC)) == "2027-01-15T17:00:00+00:00"
    assert len(state_text(POWER, "x" * 300)) == 255
