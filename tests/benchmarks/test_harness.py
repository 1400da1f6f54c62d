"""The harness times fairly, and tells what it measured."""

import json
import time
from pathlib import Path

import pytest

from benchmarks import __main__ as runner
from benchmarks import harness
from benchmarks.harness import Figure


def test_a_pair_is_timed_in_turn_after_one_call_each() -> None:
    calls: list[str] = []
    harness.time_pair_s(lambda: calls.append("a"), lambda: calls.append("b"), repeat=4)
    assert calls[:2] == ["a", "b"]
    assert calls[2:] == ["a", "b", "b", "a", "a", "b", "b", "a"]


def test_a_pair_returns_its_medians_in_order() -> None:
    slow_s, fast_s = harness.time_pair_s(lambda: time.sleep(0.02), lambda: None, repeat=3)
    assert slow_s >= 0.02
    assert fast_s < 0.02


def test_the_minimum_warms_up_once() -> None:
    calls: list[int] = []
    assert harness.time_minimum_s(lambda: calls.append(1), repeat=3) >= 0.0
    assert len(calls) == 4


@pytest.mark.parametrize("repeat", [0, -1])
def test_at_least_one_repetition(repeat: int) -> None:
    with pytest.raises(ValueError, match="repeat"):
        harness.time_minimum_s(lambda: None, repeat)
    with pytest.raises(ValueError, match="repeat"):
        harness.time_pair_s(lambda: None, lambda: None, repeat)


def test_a_line_tells_name_value_unit_ratio_and_baseline() -> None:
    shown = runner.line(Figure("plan, one car", 12.5, "ms", "bare solve, 10 ms", 1.25))
    assert shown.split() == [
        "plan,",
        "one",
        "car",
        "12.5",
        "ms",
        "1.25",
        "x",
        "bare",
        "solve,",
        "10",
        "ms",
    ]
    assert "x" not in runner.line(Figure("memory", 80.0, "MB", "", None))


def test_an_unknown_benchmark_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        runner.main(["nothing-of-that-name"], tmp_path)
    assert stopped.value.code == 2
    assert "nothing-of-that-name" in capsys.readouterr().err


def test_modules_with_figures_are_found_and_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "size_of_nothing.py").write_text(
        "from benchmarks.harness import Figure\n"
        "def figures() -> list[Figure]:\n"
        "    return [Figure('nothing', 0.0, 'MB', '', None)]\n"
    )
    (tmp_path / "numbers.py").write_text("ONE = 1\n")
    assert runner.main([], tmp_path) == 0
    assert capsys.readouterr().out.startswith("nothing")
    written = json.loads((tmp_path / "results.json").read_text())
    assert [figure["name"] for figure in written["figures"]["size_of_nothing"]] == ["nothing"]
    assert written["machine"]["cores"] >= 1
