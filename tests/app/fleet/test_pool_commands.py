"""The commands of a pool: what they write, what they say, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from parkwatt.app.cli import main
from parkwatt.app.fleet.pool_status import power, status_lines
from parkwatt.app.pool.settings import load_pool_settings


def test_a_made_pool_can_be_run_and_is_the_same_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        assert main(["fleet", "make-pool", str(tmp_path / name), "--cars", "50"]) == 0
    assert "with 50 cars" in capsys.readouterr().out
    tables = [(tmp_path / name / "members.csv").read_bytes() for name in ("a", "b")]
    assert tables[0] == tables[1]
    settings = load_pool_settings(tmp_path / "a" / "pool.toml")
    assert len(settings.members.car_id) == 50
    agreed = settings.members.arrays.discharge_kw_max > 0
    assert 20 < agreed.sum() < 50
    assert [
        settings.serve.charger(one).discharge for one in settings.members.charger_id
    ] == agreed.tolist()


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["fleet", "make-pool", str(tmp_path), "--cars", "2"]
    assert main(arguments) == 0
    assert main([*arguments[:-1], "0", "--time-zone", "Mars/Olympus"]) == 2
    told = capsys.readouterr().err
    assert "pool.toml: is there already" in told
    assert "--cars: must be 1 to 100000, got 0" in told
    assert "--time-zone" in told


def test_no_server_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fleet", "make-pool", str(tmp_path), "--cars", "2"]) == 0
    pool = str(tmp_path / "pool.toml")
    assert main(["fleet", "status", pool]) == 3
    assert main(["fleet", "dispatch", pool, "--power", "-5", "--minutes", "5"]) == 3
    assert "no server answers" in capsys.readouterr().err


def view(**changed: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": "north",
        "members": 1000,
        "plugged_in": 700,
        "linked": 690,
        "last": {
            "power_kw": -1990.0,
            "planned_kw": 500.0,
            "target_kw": -2000.0,
            "up_kw": 100.0,
            "down_kw": 3000.0,
        },
        "target": {
            "target_id": "abc",
            "until": "2026-11-20T18:00:00Z",
            "power_kw": -2000.0,
            "change_kw": None,
            "origin": "api",
            "reason": "peak",
        },
        "missing_kw": -40.0,
        "why": "has swung too much",
        "stopped_by": "",
        "proposals": [],
    }
    return shown | changed


def test_status_says_what_happens_in_words() -> None:
    assert list(status_lines(view())) == [
        "north: 700 of 1,000 cars plugged in, 690 of them reached",
        "now 1,990 kW into the grid; without a target 500 kW from the grid; could be 3,000 kW less or 100 kW more",
        "asked: 2,000 kW into the grid until 18:00:00 UTC (abc, api) peak",
        "let through: 2,000 kW into the grid, off by +10 kW",
        "40 kW of it are more than its cars can and may do now",
        "held back: has swung too much",
    ]
    quiet = list(status_lines(view(target=None, missing_kw=0.0, why="", last=None)))
    assert quiet[1] == "it has not looked at its cars yet"
    proposal = {"proposal_id": 3, "resumes": True, "proposed_by": "by Ada", "reason": "false alarm"}
    stopped = list(status_lines(view(stopped_by="by Bo", proposals=[proposal])))
    assert stopped[-2:] == [
        "stopped by Bo",
        "waits for a second person: 3, to end the stop, by Ada: false alarm",
    ]
    assert power(0.0) == "0 kW"
