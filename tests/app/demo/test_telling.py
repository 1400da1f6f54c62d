"""What the demo tells of events: each change in a sentence, small ones not at all."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from parkwatt.app.demo.telling import Narrator
from parkwatt.domain.site.event import (
    Measured,
    PricesReceived,
    SetpointDecided,
    SiteEvent,
    SourceChanged,
    StayBegan,
    StayEnded,
)

_NOON_US = 1_708_340_400_000_000  # 2024-02-19 12:00 in Amsterdam


def told(*events: SiteEvent) -> list[str]:
    lines: list[str] = []
    Narrator(ZoneInfo("Europe/Amsterdam"), 60.0, lines.append).tell(events, _NOON_US)
    return lines


def setpoint(power_kw: float, *, following: bool = False) -> SetpointDecided:
    return SetpointDecided("C", 1, "car", power_kw, power_kw, 120, "why", following=following)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (StayBegan("s", "car", "C", 1, "t", 0, 45.0), "the car is plugged in with 75%"),
        (StayBegan("s", "car", "C", 1, "t", 0), "the car is plugged in"),
        (StayEnded("s", "car", 0, 48.0, reason="on time"), "the car leaves with 80%: on time"),
        (setpoint(7.25), "the car charges with 7.2 kW: why"),
        (setpoint(-1.0), "the car runs the house with 1.0 kW: why"),
        (setpoint(0.0), "the car rests: why"),
        (PricesReceived("f", "s", 0, 900, (0.1,) * 96), "prices for 24 hours are known"),
        (SourceChanged("meter.grid", ok=False, reason="silent"), "meter.grid fails: silent"),
        (SourceChanged("meter.grid", ok=True), "meter.grid is well again"),
    ],
)
def test_an_event_in_a_sentence(event: SiteEvent, line: str) -> None:
    assert told(event) == [f"Mon 12:00  {line}"]


def test_small_changes_of_power_are_not_told() -> None:
    assert told(setpoint(-1.0), setpoint(-1.4, following=True), setpoint(-0.2)) == told(
        setpoint(-1.0)
    )
    assert len(told(setpoint(-1.0), setpoint(-3.0, following=True), setpoint(0.0))) == 3


def test_readings_are_not_told() -> None:
    assert told(Measured(0, 60, grid_kw=1.0)) == []
