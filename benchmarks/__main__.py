"""Runs the benchmarks: `python -m benchmarks [NAME...]`, all of them without a name.

A benchmark is a module of this folder with `figures() -> list[Figure]`. Each figure is a line on
standard output; all of them, with the machine they were measured on, go to results.json.
"""

import argparse
import dataclasses
import importlib.util
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from benchmarks.harness import Figure, machine

FOLDER = Path(__file__).parent
HARNESS = {"__main__", "harness"}


class Benchmark(Protocol):
    """A module that measures something."""

    def figures(self) -> list[Figure]:
        """Measures, and says what it found."""


def discover(folder: Path) -> dict[str, Benchmark]:
    """The modules of a folder that measure something, by name."""
    paths = sorted(path for path in folder.glob("*.py") if path.stem not in HARNESS)
    modules = {path.stem: _load(path) for path in paths}
    return {name: module for name, module in modules.items() if hasattr(module, "figures")}


def _load(path: Path) -> Any:
    """Imports a file as a module of `benchmarks`, wherever it lies."""
    name = f"benchmarks.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def line(figure: Figure) -> str:
    """A figure as a line of the table."""
    ratio = "" if figure.ratio is None else f"{figure.ratio:6.2f} x"
    return f"{figure.name:<56} {figure.value:>12.4g} {figure.unit:<8} {ratio:>9}  {figure.baseline}"


def run(benchmark: Benchmark) -> list[Figure]:
    """Runs one benchmark and prints its figures."""
    figures = benchmark.figures()
    for figure in figures:
        print(line(figure), flush=True)
    return figures


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """Runs what was asked for of a folder's benchmarks; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Parkwatt.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run (default: all)")
    asked: list[str] = parser.parse_args(arguments).names
    known = discover(folder)
    unknown = [name for name in asked if name not in known]
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(known)}")
    measured = {name: run(known[name]) for name in asked or known}
    results = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "figures": {
            name: [dataclasses.asdict(figure) for figure in figures]
            for name, figures in measured.items()
        },
    }
    (folder / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
