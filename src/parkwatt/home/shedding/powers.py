"""What circuits draw, and whether another one fits."""

from __future__ import annotations

from dataclasses import dataclass

from parkwatt.domain.home.circuit import Circuit, CircuitReading
from parkwatt.home.shedding.inputs import SheddingInputs
from parkwatt.home.shedding.settings import SheddingSettings
from parkwatt.home.shedding.state import CircuitMemory, SheddingState

_US = 1_000_000


@dataclass(frozen=True, slots=True)
class CircuitNow:
    """A circuit in this step. ``on``: by its switch's fresh word, else by what it was told. ``power_kw``: what it draws by
    its meter, else what it may draw. ``fixed``: Parkwatt does not switch it off.
    """

    circuit: Circuit
    memory: CircuitMemory
    reading: CircuitReading | None
    on: bool
    power_kw: float
    rank: int

    @property
    def fixed(self) -> bool:
        """Whether it stays on whatever happens."""
        return self.circuit.medical or not self.circuit.switchable


_TIERS = {"must_have": 0, "nice_to_have": 1, "not_needed": 2}


def circuits_now(
    inputs: SheddingInputs, state: SheddingState, settings: SheddingSettings, now_unix_us: int
) -> list[CircuitNow]:
    """All circuits, the most important first: medical ones, then by tier, then in the household's order."""
    found = []
    for index, circuit in enumerate(inputs.circuits):
        memory = state.circuit(circuit.circuit_id)
        reading = inputs.readings.get(circuit.circuit_id)
        if reading is not None and not _is_fresh(reading, settings, now_unix_us):
            reading = None
        told_on = None if reading is None else reading.on
        on = not memory.off if told_on is None else told_on
        power_kw = None if reading is None else reading.power_kw
        if power_kw is None:
            power_kw = circuit.power_kw_rated if on else 0.0
        rank = (0 if circuit.medical else 1 + _TIERS[circuit.tier]) * 10_000 + index
        found.append(CircuitNow(circuit, memory, reading, on, max(power_kw, 0.0), rank))
    return sorted(found, key=lambda one: one.rank)


def _is_fresh(reading: CircuitReading, settings: SheddingSettings, now_unix_us: int) -> bool:
    return abs(now_unix_us - reading.measured_unix_us) <= settings.fresh_s * _US


def drawn_kw(found: list[CircuitNow], island_kw: float | None) -> float:
    """What the island's source gives: by its meter, at least what circuits tell; without one the sum over the circuits."""
    told_kw = sum(one.power_kw for one in found if one.reading is not None and one.on)
    guessed_kw = sum(one.power_kw for one in found if one.on)
    return guessed_kw if island_kw is None else max(island_kw, told_kw)


def fits(circuit: Circuit, running_kw: float, settings: SheddingSettings) -> bool:
    """Whether a circuit can start beside what runs."""
    steady = running_kw + circuit.power_kw_rated <= settings.admit_share * settings.continuous_kw
    start_kw = max(circuit.inrush_kw, circuit.power_kw_rated)
    return steady and running_kw + start_kw <= settings.surge_share * settings.surge_kw
