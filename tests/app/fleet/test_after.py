"""`parkwatt fleet plan --after`: replanning in a rolling way, as a user calls it."""

from pathlib import Path

import numpy as np
import pytest

from parkwatt.app.cli import main
from parkwatt.app.fleet.warm import matched, warm_start
from parkwatt.domain.record import Faults
from parkwatt.domain.series import TimeGrid
from parkwatt.io.fleet_files.earlier import read_earlier
from parkwatt.io.fleet_files.fleet import read_fleet
from parkwatt.io.fleet_files.prices import read_prices
from tests.app.fleet.test_plan import rows_of
from tests.io.fleet_files.fleets import write

CALLED = ("fleet", "plan", "fleet.parquet", "--prices", "p.parquet", "--limits", "tree.toml")
OUTPUTS = ("--output", "plan.parquet", "--nodes-output", "nodes.parquet")
AFTER = ("--after", "plan.parquet", "--after-nodes", "nodes.parquet")
SHIFT = 8
LATER = """
SELECT * REPLACE (
    CASE WHEN file_row_number % 50 = 0 THEN 'new-' || car_id ELSE car_id END AS car_id,
    greatest(from_time, BEGINS) AS from_time,
    least(energy_kwh_at_arrival + 0.3, energy_kwh_max) AS energy_kwh_at_arrival
)
FROM (SELECT * FROM read_parquet('fleet.parquet', file_row_number = true))
WHERE to_time > BEGINS + INTERVAL 1 HOUR
"""
LATE = """
SELECT * FROM 'p.parquet' WHERE start >= BEGINS
UNION ALL
SELECT start + INTERVAL 24 HOUR AS start, import_price_per_kwh, export_price_per_kwh FROM 'p.parquet'
WHERE start < BEGINS
ORDER BY start
"""


@pytest.fixture
def planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Path:
    """A plan of 400 cars below two feeders, and `later.parquet`, `late.parquet`: fleet and prices two hours later."""
    monkeypatch.chdir(tmp_path)
    made = [*("fleet", "make", "fleet.parquet", "--cars", "400", "--feeders", "2")]
    assert main([*made, "--prices-output", "p.parquet", "--limits-output", "tree.toml"]) == 0
    assert main([*CALLED, *OUTPUTS]) == 0
    capsys.readouterr()
    # Cars that left by then are gone, those that stay have other energies, and every fiftieth is a new one.
    begins = "(SELECT min(start) + INTERVAL 2 HOUR FROM 'p.parquet')"
    write(tmp_path / "later.parquet", LATER.replace("BEGINS", begins))
    write(tmp_path / "later.parquet", "SELECT * EXCLUDE file_row_number FROM 'later.parquet'")
    # The first two hours are over, two more come at the end.
    write(tmp_path / "late.parquet", LATE.replace("BEGINS", begins))
    return tmp_path


def later(*more: str) -> int:
    """The plan two hours later."""
    return main(["fleet", "plan", "later.parquet", "--prices", "late.parquet", *CALLED[5:], *more])


