"""Makes use of a message that breaks its schema, as far as that is safe, and tells what was put right.

The message's shape and its JSON are walked together:

* kept as they are: strings too long, numbers beyond bounds, lists too long or too short, values that no enumeration names;
* converted: numbers in strings and strings in numbers, fractions where whole numbers are due, one item where a list is due;
* left out: unknown fields, null, optional fields and items of lists that cannot be read;
* filled in: a required field that is missing, where there is a value that harms nobody (`_NEUTRALS`, no items, no time).

A required field that remains unreadable makes what it belongs to unreadable, up to the next optional field or list; at the
top it is a `MessageFault`. The walk is no deeper than the shape; what vendors put into open objects is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from parkwatt.io.ocpp.messages.broken_json import mended
from parkwatt.io.ocpp.messages.catalogue import Direction
from parkwatt.io.ocpp.messages.fault import (
    DEVIATIONS_MAX,
    REPAIRS_MAX,
    Deviation,
    MessageFault,
    Reason,
    error_code,
    shortened,
)
from parkwatt.io.ocpp.messages.shape import Shape, shape_of
from parkwatt.io.ocpp.messages.strict import INTEGER_MAX, INTEGER_MIN, struct_of
from parkwatt.io.ocpp.version import Version

_NUMBER = re.compile(r"\s*[-+]?\d{1,30}(?:\.\d{0,30})?(?:[eE][-+]?\d{1,3})?\s*", re.ASCII)
_TRUTHS: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}

# What a missing required field of a request may be taken for without harm, by action and field. The empty string is no member
# of any enumeration and no known token; transaction -1 is what chargers themselves send for one they lost.
_NEUTRALS: Mapping[tuple[str, str], Any] = {
    ("BootNotification", "chargePointModel"): "",
    ("BootNotification", "chargePointVendor"): "",
    ("BootNotification", "model"): "",
    ("BootNotification", "reason"): "Unknown",
    ("BootNotification", "vendorName"): "",
    ("StartTransaction", "idTag"): "",
    ("StatusNotification", "errorCode"): "NoError",
    ("StopTransaction", "transactionId"): -1,
    ("TransactionEvent", "seqNo"): 0,
    ("TransactionEvent", "triggerReason"): "",
}
# In 2.x most EVSEs have one connector, and some chargers leave its number out.
_NEUTRALS_2: Mapping[tuple[str, str], Any] = {("StatusNotification", "connectorId"): 1}


def repaired(
    version: Version, action: str, direction: Direction, payload: bytes | msgspec.Raw
) -> tuple[Any, tuple[Deviation, ...]]:
    """The message as its struct, and what had to be put right for it. Raises MessageFault where that cannot be done."""
    repair = _Repair(version, action, direction)
    try:
        message = repair.read(shape_of(version, action, direction), repair.parsed(payload), "")
    except _UnreadableError as fault:
        subject = fault.field or "the payload"
        raise MessageFault(error_code(version, fault.reason), f"{subject} {fault.rule}") from None
    return message, tuple(repair.deviations)


class _UnreadableError(Exception):
    """A field for which no repair exists."""

    def __init__(self, reason: Reason, field: str, rule: str, value: object = None) -> None:
        self.reason = reason
        self.field = field
        self.rule = rule
        self.value = value
        super().__init__(field, rule)


class _Repair:
    """One walk through one message."""

    def __init__(self, version: Version, action: str, direction: Direction) -> None:
        self._version = version
        self._action = action
        self._is_request = direction == "request"
        self._repairs = 0
        self.deviations: list[Deviation] = []

    def parsed(self, payload: bytes | msgspec.Raw) -> Any:
        """The payload as plain Python values, mended where it is not JSON."""
        with suppress(ValueError, RecursionError):
            return msgspec.json.decode(payload)
        with suppress(ValueError, RecursionError):
            value = msgspec.json.decode(mended(bytes(payload)))
            self._note("", "is not JSON, mended", value)
            return value
        raise _UnreadableError("format", "", "is not JSON")

    def read(self, shape: Shape, value: Any, path: str) -> Any:
        """The value in the form that the shape asks for. Raises _UnreadableError where there is no way to it."""
        match shape.kind:
            case "object":
                return self._object(shape, value, path)
            case "array":
                return self._array(shape, value, path)
            case "string":
                return self._string(shape, value, path)
            case "integer":
                return self._bounded(shape, self._integer(value, path), path)
            case "number":
                return self._bounded(shape, self._number(value, path), path)
            case "boolean":
                return self._boolean(value, path)
        return value

    def _note(self, path: str, rule: str, value: object) -> None:
        self._repairs += 1
        if self._repairs > REPAIRS_MAX:
            code = error_code(self._version, "format")
            raise MessageFault(code, f"the payload has more than {REPAIRS_MAX} faults")
        if len(self.deviations) < DEVIATIONS_MAX:
            self.deviations.append(Deviation(path or "payload", rule, shortened(value)))

    def _object(self, shape: Shape, value: Any, path: str) -> Any:
        if value == [] or (value is None and not path):
            self._note(path, "is not an object, taken as an empty one", value)
            value = {}
        if not isinstance(value, dict):
            raise _UnreadableError("type", path, "is not an object", value)
        if shape.open:
            return value
        prefix = f"{path}." if path else ""
        fields: dict[str, Any] = {}
        for key, item in value.items():
            field = shape.fields.get(key)
            if field is None:
                self._note(prefix + key[:50], "is unknown, left out", item)
            elif key in shape.required:
                self._required_field(field, key, item, prefix, fields)
            else:
                self._optional_field(field, key, item, prefix, fields)
        for key in sorted(shape.required - fields.keys()):
            if not self._has_neutral(shape.fields[key], key):
                raise _UnreadableError("occurrence", prefix + key, "is required")
            fields[key] = self._neutral(shape.fields[key], key)
            rule = f"is missing or unreadable, taken as {fields[key]!r}"
            self._note(prefix + key, rule, value.get(key))
        return struct_of(shape)(**fields)

    def _required_field(
        self, shape: Shape, key: str, item: Any, prefix: str, fields: dict[str, Any]
    ) -> None:
        """Read a required field; one that cannot be read is as good as missing where there is a neutral value."""
        if item is None and shape.kind != "any":
            return
        try:
            fields[key] = self.read(shape, item, prefix + key)
        except _UnreadableError:
            if not self._has_neutral(shape, key):
                raise

    def _optional_field(
        self, shape: Shape, key: str, item: Any, prefix: str, fields: dict[str, Any]
    ) -> None:
        if item is None and shape.kind != "any":
            self._note(prefix + key, "is null, left out", item)
            return
        try:
            fields[key] = self.read(shape, item, prefix + key)
        except _UnreadableError as fault:
            self._note(fault.field, f"{fault.rule}, left out", fault.value)

    def _has_neutral(self, shape: Shape, key: str) -> bool:
        if shape.kind == "array" or shape.format == "date-time":
            return True
        return self._is_request and (
            (self._action, key) in _NEUTRALS
            or (self._version.is_2 and (self._action, key) in _NEUTRALS_2)
        )

    def _neutral(self, shape: Shape, key: str) -> Any:
        if shape.kind == "array":
            return []
        if shape.format == "date-time":
            return ""
        return {**_NEUTRALS_2, **_NEUTRALS}[self._action, key]

    def _array(self, shape: Shape, value: Any, path: str) -> list[Any]:
        if isinstance(value, list):
            items = self._items(shape.element(), value, path)
        else:
            items = [self.read(shape.element(), value, f"{path}[0]")]
            self._note(path, "is not a list, taken as its one item", value)
        if shape.items_min is not None and len(items) < shape.items_min:
            self._note(path, f"has fewer than {shape.items_min} items, kept", len(items))
        if shape.items_max is not None and len(items) > shape.items_max:
            self._note(path, f"has more than {shape.items_max} items, kept", len(items))
        return items

    def _items(self, element: Shape, values: list[Any], path: str) -> list[Any]:
        """The items that can be read."""
        items: list[Any] = []
        for index, value in enumerate(values):
            try:
                items.append(self.read(element, value, f"{path}[{index}]"))
            except _UnreadableError as fault:
                self._note(fault.field, f"{fault.rule}, the item is left out", fault.value)
        return items

    def _string(self, shape: Shape, value: Any, path: str) -> str:
        if isinstance(value, bool | int | float):
            self._note(path, "is not a string, taken as one", value)
            value = str(value).lower()
        if not isinstance(value, str):
            raise _UnreadableError("type", path, "is not a string", value)
        if shape.values is not None and value not in shape.values:
            self._note(path, f"is no {shape.name}, kept", value)
        if shape.length_max is not None and len(value) > shape.length_max:
            self._note(path, f"is longer than {shape.length_max} characters, kept", value)
        return value

    def _integer(self, value: Any, path: str) -> int:
        number = self._parsed_number(value, path)
        if not INTEGER_MIN <= number <= INTEGER_MAX:
            raise _UnreadableError("property", path, "is beyond 64 bits", value)
        whole = round(number)
        if whole != number:
            self._note(path, "is not a whole number, rounded", value)
        return whole

    def _number(self, value: Any, path: str) -> float:
        number = self._parsed_number(value, path)
        try:
            return float(number)
        except OverflowError:
            raise _UnreadableError("property", path, "is beyond every measure", value) from None

    def _parsed_number(self, value: Any, path: str) -> float:
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            self._note(path, "is a string, taken as a number", value)
            parsed = float(value) if {".", "e", "E"} & set(value) else int(value)
            if abs(parsed) != float("inf"):
                return parsed
        elif isinstance(value, int | float) and not isinstance(value, bool):
            return value
        raise _UnreadableError("type", path, "is not a number", value)

    def _bounded(self, shape: Shape, number: float, path: str) -> float:
        if shape.minimum is not None and number < shape.minimum:
            self._note(path, f"is below {shape.minimum:g}, kept", number)
        if shape.maximum is not None and number > shape.maximum:
            self._note(path, f"is above {shape.maximum:g}, kept", number)
        return number

    def _boolean(self, value: Any, path: str) -> bool:
        if isinstance(value, bool):
            return value
        truth = _TRUTHS.get(str(value).strip().lower()) if isinstance(value, str | int) else None
        if truth is None:
            raise _UnreadableError("type", path, "is neither true nor false", value)
        self._note(path, "is not a boolean, taken as one", value)
        return truth
