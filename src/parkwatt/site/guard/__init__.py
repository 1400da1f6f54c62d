"""The single gate that each command passes: it can refuse or reduce, and charges what a departure needs."""

from parkwatt.site.guard.facts import CarFacts, Circuit, Proposal, ReadyBy, SiteFacts, Verdict
from parkwatt.site.guard.guard import Guard
from parkwatt.site.guard.settings import GuardSettings
from parkwatt.site.guard.state import GuardState, PointState

__all__ = [
    "CarFacts",
    "Circuit",
    "Guard",
    "GuardSettings",
    "GuardState",
    "PointState",
    "Proposal",
    "ReadyBy",
    "SiteFacts",
    "Verdict",
]
