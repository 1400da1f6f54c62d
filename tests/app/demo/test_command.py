"""`parkwatt demo`: a home and its study from one command, and what is no good is told before anything is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from parkwatt.app.cli import main


def test_a_week_of_the_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "demo"
    given = ["--study", "--folder", str(folder), "--days", "7", "--seed", "5"]
    assert main(["demo", *given]) == 0
    assert {path.name for path in folder.iterdir()} == {
        *("site.toml", "load.csv", "solar.csv", "prices.csv", "sessions.csv"),
        *("report.html", "study.json", "steps.csv"),
    }
    summary = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    assert summary["step_count"] == 7 * 96
    assert len(summary["strategies"]) == 5
    printed = capsys.readouterr().out
    assert printed.startswith(f"a home of 7 days is in {folder}; studying it …\n")
    assert printed.endswith(f"report: {folder / 'report.html'}\n")


def test_all_faults_at_once_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert main(["demo", "--study", "--folder", str(file), "--days", "6", "--seed", "-1"]) == 2
    folder, days, seed = capsys.readouterr().err.splitlines()
    assert folder.startswith("--folder: must be a folder, or lie in one, got ")
    assert days == "--days: must be from 7 to 3660, got 6"
    assert seed == "--seed: must be at least 0, got -1"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("folder", ["file/demo", "loop/demo", "a\0b"])
def test_a_folder_that_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    before = sorted(tmp_path.iterdir())
    assert main(["demo", "--folder", str(tmp_path / folder)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("--folder: must be a ")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("value", ["many", "1.5", ""])
def test_text_for_a_number_is_one_line(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--days", value]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("parkwatt demo: argument --days: invalid int value")
