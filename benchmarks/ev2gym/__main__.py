"""`python -m benchmarks.ev2gym`: the tables of docs/modelling/ev2gym.md; `python -m benchmarks judge` their main figures."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from rich.console import Console
from rich.progress import track

from benchmarks.ev2gym.study import TASKS, episodes
from benchmarks.ev2gym.tables import profit_table, seed_table, tracking_table
from benchmarks.harness import machine

RESULTS = Path(__file__).parent / "results.json"


def main(arguments: Sequence[str]) -> int:
    """Prints the tables, and writes all scores beside this file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ev2gym", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="episodes of each problem")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="of them (default: 0)")
    options = parser.parse_args(arguments)
    begun_s = time.perf_counter()
    console = Console(stderr=True)
    seeds = list(range(options.first, options.first + options.seeds))
    profit, tracking = (
        dict(track(episodes(task, seeds), task.name, len(seeds), console=console)) for task in TASKS
    )
    print(f"EV2Gym {metadata.version('ev2gym')}, seeds {seeds[0]} to {seeds[-1]}\n\nV2GProfitMax\n")
    print(*profit_table(profit), "", *seed_table(profit), sep="\n")
    print("\nPublicPST\n")
    print(*tracking_table(tracking), sep="\n")
    print(f"\n{time.perf_counter() - begun_s:.0f} s")
    found = {"machine": machine(), "V2GProfitMax": profit, "PublicPST": tracking}
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
