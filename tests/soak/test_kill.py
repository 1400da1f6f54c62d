"""A server that is killed again and again under load loses nothing acknowledged, counts nothing twice, and is back soon."""

import sys
from pathlib import Path

from tests.soak import kill

# `python -m tests.soak.kill` is the long run.
KILLS = 8


def test_a_killed_server_loses_nothing_and_counts_nothing_twice(
    tmp_path: Path, time_unit_s: float
) -> None:
    outcome = kill.run(tmp_path, times=KILLS, seed=1, count=12, time_unit_s=time_unit_s)
    sys.stdout.write(f"{outcome}\n")
    assert outcome.comparison.faults == []
    assert outcome.comparison.acknowledged > 500
    assert outcome.comparison.resent > 0
    assert outcome.kills >= KILLS
    assert max(outcome.back_s) <= kill.BACK_S_MAX * time_unit_s
    assert outcome.verified.startswith("whole:")
    assert outcome.replayed.endswith(" 0 differently")
