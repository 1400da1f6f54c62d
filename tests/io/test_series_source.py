"""What TOML says of a series, and the examples in the docs."""

import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from parkwatt.domain.record import Faults, Record
from parkwatt.io.series_source import Quantity, SeriesSource, read_series_source, read_where
from parkwatt.io.tables import read_series
from tests.io.documented import blocks

SOUND: dict[str, object] = {
    "file": "a.csv",
    "time_column": "t",
    "value_column": "v",
    "unit": "kW",
}


def attempt(
    table: dict[str, object], quantity: Quantity = "power"
) -> tuple[SeriesSource, list[str]]:
    """The source and the faults."""
    record = Record(table, "load", Faults())
    source = read_series_source(record, quantity)
    record.finish()
    return source, [str(fault) for fault in record.faults.found]


def test_a_whole_source() -> None:
    source, faults = attempt(
        {
            **SOUND,
            "time_zone": "Europe/Amsterdam",
            "stamps": "end",
            "interval_minutes": 15,
            "time_format": "%y%j",
            "where": {"home_id": 3, "kind": "a", "sold": True},
            "shift_days": 7,
            "shift_hours": -1,
        }
    )
    assert faults == []
    assert source == SeriesSource(
        field="load",
        file="a.csv",
        time_column="t",
        value_column="v",
        factor=1.0,
        time_zone=ZoneInfo("Europe/Amsterdam"),
        stamps="end",
        interval_s=900,
        time_format="%y%j",
        where=(("home_id", 3), ("kind", "a"), ("sold", True)),
        shift_s=7 * 86_400 - 3600,
    )


@pytest.mark.parametrize(
    ("quantity", "fields", "sentence"),
    [
        ("power", {"unit": "EUR/kWh"}, "load.unit: must be W, kW or MW, or for energy"),
        ("price", {"unit": "kW"}, "load.unit: must be a price such as EUR/kWh"),
        ("price", {"unit": "eur/kWh"}, "load.unit: must be a price such as EUR/kWh"),
        ("raw", {"unit": "kW"}, "load.unit: must be raw"),
        ("power", {"unit": 5}, "load.unit: must be a text"),
        ("power", {"stamps": "middle"}, "load.stamps: must be one of start, end"),
        ("power", {"interval_minutes": 0}, "load.interval_minutes: must be at least"),
        ("power", {"interval_minutes": 0.1234}, "load.interval_minutes: must be whole seconds"),
        ("power", {"shift_days": 1.5}, "load.shift_days: must be a whole number"),
        ("power", {"time_zone": "Amsterdam"}, "load.time_zone: must be a time zone"),
        ("power", {"time_zone": "../x"}, "load.time_zone: must be a time zone"),
        ("power", {"time_zone": "Europe"}, "load.time_zone: must be a time zone"),
        ("power", {"time_format": "%Q"}, "load.time_format: must hold codes for a whole date"),
        ("power", {"time_format": "%d%d"}, "load.time_format: must hold codes for a whole date"),
        ("power", {"time_format": "%H:%M"}, "load.time_format: must hold codes for a whole date"),
        ("power", {"where": 5}, "load.where: must be a table"),
        ("power", {"where": {"a": [1]}}, "load.where.a: must be a text, number or truth"),
        ("power", {"end_column": "e", "stamps": "end"}, "load.end_column: must not stand beside"),
        ("power", {"end_column": "e", "interval_minutes": 5}, "load.end_column: must not stand"),
        ("power", {"fil": "x"}, "load.fil: is not a known field"),
    ],
)
def test_each_fault_is_named(quantity: Quantity, fields: dict[str, object], sentence: str) -> None:
    _, faults = attempt(
        {**SOUND, "unit": "kW" if quantity == "power" else "raw", **fields}, quantity
    )
    assert len(faults) == 1
    assert faults[0].startswith(sentence)


def test_all_that_is_missing_is_named() -> None:
    _, faults = attempt({})
    named = sorted(fault.split(":")[0] for fault in faults)
    assert named == ["load.file", "load.time_column", "load.unit", "load.value_column"]


def test_no_filter_keeps_all() -> None:
    assert read_where(Record({}, "load", Faults())) == ()


def test_the_examples_in_the_docs_are_read(tmp_path: Path) -> None:
    page = "reference/series-files.md"
    for title, text in blocks(page, "csv"):
        (tmp_path / title).write_text(text, encoding="utf-8")
    tables = [table for _, text in blocks(page, "toml") for table in tomllib.loads(text).items()]
    found = {}
    for name, table in tables:
        faults = Faults()
        record = Record(table, name, faults)
        source = read_series_source(record, "raw" if name == "irradiance" else "power")
        record.finish()
        found[source.file] = read_series(source, tmp_path, faults)
        faults.raise_if_any()
    meter, california, weather = (
        found[file] for file in ("meter.csv", "california.csv", "weather.csv")
    )
    assert meter is not None
    np.testing.assert_array_equal(meter.values, [0.42, 0.38, 0.35, np.nan, 0.51])
    assert np.diff(meter.start_unix_s).tolist() == [3600] * 4
    assert california is not None
    assert california.values.tolist() == [1.25, 1.5]
    local = np.datetime64(int(california.start_unix_s[0]) + 2 * 3600, "s")
    assert local == np.datetime64("2021-08-02T00:00:00")
    assert weather is not None
    assert len(weather.values) == 2
