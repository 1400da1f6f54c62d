"""Capacity after ten years agrees with BLAST-Lite: with stored figures, and with itself if installed."""

import importlib.util
import json

import pytest

from parkwatt.plan.wear import CELLS, simulate_ageing
from tests.plan.wear.histories import HISTORIES, History, random_history
from tests.plan.wear.make_blast_reference import REFERENCE, YEARS, blast_capacity

# 0.15 percentage points; what is promised is half a point.
CAPACITY_TOLERANCE = 0.0015

STORED = json.loads(REFERENCE.read_text(encoding="utf-8"))["capacity"]


def capacity(cell_id: str, history: History) -> float:
    result = simulate_ageing(
        CELLS[cell_id], history.time_s, history.soc, history.temperature_c, YEARS
    )
    return float(result.capacity_fraction[-1])


def test_every_cell_and_history_has_a_stored_figure() -> None:
    assert set(STORED) == set(HISTORIES)
    assert all(set(cells) == set(CELLS) for cells in STORED.values())


@pytest.mark.parametrize("name", HISTORIES)
def test_capacity_agrees_with_stored_reference(name: str) -> None:
    apart = {
        cell_id: capacity(cell_id, HISTORIES[name]) - expected
        for cell_id, expected in STORED[name].items()
        if expected is not None
    }
    assert all(abs(value) < CAPACITY_TOLERANCE for value in apart.values()), apart


def test_a_result_stands_where_the_reference_has_none() -> None:
    """Its sigmoid has no answer where a warm season ended above what a cold one tends to."""
    missing = [(name, id_) for name, of in STORED.items() for id_ in of if of[id_] is None]
    assert missing == [("deep V2G, cold", "lfp-sony-murata")]
    assert 0.85 < capacity("lfp-sony-murata", HISTORIES["deep V2G, cold"]) < 0.95


if importlib.util.find_spec("blast") is not None:

    @pytest.mark.filterwarnings("ignore")  # the reference's own, of old numpy and distutils
    @pytest.mark.parametrize("cell_id", CELLS)
    @pytest.mark.parametrize("seed", [11, 12])
    def test_capacity_agrees_with_reference_on_fresh_histories(cell_id: str, seed: int) -> None:
        history = random_history(20 + seed, 600.0, seed)
        expected = blast_capacity(CELLS[cell_id].reference_model, history)
        assert capacity(cell_id, history) == pytest.approx(expected, abs=CAPACITY_TOLERANCE)
