"""From an afternoon to the next morning of the simulated month: all the parts, all the faults, and kills."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.soak import month, month_kills
from tests.soak.month_home import MonthData, month_data

HOUR_S = 3600


def part(begin_h: int, hours: int) -> MonthData:
    """Hours of made-up data from local ``begin_h`` of the first day on."""
    data = month_data(None, 1, 2)
    return replace(data, start_unix_s=data.start_unix_s + begin_h * HOUR_S, seconds=hours * HOUR_S)


def test_a_night_with_everything_that_goes_wrong(tmp_path: Path) -> None:
    outcome = month.run(tmp_path, part(15, 17), seed=3, often=30.0)
    assert outcome.verdict.faults == []
    figures = outcome.verdict.figures
    assert figures["departures"] >= 1
    assert figures["departures kept"] == figures["departures"]
    assert figures["discharged, kWh"] > 0.1
    assert outcome.events["source.changed"] > 3


def test_an_evening_with_kills(tmp_path: Path) -> None:
    verdict, deaths = month_kills.run(tmp_path, part(16, 7), seed=2, kills=5, faults=True)
    assert verdict.faults == []
    assert len(deaths) == 5
    assert verdict.figures["discharged, kWh"] > 0.2
    assert verdict.figures["starts after which a set-point was sent within a minute"] >= 1
