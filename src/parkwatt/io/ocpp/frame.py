"""The envelope of OCPP-J (1.6-J section 4, 2.x Part 4 section 4): JSON arrays that carry calls and their answers.

    [2, id, action, payload]                      CALL
    [3, id, payload]                              CALLRESULT
    [4, id, code, description, details]           CALLERROR
    [5, id, code, description, details]           CALLRESULTERROR (2.1)
    [6, id, action, payload]                      SEND (2.1)

A well-formed frame is read in one pass, its payload left as raw JSON for `messages`. What is not well-formed is looked at
again, more slowly: broken JSON is mended where it can be, numbers that came as strings and strings that came as numbers are
understood. Reading never raises; what stays unreadable is a `MalformedFrame`, with the message's id if that much is legible.
"""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import accumulate
from typing import Annotated, Any

import msgspec

from parkwatt.io.ocpp.messages.broken_json import mended

FRAME_BYTES_MAX = 1 << 20
"""Larger frames are refused unread; the largest of OCPP's own messages, a full NotifyReport, is well below."""
DEPTH_MAX = 64
"""Deeper nested frames are refused; OCPP's own messages nest 10 deep, the rest is for vendors' data."""
MESSAGE_ID_CHARACTERS_MAX = 255
"""OCPP says 36; longer ones are understood and echoed."""
MessageId = Annotated[str, msgspec.Meta(min_length=1, max_length=MESSAGE_ID_CHARACTERS_MAX)]

_DESCRIPTION_CHARACTERS_MAX = 255
_EMPTY = msgspec.Raw(b"{}")


class CallFrame(msgspec.Struct, array_like=True, tag=2, gc=False):
    """A request. ``payload``: JSON as it came."""

    message_id: MessageId
    action: str
    payload: msgspec.Raw = _EMPTY


class ResultFrame(msgspec.Struct, array_like=True, tag=3, gc=False):
    """The answer to a call."""

    message_id: MessageId
    payload: msgspec.Raw = _EMPTY


class SendFrame(msgspec.Struct, array_like=True, tag=6, gc=False):
    """A message that expects no answer."""

    message_id: MessageId
    action: str
    payload: msgspec.Raw = _EMPTY


class ErrorFrame(msgspec.Struct):
    """The refusal of a call, or, with ``of_result``, of the answer to a call (CALLRESULTERROR)."""

    message_id: str
    code: str
    description: str
    details: dict[str, Any]
    of_result: bool = False


class MalformedFrame(msgspec.Struct):
    """What could not be read. ``message_id``: None where it is illegible.

    ``unknown_type``: the message type of a frame that is sound but for being of a type OCPP does not have. (2.0.1 answers it
    with MessageTypeNotSupported, 1.6 and 2.1 ignore it.)
    """

    message_id: str | None
    fault: str
    unknown_type: int | None = None


Frame = CallFrame | ResultFrame | ErrorFrame | SendFrame | MalformedFrame


class _CallError(msgspec.Struct, array_like=True, tag=4):
    message_id: MessageId
    code: str
    description: str = ""
    details: Any = None


class _CallResultError(msgspec.Struct, array_like=True, tag=5):
    message_id: MessageId
    code: str
    description: str = ""
    details: Any = None


_ERROR_KINDS = (_CallError, _CallResultError)
_FRAMES: dict[int, type[msgspec.Struct]] = {
    2: CallFrame,
    3: ResultFrame,
    4: _CallError,
    5: _CallResultError,
    6: SendFrame,
}
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(
    CallFrame | ResultFrame | _CallError | _CallResultError | SendFrame
)
_envelope_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_encode = msgspec.json.Encoder().encode


def read_frame(data: str | bytes) -> Frame:
    """Read one WebSocket message. Never raises, whatever the message holds."""
    if len(data) > FRAME_BYTES_MAX:
        fault = f"the message is larger than {FRAME_BYTES_MAX} bytes"
        return MalformedFrame(_legible_message_id(data[:1000]), fault)
    try:
        frame = _decoder.decode(data)
    except (ValueError, RecursionError):
        frame = _read_unusual(data)
        if type(frame) is MalformedFrame:
            return frame
    if _is_deep(data):
        return MalformedFrame(_legible_message_id(data), "the message is nested too deep")
    if isinstance(frame, _ERROR_KINDS):
        return _error_frame(frame)
    return frame  # type: ignore[no-any-return]


def _error_frame(error: _CallError | _CallResultError) -> ErrorFrame:
    details = error.details if isinstance(error.details, dict) else {}
    of_result = isinstance(error, _CallResultError)
    return ErrorFrame(error.message_id, error.code, error.description, details, of_result)


