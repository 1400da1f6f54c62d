"""Tells in words what changed in a home: the grid, the bus, poles, source, circuits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parkwatt.domain.home.gateway import TransferAction
from parkwatt.io.sim.backup.gateway import POLES, Answer
from parkwatt.io.sim.backup.parts import Parts
from parkwatt.io.sim.backup.truth import Bus
from parkwatt.io.sim.notes import Note

_BUS_WORDS: dict[Bus, str] = {
    "dark": "the home is dark",
    "grid": "the home has voltage from the grid",
    "island": "the home has voltage from its own source",
}


class Watch:
    """Compares the home with how it was at the last look."""

    def __init__(self, on_note: Callable[[Note], None] | None) -> None:
        self._on_note = on_note
        self._seen: dict[str, Any] = {}

    def asked(self, now_us: int, action: TransferAction, answer: Answer) -> None:
        """Somebody asked the gateway for something."""
        came = "taken" if answer.accepted else f"refused, {answer.reason}"
        self.tell(now_us, "asked", f"asked to {action.replace('_', ' ')}: {came}", action=action)

    def look(self, now_us: int, parts: Parts, bus: Bus, frequency_hz: float) -> None:
        """Tell what is not as it was; the first look tells nothing."""
        if self._on_note is None:
            return
        for key, value in _facts(now_us, parts, bus, frequency_hz).items():
            before = self._seen.get(key)
            self._seen[key] = value
            if before is not None and before != value:
                kind = key.partition(" ")[0]
                self.tell(now_us, kind, _words(parts, key, value), before=before, now=value)

    def tell(self, now_us: int, kind: str, text: str, **data: Any) -> None:
        """Tell one thing."""
        if self._on_note is not None:
            self._on_note(Note(now_us, "home", kind, text, data))


def _facts(now_us: int, parts: Parts, bus: Bus, frequency_hz: float) -> dict[str, Any]:
    gateway = parts.gateway
    facts: dict[str, Any] = {
        "utility": parts.grid.words(now_us),
        **{f"pole {name}": gateway.poles[name].actual for name in POLES},
        "lease": gateway.counters.leases_expired,
        "bus": bus,
        "source": parts.source.state,
        **{f"circuit {one.circuit.name}": one.is_on for one in parts.circuits},
    }
    if bus == "island":
        facts["frequency"] = f"{frequency_hz:.0f} Hz"
    if parts.generator is not None:
        facts["generator"] = parts.generator.phase
    return facts


def _words(parts: Parts, key: str, value: Any) -> str:
    kind, _, name = key.partition(" ")
    if kind == "utility":
        return f"the utility's grid: {value}"
    if kind == "pole":
        return f"{name.replace('_', ' ')} is {value}"
    if kind == "lease":
        return "nobody renewed the lease: the island source opens"
    if kind == "bus":
        return _BUS_WORDS[value]
    if kind == "source":
        because = f", {parts.source.because}" if value in ("tripped", "empty", "dead") else ""
        return f"island source: {value}{because}"
    if kind == "circuit":
        return f"circuit {name} is {'on' if value else 'off'}"
    if kind == "frequency":
        return f"the island's frequency is {value}"
    return f"generator: {str(value).replace('_', ' ')}"
