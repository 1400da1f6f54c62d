"""`parkwatt fleet plan`, as a user calls it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from parkwatt.app.cli import main
from parkwatt.app.fleet.plan import _tell_faults
from parkwatt.domain.errors import InputFault
from parkwatt.domain.record import Faults
from parkwatt.io.fleet_files.fleet import read_fleet
from parkwatt.io.fleet_files.prices import read_prices
from parkwatt.plan.batch import BatchPrices, CarStays
from parkwatt.plan.batch.planner import problem_of
from parkwatt.plan.exact import plan
from tests.io.fleet_files.fleets import CAR, write, write_cars

PRICES = """start,import_price_per_kwh,export_price_per_kwh
2026-06-18T10:00:00Z,0.30,0.10
2026-06-18T11:00:00Z,0.20,0.05
"""


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a Parquet file."""
    with duckdb.connect() as connection:
        found = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def metadata_of(path: Path) -> dict[str, str]:
    """The key-value metadata of a Parquet file."""
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT decode(key), decode(value) FROM parquet_kv_metadata(?)", [str(path)]
        ).fetchall()
    return dict(found)


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    """Two hours of prices; the second is the cheaper one."""
    path = tmp_path / "prices.csv"
    path.write_text(PRICES, encoding="utf-8")
    return path


