"""What load shedding looks at in each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from parkwatt.domain.home.circuit import Circuit, CircuitReading
from parkwatt.domain.home.event import Choice

# The grid carries the home; it is gone and nothing carries the home yet; the island's source carries it.
Mode = Literal["grid", "outage", "islanded"]


class Verdict(Protocol):
    """Whether the island's energy suffices for a circuit. ``asks``: a person is to be asked before it is on."""

    @property
    def allowed(self) -> bool:
        """Whether it may be on."""

    @property
    def asks(self) -> bool:
        """Whether a person decides."""

    @property
    def reason(self) -> str:
        """In words, with numbers."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked: whether a circuit shall be on although that breaks the reserve."""

    circuit_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SheddingInputs:
    """``circuits``: in the household's own order, the most important first within a tier. ``island_kw``: what the island's
    source gives now, by a fresh meter, None where none tells it. ``verdicts``: by circuit; none yet: the tiers alone decide.
    ``choices``: what persons decided.
    """

    mode: Mode
    circuits: tuple[Circuit, ...]
    readings: Mapping[str, CircuitReading] = field(default_factory=dict)
    island_kw: float | None = None
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    choices: Mapping[str, Choice] = field(default_factory=dict)
