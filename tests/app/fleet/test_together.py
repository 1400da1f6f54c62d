"""`parkwatt fleet plan --limits` and `parkwatt fleet why`, as a user calls them."""

import re
from pathlib import Path

import numpy as np
import pytest

from parkwatt.app.cli import main
from tests.app.fleet.test_plan import rows_of
from tests.io.fleet_files.fleets import write_cars

PRICES = """start,import_price_per_kwh,export_price_per_kwh
2026-06-18T10:00:00Z,0.30,0.10
2026-06-18T11:00:00Z,0.20,0.05
"""
TREE = """
[[node]]
name = "pool"
[[node]]
name = "north"
kind = "feeder"
parent = "pool"
import_limit_kw = 12
"""


@pytest.fixture
def called(tmp_path: Path) -> list[str]:
    """Two cars that would both take 10 kW in the cheap hour, of which their feeder leaves 12 kW."""
    fleet = write_cars(
        tmp_path / "fleet.parquet", 2, node="'north'", to_step="2", energy_kwh_at_departure="39.3"
    )
    (tmp_path / "prices.csv").write_text(PRICES, encoding="utf-8")
    (tmp_path / "tree.toml").write_text(TREE, encoding="utf-8")
    return [
        *("fleet", "plan", str(fleet), "--prices", str(tmp_path / "prices.csv")),
        *("--limits", str(tmp_path / "tree.toml")),
    ]


