"""`python -m benchmarks.outages`: the tables of docs/concepts/proofs.md; `python -m benchmarks backup` their main figures."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import track

from benchmarks.outages.cars import stays
from benchmarks.outages.events import outages
from benchmarks.outages.homes import homes, is_real
from benchmarks.outages.pairs import sample
from benchmarks.outages.study import run
from benchmarks.outages.tables import band_table, strategy_table


def main(arguments: Sequence[str]) -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outages", description=__doc__)
    parser.add_argument("--pairs", type=int, default=600, help="homes in outages (default: 600)")
    parser.add_argument("--seed", type=int, default=1, help="of the draw (default: 1)")
    parser.add_argument("--processes", type=int, default=1, help="to work with (default: 1)")
    options = parser.parse_args(arguments)
    begun_s = time.perf_counter()
    pairs = sample(options.pairs, options.seed, homes(), outages(), stays())

    console = Console(stderr=True)
    results = run(
        pairs,
        processes=options.processes,
        show=lambda done: track(done, "outages", len(pairs), console=console),
    )
    data = "real" if is_real() else "generated"
    print(f"{len(pairs)} pairs of {data} homes and outages, seed {options.seed}\n")
    print(*strategy_table(results), sep="\n")
    print()
    print(*band_table(results), sep="\n")
    print(f"\n{time.perf_counter() - begun_s:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
