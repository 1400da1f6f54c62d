"""The island machine: when the home leaves the grid, how it is fed and goes back. The only maker of `ApprovedTransfer`."""

from parkwatt.home.island.diagram import mermaid, transitions_table
from parkwatt.home.island.guards import IslandInputs
from parkwatt.home.island.machine import IslandStep, step
from parkwatt.home.island.settings import IslandSettings
from parkwatt.home.island.state import IslandState

__all__ = [
    "IslandInputs",
    "IslandSettings",
    "IslandState",
    "IslandStep",
    "mermaid",
    "step",
    "transitions_table",
]
