"""Writes blast_reference.json: capacity after ten years by BLAST-Lite, for every cell and history
here.

Run in an environment of its own, as BLAST-Lite needs an older numpy:

    pip install parkwatt[wear-reference]
    python tests/plan/wear/make_blast_reference.py
"""

import importlib
import json
import math
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from parkwatt.plan.wear import CELLS
from tests.plan.wear.histories import HISTORIES, History

REFERENCE = Path(__file__).with_name("blast_reference.json")
YEARS = 10.0


def blast_capacity(model: str, history: History, years: float = YEARS) -> float:
    """Capacity that BLAST-Lite arrives at after some years of a history."""
    battery = getattr(importlib.import_module("blast.models"), model)()
    timeseries = {
        "Time_s": history.time_s,
        "SOC": history.soc,
        "Temperature_C": history.temperature_c,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        battery.simulate_battery_life(timeseries, threshold_time=years, is_constant_input=False)
    return float(battery.outputs["q"][-1])


def stored(capacity: float) -> float | None:
    """Six digits, or None where BLAST-Lite arrives at no number."""
    return None if math.isnan(capacity) else round(capacity, 6)


def main() -> None:
    """Compute and write all of them."""
    capacities = {
        name: {
            cell.id: stored(blast_capacity(cell.reference_model, history))
            for cell in CELLS.values()
        }
        for name, history in HISTORIES.items()
    }
    content = {"blast_lite": version("blast-lite"), "years": YEARS, "capacity": capacities}
    REFERENCE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
