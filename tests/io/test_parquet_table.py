"""Parquet files: types, broken files, and names that look like patterns."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

from tests.io.load_files import attempt, read, utc_s, write_parquet


@pytest.mark.parametrize(
    "time",
    [
        "TIMESTAMPTZ '2024-05-31 22:00:00+00' + INTERVAL (i) HOUR",
        "TIMESTAMP '2024-06-01 00:00:00' + INTERVAL (i) HOUR",
        "(TIMESTAMP '2024-06-01 00:00:00' + INTERVAL (i) HOUR)::TIMESTAMP_NS",
        "(TIMESTAMP '2024-06-01 00:00:00' + INTERVAL (i) HOUR)::TIMESTAMP_MS",
        "(TIMESTAMP '2024-06-01 00:00:00' + INTERVAL (i) HOUR)::VARCHAR",
        "'2024-05-31T' || (22 + i) || ':00:00Z'",
    ],
)
@pytest.mark.parametrize(
    "kind", ["FLOAT", "DOUBLE", "DECIMAL(10,3)", "SMALLINT", "UBIGINT", "VARCHAR"]
)
def test_parquet_types(tmp_path: Path, time: str, kind: str) -> None:
    write_parquet(tmp_path, f"SELECT {time} AS time, (i + 1)::{kind} AS load FROM range(2) t(i)")  # noqa: S608
    found = read(tmp_path, file="load.parquet", time_zone="Europe/Amsterdam")
    assert found.values.tolist() == [1, 2]
    assert found.start_unix_s.tolist() == [utc_s(2024, 5, 31, 22), utc_s(2024, 5, 31, 23)]


def test_parquet_nulls_are_unknown_and_rows_are_counted_in_the_file(tmp_path: Path) -> None:
    write_parquet(
        tmp_path,
        "SELECT DATE '2024-06-01' + i::INT AS time, CASE WHEN i = 2 THEN NULL ELSE i END AS load, "
        "CASE WHEN i = 4 THEN 'x' ELSE '1' END AS text, i % 2 AS home FROM range(6) t(i)",
    )
    found = read(tmp_path, file="load.parquet", where={"home": 0})
    np.testing.assert_array_equal(found.values, [0, np.nan, 4])
    _, faults = attempt(tmp_path, file="load.parquet", where={"home": 0}, value_column="text")
    assert faults == ["load (load.parquet, row 5, column text): must be a number, got 'x'"]


@pytest.mark.parametrize(
    ("query", "fields", "rule"),
    [
        ("SELECT 1 AS time, 2 AS load", {}, "column time): must be a time, not a number"),
        ("SELECT now() AS time, now() AS load", {}, "column load): must be a number, not a time"),
        ("SELECT now() AS time, true AS load", {}, "column load must hold numbers, texts or times"),
        ("SELECT now() AS time, [1] AS load", {}, "column load must hold numbers, texts or times"),
        ("SELECT now() AS time, 1 AS power", {}, "has no column 'load' (it has: time, power)"),
        ("SELECT NULL::TIMESTAMP AS time, 1 AS load", {}, "row 1, column time): must not be empty"),
        ("SELECT now() AS time, 1 AS load WHERE false", {}, "load.parquet has no rows"),
        ("SELECT TIMESTAMP 'infinity' AS time, 1 AS load", {}, "load"),
        ("SELECT now() AS time, 1 AS load", {"where": {"home": 1}}, "has no column 'home'"),
    ],
)
def test_parquet_faults(tmp_path: Path, query: str, fields: dict[str, object], rule: str) -> None:
    write_parquet(tmp_path, query)
    series, faults = attempt(tmp_path, file="load.parquet", **fields)
    assert series is None
    assert rule in faults[0]


def test_a_broken_parquet_file_is_a_fault(tmp_path: Path) -> None:
    write_parquet(tmp_path, "SELECT now() AS time, 1 AS load FROM range(5000)")
    content = (tmp_path / "load.parquet").read_bytes()
    for broken in (content[:-20], b"PAR1" + content[40:], content[: len(content) // 2]):
        (tmp_path / "load.parquet").write_bytes(broken)
        series, faults = attempt(tmp_path, file="load.parquet", interval_minutes=1)
        assert series is None
        assert faults[0].startswith("load.file: load.parquet is not a Parquet file")
        assert str(tmp_path) not in faults[0]


def test_a_name_is_never_a_pattern(tmp_path: Path) -> None:
    write_parquet(tmp_path, "SELECT TIMESTAMP '2024-06-01' AS time, 1 AS load", "a1.parquet")
    _, faults = attempt(tmp_path, file="a*.parquet", interval_minutes=60)
    assert "no such file" in faults[0]
    for name in ["a[1].parquet", "a*.parquet", "it's.parquet", 'a"b.parquet']:
        write_parquet(tmp_path, "SELECT TIMESTAMP '2024-06-01' AS time, 2 AS load", name)
        assert read(tmp_path, file=name, interval_minutes=60).values.tolist() == [2]


@pytest.mark.parametrize(
    ("where", "values"),
    [
        ({"sold": True}, [0, 2]),
        ({"home": 1}, [1, 2]),
        ({"home": "1"}, [1, 2]),
        ({"size": 0.5}, [1, 2]),
    ],
)
def test_rows_are_chosen_by_value_whatever_the_type(
    tmp_path: Path, where: dict[str, object], values: list[float]
) -> None:
    write_parquet(
        tmp_path,
        "SELECT DATE '2024-06-01' + i::INT AS time, i AS load, i <> 1 AS sold, "
        "CASE WHEN i = 0 THEN '0' ELSE '1' END AS home, least(i, 1) / 2 AS size FROM range(3) t(i)",
    )
    assert read(tmp_path, file="load.parquet", where=where).values.tolist() == values
    with duckdb.connect() as connection:
        table = connection.read_parquet(str(tmp_path / "load.parquet"))
        table.write_csv(str(tmp_path / "load.csv"))
    assert read(tmp_path, where=where).values.tolist() == values
