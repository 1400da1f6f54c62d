"""The picture of where power comes from and goes to now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from nicegui.element import Element


@dataclass(frozen=True, slots=True)
class Node:
    """One place of power. ``kind``: sun, grid, car, house or battery; ``shown``: its power in words, or a dash.

    ``flow``: 1 gives, −1 takes, 0 neither; ``strength``: 0–1, how much of what flows. ``gone``: not known, or away.
    """

    kind: str
    name: str
    shown: str
    flow: int = 0
    strength: float = 0.0
    gone: bool = False


class PowerFlow(Element, component="power_flow.js"):
    """All nodes around the house's wires."""

    def __init__(self) -> None:
        super().__init__()
        self._props["nodes"] = []
        self._props["said"] = ""

    def show(self, nodes: Sequence[Node], said: str) -> None:
        """``said``: the picture in words, for a screen reader."""
        shown = [asdict(node) for node in nodes]
        if (shown, said) == (self._props["nodes"], self._props["said"]):
            return
        self._props["nodes"], self._props["said"] = shown, said
        self.update()
