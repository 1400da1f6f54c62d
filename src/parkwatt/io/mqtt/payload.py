"""What a message says: a number, nothing known, or nonsense.

Home Assistant writes "unknown", "unavailable" or "None" where it has no value; an empty message is one that was cleared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

import msgspec

# Longer than what any meter tells; what is longer is not looked at.
LENGTH_MAX: Final = 64 * 1024

_UNKNOWN: Final = frozenset({"", "unknown", "unavailable", "none", "null", "nan"})
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_SHOWN_MAX: Final = 40


class PayloadError(ValueError):
    """A message is not what the settings say; the text says how."""


def number(payload: bytes, path: Sequence[str] = ()) -> float | None:
    """The number in a message, at ``path`` within its JSON; None where the message says that it is not known.

    Raises PayloadError where there is neither.
    """
    if len(payload) > LENGTH_MAX:
        raise PayloadError(f"the message is longer than {LENGTH_MAX // 1024} KiB")
    if not path or not payload.strip():
        return _from_text(text(payload))
    if text(payload).lower() in _UNKNOWN:
        return None
    return _from_value(_at(payload, path), path)


def word(payload: bytes, path: Sequence[str] = ()) -> str | None:
    """The word in a message, at ``path`` within its JSON, where true and false are words; None where it is not known.

    Raises PayloadError where there is none.
    """
    if len(payload) > LENGTH_MAX:
        raise PayloadError(f"the message is longer than {LENGTH_MAX // 1024} KiB")
    value: object = text(payload)
    if path and str(value).lower() not in _UNKNOWN:
        value = _at(payload, path)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, int):
        return None if value is None else str(value)
    if not isinstance(value, str):
        raise PayloadError(f"what stands at {'.'.join(path)} is no word")
    return None if value.strip().lower() in _UNKNOWN else value.strip()


def text(payload: bytes) -> str:
    """The message as text. Raises PayloadError where it is none."""
    try:
        return payload.decode().strip()
    except UnicodeDecodeError:
        raise PayloadError("the message is no text") from None


def _at(payload: bytes, path: Sequence[str]) -> object:
    try:
        value: object = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        raise PayloadError(f"the message is no JSON: {_shown(text(payload))}") from None
    for depth, key in enumerate(path):
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            raise PayloadError(f"the message has nothing at {'.'.join(path[: depth + 1])}")
    return value


def _from_value(value: object, path: Sequence[str]) -> float | None:
    if value is None:
        return None
    if isinstance(value, str):
        return _from_text(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PayloadError(f"what stands at {'.'.join(path)} is no number")
    try:
        return _finite(float(value))
    except OverflowError:
        raise PayloadError("the number is larger than any") from None


def _from_text(value: str) -> float | None:
    if value.lower() in _UNKNOWN:
        return None
    if not _NUMBER.fullmatch(value):
        raise PayloadError(f"no number: {_shown(value)}")
    return _finite(float(value))


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise PayloadError("the number is larger than any")
    return value


def _shown(value: str) -> str:
    return repr(value if len(value) <= _SHOWN_MAX else value[: _SHOWN_MAX - 1] + "…")
