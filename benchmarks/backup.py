"""How well a home is kept alive by its car in an outage: real homes in real outages, `python -m benchmarks backup`.

The study is in `benchmarks/outages`, which prints it all: `python -m benchmarks.outages`.
"""

from __future__ import annotations

from benchmarks.harness import Figure
from benchmarks.outages.cars import stays
from benchmarks.outages.events import outages
from benchmarks.outages.homes import homes, is_real
from benchmarks.outages.pairs import sample
from benchmarks.outages.study import run
from benchmarks.outages.tables import figures_of

PAIRS, SEED = 600, 1
_GENERATED_PAIRS = 64


def figures() -> list[Figure]:
    """The main figures of the study."""
    count = PAIRS if is_real() else _GENERATED_PAIRS
    return list(figures_of(run(sample(count, SEED, homes(), outages(), stays()))))
