"""Reading the tree of what cars share: order does not matter, and each fault is told by file, field and rule."""

from pathlib import Path

import numpy as np
import pytest

from parkwatt.domain.record import Faults
from parkwatt.io.fleet_files.limits import NodeTree, read_limits
from tests.io.fleet_files.fleets import GRID, read, row_faults, write_cars

TREE = """
[[node]]
name = "north"
parent = "east"
kind = "feeder"
import_limit_kw = 480
[[node]]
name = "pool"
demand_charge_per_kw = 4.5
peak_so_far_kw = 100
[[node]]
name = "east"
parent = "pool"
export_limit_kw = 50
"""


def attempt(
    folder: Path, tree: str, series: str | None = None
) -> tuple[NodeTree | None, list[str]]:
    """What is read, and the faults."""
    path = folder / "tree.toml"
    path.write_text(tree, encoding="utf-8")
    rows = None
    if series is not None:
        rows = folder / "series.csv"
        rows.write_text(series, encoding="utf-8")
    faults = Faults()
    found = read_limits(path, rows, GRID, faults)
    return found, [str(fault) for fault in faults.found]


def test_a_parent_stands_before_its_nodes_whatever_the_order(tmp_path: Path) -> None:
    tree, faults = attempt(tmp_path, TREE)
    assert tree is not None, faults
    assert tree.names == ("pool", "east", "north")
    assert tree.parent.tolist() == [-1, 0, 1]
    assert tree.import_limit_kw[:, 0].tolist() == [np.inf, np.inf, 480.0]
    assert tree.export_limit_kw[:, 0].tolist() == [np.inf, 50.0, np.inf]
    assert tree.demand_charge_per_kw.tolist() == [4.5, 0.0, 0.0]
    assert tree.kinds[2] == "feeder"
    assert not tree.pool_pays
    assert np.isnan(tree.position_kw).all()
    assert tree.reserve is None


RESERVE = "[reserve]\nup_kw = 30\nhours = 0.25\nshort_per_kwh = 2\n"


def test_a_reserve_is_of_the_pool_and_may_change(tmp_path: Path) -> None:
    series = "start,node,reserve_up_kw,reserve_down_kw\n2026-06-18T11:00:00Z,pool,10,20\n"
    tree, faults = attempt(tmp_path, TREE + RESERVE, series)
    assert tree is not None, faults
    assert tree.reserve is not None
    assert tree.reserve.up_kw.tolist() == [30] * 4 + [10] * 4
    assert tree.reserve.down_kw.tolist() == [0] * 4 + [20] * 4
    assert (tree.reserve.hours_h, tree.reserve.short_per_kwh) == (0.25, 2.0)


@pytest.mark.parametrize(
    ("tree", "row", "fault"),
    [
        (TREE, "pool,10", "tree.toml, reserve: is required where --node-series asks for a reserve"),
        (TREE + RESERVE, "north,10", "reserve_up_kw must be of the pool, got 10.0"),
        (TREE + RESERVE, "pool,-1", "reserve_up_kw must be at least 0, got -1.0"),
    ],
)
def test_faults_of_a_reserve_over_time(tmp_path: Path, tree: str, row: str, fault: str) -> None:
    series = f"start,node,reserve_up_kw\n2026-06-18T10:00:00Z,{row}\n"
    found, faults = attempt(tmp_path, tree, series)
    assert found is None
    assert any(fault in one for one in faults), faults


@pytest.mark.parametrize(
    ("tree", "fault"),
    [
        ("", "tree.toml: the file is empty"),
        ("a = 1", "tree.toml, a: is not a known field (known: market, node, reserve)"),
        (TREE.replace('parent = "pool"', ""), "exactly one node without parent"),
        (TREE.replace('parent = "pool"', 'parent = "north"'), "must lead to the pool"),
        (
            TREE.replace('parent = "pool"', 'parent = "west"'),
            "must be the name of a node, got 'west'",
        ),
        (TREE.replace('"north"', '"pool"'), "must occur once, got 'pool'"),
        (TREE.replace("480", "-1"), "node[0].import_limit_kw: must be at least 0"),
        (TREE + '[market]\npays = "me"', "market.pays: must be one of car, pool, got 'me'"),
        (TREE + "[reserve]\nup_kw = 5", "tree.toml, reserve.hours: is required"),
        (TREE + "[reserve]\nup_kw = -5", "reserve.up_kw: must be at least 0, got -5"),
    ],
)
def test_faults_of_the_tree(tmp_path: Path, tree: str, fault: str) -> None:
    found, faults = attempt(tmp_path, tree)
    assert found is None
    assert any(fault in one for one in faults), faults


def test_a_value_holds_until_the_nodes_next_row(tmp_path: Path) -> None:
    series = (
        "start,node,base_kw,import_limit_kw,position_kw\n"
        "2026-06-18T10:30:00Z,north,5,300,\n"
        "2026-06-18T11:00:00Z,north,7,,\n"
        "2026-06-18T10:00:00Z,pool,,,40\n"
    )
    tree, faults = attempt(tmp_path, TREE, series)
    assert tree is not None, faults
    assert tree.base_kw[2].tolist() == [0, 0, 5, 5, 7, 7, 7, 7]
    assert tree.import_limit_kw[2].tolist() == [480, 480, 300, 300, 480, 480, 480, 480]
    assert tree.position_kw.tolist() == [40] * 8


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("2026-06-18T10:01:00Z,north,5,1", "start must be the beginning of a step"),
        ("2026-06-18T10:00:00Z,west,5,1", "row 1, node must be the name of a node, got 'west'"),
        ("2026-06-18T10:00:00Z,north,5,-1", "import_limit_kw must be at least 0, got -1.0"),
        (
            "2026-06-18T10:00:00Z,north,5,1\n2026-06-18T10:00:00Z,north,5,1",
            "row 2, start must occur",
        ),
    ],
)
def test_faults_of_the_series(tmp_path: Path, row: str, fault: str) -> None:
    found, faults = attempt(tmp_path, TREE, f"start,node,base_kw,import_limit_kw\n{row}\n")
    assert found is None
    assert any(fault in one for one in faults), faults


def test_a_row_at_an_unknown_node_is_kept_out(tmp_path: Path) -> None:
    from parkwatt.io.fleet_files.fleet import read_fleet

    node = "CASE i WHEN 0 THEN 'north' WHEN 1 THEN 'west' WHEN 2 THEN NULL ELSE 'pool' END"
    fleet = write_cars(tmp_path / "fleet.parquet", 4, node=node)
    faults = Faults()
    file = read_fleet(fleet, GRID, ("",), faults, ("pool", "north"))
    assert file is not None
    assert file.rows.node.tolist() == [1, 0]
    assert row_faults(file) == [
        "2 node: must be one of the nodes (pool, north), got 'west'",
        "3 node: is required",
    ]
    assert len(read(fleet).rows.place) == 4


def test_the_column_is_required_where_there_is_a_choice(tmp_path: Path) -> None:
    from parkwatt.io.fleet_files.fleet import read_fleet

    fleet = write_cars(tmp_path / "fleet.parquet", 1)
    faults = Faults()
    assert read_fleet(fleet, GRID, ("",), faults, ("pool", "north")) is None
    assert "has no column 'node', and there are 2 nodes" in str(faults.found[0])
    assert read_fleet(fleet, GRID, ("",), Faults(), ("pool",)) is not None
