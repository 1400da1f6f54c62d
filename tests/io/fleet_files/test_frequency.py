"""Reading a frequency: a value a second, straight between readings, nothing across a gap."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from parkwatt.domain.record import Faults
from parkwatt.io.fleet_files.frequency import read_frequency


def test_ten_seconds_become_ten_values(tmp_path: Path) -> None:
    path = tmp_path / "grid.csv"
    rows = [f"2026-03-01T00:{n // 6:02}:{n % 6 * 10:02}Z,{50 + n / 1000}" for n in range(12)]
    path.write_text("\n".join(["ts_utc,freq_hz", *rows]) + "\n", encoding="utf-8")
    found = read_frequency(path, Faults())
    assert found is not None
    assert found.frequency_hz == pytest.approx(50.0 + np.arange(111) / 10_000)
    assert (found.step_s, found.left_out_s) == (10.0, 0)


def test_the_longest_part_without_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "grid.csv"
    seconds = [0, 10, 20, 100, 110, 120, 130, 500]
    rows = [f"2026-03-01T00:{n // 60:02}:{n % 60:02}Z,{50 + n / 10_000}" for n in seconds]
    # One reading is empty, and the order of rows does not matter.
    rows = [*rows[::-1], "2026-03-01T00:01:55Z,"]
    path.write_text("\n".join(["ts_utc,freq_hz", *rows]) + "\n", encoding="utf-8")
    found = read_frequency(path, Faults())
    assert found is not None
    assert len(found.frequency_hz) == 31
    assert found.frequency_hz[0] == pytest.approx(50.01)
    assert found.left_out_s == 470
