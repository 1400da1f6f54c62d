"""The steps as CSV: every value, both clocks, unknown values empty, quick."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from parkwatt.app.report import write_csv
from tests.app.report.study_factory import make_study


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_round_trip(tmp_path: Path) -> None:
    result = make_study(days=2)
    path = tmp_path / "steps.csv"
    write_csv(result, path)
    rows = _read(path)
    assert len(rows) == result.grid.step_count
    strategy = result.strategies[3]
    for column, values in {
        "load_kw": result.load_kw,
        "export_price_per_kwh": result.export_price_per_kwh,
        "v2g_power_kw": strategy.power_kw,
        "v2g_energy_kwh": strategy.energy_kwh[:-1],
        "v2g_export_kw": strategy.export_kw,
    }.items():
        np.testing.assert_allclose([float(row[column]) for row in rows], values, rtol=1e-6)


def test_repeated_hour_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "steps.csv"
    write_csv(
        make_study(start=datetime(2024, 10, 26, 22, tzinfo=UTC), days=1, step_minutes=60), path
    )
    rows = _read(path)
    twice = [row["time_local"] for row in rows if row["time_local"].startswith("2024-10-27T02")]
    assert twice == ["2024-10-27T02:00:00+02:00", "2024-10-27T02:00:00+01:00"]
    for row in rows:
        utc = datetime.fromisoformat(row["time_utc"])
        assert utc == datetime.fromisoformat(row["time_local"])


def test_unknown_is_empty(tmp_path: Path) -> None:
    result = make_study(days=1)
    load = result.load_kw.copy()
    load[5] = np.nan
    path = tmp_path / "steps.csv"
    write_csv(replace(result, load_kw=load), path)
    rows = _read(path)
    assert rows[5]["load_kw"] == ""
    assert rows[4]["load_kw"] != ""
    assert rows[5]["solar_kw"] != ""
