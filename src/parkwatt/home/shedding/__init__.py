"""Which circuits are on while the grid is gone, pure: tiers, what the inverter carries, energy, and a person's own word."""

from parkwatt.home.shedding.inputs import Mode, Question, SheddingInputs, Verdict
from parkwatt.home.shedding.settings import SheddingSettings
from parkwatt.home.shedding.state import CircuitMemory, SheddingState
from parkwatt.home.shedding.step import SheddingStep, step

__all__ = [
    "CircuitMemory",
    "Mode",
    "Question",
    "SheddingInputs",
    "SheddingSettings",
    "SheddingState",
    "SheddingStep",
    "Verdict",
    "step",
]
