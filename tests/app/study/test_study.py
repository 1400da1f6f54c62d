"""Whole studies through the command line: hourly data, short spans, some strategies, a car without discharge, clock changes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parkwatt.app.cli import main
from parkwatt.app.study.command import load_site
from tests.app.study.homes import make_home, study_command
from tests.conftest import ROOT

_SCENARIOS = ROOT / "tests" / "scenarios"


def _study(site: Path, output: Path) -> dict[str, Any]:
    """The summary of a study that must succeed."""
    assert main(["study", str(site), "--output", str(output)]) == 0
    assert sorted(path.name for path in output.iterdir()) == [
        "report.html",
        "steps.csv",
        "study.json",
    ]
    summary: dict[str, Any] = json.loads((output / "study.json").read_text(encoding="utf-8"))
    return summary


def _rows(output: Path) -> list[dict[str, str]]:
    with (output / "steps.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_hourly_data_over_a_few_days(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = make_home(tmp_path / "home", ('name = "Demo home"', 'name = "[bold]Hours[/bold]"'))
    summary = _study(site, tmp_path / "results")
    assert (summary["step_minutes"], summary["step_count"]) == (60, 4 * 24)
    assert len(_rows(tmp_path / "results")) == 4 * 24
    names = [strategy["name"] for strategy in summary["strategies"]]
    assert names == ["charge_at_once", "smart", "v2h", "v2g", "foresight"]
    printed = capsys.readouterr()
    assert "[bold]Hours[/bold] · 2024-01-08 to 2024-01-11 · 4 days" in printed.out
    assert "in these 4 days" in printed.out
    assert printed.out.splitlines()[-1] == f"report: {tmp_path / 'results' / 'report.html'}"
    assert printed.err.count(": done") == 5
    costs = {strategy["name"]: strategy["net_cost"] for strategy in summary["strategies"]}
    assert costs["foresight"] <= min(costs.values()) + 1e-6
    for strategy in summary["strategies"]:
        assert strategy["missed_count"] == 0
        assert strategy["below_floor_kwh_h"] == 0


def test_some_strategies_for_a_car_that_cannot_give_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = make_home(
        tmp_path / "home",
        ("discharge_kw_max = 11.0", "discharge_kw_max = 0.0"),
        ("charger_price = 2500.0", ""),
        ("step_minutes = 60", 'step_minutes = 60\nstrategies = ["v2g", "smart"]'),
    )
    summary = _study(site, tmp_path / "results")
    at_once, smart, v2g = summary["strategies"]
    assert [at_once["name"], smart["name"], v2g["name"]] == ["charge_at_once", "smart", "v2g"]
    assert v2g["discharged_kwh"] == 0
    assert v2g["net_cost"] == pytest.approx(smart["net_cost"], rel=0.02)
    printed = capsys.readouterr().out
    assert "Charging at the cheap hours would save" in printed
    assert "Perfect foresight" not in printed
    assert "paid back" not in printed


def test_one_day_and_charging_at_once_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = make_home(
        tmp_path / "home",
        (
            "step_minutes = 60",
            "step_minutes = 60\nstrategies = []\nstart = 2024-01-09\nend = 2024-01-10",
        ),
    )
    summary = _study(site, tmp_path / "results")
    assert summary["step_count"] == 24
    assert [strategy["name"] for strategy in summary["strategies"]] == ["charge_at_once"]
    assert summary["strategies"][0]["net_saving_per_year"] in (0, None)
    assert "Charging at once would cost" in capsys.readouterr().out


@pytest.mark.parametrize("departures", ["declared", "calendar", "learned"])
def test_what_is_known_of_departures_is_told(tmp_path: Path, departures: str) -> None:
    site = make_home(
        tmp_path / "home",
        ('departures = "declared"', f'departures = "{departures}"'),
        ("step_minutes = 60", 'step_minutes = 60\nstrategies = ["v2g"]'),
    )
    notes = " ".join(_study(site, tmp_path / "results")["notes"])
    assert {"declared": "declares", "calendar": "calendar", "learned": "learned"}[
        departures
    ] in notes


def test_results_lie_beside_the_caller_by_default(tmp_path: Path) -> None:
    site = make_home(tmp_path / "home", ("step_minutes = 60", "step_minutes = 60\nstrategies = []"))
    result = study_command("study", site, folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "report: site-study/report.html"
    assert (tmp_path / "site-study" / "report.html").is_file()


@pytest.mark.parametrize(
    ("scenario", "hours", "night_h"), [("clock_back", 73, 4), ("clock_forward", 71, 2)]
)
def test_days_on_which_the_clock_changes(
    tmp_path: Path, scenario: str, hours: int, night_h: int
) -> None:
    """Local times without an offset, semicolons, decimal commas and a BOM; the night has an hour more or less."""
    site = _SCENARIOS / scenario / "site.toml"
    inputs = load_site(site, tmp_path / "none").inputs
    assert inputs.grid.step_count == hours
    night = inputs.load_kw[24 : 24 + night_h]
    assert night.tolist() == pytest.approx(
        [0.25, 0.26, 0.27, 0.27] if night_h == 4 else [0.25, 0.26]
    )
    assert inputs.load_kw[24 + night_h] == pytest.approx(0.28)
    assert inputs.import_price_per_kwh[0] == pytest.approx(0.2 + 14**2 / 1000)
    after_change = inputs.plug_ins[1].departure_step  # 08:00 on the day of the change
    assert after_change == 24 + 8 + (night_h - 3)
    summary = _study(site, tmp_path / "results")
    rows = _rows(tmp_path / "results")
    readings = [row["time_local"][11:16] for row in rows[24 : 24 + night_h + 1]]
    assert readings == (
        ["00:00", "01:00", "02:00", "02:00", "03:00"]
        if night_h == 4
        else ["00:00", "01:00", "03:00"]
    )
    for strategy in summary["strategies"]:
        assert strategy["departure_count"] == 3
        assert strategy["missed_count"] == 0


def test_gaps_in_the_load_are_filled_and_told(tmp_path: Path) -> None:
    site = make_home(tmp_path / "home")
    path = site.parent / "load.csv"
    rows = path.read_text(encoding="utf-8").split("\n")
    del rows[110:122]  # three hours of the second day
    path.write_text("\n".join(rows), encoding="utf-8")
    inputs = load_site(site, tmp_path / "none").inputs
    whole = load_site(make_home(tmp_path / "whole"), tmp_path / "none").inputs
    differs = np.flatnonzero(inputs.load_kw != whole.load_kw)
    assert 0 < len(differs) <= 4
    assert (
        inputs.load_kw[differs].tolist() == whole.load_kw[differs - 24].tolist()
    )  # the day before
    assert any("of the load was unknown" in note for note in inputs.notes)


def test_sessions_without_a_departure_or_an_energy_are_told(tmp_path: Path) -> None:
    site = make_home(tmp_path / "home")
    rows = [
        "arrival,departure,energy_used_kwh",
        "2024-01-10T18:00:00+01:00,2024-01-12T07:30:00+01:00,",  # in any order
        "2024-01-08T00:00:00+01:00,2024-01-08T07:21:00+01:00,0",
        "2024-01-08T18:00:00+01:00,2024-01-09T07:30:00+01:00,6",
        "2024-01-09T12:00:00+01:00,2024-01-09T12:20:00+01:00,3",
        "2024-01-09T18:00:00+01:00,,4",
    ]
    (site.parent / "sessions.csv").write_text("\n".join(rows), encoding="utf-8")
    inputs = load_site(site, tmp_path / "none").inputs
    assert [stay.arrival_step for stay in inputs.plug_ins] == [0, 18, 66]
    assert [stay.departure_step for stay in inputs.plug_ins] == [7, 31, 96]
    assert [stay.energy_kwh_used for stay in inputs.plug_ins] == [
        0,
        6,
        3 + 3,
    ]  # the short one's trip counts too
    assert [stay.energy_kwh_asked for stay in inputs.plug_ins] == [48, 48, None]
    told = " ".join(inputs.notes)
    for text in (
        "Trips of unknown energy, counted with the mean of 3.0 kWh: 1.",
        "Sessions without a departure, left out: 1.",
        "Sessions shorter than a step, left out (their trips count for the next): 1.",
    ):
        assert text in told
