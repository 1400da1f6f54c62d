"""Devices and their entities: what each is, what it may be told, and how its state is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

Platform = Literal["sensor", "binary_sensor", "number", "select", "switch", "button", "text"]
Value = float | bool | str | datetime | None

# A longer state is refused by Home Assistant.
STATE_LENGTH_MAX: Final = 255
UNKNOWN: Final = "None"


@dataclass(frozen=True, slots=True)
class Between:
    """A number within bounds."""

    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OnOff:
    """ON or OFF."""


@dataclass(frozen=True, slots=True)
class Press:
    """PRESS."""


@dataclass(frozen=True, slots=True)
class Matching:
    """A text of a certain form. ``pattern``: for the whole text. ``example``: of one, for words."""

    pattern: str
    example: str


Accepts = Between | OneOf | OnOff | Press | Matching


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One entity. ``key``: within its device. ``options``: those of its platform beside topics, ids and availability.

    ``accepts``: what it may be told; None: nothing. ``decimals``: of a number's state. ``charger``: by whose link it is told;
    None: it is known as long as the program runs. ``attributes``: whether it tells more than its state.
    """

    key: str
    platform: Platform
    name: str
    options: Mapping[str, object] = field(default_factory=dict)
    accepts: Accepts | None = None
    decimals: int = 0
    charger: str | None = None
    attributes: bool = False

    @property
    def has_state(self) -> bool:
        """Whether it tells anything."""
        return self.platform != "button"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device. ``path``: its part of topics and ids. ``via``: the path of the one behind which it is."""

    path: str
    name: str
    model: str
    entities: tuple[Entity, ...]
    via: str | None = None

    def entity(self, key: str) -> Entity | None:
        """An entity; None where the device has none of that key."""
        return next((one for one in self.entities if one.key == key), None)


def state_text(entity: Entity, value: Value) -> str:
    """How a state is written. What is not known is the word by which Home Assistant knows that."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "ON" if value else "OFF"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return value if len(value) <= STATE_LENGTH_MAX else f"{value[: STATE_LENGTH_MAX - 1]}…"
    text = f"{value:.{entity.decimals}f}"
    return text.removeprefix("-") if float(text) == 0.0 else text
