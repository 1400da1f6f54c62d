"""`parkwatt fleet bid`: from sessions to bids, a test, and files that fleet plan reads; bad input is told in a line."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from parkwatt.app.cli import main
from parkwatt.app.fleet.bid_words import wilson

DAYS = 90


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Thirty users who come home in the evening, over thirteen weeks from a Monday on."""
    random = np.random.default_rng(3)
    begin = datetime(2026, 1, 5, 17, tzinfo=UTC)
    lines = ["user_id,plugin_utc,plugout_utc,energy_kwh"]
    for user in range(30):
        for day in range(DAYS):
            if random.random() < (0.85 if day % 7 < 5 else 0.4):
                plugin = begin + timedelta(days=day, minutes=int(random.integers(0, 120)))
                plugout = plugin + timedelta(minutes=int(random.integers(600, 840)))
                energy = random.uniform(4.0, 20.0)
                lines.append(
                    f"u{user},{plugin:%Y-%m-%dT%H:%M:%SZ},{plugout:%Y-%m-%dT%H:%M:%SZ},{energy:.2f}"
                )
    path = tmp_path_factory.mktemp("bid") / "sessions.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def test_a_day_is_bid_and_earlier_ones_judged(
    sessions: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, series, report = (tmp_path / name for name in ("bids.json", "reserve.csv", "bids.html"))
    options = ["--step", "10", "--cars", "200", "--test-days", "40", "--day", "2026-04-01"]
    files = ["--output", str(output), "--series-output", str(series), "--report", str(report)]
    assert main(["fleet", "bid", sessions, *options, *files]) == 0
    told = capsys.readouterr().out
    assert "200 cars that are 30 recorded users; known until 2026-03-30 at the gate" in told
    assert "12:00 to 16:00  no bid" in told
    found = json.loads(output.read_text())
    by_hour = {one["start"][11:13]: one for one in found["blocks"]}
    # 22:00 UTC is midnight in Berlin in summer: the block in which all are at home.
    assert by_hour["22"]["bid_kw"] > 300.0
    assert by_hour["22"]["bid_kw"] % 10.0 == 0.0
    assert len(found["envelope"]["up_kw"]["0.5"]) == 96
    test = found["test"]
    assert test["blocks_with_a_bid"] > 30
    assert test["delivered"] / test["blocks_with_a_bid"] >= 0.9
    rows = list(csv.DictReader(series.read_text().splitlines()))
    assert rows[0]["start"] == "2026-03-31T22:00:00Z"
    assert float(rows[0]["reserve_up_kw"]) == by_hour["22"]["bid_kw"]
    assert "sold" in report.read_text(encoding="utf-8")


def test_the_usual_pool_is_too_small_for_a_megawatt(
    sessions: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fleet", "bid", sessions, "--day", "2026-04-01"]) == 0
    assert "1,000 kW is the least bid" in capsys.readouterr().out


def test_the_day_after_the_record_is_the_default_and_a_short_one_has_no_bid(
    tmp_path: Path, sessions: str, capsys: pytest.CaptureFixture[str]
) -> None:
    short = tmp_path / "short.csv"
    lines = Path(sessions).read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.split(",")[1] < "2026-01-25" or "plugin" in line]
    short.write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert main(["fleet", "bid", str(short), "--step", "1", "--test-days", "5"]) == 0
    told = capsys.readouterr().out
    assert "too few days are known: no bid" in told
    assert "2026-01-25, fcr" in told


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--confidence", "1.5"], "--confidence: must be from 0.5 to 0.999"),
        (["--day", "tomorrow"], "--day: must be a date"),
        (["--day", "2020-01-01"], "--day: must be after the first days"),
        (["--time-zone", "Mars"], "--time-zone: must be a time zone"),
        (["--step", "0"], "--step: must be above 0"),
        (["--programme", "x"], "must be one of"),
    ],
)
def test_what_cannot_be_meant(
    options: list[str], word: str, sessions: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fleet", "bid", sessions, *options]) == 2
    told = capsys.readouterr()
    assert word in told.err
    assert told.out == ""


def test_the_interval_of_a_share() -> None:
    # Wilson's interval of 81 of 263, as textbooks have it: 0.255 to 0.366.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(10, 10)[1] == pytest.approx(1.0)
