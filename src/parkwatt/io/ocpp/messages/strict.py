"""Message types for msgspec, made from shapes: decoding and validating a well-formed message is one pass in C.

The types say what the schemas say but for three things that are looked at elsewhere: a date-time is any string (chargers
before their first contact send odd ones), a number need be no exact multiple of 0.1 (no float is), and what `customData`
holds is the vendor's affair.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

import msgspec

from parkwatt.io.ocpp.messages.catalogue import Direction
from parkwatt.io.ocpp.messages.shape import Shape, shape_of
from parkwatt.io.ocpp.version import Version

INTEGER_MIN, INTEGER_MAX = -(2**63), 2**63 - 1
"""What an integer of a message may be at most: no meter counts further, and a database holds no more."""


class VendorData(dict[str, Any]):
    """What a vendor put into an open object (`customData`), as it came."""


@cache
def decoder(version: Version, action: str, direction: Direction) -> msgspec.json.Decoder[Any]:
    """The strict decoder of a message. Raises KeyError where the version has no such message."""
    struct = struct_of(shape_of(version, action, direction))
    return msgspec.json.Decoder(struct, dec_hook=_vendor_data)


@cache
def struct_of(shape: Shape) -> type[msgspec.Struct]:
    """The struct of a closed object: its attributes have the JSON names, absent ones are None, it is encoded without them.

    Messages are trees, so Python's cycle collector need not look at them (``gc=False``).
    """
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        (key, _annotation(field)) if key in shape.required else (key, _annotation(field), None)
        for key, field in shape.fields.items()
    ]
    return msgspec.defstruct(
        shape.name,
        fields,
        kw_only=True,
        forbid_unknown_fields=True,
        omit_defaults=True,
        gc=False,
        module=__name__,
    )


def _vendor_data(_kind: type, value: Any) -> VendorData:
    if not isinstance(value, dict):
        raise TypeError("must be an object")
    return VendorData(value)


def _annotation(shape: Shape) -> Any:
    """The type of a field, with the schema's limits."""
    match shape.kind:
        case "object":
            return VendorData if shape.open else struct_of(shape)
        case "array":
            meta = _meta(min_length=shape.items_min, max_length=shape.items_max)
            return _limited(list[_annotation(shape.element())], meta)  # type: ignore[misc]
        case "string":
            if shape.values is not None:
                return Literal[shape.values]
            return _limited(str, _meta(max_length=shape.length_max))
        case "integer":
            least = INTEGER_MIN if shape.minimum is None else int(shape.minimum)
            most = INTEGER_MAX if shape.maximum is None else int(shape.maximum)
            return Annotated[int, msgspec.Meta(ge=least, le=most)]
        case "number":
            return _limited(float, _meta(ge=shape.minimum, le=shape.maximum))
        case "boolean":
            return bool
    return Any


def _meta(**limits: float | None) -> dict[str, float]:
    return {name: limit for name, limit in limits.items() if limit is not None}


def _limited(kind: Any, limits: dict[str, Any]) -> Any:
    return Annotated[kind, msgspec.Meta(**limits)] if limits else kind
