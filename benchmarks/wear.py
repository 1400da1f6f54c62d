"""Wear: ten years of a car's life, against BLAST-Lite in the same run.

The reference needs an environment of its own (`pip install parkwatt[wear-reference]`); without it,
only our own times are measured, with no baseline.
"""

import importlib
import importlib.util
import statistics
import warnings
from collections.abc import Callable

from benchmarks.harness import Figure, time_minimum_s, time_once_s
from parkwatt.plan.wear import CELLS, Cell, simulate_ageing
from tests.plan.wear.histories import History, car_history

YEARS = 10.0
REPEAT = 5


def figures() -> list[Figure]:
    """Time a cell for ten years of 15-minute steps, and how far the capacity is from BLAST-Lite's."""
    history = car_history(grid_use=0.3)
    name = "wear, 10 years of a year at 15 minutes"
    if importlib.util.find_spec("blast") is None:
        times_s = [time_minimum_s(ours(cell, history), REPEAT) for cell in CELLS.values()]
        absent = "BLAST-Lite is not installed here"
        return [
            Figure(f"{name}, mean of cells", 1e3 * statistics.mean(times_s), "ms", absent, None)
        ]
    measured = []
    ours_s, reference_s = [], []
    for cell in CELLS.values():
        mine, other = ours(cell, history), reference(cell, history)
        apart = 100 * abs(mine() - other())
        # One run of the reference takes as long as hundreds of ours: it averages over more noise.
        fast_s, slow_s = time_minimum_s(mine, REPEAT), time_once_s(other)
        ours_s.append(fast_s)
        reference_s.append(slow_s)
        baseline = f"BLAST-Lite {1e3 * slow_s:.0f} ms, {slow_s / fast_s:.0f} x as long"
        measured.append(Figure(f"{name}, {cell.id}", 1e3 * fast_s, "ms", baseline, fast_s / slow_s))
        measured.append(
            Figure(f"capacity after 10 years, {cell.id}", apart, "pp", "from BLAST-Lite's", None)
        )
    total = sum(ours_s) / sum(reference_s)
    baseline = f"BLAST-Lite, {1 / total:.0f} x as long"
    mean_ms = 1e3 * statistics.mean(ours_s)
    measured.append(Figure(f"{name}, mean of cells", mean_ms, "ms", baseline, total))
    return measured


def ours(cell: Cell, history: History) -> Callable[[], float]:
    """Ten years with Parkwatt: the capacity at the end."""

    def run() -> float:
        result = simulate_ageing(cell, history.time_s, history.soc, history.temperature_c, YEARS)
        return float(result.capacity_fraction[-1])

    return run


def reference(cell: Cell, history: History) -> Callable[[], float]:
    """Ten years with BLAST-Lite: the capacity at the end."""
    model = getattr(importlib.import_module("blast.models"), cell.reference_model)
    timeseries = {
        "Time_s": history.time_s,
        "SOC": history.soc,
        "Temperature_C": history.temperature_c,
    }

    def run() -> float:
        battery = model()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            battery.simulate_battery_life(timeseries, threshold_time=YEARS, is_constant_input=False)
        return float(battery.outputs["q"][-1])

    return run
