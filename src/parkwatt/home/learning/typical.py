"""What a circuit may use of which nothing is known yet: a typical home's use, shared out by rated power, with a wide band.

A mean home in the United States uses 10,715 kWh a year, 1.22 kW (EIA, residential electricity use 2020). Homes differ: the
factor on it is log-normal with σ = 0.8 (one home in ten below 0.36, one in ten above 2.8 times), and that of each circuit
again with σ = 0.6. No circuit exceeds its rated power.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from parkwatt.domain.home.circuit import Circuit
from parkwatt.domain.record import FloatArray

TYPICAL_HOME_KW: Final = 10_715 / 8_784  # 2020 had 366 days
_HOME_SIGMA: Final = 0.8
_CIRCUIT_SIGMA: Final = 0.6


def typical_kw(circuits: Sequence[Circuit], count: int, random: np.random.Generator) -> FloatArray:
    """[count, C] a constant mean power of each circuit in each course, kW."""
    rated_kw = np.array([one.power_kw_rated for one in circuits], dtype=np.float64)
    share = rated_kw / max(float(rated_kw.sum()), 1e-9)
    home = np.exp(_HOME_SIGMA * random.standard_normal((count, 1)))
    own = np.exp(_CIRCUIT_SIGMA * random.standard_normal((count, len(circuits))))
    return np.asarray(np.minimum(TYPICAL_HOME_KW * share * home * own, rated_kw))
