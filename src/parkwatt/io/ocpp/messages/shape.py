"""What a message looks like: its JSON schema, read once into a tree that decoding, repairing and checking walk.

OCPP's schemas use a small part of JSON schema: objects that are closed (or open: `customData`), arrays of one kind, strings
with a length, an enumeration or a format, numbers with bounds. References are resolved here; no OCPP schema refers to itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from parkwatt.io.ocpp.messages import catalogue
from parkwatt.io.ocpp.messages.catalogue import Direction
from parkwatt.io.ocpp.version import Version

Kind = Literal["object", "array", "string", "integer", "number", "boolean", "any"]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One element of a message. What the schema does not limit is None.

    ``open``: an object that may hold any further field. ``format``: "date-time" or "uri". Shapes are equal by identity.
    """

    kind: Kind
    name: str
    fields: Mapping[str, Shape] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    open: bool = False
    item: Shape | None = None
    items_min: int | None = None
    items_max: int | None = None
    values: tuple[str, ...] | None = None
    length_max: int | None = None
    format: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    multiple_of: float | None = None

    def element(self) -> Shape:
        """The shape of a list's items. Raises TypeError where it is no list."""
        if self.item is None:
            raise TypeError(f"{self.name} is not a list")
        return self.item


@cache
def shape_of(version: Version, action: str, direction: Direction) -> Shape:
    """The shape of a message. Raises KeyError where the version has no such message."""
    document = catalogue.schema(version, action, direction)
    return _Reader(document.get("definitions", {})).read(document, action)


class _Reader:
    """Reads one document; every definition becomes one shape, however often it is referred to."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._read: dict[str, Shape] = {}

    def read(self, schema: Mapping[str, Any], name: str) -> Shape:
        if "$ref" in schema:
            return self._definition(schema["$ref"].removeprefix("#/definitions/"))
        item = schema.get("items")
        values = schema.get("enum")
        return Shape(
            kind=schema.get("type", "any"),
            name=name,
            fields={key: self.read(value, key) for key, value in _properties(schema)},
            required=frozenset(schema.get("required", ())),
            open=schema.get("additionalProperties", True),
            item=None if item is None else self.read(item, name),
            items_min=schema.get("minItems"),
            items_max=schema.get("maxItems"),
            values=None if values is None else tuple(values),
            length_max=schema.get("maxLength"),
            format=schema.get("format"),
            minimum=schema.get("minimum"),
            maximum=schema.get("maximum"),
            multiple_of=schema.get("multipleOf"),
        )

    def _definition(self, name: str) -> Shape:
        if name not in self._read:
            self._read[name] = self.read(self._definitions[name], name)
        return self._read[name]


def _properties(schema: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The fields of an object; some empty responses of 1.6 name none."""
    return list(schema.get("properties", {}).items())
