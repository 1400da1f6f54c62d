"""The grid fails in the live demo: the home goes dark for seconds, lives on from its car, and comes back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from parkwatt.io.store.verify import verify
from tests.app.words.journal import without_german

# The evening of the outage from a quarter of an hour before it, with half an hour of it.
_EVENING = """
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from parkwatt.app.demo.live import make_live_demo, run_live_demo

demo = make_live_demo(Path(sys.argv[1]), 1, date(2024, 2, 19), 2)
fails = demo.outage.start_unix_s
outage = replace(demo.outage, end_unix_s=fails + 1800)
run_live_demo(replace(demo, begin_unix_s=fails - 900, end_unix_s=fails + 2700, outage=outage), 0.0, print)
"""


def test_the_grid_fails_and_comes_back(tmp_path: Path, time_unit_s: float) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _EVENING, str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120 * time_unit_s,
    )
    lines = ran.stdout.splitlines()
    told = [line.partition("  ")[2] for line in lines]
    story = [
        "the grid's voltage is gone",
        "an outage: the gateway is asked to open the grid pole",
        "the pole's contact says open: the car's inverter is asked to start",
        "the house has voltage again: the car runs it",
        "the grid is back, its voltage and frequency are good: they have to stay so",
        "they did: the car's inverter is asked to stop, then the pole to close",
        "the grid pole is closed: the house is on the grid",
    ]
    assert [line for line in told if line in story] == story
    assert any(line.startswith("Washing and drying off: ") for line in told)
    assert any("kWh are left to use: enough for" in line for line in told)
    dark, unserved, together = lines[-3:]
    assert dark.startswith("The grid was gone for 0.5 h. The house was dark for ")
    dark_s = float(dark.partition("dark for ")[2].partition(" s")[0])
    assert 5.0 < dark_s < 60.0
    assert float(unserved.removeprefix("Not supplied: ").partition(" kWh")[0]) < 0.02
    assert together.startswith("Grid and car were both on the house for 0 s; ")
    assert together.endswith("fed the dead grid for 0 s and charged 0 kWh meanwhile.")
    journal = verify(tmp_path / "site-data" / "journal.sqlite")
    assert journal.faults == ()
    assert without_german(tmp_path / "site-data" / "journal.sqlite") == []
