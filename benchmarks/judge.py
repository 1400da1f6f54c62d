"""What EV2Gym, a stranger's simulator, says of the planner: `python -m benchmarks judge`.

The study is in `benchmarks/ev2gym`, which prints it all: `python -m benchmarks.ev2gym`.
"""

from __future__ import annotations

from benchmarks.ev2gym.judge import PROFIT, TRACKING
from benchmarks.ev2gym.study import episodes
from benchmarks.ev2gym.tables import figures_of
from benchmarks.harness import Figure

SEEDS = 20


def figures() -> list[Figure]:
    """The main figures of the study."""
    seeds = list(range(SEEDS))
    return list(figures_of(dict(episodes(PROFIT, seeds)), dict(episodes(TRACKING, seeds))))
