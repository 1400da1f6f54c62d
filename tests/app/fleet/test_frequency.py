"""`parkwatt fleet frequency`: tests passed, a record answered, files written; bad input is told in a line."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from parkwatt.app.cli import main
from parkwatt.app.fleet.frequency import case_of, generated_hz, read_options
from parkwatt.app.fleet.frequency_command import register
from parkwatt.app.fleet.frequency_play import Case, most_reserve_kw, play
from parkwatt.fleet.frequency.score import step_test


def write(path: Path, hz: np.ndarray, step_s: int = 1, gap_at: int | None = None) -> str:
    """A record from midnight on; ``gap_at``: two minutes are missing from there on."""
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    rows = ["ts_utc,freq_hz"]
    for index, one in enumerate(hz):
        late = 120 if gap_at is not None and index >= gap_at else 0
        at = begin + timedelta(seconds=index * step_s + late)
        rows.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{one:.4f}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return str(path)


def test_an_hour_is_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, report = tmp_path / "found.json", tmp_path / "report.html"
    options = ["--hours", "1", "--cars", "150", "--local-share", "0.5", "--seed", "3"]
    files = ["--output", str(output), "--report", str(report)]
    assert main(["fleet", "frequency", *options, *files]) == 0
    told = capsys.readouterr().out
    assert "floors broken: 0; departures missed: 0" in told
    found = json.loads(output.read_text())
    assert all(one["passed"] for one in (*found["step_tests"], *found["energy_tests"]))
    # Of 150 cars one is 0.7 % of the reserve, so chance weighs more than in a pool.
    assert found["score"]["score"] >= 0.93
    assert found["available_s"] == found["seconds"]
    assert found["in_time_share"] >= 0.99
    page = report.read_text(encoding="utf-8")
    assert "answer the grid" in page
    assert "default-src 'none'" in page


def case(local_share: float, hz: np.ndarray, *, seed: int = 3) -> tuple[Case, np.random.Generator]:
    """A hundred cars, and four fifths of what they can hold."""
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    words = ["frequency", "--cars", "100", "--hours", "1", "--local-share", str(local_share)]
    options = read_options(parser.parse_args([*words, "--seed", str(seed), "--refuse", "0.05"]))
    found, rng = case_of(options, hz)
    return found._replace(reserve_kw=0.8 * most_reserve_kw(found)), rng


@pytest.mark.parametrize("local_share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_step_is_answered_whoever_leads(local_share: float, sign: float) -> None:
    hz = np.where(np.arange(300) < 120, 50.0, 50.0 + sign * 0.2)
    found, rng = case(local_share, hz)
    response = sign * play(found, rng, lambda _: None).response(found.reserve_kw)
    # Where nobody looks at a meter, five refusing chargers of a hundred are out of step until they are out.
    judged = step_test(response[120:], full_activation_s=30, most=1.2, tolerance=0.02)
    assert judged.passed


def test_the_same_seed_gives_the_same() -> None:
    hz = generated_hz(300, np.random.default_rng(1), 50.0)
    one, other = (play(*case(0.5, hz), lambda _: None) for _ in range(2))
    assert np.array_equal(one.power_kw, other.power_kw)
    assert not np.array_equal(one.power_kw, play(*case(0.5, hz, seed=4), lambda _: None).power_kw)


def test_more_hours_than_a_record_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = write(tmp_path / "grid.csv", np.full(700, 50.01), 10, gap_at=200)
    assert main(["fleet", "frequency", record, "--hours", "2"]) == 2
    assert "1.3 h" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--local-share", "1.5"], "--local-share: must be from 0 to 1"),
        (["--cars", "5"], "--cars: must be from 10"),
        (["--reserve", "-3"], "--reserve: must be above 0"),
        (["--programme", "elrp"], "full_activation_mhz"),
        (["--programme", "nothing"], "must be one of"),
        (["--cars", "50", "--reserve", "90000"], "must be at most what the cars can hold"),
    ],
)
def test_what_cannot_be_meant(
    options: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fleet", "frequency", "--hours", "1", *options]) == 2
    told = capsys.readouterr()
    assert word in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("ts_utc,freq_hz\n2026-03-01T00:00:00Z,50\n", "at least two readings"),
        ("ts_utc,freq_hz\n2026-03-01T00:00:00Z,500\n2026-03-01T00:00:01Z,50\n", "40 to 70 Hz"),
        (
            "ts_utc,freq_hz\n2026-03-01T00:00:00Z,50\n2026-03-01T00:00:00Z,50\n",
            "one reading a time",
        ),
        ("ts_utc,hz\n2026-03-01T00:00:00Z,50\n", "freq_hz"),
    ],
)
def test_a_record_that_is_none(
    text: str, word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "grid.csv"
    path.write_text(text, encoding="utf-8")
    assert main(["fleet", "frequency", str(path)]) == 2
    assert word in capsys.readouterr().err


def test_the_generated_frequency_is_like_a_grids() -> None:
    hz = generated_hz(24 * 3600, np.random.default_rng(1), 50.0)
    deviation_mhz = (hz - 50.0) * 1e3
    assert 10.0 < deviation_mhz.std() < 40.0
    assert np.abs(np.diff(hz)).max() < 0.02
