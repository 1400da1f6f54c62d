"""Whether a circuit is wanted in the island, before power decides: its tier, the energy there is, and a person's word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parkwatt.domain.home.circuit import Circuit
from parkwatt.domain.home.event import Choice
from parkwatt.home.shedding.inputs import Question, Verdict
from parkwatt.home.shedding.state import ENERGY

TIER: Final = "tier"
NOT_NEEDED: Final = "it is not needed while the grid is gone"
_CHOSEN = "chosen"


@dataclass(frozen=True, slots=True)
class Want:
    """``at_once``: goes off without regard to how long it was on. ``chosen``: a person decided. ``question``: for a person."""

    on: bool
    because: str
    reason: str
    at_once: bool = False
    chosen: bool = False
    question: Question | None = None


def wanted(circuit: Circuit, verdict: Verdict | None, choice: Choice | None) -> Want:
    """What tier, energy and choice say of a circuit.

    What the house must have, and what has no switch, is on as long as there is energy at all; the rest as long as the energy
    suffices; what is not needed only where it is known to suffice. Where a circuit would break the reserve a person is asked,
    and decides.
    """
    if choice == "keep_off":
        return Want(False, _CHOSEN, "you switched it off", at_once=True, chosen=True)
    if choice == "keep_on":
        return Want(True, _CHOSEN, "you want it on", chosen=True)
    if circuit.medical or circuit.tier == "must_have" or not circuit.switchable:
        return Want(True, TIER, "the house must have it")
    if verdict is not None:
        if verdict.asks:
            text = f"Shall {circuit.name} be on? {verdict.reason}"
            question = Question(circuit.circuit_id, text)
            return Want(False, ENERGY, verdict.reason, question=question)
        return Want(verdict.allowed, ENERGY, verdict.reason)
    if circuit.tier == "not_needed":
        return Want(False, TIER, NOT_NEEDED, at_once=True)
    return Want(True, TIER, "it is nice to have")
