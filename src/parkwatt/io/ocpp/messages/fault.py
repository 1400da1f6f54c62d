"""What can be wrong with a message: a deviation that was put right, or a fault that makes it unusable."""

from __future__ import annotations

from typing import Literal

import msgspec

from parkwatt.io.ocpp.version import Version

DEVIATIONS_MAX = 20
"""How many deviations of one message are told; the rest is put right in silence."""

REPAIRS_MAX = 5000
"""A message with more to put right is refused: no charger means that, and the work shall be bounded."""

_DESCRIPTION_CHARACTERS_MAX = 255
_VALUE_CHARACTERS_MAX = 60

Reason = Literal["format", "occurrence", "type", "property", "unknown action"]

# OCPP-J 1.6 table 7; OCPP 2.0.1 and 2.1 Part 4, section 4.3. "Occurence" is 1.6's own spelling.
_CODES: dict[Reason, tuple[str, str]] = {
    "format": ("FormationViolation", "FormatViolation"),
    "occurrence": ("OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
    "type": ("TypeConstraintViolation", "TypeConstraintViolation"),
    "property": ("PropertyConstraintViolation", "PropertyConstraintViolation"),
    "unknown action": ("NotImplemented", "NotImplemented"),
}


class Deviation(msgspec.Struct, frozen=True):
    """Where a message that is used all the same departs from its schema.

    ``field``: `meterValue[0].sampledValue[2].value`; ``rule``: the broken rule and what was made of it, in words; ``value``:
    the value found, shortened.
    """

    field: str
    rule: str
    value: str


class MessageFault(Exception):  # noqa: N818 — a fault of the message, not of the program
    """A message that cannot be used. ``code``: the RPC error code to answer with; ``description``: at most 255 characters."""

    def __init__(self, code: str, description: str) -> None:
        self.code = code
        self.description = description[:_DESCRIPTION_CHARACTERS_MAX]
        super().__init__(f"{self.code}: {self.description}")


def error_code(version: Version, reason: Reason) -> str:
    """The RPC error code for a reason, as the version spells it."""
    return _CODES[reason][version.is_2]


def shortened(value: object) -> str:
    """A value on one line, no longer than a glance."""
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    text = "null" if value is None else str(value)
    text = " ".join(text[: 4 * _VALUE_CHARACTERS_MAX].split())
    if len(text) > _VALUE_CHARACTERS_MAX:
        return text[: _VALUE_CHARACTERS_MAX - 1] + "…"
    return text
