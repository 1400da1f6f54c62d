"""Every error that Parkwatt raises on purpose.

    ParkwattError
    ├── InputError      what a user or a caller gave breaks one or more rules; holds every fault, not just the first
    └── SolverError     the numerical solver stopped without an answer

An error holds facts (field, rule, value); its text is made from them. Whatever else escapes is a bug.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_VALUE_CHARACTERS_MAX = 60


@dataclass(frozen=True, slots=True)
class InputFault:
    """One broken rule: the field (`vehicles[0].stays[1].to_step`), the rule in words, and the value found.

    ``value`` is None where there is none to show (a missing field, an unreadable file).
    """

    field: str
    rule: str
    value: object = None

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.field}: {self.rule}"
        return f"{self.field}: {self.rule}, got {_shown(self.value)}"


class Description(str):
    """What was found, in words ("null", "a list") in place of the value itself: shown without quotes."""

    __slots__ = ()


def _shown(value: object) -> str:
    """The value as a reader would recognise it, on one line and never longer than a glance."""
    quoted = isinstance(value, str) and not isinstance(value, Description)
    text = repr(value) if quoted else str(value)
    text = " ".join(text.split())
    if len(text) > _VALUE_CHARACTERS_MAX:
        return text[: _VALUE_CHARACTERS_MAX - 1] + "…"
    return text


class ParkwattError(Exception):
    """The root of the errors that Parkwatt raises on purpose."""


class InputError(ParkwattError):
    """The input breaks rules. ``faults`` holds all of them, in the order in which they were found."""

    def __init__(self, faults: Sequence[InputFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class SolverError(ParkwattError):
    """The solver ended with ``status`` where an answer was certain to exist: a bug or a numerical accident."""

    def __init__(self, stage: str, status: str) -> None:
        self.stage = stage
        self.status = status
        super().__init__(f"the solver stopped in stage '{stage}' with status '{status}'")
