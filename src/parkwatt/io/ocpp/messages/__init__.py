"""OCPP's messages as typed structs, made from the schemas on first use.

Reading is strict first: msgspec decodes and validates in one pass, straight from the bytes. Only a message that fails there is
walked by the tolerant reader, which repairs what chargers in the field get wrong and tells every repair. Writing is checked
strictly, with all faults named.

A struct's attributes have the JSON names (`chargingProfile`, `setpoint_L2`); absent fields are None, enumerations are strings,
`customData` is a dict, date-times are the strings that were sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from parkwatt.io.ocpp.messages import tolerant
from parkwatt.io.ocpp.messages.catalogue import Direction, actions, has_action
from parkwatt.io.ocpp.messages.check import checked
from parkwatt.io.ocpp.messages.fault import Deviation, MessageFault, error_code
from parkwatt.io.ocpp.messages.strict import decoder
from parkwatt.io.ocpp.version import Version

__all__ = [
    "Decoded",
    "Deviation",
    "MessageFault",
    "actions",
    "check_request",
    "check_response",
    "decode_request",
    "decode_response",
    "encode",
    "has_action",
]

_encoder = msgspec.json.Encoder()


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """A message that was read, and where it departed from its schema."""

    message: Any
    deviations: tuple[Deviation, ...] = ()


def decode_request(version: Version, action: str, payload: msgspec.Raw | bytes) -> Decoded:
    """Read the payload of a CALL or SEND.

    Raises:
        MessageFault: the version has no such action (NotImplemented), or the payload cannot be used even with repairs.
    """
    return _decoded(version, action, "request", payload)


def decode_response(version: Version, action: str, payload: msgspec.Raw | bytes) -> Decoded:
    """Read the payload of a CALLRESULT to a call of ``action``. Raises MessageFault as `decode_request` does."""
    return _decoded(version, action, "response", payload)


def _decoded(
    version: Version, action: str, direction: Direction, payload: msgspec.Raw | bytes
) -> Decoded:
    try:
        return Decoded(decoder(version, action, direction).decode(payload))
    except KeyError:
        description = f"{action} is not a {direction} of {version.value}"
        raise MessageFault(error_code(version, "unknown action"), description) from None
    except (ValueError, RecursionError):
        return Decoded(*tolerant.repaired(version, action, direction, payload))


def encode(payload: object) -> bytes:
    """A message, struct or JSON-like, as JSON; absent fields of structs are left out."""
    return _encoder.encode(payload)


def check_request(version: Version, action: str, payload: Mapping[str, Any]) -> None:
    """Check a request before it is sent. Raises InputError that names every field at fault."""
    checked(version, action, "request", payload)


def check_response(version: Version, action: str, payload: Mapping[str, Any]) -> None:
    """Check a response before it is sent. Raises InputError that names every field at fault."""
    checked(version, action, "response", payload)
