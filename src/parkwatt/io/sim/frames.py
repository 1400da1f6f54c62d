"""OCPP-J frames of the virtual charger, on the `ocpp` package's messages and schemas.

Payloads stay dictionaries with the names of the wire: the package's own conversion to snake case loses names of 2.1.
Message types 5 (CALLRESULTERROR) and 6 (SEND) of 2.1, which the package does not know, are added here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jsonschema.exceptions import ValidationError
from ocpp.messages import (
    Call,
    CallError,
    CallResult,
    MessageType,
    get_validator,
)

Payload = dict[str, Any]
CALL_RESULT_ERROR = 5
SEND = 6


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame that was read: ``kind`` is the message type id; ``name`` the action, or a CALLERROR's code."""

    kind: int
    message_id: str
    name: str
    payload: Payload


class UnreadableFrameError(Exception):
    """The text is no OCPP-J frame; ``message_id`` is what it could be told apart by."""

    def __init__(self, reason: str, message_id: str = "-1") -> None:
        self.message_id = message_id
        super().__init__(reason)


class PayloadError(Exception):
    """The payload breaks its schema; ``code`` is the RPC error code of the protocol's version."""

    def __init__(self, code: str, description: str) -> None:
        self.code = code
        super().__init__(description)


def read_frame(text: str | bytes) -> Frame:
    """Read one frame; raises UnreadableFrameError."""
    try:
        parts = json.loads(text)
    except (ValueError, UnicodeDecodeError):
        raise UnreadableFrameError("not JSON") from None
    if not isinstance(parts, list) or len(parts) < 3 or not isinstance(parts[1], str):
        raise UnreadableFrameError("not an OCPP-J frame")
    kind, message_id, *rest = parts
    if kind in (MessageType.Call, SEND) and len(rest) >= 2:
        name, payload = rest[0], rest[1]
    elif kind == MessageType.CallResult:
        name, payload = "", rest[0]
    elif kind in (MessageType.CallError, CALL_RESULT_ERROR):
        name, payload = rest[0], {"description": rest[1] if len(rest) > 1 else ""}
    else:
        raise UnreadableFrameError(f"unknown message type {kind!r}", message_id)
    if not isinstance(name, str) or not isinstance(payload, dict):
        raise UnreadableFrameError("a part has the wrong type", message_id)
    return Frame(kind, message_id, name, payload)


def call_text(message_id: str, action: str, payload: Payload) -> str:
    """A CALL."""
    return str(Call(message_id, action, payload).to_json())


def result_text(message_id: str, payload: Payload) -> str:
    """A CALLRESULT."""
    return str(CallResult(message_id, payload).to_json())


def error_text(message_id: str, code: str, description: str) -> str:
    """A CALLERROR."""
    return str(CallError(message_id, code, description[:255], {}).to_json())


def send_text(message_id: str, action: str, payload: Payload) -> str:
    """A SEND of 2.1, which gets no answer."""
    return json.dumps([SEND, message_id, action, payload], separators=(",", ":"))


def check_payload(protocol: str, action: str, payload: Payload, *, is_answer: bool = False) -> None:
    """Hold a payload against its schema; raises PayloadError with the RPC error code of the version.

    Whole numbers written as 1.0 count as integers, as the draft of the schemas says. Decimals of 1.6 are
    compared as decimals, since 21.4 as a binary fraction is no multiple of 0.1.
    """
    kind = MessageType.CallResult if is_answer else MessageType.Call
    exact = protocol == "1.6"
    try:
        validator = get_validator(kind, action, protocol, parse_float=Decimal if exact else float)
    except OSError:
        raise PayloadError("NotImplemented", f"{action} is not known") from None
    text = json.dumps(payload)
    try:
        validator.validate(json.loads(text, parse_float=_exact if exact else _plain))
    except ValidationError as error:
        where = ".".join(str(part) for part in error.absolute_path)
        raise PayloadError(
            _code(protocol, str(error.validator)), f"{where}: {error.message}"[:255]
        ) from None


def _plain(text: str) -> float | int:
    number = float(text)
    return int(number) if number.is_integer() else number


def _exact(text: str) -> Decimal | int:
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else number


def _code(protocol: str, keyword: str) -> str:
    if keyword == "type":
        return "TypeConstraintViolation"
    if keyword in ("required", "minItems", "maxItems"):
        return (
            "OccurenceConstraintViolation" if protocol == "1.6" else "OccurrenceConstraintViolation"
        )
    if keyword == "additionalProperties":
        return "FormationViolation" if protocol == "1.6" else "FormatViolation"
    return "PropertyConstraintViolation"
