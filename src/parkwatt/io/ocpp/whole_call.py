"""A sound call in one pass: envelope and payload at once, straight from the bytes.

Nearly every message of a charger is a CALL that keeps to its schema. Its action is looked for where it has to be, and that
action's decoder reads and validates the whole frame, in half the time of reading the envelope and then the payload. Whatever
it refuses is left to `frame` and `messages`: another type of message, an unknown action, anything that breaks the standard,
and what holds vendors' data, of which nobody knows how deep it nests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal, cast

import msgspec

from parkwatt.io.ocpp.frame import FRAME_BYTES_MAX, MessageId
from parkwatt.io.ocpp.messages.catalogue import has_action
from parkwatt.io.ocpp.messages.shape import Shape, shape_of
from parkwatt.io.ocpp.messages.strict import struct_of
from parkwatt.io.ocpp.version import Version


class WholeCall(msgspec.Struct, array_like=True, tag=2, gc=False):
    """A CALL that keeps to its schema. ``message``: its struct, as `messages.decode_request` gives it."""

    message_id: MessageId
    action: str
    message: Any


_Decode = Callable[[bytes], WholeCall]


class CallReader:
    """Reads the sound calls of one version."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._decoders: dict[bytes, _Decode] = {}

    def read(self, data: str | bytes) -> WholeCall | None:
        """The call, if ``data`` is nothing but a sound one; None for all else. Never raises."""
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogatepass")
        parts = data.split(b'"', 4)  # [2,"id","action",…
        if len(parts) < 5 or len(data) > FRAME_BYTES_MAX:
            return None
        decode = self._decoders.get(parts[3]) or self._new_decoder(parts[3])
        if decode is None:
            return None
        try:
            return decode(data)
        except (ValueError, RecursionError):
            return None

    def _new_decoder(self, name: bytes) -> _Decode | None:
        """The decoder of an action's frame, made at its first use; None where the version has no such action, or one for
        vendors' data."""
        action = name.decode("ascii", "replace")
        if not has_action(self._version, action):
            return None
        shape = shape_of(self._version, action, "request")
        if not _is_closed(shape):
            return None
        fields = [("action", Literal[action]), ("message", struct_of(shape))]
        struct = msgspec.defstruct("WholeCall", fields, bases=(WholeCall,))
        decode = cast("_Decode", msgspec.json.Decoder(struct, dec_hook=_refuse).decode)
        self._decoders[name] = decode
        return decode


def _is_closed(shape: Shape) -> bool:
    """Whether the schema says of all of it what it may be; open objects, which are refused if they come, aside."""
    parts = list(shape.fields.values()) if shape.item is None else [shape.item]
    return shape.kind != "any" and all(map(_is_closed, parts))


def _refuse(_kind: type, _value: Any) -> Any:
    raise ValueError("vendors' data")


@cache
def call_reader(version: Version) -> CallReader:
    """The reader of a version's calls, one for all links."""
    return CallReader(version)
