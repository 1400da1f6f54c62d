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
    def level(self) -> int:
        """0 medical, 1 must have, 2 nice to have, 3 not needed."""
        return self.rank // _LEVEL

    @property
    def fixed(self) -> bool:
        """Whether it stays on whatever happens."""
        return self.circuit.medical or not self.circuit.switchable


_LEVEL = 10_000
_TIERS = {"must_have": 0, "nice_to_have": 1, "not_needed": 2}


def circuits_now(
    inputs: SheddingInputs, state: SheddingState, settings: SheddingSettings, now_unix_us: int
) -> list[CircuitNow]:
    """All circuits, the most important first: medical ones, then by tier, then in the household's order."""
    found = []
    for index, circuit in enumerate(inputs.circuits):
        memory = state.circuit(circuit.circuit_id)
        reading = inputs.readings.get(circuit.circuit_id)
        if reading is not None and not _counts(reading, memory, settings, now_unix_us):
            reading = None
        told_on = None if reading is None else reading.on
        on = not memory.off if told_on is None else told_on
        power_kw = None if reading is None else reading.power_kw
        if power_kw is None:
            power_kw = circuit.power_kw_rated if on else 0.0
        rank = (0 if circuit.medical else 1 + _TIERS[circuit.tier]) * _LEVEL + index
        found.append(CircuitNow(circuit, memory, reading, on, max(power_kw, 0.0), rank))
    return sorted(found, key=lambda one: one.rank)


def _counts(
    reading: CircuitReading, memory: CircuitMemory, settings: SheddingSettings, now_unix_us: int
) -> bool:
    """Whether it is fresh, and was measured after the circuit was switched last."""
    if abs(now_unix_us - reading.measured_unix_us) > settings.fresh_s * _US:
        return False
    since_s = memory.since_s(now_unix_us)
    return since_s is None or now_unix_us - reading.measured_unix_us <= since_s * _US


def running_kw(
    found: list[CircuitNow],
    island_kw: float | None,
    settings: SheddingSettings,
    now_unix_us: int,
) -> float:
    """What an admission has to fit beside: what is drawn, and what comes to be drawn by what was switched on just now.

    By the meter of the island's source, at least what circuits tell; without it the sum over the circuits. A circuit whose
    switch says off and whose meter tells power counts with that.
    """
    told_kw = sum(one.power_kw for one in found if one.reading is not None)
    guessed_kw = sum(one.power_kw for one in found)
    arriving_kw = 0.0
    for one in found:
        since_s = one.memory.since_s(now_unix_us)
        if one.memory.off or since_s is None or since_s >= settings.fresh_s:
            continue
        if one.reading is None:
            # Without the source's meter it is in the sum already.
            arriving_kw += 0.0 if island_kw is None else one.circuit.power_kw_rated
        elif one.reading.on is False:
            arriving_kw += max(one.circuit.power_kw_rated - one.power_kw, 0.0)
    drawn_kw = guessed_kw if island_kw is None else max(island_kw, told_kw)
    return drawn_kw + arriving_kw


def staying_kw(
    found: list[CircuitNow],
    island_kw: float | None,
    settings: SheddingSettings,
    now_unix_us: int,
) -> float:
    """What will still be drawn in a moment: without what was told to go off just now, whether a meter has seen that or not."""
    leaving_kw = unseen_kw = 0.0
    for one in found:
        since_s = one.memory.since_s(now_unix_us)
        if not one.memory.off or since_s is None or since_s >= settings.obeys_s:
            continue
        if one.reading is None:
            unseen_kw += one.memory.shed_kw
        else:
            leaving_kw += one.power_kw
    if island_kw is None:
        return sum(one.power_kw for one in found) - leaving_kw
    told_kw = sum(one.power_kw for one in found if one.reading is not None)
    return max(island_kw - unseen_kw, told_kw) - leaving_kw


def fits(circuit: Circuit, beside_kw: float, settings: SheddingSettings) -> bool:
    """Whether a circuit can start beside what runs."""
    steady = beside_kw + circuit.power_kw_rated <= settings.admit_share * settings.continuous_kw
    start_kw = max(circuit.inrush_kw, circuit.power_kw_rated)
    return steady and beside_kw + start_kw <= settings.surge_share * settings.surge_kw
