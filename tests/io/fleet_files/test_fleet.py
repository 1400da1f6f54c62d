"""A fleet's file: types and defaults, faults of the file, faults of rows, times on and off the grid, the round trip."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.record import Faults
from parkwatt.io.fleet_files.columns import NUMBERS, OPTIONAL_NUMBERS
from parkwatt.io.fleet_files.fleet import check_columns
from parkwatt.io.fleet_files.written import write_columns
from tests.io.fleet_files.fleets import (
    GRID,
    START_UNIX_S,
    attempt,
    in_times,
    read,
    row_faults,
    write,
    write_cars,
)

BEGIN = "TIMESTAMPTZ '2026-06-18 10:00:00+00'"


def test_absent_columns_and_empty_cells_have_the_defaults_of_the_contract(tmp_path: Path) -> None:
    absent = read(write_cars(tmp_path / "a.parquet", 2, energy_kwh_at_departure=None))
    empty = read(
        write_cars(tmp_path / "b.parquet", 2, **dict.fromkeys(OPTIONAL_NUMBERS, "NULL::DOUBLE"))
    )
    for file in (absent, empty):
        assert file.faults == []
        assert set(file.rows.numbers) == set(NUMBERS)
        for name, default in OPTIONAL_NUMBERS.items():
            np.testing.assert_array_equal(file.rows.numbers[name], [default, default])
    assert absent.rows.car_id.tolist() == ["car-0", "car-1"]
    assert absent.rows.place.tolist() == [1, 2]
    assert absent.rows.price_row.tolist() == [0, 0]


@pytest.mark.parametrize("kind", ["FLOAT", "DOUBLE", "DECIMAL(10,3)", "SMALLINT", "UBIGINT"])
def test_numbers_of_any_type(tmp_path: Path, kind: str) -> None:
    sql = f"(30 + i)::{kind}"
    file = read(write_cars(tmp_path / "f.parquet", 3, energy_kwh_at_arrival=sql, car_id="i"))
    assert file.rows.numbers["energy_kwh_at_arrival"].tolist() == [30, 31, 32]
    assert file.rows.numbers["energy_kwh_at_arrival"].dtype == np.float64
    assert file.rows.car_id.tolist() == ["0", "1", "2"]


@pytest.mark.parametrize(
    "time",
    [
        BEGIN,
        "TIMESTAMPTZ '2026-06-18 12:00:00+02'",
        "TIMESTAMP '2026-06-18 10:00:00'",
        "(TIMESTAMP '2026-06-18 10:00:00')::TIMESTAMP_NS",
        "(TIMESTAMP '2026-06-18 10:00:00')::TIMESTAMP_MS",
        "(TIMESTAMP '2026-06-18 10:00:00')::TIMESTAMP_S",
    ],
)
def test_times_of_any_type_are_utc_where_they_have_no_zone(tmp_path: Path, time: str) -> None:
    stay = in_times(time, f"({time})::TIMESTAMP + INTERVAL 30 MINUTE")
    if "TIMESTAMPTZ" in time:
        stay["to_time"] = f"{time} + INTERVAL 30 MINUTE"
    file = read(write_cars(tmp_path / "f.parquet", **stay))
    assert (file.rows.from_step.tolist(), file.rows.to_step.tolist()) == ([0], [2])


@pytest.mark.parametrize(
    ("begin_s", "end_s", "steps"),
    [(0, 7200, (0, 8)), (1, 7199, (1, 7)), (899, 2701, (1, 3)), (900, 1800, (1, 2))],
)
def test_a_time_off_the_grid_leaves_the_whole_steps_within_the_stay(
    tmp_path: Path, begin_s: int, end_s: int, steps: tuple[int, int]
) -> None:
    stay = in_times(f"{BEGIN} + INTERVAL {begin_s} SECOND", f"{BEGIN} + INTERVAL {end_s} SECOND")
    rows = read(write_cars(tmp_path / "f.parquet", **stay)).rows
    assert (int(rows.from_step[0]), int(rows.to_step[0])) == steps


@pytest.mark.parametrize(
    ("begin", "end", "fault"),
    [
        (
            f"{BEGIN} - INTERVAL 1 SECOND",
            f"{BEGIN} + INTERVAL 1 HOUR",
            "1 from_time: must not be before 2026-06-18 10:00 UTC, where the prices begin, got 2026-06-18T09:59:59Z",
        ),
        (
            BEGIN,
            f"{BEGIN} + INTERVAL 7201 SECOND",
            "1 to_time: must not be after 2026-06-18 12:00 UTC, where the prices end, got 2026-06-18T12:00:01Z",
        ),
        (
            f"{BEGIN} + INTERVAL 1 SECOND",
            f"{BEGIN} + INTERVAL 1799 SECOND",
            "1 to_time: must leave a whole step of 15 minutes after from_time, got 2026-06-18T10:29:59Z",
        ),
        ("NULL::TIMESTAMPTZ", BEGIN, "1 from_time: is required, and finite"),
        ("TIMESTAMPTZ 'infinity'", BEGIN, "1 from_time: is required, and finite"),
    ],
)
def test_times_that_are_wrong(tmp_path: Path, begin: str, end: str, fault: str) -> None:
    file = read(write_cars(tmp_path / "f.parquet", **in_times(begin, end)))
    assert [line.replace("'", "") for line in row_faults(file)] == [fault]
    assert len(file.rows.place) == 0


def test_a_wrong_row_is_told_with_its_number_and_the_others_are_kept(tmp_path: Path) -> None:
    path = write_cars(
        tmp_path / "f.parquet",
        6,
        car_id="CASE i WHEN 1 THEN NULL WHEN 2 THEN '' ELSE 'car-' || i END",
        from_step="CASE i WHEN 3 THEN 0.5 ELSE 0 END",
        energy_kwh_max="CASE i WHEN 4 THEN NULL ELSE 60 END",
    )
    file = read(path)
    assert row_faults(file) == [
        "2 car_id: is required",
        "3 car_id: is required",
        "4 from_step: must be a whole number, got 0.5",
        "5 energy_kwh_max: is required",
    ]
    assert file.rows.place.tolist() == [1, 6]
    assert file.rows.car_id.tolist() == ["car-0", "car-5"]


@pytest.mark.parametrize("step", ["'NaN'::DOUBLE", "1e300", "'inf'::DOUBLE", "-3000000000"])
def test_a_step_that_is_no_number_of_a_step(tmp_path: Path, step: str) -> None:
    file = read(write_cars(tmp_path / "f.parquet", to_step=step))
    assert len(file.faults) == 1
    assert row_faults(file)[0].startswith("1 to_step: must be a whole number")


def test_stays_of_one_car_do_not_overlap(tmp_path: Path) -> None:
    # Row 3 lies within row 1; row 4 begins when row 1 ends; car b is another car.
    path = write(
        tmp_path / "f.parquet",
        "SELECT s.*, 30.0 AS energy_kwh_at_arrival, 0.0 AS energy_kwh_min, 60.0 AS energy_kwh_max, 11.0 AS charge_kw_max, "
        "0.0 AS discharge_kw_max, 1.0 AS charge_efficiency, 1.0 AS discharge_efficiency FROM (VALUES ('a', 0, 5), "
        "('b', 1, 4), ('a', 2, 3), ('a', 5, 6)) s(car_id, from_step, to_step)",
    )
    file = read(path)
    rule = "must not be before the end of another stay of the same car"
    assert row_faults(file) == [f"3 from_step: {rule}, got 'a'"]
    assert file.rows.place.tolist() == [1, 2, 4]


def test_prices_are_found_by_their_name(tmp_path: Path) -> None:
    path = write_cars(
        tmp_path / "f.parquet",
        4,
        price_row="CASE i WHEN 0 THEN 'north' WHEN 1 THEN 'south' WHEN 2 THEN 'east' END",
    )
    file = read(path, ("north", "south"))
    assert file.rows.price_row.tolist() == [0, 1]
    assert row_faults(file) == [
        "3 price_row: must be one of the prices (north, south), got 'east'",
        "4 price_row: is required",
    ]
    numbered = read(write_cars(tmp_path / "g.parquet", 2, price_row="i"), ("0", "1"))
    assert numbered.rows.price_row.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"charge_kw_max": None}, "fleet: f.parquet has no column 'charge_kw_max'"),
        ({"car_id": None}, "fleet: f.parquet has no column 'car_id'"),
        (
            {"energy_kwh_departure": "1.0"},
            "fleet: f.parquet has a column 'energy_kwh_departure' that is not known",
        ),
        (
            {"charge_kw_max": "'11'"},
            "fleet: f.parquet, column charge_kw_max must hold numbers, got 'VARCHAR'",
        ),
        (
            {"energy_kwh_max": "[60.0]"},
            "fleet: f.parquet, column energy_kwh_max must hold numbers",
        ),
        (
            {"car_id": "1.5"},
            "fleet: f.parquet, column car_id must hold texts or whole numbers",
        ),
        ({"to_step": None}, "fleet: f.parquet must have either from_time and to_time"),
        ({"from_time": BEGIN}, "fleet: f.parquet must have either from_time and to_time"),
        (
            in_times("'2026-06-18'", BEGIN),
            "fleet: f.parquet, column from_time must hold timestamps, got 'VARCHAR'",
        ),
        (
            {"price_row": "'a'"},
            "fleet: f.parquet has a column 'price_row', and the prices have none",
        ),
    ],
)
def test_a_file_that_cannot_be_used(
    tmp_path: Path, changed: dict[str, str | None], fault: str
) -> None:
    file, faults = attempt(write_cars(tmp_path / "f.parquet", **changed))
    assert file is None
    assert len(faults) == 1
    assert faults[0].startswith(fault)


def test_a_fleet_must_name_one_of_several_prices(tmp_path: Path) -> None:
    file, faults = attempt(write_cars(tmp_path / "f.parquet"), ("north", "south"))
    assert file is None
    assert faults == ["fleet: f.parquet has no column 'price_row', and there are 2 prices"]


def test_all_faults_of_the_columns_come_at_once(tmp_path: Path) -> None:
    path = write_cars(tmp_path / "f.parquet", car_id=None, to_step=None, charge_kw_max="'x'")
    assert len(attempt(path)[1]) == 3
    faults = Faults()
    check_columns(path, faults)
    assert len(faults.found) == 3


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty.parquet").touch()
    (tmp_path / "text.parquet").write_text("car_id,from_step\n", encoding="utf-8")
    whole = write_cars(tmp_path / "whole.parquet", 5000, car_id="md5(i::VARCHAR)").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "damaged.parquet").write_bytes(whole[:400] + b"\x00" * 4000 + whole[4400:])
    for name, rule in (
        ("missing", "there is no such file"),
        ("empty", "the file is empty"),
        ("text", "is not a Parquet file that can be read"),
        ("cut", "is not a Parquet file that can be read"),
        ("damaged", "is not a Parquet file that can be read"),
    ):
        file, faults = attempt(tmp_path / f"{name}.parquet")
        assert file is None
        assert len(faults) == 1
        assert rule in faults[0]
    assert attempt(write_cars(tmp_path / "none.parquet", 0))[1] == [
        "fleet: none.parquet has no rows"
    ]


def _floats(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_subnormal=False)


STAYS = st.lists(
    st.tuples(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1),
        st.integers(0, 6),
        st.integers(1, 8),
        st.lists(_floats(-1e9, 1e9), min_size=len(NUMBERS), max_size=len(NUMBERS)),
        st.booleans(),
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda stay: stay[0],
)


@settings(max_examples=40, deadline=None)
@given(STAYS, st.booleans())
def test_what_was_written_is_read(
    stays: list[tuple[str, int, int, list[float], bool]], as_times: bool
) -> None:
    begins = np.array([stay[1] for stay in stays])
    ends = np.minimum(begins + np.array([stay[2] for stay in stays]), 8)
    numbers = np.array([stay[3] for stay in stays])
    asks_nothing = np.array([stay[4] for stay in stays])
    columns = {name: numbers[:, place].copy() for place, name in enumerate(NUMBERS)}
    columns["energy_kwh_at_departure"][asks_nothing] = np.nan
    names = ("from_time", "to_time") if as_times else ("from_step", "to_step")
    edges = [START_UNIX_S + GRID.step_s * steps if as_times else steps for steps in (begins, ends)]
    car_id = np.array([stay[0] for stay in stays], dtype=object)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "it's a fleet [1].parquet"
        write_columns(path, {"car_id": car_id, **dict(zip(names, edges, strict=True)), **columns})
        assert [file.name for file in Path(folder).iterdir()] == [path.name]
        file = read(path)
    assert file.faults == []
    assert file.rows.car_id.tolist() == car_id.tolist()
    np.testing.assert_array_equal(file.rows.from_step, begins)
    np.testing.assert_array_equal(file.rows.to_step, ends)
    for name in NUMBERS:
        np.testing.assert_array_equal(file.rows.numbers[name], columns[name])
