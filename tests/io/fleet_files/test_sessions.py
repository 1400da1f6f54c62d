"""Recorded sessions and a market's prices: local days, rows that say too little, and every fault told."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from parkwatt.domain.record import Faults
from parkwatt.io.fleet_files.market import read_market_prices
from parkwatt.io.fleet_files.sessions import read_sessions

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def csv(path: Path, columns: Mapping[str, list[object]]) -> Path:
    """A file with these columns."""
    rows = [",".join(columns)]
    rows += [",".join(str(cell) for cell in row) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_session_is_on_the_day_and_minute_that_the_local_clock_shows(tmp_path: Path) -> None:
    path = csv(
        tmp_path / "s.csv",
        {
            "user_id": ["b", "a", "b"],
            "plugin_utc": ["2021-01-04T23:30:00Z", "2021-07-05T16:10:00Z", "2021-07-05T22:00:00Z"],
            "plugout_utc": ["2021-01-05T06:00:00Z", "2021-07-06T05:10:00Z", "2021-07-06T05:00:00Z"],
            "energy_kwh": [5.5, 7.0, 8.0],
            "site": ["x", "y", "z"],
        },
    )
    faults = Faults()
    found = read_sessions(path, AMSTERDAM, faults)
    assert found is not None
    assert not faults.found
    assert found.user.tolist() == [1, 0, 1]
    # Tuesday 00:30 in winter; Monday 18:10 and Tuesday 00:00 in summer.
    assert (found.day % 7).tolist() == [1, 0, 1]
    assert found.minute.tolist() == [30, 18 * 60 + 10, 0]
    assert found.minutes.tolist() == [390, 780, 420]
    assert found.energy_kwh.tolist() == [5.5, 7.0, 8.0]


def test_sessions_that_say_too_little_are_left_out_and_counted(tmp_path: Path) -> None:
    path = csv(
        tmp_path / "s.csv",
        {
            "user_id": ["a"] * 5,
            "plugin_utc": ["2021-01-04T18:00:00Z"] * 5,
            "plugout_utc": [
                "2021-01-05T06:00:00Z",
                "",
                *["2021-01-04T18:10:00Z"],
                *["2021-01-05T06:00:00Z"] * 2,
            ],
            "energy_kwh": [5, 5, 5, 0, ""],
        },
    )
    found = read_sessions(path, AMSTERDAM, Faults())
    assert found is not None
    assert len(found.user) == 1
    assert found.left_out == 4


def test_a_file_without_its_columns_or_without_any_session_is_told(tmp_path: Path) -> None:
    faults = Faults()
    lacking = csv(
        tmp_path / "lacking.csv", {"user_id": ["a"], "plugin_utc": ["2021-01-04T18:00:00Z"]}
    )
    assert read_sessions(lacking, AMSTERDAM, faults) is None
    told = " ".join(str(fault) for fault in faults.found)
    assert "plugout_utc" in told
    assert "energy_kwh" in told
    faults = Faults()
    empty = csv(
        tmp_path / "empty.csv",
        {
            "user_id": ["a"],
            "plugin_utc": ["2021-01-04T18:00:00Z"],
            "plugout_utc": [""],
            "energy_kwh": [5],
        },
    )
    assert read_sessions(empty, AMSTERDAM, faults) is None
    assert len(faults.found) == 1


def hourly(count: int) -> list[object]:
    """Stamps of hours."""
    begin = datetime(2021, 3, 27, tzinfo=UTC)
    return [f"{begin + timedelta(hours=n):%Y-%m-%dT%H:%M:%SZ}" for n in range(count)]


def test_a_markets_prices_are_per_kwh_and_the_same_in_both_directions(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {
        "ts_utc": hourly(4),
        "price_eur_per_mwh": [50.0, -20.0, 0.0, 100.0],
    }
    faults = Faults()
    found = read_market_prices(csv(tmp_path / "p.csv", columns), faults)
    assert found is not None
    assert found.import_price_per_kwh.tolist() == [[0.05, -0.02, 0.0, 0.1]]
    assert np.array_equal(found.export_price_per_kwh, found.import_price_per_kwh)
    assert (found.grid.step_s, found.grid.step_count) == (3600, 4)


@pytest.mark.parametrize("wrong", ["gap", "twice", "empty", "one"])
def test_prices_with_a_hole_are_refused(tmp_path: Path, wrong: str) -> None:
    stamps, prices = hourly(6), ["50", "40", "30", "20", "10", "5"]
    if wrong == "gap":
        del stamps[3], prices[3]
    elif wrong == "twice":
        stamps[3] = stamps[2]
    elif wrong == "empty":
        prices[2] = ""
    else:
        stamps, prices = stamps[:1], prices[:1]
    faults = Faults()
    path = csv(tmp_path / "p.csv", {"ts_utc": stamps, "price_eur_per_mwh": list(prices)})
    assert read_market_prices(path, faults) is None
    assert len(faults.found) == 1


def test_prices_as_a_fleets_plan_takes_them_are_taken_too(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {
        "start": hourly(3),
        "import_price_per_kwh": [0.2, 0.3, 0.4],
        "export_price_per_kwh": [0.1, 0.1, 0.1],
    }
    found = read_market_prices(csv(tmp_path / "p.csv", columns), Faults())
    assert found is not None
    assert found.export_price_per_kwh.tolist() == [[0.1, 0.1, 0.1]]
