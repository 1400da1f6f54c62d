"""The live demo is the real program: after two hours of it there is a journal that is whole, and accounts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from parkwatt.app.cli import main
from parkwatt.io.store.verify import verify
from tests.app.words.journal import without_german

# They come when the pages are up, which may be after the end.
_OF_PAGES = ("The page is at http://", "Its owner signs in by this link")
_TWO_HOURS = """
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from parkwatt.app.demo.live import make_live_demo, run_live_demo

demo = make_live_demo(Path(sys.argv[1]), 1, date(2024, 2, 19), 1)
run_live_demo(replace(demo, end_unix_s=demo.begin_unix_s + 7200), 0.0, print)
"""


def test_two_hours_of_the_demo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], time_unit_s: float
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _TWO_HOURS, str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120 * time_unit_s,
    )
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("The charger connects to ws://")
    assert lines[1].startswith("The API is at http://")
    lived = [line for line in lines[2:] if not line.startswith(_OF_PAGES)]
    told = [line.partition("  ")[2] for line in lived]
    assert all(line.startswith("Mon 1") for line in lived)
    assert "the car is plugged in with 73%" in told
    assert any(line.startswith("a new plan, because car was plugged in") for line in told)
    assert any(line.startswith("the car charges with") for line in told)
    journal = verify(tmp_path / "site-data" / "journal.sqlite")
    assert journal.faults == ()
    assert journal.sealed
    assert without_german(tmp_path / "site-data" / "journal.sqlite") == []

    assert main(["report", str(tmp_path / "site.toml"), "--by", "session"]) == 0
    assert "The limit of 17.25 kW on import was kept." in capsys.readouterr().out