def test_a_plan_of_known_outcome(
    tmp_path: Path, prices: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # 3 kWh into the battery, at 0.2: 3 / 0.93 kWh at the charger. The second car cannot have its 30 kWh in two hours.
    fleet = write_cars(
        tmp_path / "fleet.parquet",
        2,
        to_step="2",
        energy_kwh_at_departure="CASE i WHEN 0 THEN 33 ELSE 60 END",
    )
    output = tmp_path / "new" / "plan.parquet"
    called = ["fleet", "plan", str(fleet), "--prices", str(prices), "--output", str(output)]
    assert main(called) == 0
    told = capsys.readouterr()
    assert told.err == ""
    first, second = rows_of(output)
    assert list(first) == [
        *("car_id", "row", "cost", "energy_kwh_end", "shortfall_kwh", "kernel", "power_kw"),
    ]
    assert (first["car_id"], first["row"], first["kernel"]) == ("car-0", 1, "linear")
    assert first["cost"] == pytest.approx(3 / 0.93 * 0.2)
    assert first["energy_kwh_end"] == pytest.approx(33)
    assert first["power_kw"] == pytest.approx([0, 3 / 0.93], rel=1e-6)
    assert second["power_kw"] == pytest.approx([11, 11])
    assert second["shortfall_kwh"] == pytest.approx(30 - 22 * 0.93)
    assert metadata_of(output) == {"start": "2026-06-18T10:00:00Z", "step_minutes": "60"}
    lines = told.out.splitlines()
    assert lines[0].startswith("planned 2 stays of 2 cars in ")
    assert lines[1:] == [
        "span: 2 steps of 60 minutes, 2026-06-18 10:00 to 2026-06-18 12:00 UTC",
        "cost: 6.15, in the currency of the prices",
        "energy: 25.2 kWh charged, 0.0 kWh given back",
        "departures: 1 stay cannot have what was asked; 9.5 kWh are missing in all",
        "solved by: linear 2 stays",
        f"plan: {output}",
    ]
    assert sorted(path.name for path in output.parent.iterdir()) == ["plan.parquet"]


def test_shorter_steps_and_no_output(
    tmp_path: Path, prices: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = write_cars(tmp_path / "fleet.parquet", 1, to_step="5", energy_kwh_at_departure="35.0")
    called = ["fleet", "plan", str(fleet), "--prices", str(prices), "--step-minutes", "15"]
    assert main([*called, "--threads", "1"]) == 0
    told = capsys.readouterr()
    # 2.75 kWh at the charger in the one cheap quarter, the rest before it.
    cost = 2.75 * 0.2 + (5 / 0.93 - 2.75) * 0.3
    assert f"cost: {cost:.2f}, in the currency" in told.out
    assert "span: 8 steps of 15 minutes" in told.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fleet.parquet", "prices.csv"]


def test_bad_rows_are_told_and_kept_out_and_the_rest_is_planned(
    tmp_path: Path, prices: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = write_cars(
        tmp_path / "fleet.parquet",
        4,
        car_id="CASE i WHEN 1 THEN NULL ELSE 'car-' || i END",
        to_step="CASE i WHEN 2 THEN 3 ELSE 2 END",
        energy_kwh_max="CASE i WHEN 2 THEN 5 ELSE 60 END",
    )
    output = tmp_path / "plan.parquet"
    called = ["fleet", "plan", str(fleet), "--prices", str(prices), "--output", str(output)]
    assert main(called) == 1
    told = capsys.readouterr()
    assert told.err.splitlines() == [
        "fleet.parquet, row 2, car_id: is required",
        "fleet.parquet, row 3, to_step: must be at most 2, the number of steps, got 3",
        "fleet.parquet, row 3, energy_kwh_max: must be at least energy_kwh_min, got 5.0",
        "fleet.parquet: 2 of 4 rows are kept out",
    ]
    assert told.out.startswith("planned 2 stays of 2 cars")
    assert [(row["car_id"], row["row"]) for row in rows_of(output)] == [("car-0", 1), ("car-3", 4)]


def test_where_no_row_is_right_nothing_is_written(
    tmp_path: Path, prices: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = write_cars(tmp_path / "fleet.parquet", 3, to_step="99")
    output = tmp_path / "plan.parquet"
    called = ["fleet", "plan", str(fleet), "--prices", str(prices), "--output", str(output)]
    assert main(called) == 2
    told = capsys.readouterr()
    assert told.err.splitlines()[-1] == "fleet.parquet: has no row that can be planned"
    assert (told.out, output.exists()) == ("", False)


def test_very_many_bad_rows_are_told_in_kind(capsys: pytest.CaptureFixture[str]) -> None:
    faults = [(row, InputFault("to_step", "must be\x1b[31m red", row)) for row in range(1, 3001)]
    _tell_faults("fleet.parquet", faults, 4000)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1002
    assert lines[-2:] == [
        "fleet.parquet: to_step: must be\\x1b[31m red, in 2,000 more rows",
        "fleet.parquet: 3,000 of 4,000 rows are kept out",
    ]


def test_faults_of_options_and_both_files_come_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prices.csv").write_text("start\n2026-06-18T10:00:00Z\n", encoding="utf-8")
    fleet = write_cars(tmp_path / "fleet.parquet", charge_kw_max=None)
    prices = str(tmp_path / "prices.csv")
    called = ["fleet", "plan", str(fleet), "--prices", prices, "--output", prices]
    assert main([*called, "--threads", "0"]) == 2
    told = capsys.readouterr().err
    for fault in (
        "--output: must end in .parquet or .pq",
        "--output: must be a file of its own",
        "--threads: must be at least 1, got 0",
        "prices: prices.csv has no column 'import_price_per_kwh'",
        "fleet: fleet.parquet has no column 'charge_kw_max'",
    ):
        assert fault in told


@pytest.mark.parametrize("minutes", ["0", "7", "120", "-15"])
def test_steps_that_do_not_divide_the_prices(
    tmp_path: Path, prices: Path, minutes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = write_cars(tmp_path / "fleet.parquet")
    called = ["fleet", "plan", str(fleet), "--prices", str(prices), "--step-minutes", minutes]
    assert main(called) == 2
    assert "--step-minutes: must divide the prices' step of 60 minutes" in capsys.readouterr().err


def test_an_output_that_cannot_be(
    tmp_path: Path, prices: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = write_cars(tmp_path / "fleet.parquet", to_step="2")
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "file").touch()
    before = fleet.read_bytes()
    for output, rule in (
        (fleet, "must be a file of its own"),
        (tmp_path / "folder.parquet", "must be a file, not a folder"),
        (tmp_path / "file" / "plan.parquet", "must be in a folder"),
    ):
        called = ["fleet", "plan", str(fleet), "--prices", str(prices), "--output", str(output)]
        assert main(called) == 2
        assert f"--output: {rule}" in capsys.readouterr().err
    assert fleet.read_bytes() == before


def test_without_the_extra_one_sentence_says_what_to_install(tmp_path: Path, prices: Path) -> None:
    """None in place of a module is how Python is told that it is not there."""
    fleet = write_cars(tmp_path / "fleet.parquet", to_step="2")
    called = ["fleet", "plan", str(fleet), "--prices", str(prices)]
    code = (
        "import json, sys; sys.modules['numba'] = None; from parkwatt.app.cli import main; "
        "sys.exit(main(json.loads(sys.argv[1])))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, json.dumps(called)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 3
    assert result.stdout == ""
    assert result.stderr == (
        "parkwatt: planning a fleet needs more packages: pip install 'parkwatt[fleet]'\n"
    )


def test_help_does_not_load_the_compiler() -> None:
    code = (
        "import sys; from parkwatt.app.cli import main; main(['fleet', 'plan', '--help']); "
        "sys.exit(bool({'numba', 'duckdb', 'numpy'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert "examples:" in result.stdout
    assert result.returncode == 0


def test_every_stay_of_a_generated_fleet_costs_what_the_exact_planner_says(tmp_path: Path) -> None:
    fleet, prices, output = (tmp_path / f"{name}.parquet" for name in ("f", "p", "o"))
    made = ["fleet", "make", str(fleet), "--cars", "40", "--prices-output", str(prices)]
    assert main([*made, "--v2g-share", "1", "--step-minutes", "30"]) == 0
    called = ["fleet", "plan", str(fleet), "--prices", str(prices), "--output", str(output)]
    assert main(called) == 0
    faults = Faults()
    known = read_prices(prices, faults)
    assert known is not None
    file = read_fleet(fleet, known.grid, known.names, faults)
    assert file is not None
    rows = file.rows
    cars = CarStays(
        from_step=rows.from_step, to_step=rows.to_step, price_row=rows.price_row, **rows.numbers
    )
    batch = BatchPrices(
        known.import_price_per_kwh,
        known.export_price_per_kwh,
        np.full(known.grid.step_count, known.grid.step_h),
    )
    planned = rows_of(output)
    assert any(power < 0 for row in planned for power in row["power_kw"])
    for index, row in enumerate(planned):
        exact = plan(problem_of(cars, batch, index))
        assert row["cost"] == pytest.approx(exact.cost, rel=1e-6, abs=1e-6)
        assert row["shortfall_kwh"] == pytest.approx(0, abs=1e-6)
        inside = row["power_kw"][rows.from_step[index] : rows.to_step[index]]
        assert sum(map(abs, row["power_kw"])) == pytest.approx(sum(map(abs, inside)))


def test_each_stay_pays_the_prices_that_it_names(tmp_path: Path) -> None:
    prices = write(
        tmp_path / "p.parquet",
        "SELECT TIMESTAMPTZ '2026-06-18 10:00:00+00' + INTERVAL (s) HOUR AS start, 0.1 * p AS import_price_per_kwh, "
        "0.0 AS export_price_per_kwh, 'tariff ' || p AS price_row FROM range(2) a(s), range(1, 4) b(p)",
    )
    assert CAR["energy_kwh_at_arrival"] == "30.0"
    fleet = write_cars(
        tmp_path / "f.parquet",
        3,
        to_step="2",
        energy_kwh_at_departure="39.3",
        price_row="'tariff ' || (3 - i)",
    )
    output = tmp_path / "o.parquet"
    called = ["fleet", "plan", str(fleet), "--prices", str(prices), "--output", str(output)]
    assert main(called) == 0
    assert [row["cost"] for row in rows_of(output)] == pytest.approx([3.0, 2.0, 1.0])


def test_a_car_whose_charging_slows_gets_less(tmp_path: Path, prices: Path) -> None:
    fleet = write_cars(
        tmp_path / "f.parquet",
        2,
        to_step="2",
        energy_kwh_at_departure="100.0",
        taper_from_kwh="CASE WHEN i = 0 THEN energy_kwh_at_arrival END",
        taper_kw_at_max="0.0",
        holding_price_per_kwh_h="0.01",
        holding_from_kwh="energy_kwh_at_arrival",
    )
    output = tmp_path / "o.parquet"
    called = ["fleet", "plan", str(fleet), "--prices", str(prices), "--output", str(output)]
    assert main(called) == 0
    slow, quick = rows_of(output)
    assert (slow["kernel"], quick["kernel"]) == ("curved", "curved")
    room_kwh, full_kw, into = (
        float(CAR["energy_kwh_max"]) - float(CAR["energy_kwh_at_arrival"]),
        float(CAR["charge_kw_max"]),
        float(CAR["charge_efficiency"]),
    )
    taken_kw = full_kw / (1.0 + full_kw * into / room_kwh)
    assert slow["power_kw"][0] == pytest.approx(taken_kw, rel=1e-6)
    assert slow["power_kw"][1] == pytest.approx(taken_kw * taken_kw / full_kw, rel=1e-6)
    assert quick["power_kw"] == pytest.approx([full_kw, full_kw])
    # 0.3 and 0.2 for a kWh, and 0.01 for each kWh above what it came with at the end of each hour.
    assert quick["cost"] == pytest.approx(full_kw * (0.3 + 0.2 + 0.01 * into * 3.0))
