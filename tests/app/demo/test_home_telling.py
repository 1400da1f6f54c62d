"""What the demo tells of an outage: each phase that means something, each circuit, and at times the hours left."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from parkwatt.app.demo.circuits import CIRCUITS
from parkwatt.app.demo.home_telling import HomeNarrator
from parkwatt.domain.home.event import (
    BackupForecast,
    CircuitHour,
    CircuitSwitched,
    HomeEvent,
    IslandMoved,
    TransferRefused,
)

_NOON_US = 1_708_340_400_000_000  # 2024-02-19 12:00 in Amsterdam


def told(*events: HomeEvent) -> list[str]:
    lines: list[str] = []
    HomeNarrator(ZoneInfo("Europe/Amsterdam"), CIRCUITS, lines.append).tell(events, _NOON_US)
    return lines


def hours(at_unix_s: int, *, islanded: bool = True) -> BackupForecast:
    return BackupForecast(at_unix_s, islanded, 25.5, 10.2, 31.0, 84.0)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            IslandMoved("islanding", "islanded", "lit_up", "the source feeds the home"),
            "the house has voltage again: the car runs it",
        ),
        (
            IslandMoved("opening", "fault", "pole_stuck", "the grid pole did not open within 5 s"),
            "fault: the grid pole did not open within 5 s",
        ),
        (
            CircuitSwitched("laundry", False, "not_needed", "it is not needed now"),
            "Washing and drying off: it is not needed now",
        ),
        (
            TransferRefused("close_grid_pole", "the source is closed"),
            "refused to close grid pole: the source is closed",
        ),
        (hours(0), "25.5 kWh are left to use: enough for 31 h, between 10 and 84"),
    ],
)
def test_an_event_in_a_sentence(event: HomeEvent, line: str) -> None:
    assert told(event) == [f"Mon 12:00:00  {line}"]


def test_hours_are_told_every_two_hours_and_anew_in_the_next_outage() -> None:
    back = IslandMoved("transferring_back", "grid", "returned", "closed")
    assert len(told(hours(0), hours(60), hours(7199), hours(7200))) == 2
    assert len(told(hours(0), back, hours(60))) == 3


def test_what_means_nothing_to_who_watches_is_not_told() -> None:
    passed_through = IslandMoved("outage_suspected", "outage_confirmed", "absent_confirmed", "gone")
    assert told(hours(0, islanded=False), passed_through, CircuitHour("fridge", 0, 0.1)) == []