def _read_unusual(data: str | bytes) -> Any:
    """Read a frame whose JSON is broken or whose envelope has the wrong types."""
    elements = _elements(data)
    if elements is None:
        return MalformedFrame(_legible_message_id(data), "the message is not a JSON array")
    if len(elements) < 2:
        return MalformedFrame(None, "the message has fewer than two elements")
    message_type, message_id = _whole_number(elements[0]), _message_id(elements[1])
    if message_type is None:
        return MalformedFrame(message_id, "the message type is not a number")
    if message_id is None:
        return MalformedFrame(None, "the message id is not a string of 1 to 255 characters")
    kind = _FRAMES.get(message_type)
    if kind is None:
        fault = f"there is no message type {message_type}"
        return MalformedFrame(message_id, fault, unknown_type=message_type)
    if kind in {CallFrame, SendFrame}:
        return _call_frame(kind, message_id, elements)
    if kind is ResultFrame:
        return ResultFrame(message_id, elements[2] if len(elements) > 2 else _EMPTY)
    code, description, details = (*map(_value, elements[2:5]), None, None, None)[:3]
    return kind(
        message_id,
        code if isinstance(code, str) else "GenericError",
        description if isinstance(description, str) else "",
        details,
    )


def _call_frame(
    kind: type[msgspec.Struct], message_id: str, elements: list[msgspec.Raw]
) -> msgspec.Struct:
    action = _value(elements[2]) if len(elements) > 2 else None
    if not isinstance(action, str):
        return MalformedFrame(message_id, "the action is not a string")
    return kind(message_id, action, elements[3] if len(elements) > 3 else _EMPTY)


def _elements(data: str | bytes) -> list[msgspec.Raw] | None:
    """The elements of a frame as raw JSON, mended where the frame is not JSON; None where that fails too."""
    with suppress(ValueError, RecursionError):
        return _envelope_decoder.decode(data)
    with suppress(ValueError, RecursionError):
        return _envelope_decoder.decode(mended(data))
    return None


def _value(raw: msgspec.Raw) -> Any:
    """One element's value, None where it is unreadable."""
    with suppress(ValueError, RecursionError):
        return msgspec.json.decode(raw)
    with suppress(ValueError, RecursionError):
        return msgspec.json.decode(mended(bytes(raw)))
    return None


def _whole_number(raw: msgspec.Raw) -> int | None:
    """A message type: 2, 2.0 or "2"."""
    value = _value(raw)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9:
        return int(value) if value == int(value) else None
    return None


def _message_id(raw: msgspec.Raw) -> str | None:
    """A message id; chargers that send a number get the same digits back."""
    value = _value(raw)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = bytes(raw).decode("ascii", "replace").strip()
    if isinstance(value, str) and 0 < len(value) <= MESSAGE_ID_CHARACTERS_MAX:
        return value
    return None


_LEGIBLE_ID = re.compile(rb'\s*\[\s*"?\d(?:\.0)?"?\s*,\s*"([^"\\\x00-\x1f]{1,255})"')


def _legible_message_id(data: str | bytes) -> str | None:
    """The message id of a frame that is not JSON, where its beginning is."""
    text = data[:600]
    beginning = text.encode("utf-8", "replace") if isinstance(text, str) else text
    match = _LEGIBLE_ID.match(beginning)
    return None if match is None else match[1].decode("utf-8", "replace")


_NOT_STRUCTURE = bytes(set(range(256)) - set(b'"[]{}'))
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def _is_deep(data: str | bytes) -> bool:
    """Whether a frame nests deeper than `DEPTH_MAX`: the brackets outside of strings, counted up and down."""
    if len(data) <= 2 * DEPTH_MAX:
        return False
    text = data.encode("utf-8", "replace") if isinstance(data, str) else data
    if text.count(b"{") + text.count(b"[") <= DEPTH_MAX:
        return False
    if b"\\" in text:
        text = re.sub(rb"\\.", b"", text, flags=re.DOTALL)
    structure = re.sub(rb'"[^"]*+"?', b"", text.translate(None, _NOT_STRUCTURE))
    return max(accumulate(map(_STEPS.__getitem__, structure)), default=0) > DEPTH_MAX


def write_call(message_id: str, action: str, payload: bytes) -> bytes:
    """A CALL with its payload's JSON."""
    return b"".join((b"[2,", _encode(message_id), b",", _encode(action), b",", payload, b"]"))


def write_result(message_id: str, payload: bytes) -> bytes:
    """A CALLRESULT with its payload's JSON."""
    return b"".join((b"[3,", _encode(message_id), b",", payload, b"]"))


def write_error(
    message_id: str, code: str, description: str, details: dict[str, Any] | None = None
) -> bytes:
    """A CALLERROR; the description is cut to the 255 characters that OCPP allows."""
    return _encode([4, message_id, code, description[:_DESCRIPTION_CHARACTERS_MAX], details or {}])


def write_result_error(
    message_id: str, code: str, description: str, details: dict[str, Any] | None = None
) -> bytes:
    """A CALLRESULTERROR (2.1): the answer to our call could not be used."""
    return _encode([5, message_id, code, description[:_DESCRIPTION_CHARACTERS_MAX], details or {}])


def write_send(message_id: str, action: str, payload: bytes) -> bytes:
    """A SEND (2.1) with its payload's JSON."""
    return b"".join((b"[6,", _encode(message_id), b",", _encode(action), b",", payload, b"]"))
