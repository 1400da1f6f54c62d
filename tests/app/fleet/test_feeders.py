"""A generated fleet's feeders: every car has one, and limits that bind can be kept."""

from pathlib import Path

import pytest

from parkwatt.app.cli import main
from tests.app.fleet.test_plan import rows_of


def test_a_generated_tree_binds_and_can_be_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet, prices, tree = (tmp_path / one for one in ("f.parquet", "p.parquet", "tree.toml"))
    called = ["fleet", "make", str(fleet), "--cars", "150", "--days", "2"]
    outputs = ["--prices-output", str(prices), "--feeders", "3", "--limits-output", str(tree)]
    assert main([*called, *outputs]) == 0
    assert f"wrote {tree}: 3 feeders below one pool" in capsys.readouterr().out
    feeders: dict[str, set[str]] = {}
    for row in rows_of(fleet):
        feeders.setdefault(row["car_id"], set()).add(row["node"])
    assert {len(one) for one in feeders.values()} == {1}
    assert set.union(*feeders.values()) == {"feeder-1", "feeder-2", "feeder-3"}
    given = ["--prices", str(prices), "--limits", str(tree), "--gap", "1%"]
    assert main(["fleet", "plan", str(fleet), *given]) == 0
    told = capsys.readouterr().out
    assert "limits: kept at all nodes and times" in told
    assert "price: one kWh less at pool" in told


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--feeders", "0", "--limits-output", "t.toml"], "--feeders: must be from 1 to 2"),
        (["--feeders", "2"], "--feeders, --limits-output: go together"),
        (["--feeders", "2", "--limits-output", "t.txt"], "--limits-output: must end in .toml"),
    ],
)
def test_options_that_do_not_go(
    options: list[str], fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fleet", "make", str(tmp_path / "f.parquet"), "--cars", "2", *options]) == 2
    assert fault in capsys.readouterr().err
