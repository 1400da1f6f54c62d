"""Changing a TOML document by plain tables so that its comments and its order stay."""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping
from datetime import date, datetime, time
from typing import Any

import tomlkit


def merge(document: MutableMapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Make ``document`` mean ``wanted``: what is the same is left as it is written, what is absent goes.

    Raises ValueError or TypeError for what TOML cannot hold, such as null.
    """
    for name in [name for name in document if name not in wanted]:
        del document[name]
    for name, value in wanted.items():
        have = document.get(name)
        if name in document and plain(have) == value and type(plain(have)) is type(value):
            continue
        # A table that has nothing left but subtables has no line of its own, so one that gets empty is written anew.
        if isinstance(have, MutableMapping) and isinstance(value, Mapping) and value:
            merge(have, value)
        elif _are_alike(have, value):
            for one, other in zip(have or (), value, strict=True):
                merge(one, other)
        else:
            document[name] = tomlkit.item(_checked(value))


def plain(value: Any) -> Any:
    """The value without its dress, as JSON can hold it: dates and times as texts."""
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, bool):
        return bool(value)
    unwrapped = value.unwrap() if hasattr(value, "unwrap") else value
    if isinstance(unwrapped, datetime | date | time):
        return unwrapped.isoformat()
    if isinstance(unwrapped, float) and not math.isfinite(unwrapped):
        return str(unwrapped)  # JSON has no such number
    return unwrapped


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any], at: str = "") -> list[str]:
    """The paths of the fields that differ."""
    found: list[str] = []
    for name in [*before, *(name for name in after if name not in before)]:
        path = f"{at}.{name}" if at else name
        old, new = before.get(name), after.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += changed_fields(old, new, path)
        elif _are_alike(old, new):
            for index, (one, other) in enumerate(zip(old or (), new or (), strict=True)):
                found += changed_fields(one, other, f"{path}[{index}]")
        elif name not in before or name not in after or old != new:
            found.append(path)
    return found


def _are_alike(have: Any, value: Any) -> bool:
    """Whether both are lists of as many tables."""
    return (
        isinstance(have, list)
        and isinstance(value, list)
        and len(have) == len(value) > 0
        and all(isinstance(one, Mapping) for one in [*have, *value])
    )


def _checked(value: Any) -> Any:
    if value is None:
        raise ValueError("null has no place there; leave the field out")
    for inner in (
        value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    ):
        _checked(inner)
    return value
