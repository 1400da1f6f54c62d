"""What an entity is told: the value in a message, or what is wrong with it in words."""

from __future__ import annotations

import re
from typing import Final

from parkwatt.io.mqtt.home_assistant.entity import Accepts, Between, Matching, OneOf, OnOff, Press
from parkwatt.io.mqtt.payload import PayloadError, number, text

# Longer than anything that may be said.
_LENGTH_MAX: Final = 64
_SHOWN_MAX: Final = 40


class CommandError(ValueError):
    """What was told is not possible; the text says why."""


def command_value(accepts: Accepts, payload: bytes) -> float | bool | str:
    """The value in a message: a number, True for ON and for PRESS, False for OFF, a word. Raises CommandError."""
    if len(payload) > _LENGTH_MAX:
        raise CommandError(f"must be at most {_LENGTH_MAX} bytes, got {len(payload)}")
    try:
        if isinstance(accepts, Between):
            return _number(accepts, payload)
        said = text(payload)
    except PayloadError as error:
        raise CommandError(f"{error}") from None
    if isinstance(accepts, OnOff):
        if said not in ("ON", "OFF"):
            raise CommandError(f"must be ON or OFF, got {_shown(said)}")
        return said == "ON"
    if isinstance(accepts, Press):
        if said != "PRESS":
            raise CommandError(f"must be PRESS, got {_shown(said)}")
        return True
    if isinstance(accepts, OneOf):
        if said not in accepts.words:
            raise CommandError(f"must be one of {', '.join(accepts.words)}, got {_shown(said)}")
        return said
    return _matching(accepts, said)


def _number(accepts: Between, payload: bytes) -> float:
    value = number(payload)
    if value is None or not accepts.lowest <= value <= accepts.highest:
        found = "nothing" if value is None else f"{value:g}"
        raise CommandError(f"must be from {accepts.lowest:g} to {accepts.highest:g}, got {found}")
    return value


def _matching(accepts: Matching, said: str) -> str:
    if not re.fullmatch(accepts.pattern, said):
        raise CommandError(f"must be such as {accepts.example}, got {_shown(said)}")
    return said


def _shown(said: str) -> str:
    return repr(said if len(said) <= _SHOWN_MAX else f"{said[: _SHOWN_MAX - 1]}…")
