"""Checks a message that is about to be sent against its schema, and names every fault of it.

Stricter than what is read from chargers: date-times are RFC 3339, URIs have a scheme, whole numbers are written without a
fraction (JSON schema's draft 4, which several chargers' parsers follow, takes 1.0 for no integer), numbers are finite.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from parkwatt.domain.errors import Description, InputError, InputFault
from parkwatt.io.ocpp.messages.catalogue import Direction, actions
from parkwatt.io.ocpp.messages.shape import Shape, shape_of
from parkwatt.io.ocpp.messages.strict import INTEGER_MAX, INTEGER_MIN
from parkwatt.io.ocpp.version import Version

_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+", re.ASCII)
_MULTIPLE_TOLERANCE = 1e-9


def checked(version: Version, action: str, direction: Direction, payload: object) -> None:
    """Raises InputError with every fault of the payload, or where the version has no such message."""
    if action not in actions(version, direction):
        rule = f"is not a {direction} of {version.value}"
        raise InputError([InputFault("action", rule, action)])
    if faults := list(_faults(shape_of(version, action, direction), payload, "")):
        raise InputError(faults)


def _faults(shape: Shape, value: Any, path: str) -> Iterator[InputFault]:
    match shape.kind:
        case "object":
            yield from _object_faults(shape, value, path)
        case "array":
            yield from _array_faults(shape, value, path)
        case "string":
            yield from _string_faults(shape, value, path)
        case "integer" | "number":
            yield from _number_faults(shape, value, path)
        case "boolean":
            if not isinstance(value, bool):
                yield _fault(path, "must be true or false", value)


def _fault(path: str, rule: str, value: object) -> InputFault:
    shown = Description("null") if value is None else value
    return InputFault(path or "payload", rule, shown)


def _object_faults(shape: Shape, value: Any, path: str) -> Iterator[InputFault]:
    if not isinstance(value, Mapping):
        yield _fault(path, "must be an object", value)
        return
    prefix = f"{path}." if path else ""
    for key in sorted(shape.required - value.keys()):
        yield InputFault(prefix + key, "is required")
    for key, item in value.items():
        if key in shape.fields:
            yield from _faults(shape.fields[key], item, prefix + key)
        elif not shape.open:
            yield _fault(f"{prefix}{key}", f"is not a field of {shape.name}", item)


def _array_faults(shape: Shape, value: Any, path: str) -> Iterator[InputFault]:
    if not isinstance(value, list | tuple):
        yield _fault(path, "must be a list", value)
        return
    if shape.items_min is not None and len(value) < shape.items_min:
        yield _fault(path, f"must have at least {shape.items_min} items", len(value))
    if shape.items_max is not None and len(value) > shape.items_max:
        yield _fault(path, f"must have at most {shape.items_max} items", len(value))
    element = shape.element()
    for index, item in enumerate(value):
        yield from _faults(element, item, f"{path}[{index}]")


def _string_faults(shape: Shape, value: Any, path: str) -> Iterator[InputFault]:
    if not isinstance(value, str):
        yield _fault(path, "must be a string", value)
        return
    if shape.values is not None and value not in shape.values:
        yield _fault(path, f"must be one of {', '.join(shape.values)}", value)
    if shape.length_max is not None and len(value) > shape.length_max:
        yield _fault(path, f"must have at most {shape.length_max} characters", value)
    if shape.format == "date-time" and not is_rfc_3339(value):
        yield _fault(path, "must be a time as in RFC 3339", value)
    if shape.format == "uri" and not _URI.fullmatch(value):
        yield _fault(path, "must be a URI", value)


def is_rfc_3339(text: str) -> bool:
    """Whether a text is a date-time of RFC 3339 that exists; leap seconds aside, which Python's times do not know."""
    if not _RFC_3339.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return True


def _number_faults(shape: Shape, value: Any, path: str) -> Iterator[InputFault]:
    kinds = int if shape.kind == "integer" else int | float
    if not isinstance(value, kinds) or isinstance(value, bool) or not math.isfinite(value):
        name = "a whole number" if shape.kind == "integer" else "a number"
        yield _fault(path, f"must be {name}", value)
        return
    least = INTEGER_MIN if shape.minimum is None else shape.minimum
    most = INTEGER_MAX if shape.maximum is None else shape.maximum
    if (shape.minimum is not None or shape.kind == "integer") and value < least:
        yield _fault(path, f"must be at least {least:g}", value)
    if (shape.maximum is not None or shape.kind == "integer") and value > most:
        yield _fault(path, f"must be at most {most:g}", value)
    if shape.multiple_of is not None:
        multiple = value / shape.multiple_of
        if abs(multiple - round(multiple)) > _MULTIPLE_TOLERANCE * max(1.0, abs(multiple)):
            yield _fault(path, f"must be a multiple of {shape.multiple_of:g}", value)
