"""A bar with fills and marks: what is in a battery, its floor and its target; a mark can be dragged, or moved by arrow keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nicegui import events
from nicegui.element import Element


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark at a share (0–1) of the bar. ``tone``: car, sun, grid, house, ink. One with an ``id`` can be moved between
    ``least`` and ``most`` in steps; ``label`` stands below it, ``name`` is what a screen reader calls it.
    """

    at: float
    label: str
    tone: str = "ink"
    id: str = ""
    name: str = ""
    least: float = 0.0
    most: float = 1.0
    step: float = 0.01


class LevelBar(Element, component="level_bar.js"):
    """``name``: what it shows, for a screen reader."""

    def __init__(
        self,
        name: str,
        on_slide: Callable[[str, float], Any] | None = None,
        on_set: Callable[[str, float], Any] | None = None,
    ) -> None:
        super().__init__()
        self._props["name"] = name
        self._props["fills"] = []
        self._props["marks"] = []
        if on_slide is not None:
            self.on("slide", lambda event: on_slide(*_told(event)), throttle=0.15)
        if on_set is not None:
            self.on("set", lambda event: on_set(*_told(event)))

    def show(
        self, fills: Sequence[tuple[float, float, str]], marks: Sequence[Mark], said: str = ""
    ) -> None:
        """``fills``: (from, to, tone), shares of the bar; ``said``: the state in words, for a screen reader."""
        shown = [list(fill) for fill in fills]
        stood = [asdict(mark) for mark in marks]
        if (shown, stood, said) == (
            self._props["fills"],
            self._props["marks"],
            self._props.get("said"),
        ):
            return
        self._props["fills"], self._props["marks"], self._props["said"] = shown, stood, said
        self.update()


def _told(event: events.GenericEventArguments) -> tuple[str, float]:
    return str(event.args["id"]), float(event.args["at"])