def test_a_limit_of_known_outcome(
    called: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, nodes, page = (tmp_path / one for one in ("plan.parquet", "nodes.parquet", "page.html"))
    outputs = ["--output", str(plan), "--nodes-output", str(nodes), "--report", str(page)]
    assert main([*called, *outputs, "--gap", "0.01%"]) == 0
    told = capsys.readouterr().out
    assert "planned 2 stays of 2 cars together below 2 nodes in " in told
    # 10 kWh at the charger each; 12 of the 20 in the cheap hour.
    assert f"cost: {12 * 0.2 + 8 * 0.3:.2f}, in the currency" in told
    assert "limits: kept at all nodes and times" in told
    assert "one kWh less at feeder north at 11:00 UTC is worth 0.1000" in told
    stays = rows_of(plan)
    assert np.sum([one["power_kw"] for one in stays], axis=0) == pytest.approx([8, 12], abs=1e-3)
    assert {one["node"] for one in stays} == {"north"}
    full = rows_of(nodes)[3]
    assert (full["node"], full["parent"]) == ("north", "pool")
    assert full["drawn_kw"] == pytest.approx(12, abs=1e-3)
    assert full["price_per_kwh"] == pytest.approx(0.1, abs=1e-4)
    text = page.read_text(encoding="utf-8")
    assert "every limit is kept" in text
    assert "Content-Security-Policy" in text
    shifted = max(stays, key=lambda one: one["power_kw"][0])["car_id"]
    given = ["--nodes", str(nodes), "--prices", called[4], "--car"]
    assert main(["fleet", "why", str(plan), *given, shifted]) == 0
    why = capsys.readouterr().out
    assert "charges at 10:00 UTC for 0.3000 per kWh, although 11:00 UTC is cheaper at 0.2000" in why
    assert "north is full (12 of 12 kW), and a kWh there is worth 0.1000" in why
    assert main(["fleet", "why", str(plan), *given, "nobody"]) == 2
    assert "--car: must be in plan.parquet, got 'nobody'" in capsys.readouterr().err


def test_files_that_do_not_go_together_are_told(
    called: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, nodes, others = (tmp_path / one for one in ("plan.parquet", "nodes.parquet", "p.csv"))
    assert main([*called, "--output", str(plan), "--nodes-output", str(nodes)]) == 0
    capsys.readouterr()
    why = ["fleet", "why", str(plan), "--car", "car-0", "--nodes"]
    assert main([*why, str(plan), "--prices", called[4]]) == 2
    assert "--nodes: plan.parquet has no column 'parent'" in capsys.readouterr().err
    header, *rows = PRICES.splitlines()
    named = [f"{header},price_row", *(f"{row},north" for row in rows)]
    others.write_text("\n".join(named), encoding="utf-8")
    assert main([*why, str(nodes), "--prices", str(others)]) == 2
    assert (
        "--prices: must be the prices of the plan, with the same names" in capsys.readouterr().err
    )


def test_a_pool_that_pays_and_rows_at_unknown_nodes(
    called: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = tmp_path / "tree.toml"
    tree.write_text(TREE + '[market]\npays = "pool"\n', encoding="utf-8")
    node = "CASE i WHEN 2 THEN 'west' ELSE 'north' END"
    write_cars(
        tmp_path / "fleet.parquet", 3, node=node, to_step="2", energy_kwh_at_departure="39.3"
    )
    plan, nodes = tmp_path / "plan.parquet", tmp_path / "nodes.parquet"
    assert main([*called, "--output", str(plan), "--nodes-output", str(nodes)]) == 1
    told = capsys.readouterr()
    assert "row 3, node: must be one of the nodes (pool, north), got 'west'" in told.err
    assert f"cost: {12 * 0.2 + 8 * 0.3:.2f}, in the currency" in told.out
    shifted = max(rows_of(plan), key=lambda one: one["power_kw"][0])["car_id"]
    given = ["--nodes", str(nodes), "--prices", called[4], "--car", shifted]
    assert main(["fleet", "why", str(plan), *given]) == 0
    assert "although 11:00 UTC is cheaper at 0.2000" in capsys.readouterr().out


def test_a_load_above_the_limit_is_told(
    called: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    series = tmp_path / "series.csv"
    series.write_text("start,node,base_kw\n2026-06-18T10:00:00Z,north,15\n", encoding="utf-8")
    plan = tmp_path / "plan.parquet"
    assert main([*called, "--node-series", str(series), "--output", str(plan)]) == 4
    told = capsys.readouterr().out
    assert len(rows_of(plan)) == 2
    assert "limits: exceeded at 1 node, by " in told
    assert "  north: in 2 steps, most at " in told
    # Rows that are kept out do not hide it.
    write_cars(
        tmp_path / "fleet.parquet",
        3,
        node="CASE i WHEN 2 THEN 'west' ELSE 'north' END",
        to_step="2",
    )
    assert main([*called, "--node-series", str(series)]) == 4
    assert "row 3, node: must be one of the nodes" in capsys.readouterr().err


def test_a_departure_that_is_missed_is_told_without_a_code(
    called: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_cars(
        tmp_path / "fleet.parquet", 2, node="'north'", to_step="2", energy_kwh_at_departure="60.0"
    )
    assert main(called) == 0
    told = capsys.readouterr().out
    assert "limits: kept at all nodes and times" in told
    assert "departures: 2 stays cannot have what was asked" in told


def test_a_reserve_of_known_outcome(
    called: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # What is charged can be left out for a while, and nothing else can be given: 8 kW are asked for in both hours.
    tree, nodes, page = (tmp_path / one for one in ("tree.toml", "nodes.parquet", "page.html"))
    reserve = "[reserve]\nup_kw = 8\nhours = 0.25\nshort_per_kwh = 2\n"
    tree.write_text(TREE.replace("12", "15") + reserve, encoding="utf-8")
    outputs = ["--nodes-output", str(nodes), "--report", str(page), "--gap", "0.01%"]
    assert main([*called, *outputs]) == 0
    told = capsys.readouterr().out
    assert f"cost: {12 * 0.2 + 8 * 0.3:.2f}, in the currency" in told
    assert "reserve up: 8.0 kW for 0.25 h held in all steps; one kW less of it at 10:00" in told
    assert "reserve down" not in told
    pool = rows_of(nodes)[0]
    assert pool["reserve_up_kw"] == pytest.approx(8.0, abs=1e-3)
    assert pool["reserve_up_per_kwh"] == pytest.approx(0.1, abs=1e-2)
    assert 'id="reserve"' in page.read_text(encoding="utf-8")
    tree.write_text(TREE + reserve.replace("8", "80"), encoding="utf-8")
    assert main(called) in (0, 4)
    assert "reserve up: 80.0 kW for 0.25 h asked, 1" in capsys.readouterr().out


@pytest.mark.parametrize("gap", ["0", "x", "200%", "-1%"])
def test_a_gap_that_is_none(
    called: list[str], gap: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*called, f"--gap={gap}"]) == 2
    assert "--gap: must be above 0 and below 1, such as 0.1% or 0.001" in capsys.readouterr().err


def test_options_of_limits_need_limits(
    called: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*called[:-2], "--gap", "1%", "--report", "page.html"]) == 2
    told = capsys.readouterr().err
    assert "--gap: goes with --limits" in told
    assert "--report: goes with --limits" in told


def test_a_search_that_runs_out_of_time_gives_a_valid_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # More cars than the joint program takes, and a gap that no search reaches: time is up after the first round on any machine.
    monkeypatch.chdir(tmp_path)
    made = [*("fleet", "make", "fleet.parquet", "--cars", "300", "--feeders", "2", "--v2g-share")]
    assert main([*made, "1", "--prices-output", "p.parquet", "--limits-output", "tree.toml"]) == 0
    called = ["fleet", "plan", "fleet.parquet", "--prices", "p.parquet", "--limits", "tree.toml"]
    outputs = ["--output", "plan.parquet", "--nodes-output", "nodes.parquet"]
    assert main([*called, "--gap", "0.0000001%", "--time-limit", "1e-9", *outputs]) == 0
    told = capsys.readouterr().out
    assert "limits: kept at all nodes and times" in told
    assert "departures: each car has what was asked" in told
    proven = re.search(r"proven gap: ([\d.]+) %: no plan comes below .*; 1e-07 % was asked", told)
    assert proven is not None, told
    assert float(proven[1]) > 0.0
    fleet, stays = rows_of(Path("fleet.parquet")), rows_of(Path("plan.parquet"))
    for car, stay in zip(fleet, stays, strict=True):
        power_kw = np.array(stay["power_kw"])
        assert power_kw.max() <= car["charge_kw_max"] + 1e-4
        assert power_kw.min() >= -car["discharge_kw_max"] - 1e-4
        into_kwh = np.where(
            power_kw > 0,
            power_kw * car["charge_efficiency"],
            power_kw / car["discharge_efficiency"],
        )
        energy_kwh = car["energy_kwh_at_arrival"] + np.cumsum(into_kwh) / 4
        assert energy_kwh[-1] >= car["energy_kwh_at_departure"] - 1e-3
        assert energy_kwh.max() <= car["energy_kwh_max"] + 1e-3
    for node in rows_of(Path("nodes.parquet")):
        assert node["drawn_kw"] <= node["import_limit_kw"] * (1 + 1e-6) + 1e-3
