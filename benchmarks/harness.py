"""How the project measures: figures with a unit and a baseline, and ratios that are fair.

A time by itself says more about the machine than about the code. So a figure names what it is held
against, and both sides are timed in turn (A B A B …) in one process: what slows one down slows the
other down too. Medians, because a busy machine only ever adds time.
"""

import gc
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        name: what was measured, as in "plan, one car, 96 steps".
        value: the measured value, in `unit`.
        unit: the value's unit, as in "ms", "MB" or "pp".
        baseline: what it is held against, in words with its own value; empty where nothing is.
        ratio: value over baseline; None where there is no baseline.
    """

    name: str
    value: float
    unit: str
    baseline: str
    ratio: float | None


def time_once_s(function: Callable[[], object]) -> float:
    """The wall time of one call in s, without the garbage of what ran before."""
    gc.collect()
    started_s = time.perf_counter()
    function()
    return time.perf_counter() - started_s


def time_minimum_s(function: Callable[[], object], repeat: int) -> float:
    """The least wall time of `repeat` calls in s, after one call that warms up.

    Raises:
        ValueError: repeat is below 1.
    """
    _require_repeat(repeat)
    function()
    return min(time_once_s(function) for _ in range(repeat))


def time_pair_s(
    first: Callable[[], object], second: Callable[[], object], repeat: int
) -> tuple[float, float]:
    """The median wall times in s of two functions called in turn, `repeat` times each.

    Both are called once before to warm up. Which of the two begins changes from round to round.

    Raises:
        ValueError: repeat is below 1.
    """
    _require_repeat(repeat)
    first()
    second()
    times_s: tuple[list[float], list[float]] = ([], [])
    for turn in range(repeat):
        order = (0, 1) if turn % 2 == 0 else (1, 0)
        for which in order:
            times_s[which].append(time_once_s((first, second)[which]))
    return statistics.median(times_s[0]), statistics.median(times_s[1])


def machine() -> dict[str, str | int | None]:
    """What the figures were measured on: processor, cores, Python, the packages that matter."""
    packages = ("parkwatt", "numpy", "highspy", "duckdb", "rainflow")
    return {
        "system": platform.system(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        **{package: metadata.version(package) for package in packages},
    }


def _processor() -> str:
    """The processor's name where the system tells it, else its architecture."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _require_repeat(repeat: int) -> None:
    if repeat < 1:
        raise ValueError(f"repeat: at least 1, not {repeat}")