def test_a_plan_goes_on_two_hours_later(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, fleet = rows_of(planned / "plan.parquet"), rows_of(planned / "later.parquet")
    assert later() == 0
    cold = capsys.readouterr().out
    # In place: read before it is written.
    assert later(*AFTER, *OUTPUTS) == 0
    warm = capsys.readouterr().out
    known = [one for one in fleet if not one["car_id"].startswith("new-")]
    assert 100 < len(known) < len(fleet)
    assert f"begun from the earlier plan: {len(known)} of {len(fleet)} stays, 3 of 3 nodes" in warm
    assert "limits: kept at all nodes and times" in warm
    assert "was asked\n" not in warm.split("departures")[0]
    cost = [float(one.split("cost: ")[1].split(",")[0].replace(",", "")) for one in (cold, warm)]
    assert cost[1] == pytest.approx(cost[0], rel=2e-3)
    after = {one["car_id"]: np.array(one["power_kw"]) for one in rows_of(planned / "plan.parquet")}
    assert len(after) == len(fleet)
    assert sum(one["car_id"] in after for one in before) == len(known)


def test_stays_and_prices_are_shifted_and_matched(planned: Path) -> None:
    faults = Faults()
    prices = read_prices(planned / "late.parquet", faults)
    assert prices is not None
    nodes = ("pool", "feeder-1", "feeder-2", "unknown")
    file = read_fleet(planned / "later.parquet", prices.grid, prices.names, faults, nodes)
    earlier = read_earlier(planned / "plan.parquet", planned / "nodes.parquet", prices.grid, faults)
    assert file is not None
    assert earlier is not None, faults.found
    before = {one["car_id"]: np.array(one["power_kw"]) for one in rows_of(planned / "plan.parquet")}
    start = warm_start(earlier, file.rows, nodes)
    assert start.node_count == 3
    assert start.warm.power_kw is not None
    for car, power_kw in zip(file.rows.car_id, start.warm.power_kw, strict=True):
        told = before.get(str(car), np.zeros(96))
        assert power_kw[:-SHIFT] == pytest.approx(told[SHIFT:])
        assert not power_kw[-SHIFT:].any()
    feeder = [one for one in rows_of(planned / "nodes.parquet") if one["node"] == "feeder-2"]
    price = [one["price_per_kwh"] for one in sorted(feeder, key=lambda one: one["start"])]
    assert start.warm.node_per_kwh[2, :-SHIFT] == pytest.approx(price[SHIFT:])
    assert not start.warm.node_per_kwh[2, -SHIFT:].any()
    assert not start.warm.node_per_kwh[3].any()
    # A car with several stays goes on with the one that shares the most steps.
    several = file.rows.take(np.array([0, 0, 0]))
    several.from_step[:], several.to_step[:] = [0, 20, 60], [10, 40, 70]
    twice = read_earlier(planned / "plan.parquet", planned / "nodes.parquet", prices.grid, faults)
    assert twice is not None
    twice.car_id[:3] = several.car_id[0]
    twice.car_id[3:] = "another"
    twice.from_step[:3], twice.to_step[:3] = [-8, 12, 22], [5, 24, 45]
    assert matched(twice, several).tolist() == [0, 2, -1]


def test_files_that_do_not_fit_are_refused(
    planned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = ("--output", "new.parquet")
    assert later(*AFTER, *new, "--step-minutes", "5") == 2
    told = capsys.readouterr().err
    assert "--after: plan.parquet must have steps of 5 minutes, as the prices, got '15'" in told
    assert "--after-nodes: nodes.parquet must have steps of 5 minutes" in told
    assert later("--after", "nodes.parquet", "--after-nodes", "plan.parquet", *new) == 2
    told = capsys.readouterr().err
    assert "--after: nodes.parquet has no column 'car_id'" in told
    assert "--after-nodes: plan.parquet has no column 'price_per_kwh'" in told
    assert later("--after", "plan.parquet", *new) == 2
    assert "--after: goes with --after-nodes" in capsys.readouterr().err
    assert main([*CALLED[:5], *AFTER]) == 2
    assert "--after: goes with --limits" in capsys.readouterr().err
    assert not (planned / "new.parquet").exists()


@pytest.mark.parametrize(
    ("begins_s", "told"), [(86_400, "must share steps"), (450, "must begin whole steps before")]
)
def test_plans_of_another_time_are_refused(planned: Path, begins_s: int, told: str) -> None:
    faults = Faults()
    prices = read_prices(planned / "p.parquet", faults)
    assert prices is not None
    grid = TimeGrid(prices.grid.start_unix_s + begins_s, 900, 96)
    assert read_earlier(planned / "plan.parquet", planned / "nodes.parquet", grid, faults) is None
    assert [fault.field for fault in faults.found] == ["--after", "--after-nodes"]
    assert all(told in fault.rule for fault in faults.found)
