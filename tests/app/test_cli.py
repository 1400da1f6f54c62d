"""The command line as a user meets it: exit codes, one line a fault, no traceback, nothing half written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import parkwatt
from parkwatt.app.cli import main
from parkwatt.io.contract import problem_to_json
from tests.plan.generator import random_problem

COMMAND = [sys.executable, "-m", "parkwatt.app.cli"]


def parkwatt_command(
    *arguments: str | Path, text: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture
def problem(tmp_path: Path) -> Path:
    """The file of a small problem."""
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(problem_to_json(random_problem(3))), encoding="utf-8")
    return path


def change(path: Path, field: str, value: object) -> None:
    """Set a field of a JSON file."""
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    table[field] = value
    path.write_text(json.dumps(table), encoding="utf-8")


def test_a_plan_is_written_and_is_valid(problem: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    planned = parkwatt_command("plan", problem, "--output", plan)
    assert (planned.returncode, planned.stdout, planned.stderr) == (0, "", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plan.json", "problem.json"]
    checked = parkwatt_command("check", problem, plan)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.startswith("valid: cost ")
    assert checked.stdout.count("\n") == 1


def test_a_plan_is_printed_and_read_from_standard_input(problem: Path) -> None:
    from_file = parkwatt_command("plan", problem)
    from_input = parkwatt_command("plan", "-", text=problem.read_text(encoding="utf-8"))
    assert from_file.returncode == from_input.returncode == 0
    assert from_file.stdout == from_input.stdout
    assert json.loads(from_file.stdout)["version"] == 1


def test_an_older_plan_is_replaced(problem: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text("old", encoding="utf-8")
    assert parkwatt_command("plan", problem, "--output", plan).returncode == 0
    assert json.loads(plan.read_text(encoding="utf-8"))["version"] == 1


def test_an_invalid_plan_gives_a_line_a_fault_and_exit_code_1(
    problem: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    parkwatt_command("plan", problem, "--output", plan)
    change(plan, "cost", -1e3)
    change(
        plan, "status", "optimal" if "best" in plan.read_text(encoding="utf-8") else "best_effort"
    )
    checked = parkwatt_command("check", problem, plan)
    assert checked.returncode == 1
    assert [line.split(":")[0] for line in checked.stdout.splitlines()] == ["cost", "status"]
    assert checked.stderr == ""


def test_bad_input_gives_a_line_a_fault_exit_code_2_and_writes_nothing(
    problem: Path, tmp_path: Path
) -> None:
    change(problem, "step_minutes", "15")
    change(problem, "surprise\n\x1b[31m", 1)
    plan = tmp_path / "plan.json"
    result = parkwatt_command("plan", problem, "--output", plan)
    assert (result.returncode, result.stdout) == (2, "")
    first, second = result.stderr.splitlines()
    assert first.startswith("step_minutes: must be a number")
    assert second.startswith(r"surprise\n\x1b[31m: is not a known field")
    assert not plan.exists()


def test_a_plan_that_is_none_is_bad_input_and_names_its_file(problem: Path) -> None:
    result = parkwatt_command("check", problem, problem)
    assert result.returncode == 2
    assert f"{problem}: status: is required" in result.stderr.splitlines()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"),
        (b"{", "line 1, column 2"),
        (b"\xff\xfe{}", "UTF-8"),
        (b"[" * 100_000, "too deep"),
        (b'{"version": 1, "version": 1}', "must not occur twice"),
        (b"null", "must not be null"),
        (b"[]", "must be a table"),
        (b'{"version": NaN}', "version: must be"),
    ],
)
def test_a_broken_file_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    result = parkwatt_command("plan", path)
    assert (result.returncode, result.stdout) == (2, "")
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json", "", "\0"):
        result = main(["plan", str(path)])
        assert result == 2


def test_a_bad_output_path_is_told_together_with_the_problems_faults(
    problem: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(problem, "version", 7)
    for output in (tmp_path, tmp_path / "none" / "plan.json", problem / "plan.json", "\0/plan"):
        assert main(["plan", str(problem), "--output", str(output)]) == 2
        first, second = capsys.readouterr().err.splitlines()
        assert first.startswith("--output: must ")
        assert second.startswith("version: ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["plan"], "parkwatt plan: the following arguments are required: PROBLEM"),
        (["fly"], "parkwatt: argument COMMAND: invalid choice: 'fly'"),
        (["plan", "a", "b"], "parkwatt: unrecognized arguments: b"),
    ],
)
def test_a_wrong_call_is_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(told)
    assert "--help" in line


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"parkwatt {parkwatt.__version__}\n"
    assert main([]) == 2
    assert "commands:" in capsys.readouterr().err
    for command in ("plan", "check"):
        assert main([command, "--help"]) == 0
        assert "examples:" in capsys.readouterr().out


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from parkwatt.app.cli import main; main(['--help']);"
        "sys.exit(bool({'numpy', 'highspy', 'rich', 'duckdb', 'plotly'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_reader_that_goes_away_is_no_error(problem: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "plan", str(problem)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), told) == (141, b"")


def test_an_interrupt_is_one_line(tmp_path: Path) -> None:
    fifo = tmp_path / "problem.json"
    os.mkfifo(fifo)
    process = subprocess.Popen([*COMMAND, "plan", str(fifo)], stderr=subprocess.PIPE)
    assert process.stderr is not None
    with fifo.open("w", encoding="utf-8"):  # opens once the command reads it, and then waits
        process.send_signal(signal.SIGINT)
        told = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), told) == (130, b"interrupted\n")


def test_a_bug_is_one_line_and_a_traceback_on_request(problem: Path, tmp_path: Path) -> None:
    # A stand-in for a bug: a module of that name in front of the path breaks the run in the middle.
    (tmp_path / "highspy.py").write_text("raise RuntimeError('broken')", encoding="utf-8")
    told = parkwatt_command("plan", problem, PYTHONPATH=str(tmp_path))
    assert (told.returncode, told.stdout) == (70, "")
    (line,) = told.stderr.splitlines()
    assert line.startswith("parkwatt: a bug, sorry: RuntimeError: broken (")
    traced = parkwatt_command("plan", problem, PYTHONPATH=str(tmp_path), PARKWATT_TRACEBACK="1")
    assert "Traceback (most recent call last)" in traced.stderr
    assert traced.returncode == 70


def test_a_full_disk_is_one_line(problem: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        result = subprocess.run(
            [*COMMAND, "plan", str(problem)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
        )
    assert result.returncode == 3
    assert result.stderr == "parkwatt: [Errno 28] No space left on device\n"
