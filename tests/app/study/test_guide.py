"""The examples in the guide to studies: each is complete, is read without a fault, and its study can begin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from parkwatt.app.study.command import load_site
from tests.io.documented import blocks

_EXAMPLES = dict(blocks("guides/study.md", "toml"))
_TABLES = dict(blocks("guides/study.md", "csv"))
_START = datetime(2024, 3, 4, tzinfo=UTC)
_DAYS = 8


def _write_long(folder: Path, name: str, step: timedelta, stamp: str, first: datetime) -> None:
    """The table in the guide, going on as it begins for some days."""
    header, row, *_ = _TABLES[name].splitlines()
    rest = row.split(",", 1)[1]
    count = timedelta(days=_DAYS) // step
    rows = [f"{(first + index * step).strftime(stamp)},{rest}" for index in range(count)]
    (folder / name).write_text("\n".join([header, *rows]), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files that the guide's settings name."""
    hour, quarter = timedelta(hours=1), timedelta(minutes=15)
    _write_long(tmp_path, "prices.csv", hour, "%Y-%m-%dT%H:%M:%S+01:00", _START)
    _write_long(tmp_path, "meter.csv", quarter, "%Y-%m-%d %H:%M", _START)
    for name in ("sessions.csv", "charger.csv"):
        header, *rows = _TABLES[name].splitlines()
        later = "2024-03-11T18:00:00+01:00,2024-03-12T07:00:00+01:00,9"
        if name == "charger.csv":
            later = "1043,03/11/2024 06:00 PM,03/12/2024 07:00 AM,9"
        (tmp_path / name).write_text("\n".join([header, *rows, later]), encoding="utf-8")
    hours = [_START - timedelta(hours=1) + index * hour for index in range(24 * _DAYS + 9)]
    times = [f"{time:%Y-%m-%d %H:%M}" for time in hours]
    load = "\n".join(["time,load_w", *(f"{time},400" for time in times)])
    (tmp_path / "load.csv").write_text(load, encoding="utf-8")
    weather = "\n".join(["time,ghi,dni,dhi,air_c", *(f"{time},200,300,90,11" for time in times)])
    (tmp_path / "weather.csv").write_text(weather, encoding="utf-8")
    with duckdb.connect() as connection:
        connection.sql(
            "SELECT time AS ts_utc, home_id, 0.5 AS load_kwh, 0.25 AS pv_kwh "
            "FROM generate_series(TIMESTAMPTZ '2024-03-04 00:00Z', TIMESTAMPTZ '2024-03-12 16:00Z', "
            "INTERVAL 1 HOUR) AS hours(time), range(1, 4) AS homes(home_id) ORDER BY time, home_id"
        ).write_parquet(str(tmp_path / "meter.parquet"))
    return tmp_path


@pytest.mark.parametrize("name", _EXAMPLES)
def test_an_example_can_be_studied(folder: Path, name: str) -> None:
    (folder / name).write_text(_EXAMPLES[name], encoding="utf-8")
    inputs = load_site(folder / name, folder / "results").inputs
    assert inputs.grid.step_count >= 6 * 86_400 / inputs.grid.step_s
    assert len(inputs.plug_ins) >= 2
    assert inputs.import_price_per_kwh.min() > 0.1


def test_what_the_examples_say(folder: Path) -> None:
    assert list(_EXAMPLES) == ["home.toml", "california.toml", "roof.toml"]
    for name, text in _EXAMPLES.items():
        (folder / name).write_text(text, encoding="utf-8")
    home, california, roof = (load_site(folder / name, folder / "results") for name in _EXAMPLES)
    assert home.inputs.load_kw == pytest.approx(0.31 * 4)
    assert california.inputs.load_kw == pytest.approx(0.5)
    assert california.inputs.plug_ins[1].energy_kwh_used == pytest.approx(10.02 * 0.93)
    assert california.inputs.early_probability == 0.02
    assert california.settings.car.discharge_kw_max == 7.6
    assert roof.settings.span.strategies == ("charge_at_once", "smart", "foresight")
    assert roof.inputs.solar_kw.max() > 1
    assert roof.inputs.grid.step_count == 6 * 96
