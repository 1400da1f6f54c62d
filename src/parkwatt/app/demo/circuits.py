"""The demo home's circuits: what each draws of the household's load, and how much it matters when the grid is gone.

The fridge and the heating's control are the base that never stops; what is used beyond it is split by fixed shares. So the
circuits always sum to the load that the study of the same home sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from parkwatt.domain.home.circuit import Circuit, Tier
from parkwatt.domain.record import FloatArray

# Of each base circuit, kW: together the base of `household`.
_BASE_KW: Final = {"fridge": 0.1, "heating": 0.06}
# Of what is used beyond the base.
_SHARES: Final = {"lights": 0.15, "living": 0.2, "kitchen": 0.35, "laundry": 0.3}


@dataclass(frozen=True, slots=True)
class DemoCircuit:
    """A circuit as its settings name it, and what it draws. ``power_kw``: [T]."""

    circuit: Circuit
    power_kw: FloatArray


def _circuit(circuit_id: str, name: str, tier: Tier, power_kw_rated: float) -> Circuit:
    return Circuit(circuit_id, name, tier, power_kw_rated, power_kw_rated)


# In the order of their addresses at the gateway.
CIRCUITS: Final[Sequence[Circuit]] = (
    _circuit("fridge", "Fridge and freezer", "must_have", 0.3),
    _circuit("heating", "Heating control and internet", "must_have", 0.2),
    _circuit("lights", "Lights", "must_have", 0.6),
    _circuit("living", "Living room", "nice_to_have", 0.8),
    _circuit("kitchen", "Kitchen", "nice_to_have", 2.5),
    _circuit("laundry", "Washing and drying", "not_needed", 2.5),
)


def split_load(load_kw: FloatArray) -> tuple[DemoCircuit, ...]:
    """What each circuit draws of a household's load, [T], kW at least 0."""
    left_kw = np.maximum(load_kw, 0.0)
    drawn_kw: dict[str, FloatArray] = {}
    for circuit_id, base_kw in _BASE_KW.items():
        drawn_kw[circuit_id] = np.minimum(left_kw, base_kw)
        left_kw = left_kw - drawn_kw[circuit_id]
    drawn_kw |= {circuit_id: share * left_kw for circuit_id, share in _SHARES.items()}
    return tuple(DemoCircuit(one, drawn_kw[one.circuit_id]) for one in CIRCUITS)
