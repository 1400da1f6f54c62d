"""The progress of a study: bars with the time left in a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import os
import pty
import subprocess
from pathlib import Path

from rich.console import Console

from parkwatt.app.study.progress import StudyProgress
from tests.app.study.homes import COMMAND, make_home


def test_without_a_terminal_a_line_for_each_strategy() -> None:
    stream = io.StringIO()
    with StudyProgress(Console(file=stream), ("smart", "v2g")) as progress:
        for share in (0.2, 0.9, 1.0, 1.0):
            progress.update("v2g", share)
        progress.update("smart", 1.0)
    assert stream.getvalue() == "Sell to the grid (V2G): done\nSmart charging (V1G): done\n"


def test_a_terminal_shows_bars_and_the_time_left(tmp_path: Path, time_unit_s: float) -> None:
    make_home(tmp_path, ("step_minutes = 60", "step_minutes = 15"), days=20)
    shown = _in_a_terminal(
        [*COMMAND, "study", "site.toml", "--output", "results"], tmp_path, time_unit_s
    )
    assert (tmp_path / "results" / "report.html").is_file()
    for text in ("Charge at once", "Perfect foresight (bound)", "All together, time left", "100 %"):
        assert text in shown
    assert "0:00:0" in shown  # a time left
    assert ": done" not in shown


def _in_a_terminal(command: list[str], folder: Path, time_unit_s: float) -> str:
    """What a command draws on a terminal of 100 columns."""
    controller, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=terminal, env=environment
    )
    os.close(terminal)
    shown = b""
    try:
        while chunk := os.read(controller, 65536):
            shown += chunk
    except OSError:  # EIO: the other end is closed
        pass
    os.close(controller)
    assert process.wait(timeout=60 * time_unit_s) == 0
    return shown.decode("utf-8", errors="replace")
