"""CSV files: dialects and decimal commas."""

from pathlib import Path

import numpy as np
import pytest

from tests.io.load_files import attempt, read, write


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_csv_dialects(tmp_path: Path, delimiter: str, bom: str, line_end: str) -> None:
    rows = [["id", "load", "time"], ["a", "0.5", "2024-06-01"], ["b", "1e3", "2024-06-02"], [""]]
    text = bom + line_end.join(delimiter.join(row) for row in rows) + line_end
    (tmp_path / "load.csv").write_bytes(text.encode())
    assert read(tmp_path).values.tolist() == [0.5, 1000]


def test_a_decimal_comma_stands_with_semicolons(tmp_path: Path) -> None:
    cells = ["1,5", "-0,25", "1.234,5", "7", ""]
    lines = [f"2024-06-0{day};{cell}" for day, cell in enumerate(cells, start=1)]
    write(tmp_path, *lines, header="time;load")
    np.testing.assert_array_equal(read(tmp_path).values, [1.5, -0.25, 1234.5, 7, np.nan])


def test_decimal_commas_and_points_in_one_column_are_a_fault(tmp_path: Path) -> None:
    write(tmp_path, "2024-06-01;1,5", "2024-06-02;1.234", header="time;load")
    _, faults = attempt(tmp_path)
    assert faults == [
        (
            "load (load.csv, line 3, column load): must have a decimal comma, "
            "as others in this column, got '1.234'"
        )
    ]
