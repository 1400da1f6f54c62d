"""Series and tables from files: units, intervals, and every fault with its row."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parkwatt.domain.record import Faults
from parkwatt.domain.series import IntervalSeries, TimeGrid, unix_s
from parkwatt.io.tables import read_table
from tests.io.load_files import attempt, read, utc_s, write, write_parquet

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("W", 0.001), ("kW", 1), ("MW", 1000), ("Wh", 0.004), ("kWh", 4), ("MWh", 4000)],
)
def test_power_and_energy_come_in_kw(tmp_path: Path, unit: str, factor: float) -> None:
    write(tmp_path, "2024-06-01 00:00,1.5", "2024-06-01 00:15,2")
    found = read(tmp_path, unit=unit)
    np.testing.assert_allclose(found.values, [1.5 * factor, 2 * factor])
    assert (found.end_unix_s - found.start_unix_s).tolist() == [900, 900]
    assert found.start_unix_s[0] == utc_s(2024, 6, 1)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("EUR/kWh", 1), ("EUR/MWh", 0.001), ("ct/kWh", 0.01), ("currency/MWh", 0.001)],
)
def test_prices_come_per_kwh(tmp_path: Path, unit: str, factor: float) -> None:
    write(tmp_path, "2024-06-01T00:00Z,80", "2024-06-01T01:00Z,-5")
    np.testing.assert_allclose(
        read(tmp_path, "price", unit=unit).values, [80 * factor, -5 * factor]
    )


def test_raw_values_are_taken_as_they_are(tmp_path: Path) -> None:
    write(tmp_path, "2024-06-01,800", "2024-06-02,-3")
    assert read(tmp_path, "raw", unit="raw").values.tolist() == [800, -3]


@pytest.mark.parametrize("cell", ["", " ", "NaN", "null", "NA", "n/a"])
def test_an_empty_cell_is_unknown(tmp_path: Path, cell: str) -> None:
    write(tmp_path, "2024-06-01,1", f"2024-06-02,{cell}", "2024-06-03,3")
    np.testing.assert_array_equal(read(tmp_path).values, [1, np.nan, 3])


# Intervals


def starts_h(series: IntervalSeries) -> list[float]:
    """Hours of each start after the first."""
    return list((series.start_unix_s - series.start_unix_s[0]) / 3600)


def lengths_h(series: IntervalSeries) -> list[float]:
    """Hours of each interval."""
    return list((series.end_unix_s - series.start_unix_s) / 3600)


def test_an_interval_ends_at_the_next_stamp_and_a_gap_stays_a_gap(tmp_path: Path) -> None:
    write(tmp_path, *(f"2024-06-01 {hour:02d}:00,1" for hour in (0, 1, 2, 5, 6)))
    assert lengths_h(read(tmp_path)) == [1, 1, 1, 1, 1]
    write(
        tmp_path,
        "2024-06-01 00:00,1",
        "2024-06-01 01:00,1",
        "2024-06-01 01:30,1",
        "2024-06-01 02:30,1",
    )
    assert lengths_h(read(tmp_path)) == [1, 0.5, 1, 1]


def test_stamps_may_mark_the_end(tmp_path: Path) -> None:
    write(tmp_path, *(f"2024-06-01 {hour:02d}:00,1" for hour in (1, 2, 3, 6)))
    found = read(tmp_path, stamps="end", unit="kWh")
    assert found.start_unix_s[0] == utc_s(2024, 6, 1)
    assert starts_h(found) == [0, 1, 2, 5]
    assert lengths_h(found) == [1, 1, 1, 1]


def test_the_interval_may_be_given(tmp_path: Path) -> None:
    write(tmp_path, "2024-06-01 00:00,3")
    assert lengths_h(read(tmp_path, interval_minutes=30)) == [0.5]
    _, faults = attempt(tmp_path)
    assert faults == ["load.interval_minutes: is required where there is one row only"]
    write(tmp_path, "2024-06-01 00:00,3", "2024-06-01 00:20,3")
    _, faults = attempt(tmp_path, interval_minutes=30)
    assert faults == [
        (
            "load (load.csv, line 3, column time): must be at least interval_minutes = 30 after the one "
            "before, got '2024-06-01 00:20:00 UTC'"
        )
    ]


def test_the_end_may_have_a_column(tmp_path: Path) -> None:
    rows = ("2024-06-01 00:00,2024-06-01 00:30,3", "2024-06-01 02:00,2024-06-01 04:00,3")
    write(tmp_path, *rows, header="time,until,load")
    assert lengths_h(read(tmp_path, end_column="until")) == [0.5, 2]
    rows = ("2024-06-01 00:00,2024-06-01 03:00,3", "2024-06-01 02:00,2024-06-01 02:00,3")
    write(tmp_path, *rows, header="time,until,load")
    _, faults = attempt(tmp_path, end_column="until")
    assert "line 3, column until): must rise" in faults[0]


def test_a_shift_moves_the_series_in_time(tmp_path: Path) -> None:
    write(tmp_path, "2016-08-01 00:00,1", "2016-08-01 01:00,2")
    found = read(tmp_path, shift_days=261 * 7, shift_hours=-9)
    moved = datetime(2016, 8, 1, tzinfo=UTC) + timedelta(days=261 * 7, hours=-9)
    assert found.start_unix_s[0] == unix_s(moved)
    assert found.values.tolist() == [1, 2]


@pytest.mark.parametrize(
    "where", [{"home": "b"}, {"home": "b", "floor": 2}, {"floor": 2}, {"floor": 2.0}]
)
def test_only_the_rows_asked_for(tmp_path: Path, where: dict[str, object]) -> None:
    rows = ["2024-06-01,a,1,1", "2024-06-01,b,2,10", "2024-06-02,a,1,2", "2024-06-02,b,2,20"]
    write(tmp_path, *rows, header="time,home,floor,load")
    assert read(tmp_path, where=where).values.tolist() == [10, 20]


def test_no_row_asked_for_shows_what_there_is(tmp_path: Path) -> None:
    write(tmp_path, "2024-06-01,a,1", "2024-06-01,b,2", header="time,home,load")
    _, faults = attempt(tmp_path, where={"home": 3})
    assert faults == ["load.file: load.csv has no rows where home = 3 (home holds a, b)"]


# Faults


@pytest.mark.parametrize(
    ("lines", "fields", "expected"),
    [
        (["2024-06-01,x"], {}, ["load (load.csv, line 2, column load): must be a number, got 'x'"]),
        (["2024-06-01,1_0"], {}, ["line 2, column load): must be a number, got '1_0'"]),
        (["2024-06-01,inf"], {}, ["line 2, column load): must be finite, got inf"]),
        (
            ["x,1"],
            {},
            ["line 2, column time): must be a time such as 2026-01-15T16:00:00Z, got 'x'"],
        ),
        ([",1"], {}, ["line 2, column time): must not be empty"]),
        (["1850-01-01,1"], {}, ["line 2, column time): must lie between the years 1900 and 2200"]),
        (["0001-01-01T00:00:00+14:00,1"], {}, ["must lie between the years 1900 and 2200"]),
        (
            ["2024-06-01,1"],
            {"time_zone": None},
            ["line 2, column time): has no zone (give time_zone)"],
        ),
        (["2024-06-01,1,2"], {}, ["line 2, column load): must have 2 cells, as the header, got 3"]),
        (["2024-06-01"], {}, ["line 2, column load): must have 2 cells, as the header, got 1"]),
        ([], {}, ["load.file: load.csv has no rows"]),
        (
            ["2024-06-02,1", "2024-06-01,1", "2024-06-01,1"],
            {},
            [
                (
                    "line 3, column time): must rise from row to row; this one comes after a later one, "
                    "got '2024-06-01 00:00:00'"
                ),
                "line 4, column time): must rise from row to row; this one comes twice",
            ],
        ),
        (["x,y", "", "2024,1"], {}, ["line 2, column load", "line 2, column time"]),
        (
            ["2024-06-01,1"],
            {"value_column": "power"},
            ["load.file: load.csv has no column 'power' (it has: time, load)"],
        ),
    ],
)
def test_each_fault_is_named(
    tmp_path: Path, lines: list[str], fields: dict[str, object], expected: list[str]
) -> None:
    write(tmp_path, *lines)
    series, faults = attempt(tmp_path, **fields)
    assert series is None
    assert len(faults) >= len(expected)
    for part, fault in zip(expected, faults, strict=False):
        assert part in fault


def test_many_faults_are_cut_and_counted(tmp_path: Path) -> None:
    write(tmp_path, *(["x,y"] * 9))
    _, faults = attempt(tmp_path)
    assert len(faults) == 12
    assert faults[5] == "load (load.csv, column load): breaks these rules in 4 more rows"


def test_a_column_twice_is_a_fault(tmp_path: Path) -> None:
    write(tmp_path, "2024-06-01,1,2", header="time,load,load")
    _, faults = attempt(tmp_path)
    assert faults == ["load.file: load.csv must have column 'load' once only"]


def no_file(folder: Path) -> None:
    """Nothing there."""


def a_folder(folder: Path) -> None:
    """A folder of that name."""
    (folder / "load.csv").mkdir()


def nothing_in_it(folder: Path) -> None:
    """A file without a byte."""
    (folder / "load.csv").touch()


def blanks(folder: Path) -> None:
    """A file of blank lines."""
    (folder / "load.csv").write_text("\n \n")


def latin(folder: Path) -> None:
    """A file in another encoding."""
    (folder / "load.csv").write_bytes("time,load\nMärz,1\n".encode("latin-1"))


def utf_16(folder: Path) -> None:
    """A file as some spreadsheets save it."""
    (folder / "load.csv").write_text("time,load\n", encoding="utf-16")


@pytest.mark.parametrize(
    ("prepare", "rule"),
    [
        (no_file, "there is no such file"),
        (a_folder, "must be a file, not a folder"),
        (nothing_in_it, "the file is empty"),
        (blanks, "the file is empty"),
        (latin, "must be a text in UTF-8; line 2 is not"),
        (utf_16, "must be a text in UTF-8; line 1 is not"),
    ],
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, prepare: Callable[[Path], None], rule: str
) -> None:
    prepare(tmp_path)
    series, faults = attempt(tmp_path)
    assert series is None
    assert len(faults) == 1
    assert faults[0].startswith(f"load.file: {rule}")


def test_unsupported_files_and_odd_names(tmp_path: Path) -> None:
    (tmp_path / "load.xlsx").write_text("x")
    assert "must end in .csv" in attempt(tmp_path, file="load.xlsx")[1][0]
    assert "there is no such file" in attempt(tmp_path, file="a\0b.csv")[1][0]
    assert "cannot be opened" in attempt(tmp_path, file="a" * 300 + ".csv")[1][0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200)
    | st.text(alphabet='time,load\n"2024-06;\t', max_size=80).map(str.encode)
)
def test_no_file_makes_the_reader_fail(tmp_path: Path, content: bytes) -> None:
    for name in ("load.csv", "load.parquet"):
        (tmp_path / name).write_bytes(content)
        series, faults = attempt(tmp_path, file=name)
        assert (series is None) == bool(faults)


# Tables


def test_a_table_of_sessions(tmp_path: Path) -> None:
    rows = [
        "a,2024-06-01 18:00,2024-06-02 07:30,11.5",
        "b,2024-06-01 12:00,,",
        "3,2024-10-27 02:30,,",
    ]
    write(tmp_path, *rows, header="id,in,out,kwh")
    faults = Faults()
    found = read_table(
        tmp_path / "load.csv",
        {"id": "text", "in": "time", "out": "optional_time", "kwh": "number"},
        faults,
        field="sessions",
        time_zone=AMSTERDAM,
    )
    faults.raise_if_any()
    assert found is not None
    assert found["id"].tolist() == ["a", "b", "3"]
    first_pass = utc_s(2024, 10, 27, 0, 30)
    assert found["in"].tolist() == [utc_s(2024, 6, 1, 16), utc_s(2024, 6, 1, 10), first_pass]
    np.testing.assert_array_equal(found["out"], [utc_s(2024, 6, 2, 5, 30), np.nan, np.nan])
    np.testing.assert_array_equal(found["kwh"], [11.5, np.nan, np.nan])


def test_faults_of_a_table(tmp_path: Path) -> None:
    write(tmp_path, ",noon,x", "2024-03-31 02:30,2024-06-01,1", header="in,out,kwh")
    faults = Faults()
    kinds = {"in": "time", "out": "optional_time", "kwh": "number"}
    found = read_table(
        tmp_path / "load.csv",
        kinds,  # type: ignore[arg-type]
        faults,
        field="sessions",
        time_zone=AMSTERDAM,
    )
    assert found is None
    places = [fault.field for fault in faults.found]
    assert places == [
        "sessions (load.csv, line 3, column in)",
        "sessions (load.csv, line 2, column in)",
        "sessions (load.csv, line 2, column out)",
        "sessions (load.csv, line 2, column kwh)",
    ]


def test_numbers_may_be_read_as_texts(tmp_path: Path) -> None:
    write_parquet(tmp_path, "SELECT * FROM (VALUES (1, 0.5), (20, NULL)) t(a, b)")
    faults = Faults()
    path = tmp_path / "load.parquet"
    found = read_table(path, {"a": "text", "b": "text"}, faults, field="ids")
    assert found is not None
    assert (found["a"].tolist(), found["b"].tolist()) == (["1", "20"], ["0.5", ""])


# Real data


def test_real_prices_cover_their_years(shared_directory: Path | None, tmp_path: Path) -> None:
    # The generated twin: a leap year of hours, of which the mean is known.
    write_parquet(
        tmp_path,
        "SELECT TIMESTAMPTZ '2023-12-31 23:00:00+00' + INTERVAL (i) HOUR AS ts_utc, "
        "(i % 24)::FLOAT AS price_eur_per_mwh FROM range(8784) t(i)",
        "dayahead_DELU_2024.parquet",
    )
    expected = {tmp_path: 11.5}
    if shared_directory is not None:
        expected[shared_directory / "data" / "prices"] = 79.57  # as its README says
    for folder, mean in expected.items():
        found = read(
            folder,
            "price",
            file="dayahead_DELU_2024.parquet",
            time_column="ts_utc",
            value_column="price_eur_per_mwh",
            unit="EUR/MWh",
        )
        start = unix_s(datetime(2024, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")))
        hours = found.on(TimeGrid(start, 3600, 8784))
        assert np.isfinite(hours).all()
        assert hours.mean() * 1000 == pytest.approx(mean, abs=0.005)
