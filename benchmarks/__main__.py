"""Runs the benchmarks: `python -m benchmarks [NAME...]`, all of them without a name.

A benchmark is a module of this folder with `figures() -> list[Figure]`. Each figure is a line on
standard output; all of them, with the machine they were measured on, go to results.json.
"""

import argparse
import dataclasses
import importlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.harness import Figure, machine

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results.json"
HARNESS = {"__main__", "harness"}


def discover() -> list[str]:
    """The names of the modules in this folder that measure something."""
    names = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in HARNESS)
    return [name for name in names if hasattr(_module(name), "figures")]


def _module(name: str) -> object:
    return importlib.import_module(f"benchmarks.{name}")


def line(figure: Figure) -> str:
    """A figure as a line of the table."""
    ratio = "" if figure.ratio is None else f"{figure.ratio:6.2f} x"
    return f"{figure.name:<56} {figure.value:>12.4g} {figure.unit:<8} {ratio:>9}  {figure.baseline}"


def run(name: str) -> list[Figure]:
    """Runs one benchmark and prints its figures."""
    module = importlib.import_module(f"benchmarks.{name}")
    figures: list[Figure] = module.figures()
    for figure in figures:
        print(line(figure), flush=True)
    return figures


def main(arguments: list[str]) -> int:
    """Runs what was asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Parkwatt.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run (default: all)")
    asked: list[str] = parser.parse_args(arguments).names
    known = discover()
    unknown = [name for name in asked if name not in known]
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(known)}")
    measured = {name: run(name) for name in asked or known}
    results = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "figures": {
            name: [dataclasses.asdict(figure) for figure in figures]
            for name, figures in measured.items()
        },
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
