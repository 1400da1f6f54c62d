"""Writing: rows keep their order over groups of rows, and what cannot be written leaves nothing behind."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

from parkwatt.domain.series import TimeGrid
from parkwatt.io.fleet_files.written import write_columns, write_plan

GRID = TimeGrid(1_781_776_800, 900, 2100)


def test_rows_keep_their_order_over_groups(tmp_path: Path) -> None:
    rows = np.arange(5000)
    power_kw = (rows[:, None] + np.arange(GRID.step_count) / 4096).astype(np.float32)
    path = tmp_path / "plan.parquet"
    write_plan(path, {"row": rows}, power_kw, GRID)
    with duckdb.connect() as connection:
        groups = connection.execute(
            "SELECT count(DISTINCT row_group_id) FROM parquet_metadata(?)", [str(path)]
        ).fetchone()
        read = connection.execute(
            "SELECT row, power_kw[1] AS first, power_kw[-1] AS last, len(power_kw) AS steps FROM read_parquet(?)",
            [str(path)],
        ).fetchnumpy()
    assert groups == (3,)
    np.testing.assert_array_equal(read["row"], rows)
    np.testing.assert_array_equal(read["first"], power_kw[:, 0])
    np.testing.assert_array_equal(read["last"], power_kw[:, -1])
    assert set(read["steps"].tolist()) == {GRID.step_count}


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "fleet.parquet"
    (folder / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write_columns(folder, {"start": np.array([0, 1])})
    with pytest.raises(OSError, match="cannot be written"):
        write_columns(tmp_path / "odd.parquet", {"start": np.array([0, 2**62])})
    assert [path.name for path in tmp_path.iterdir()] == ["fleet.parquet"]
