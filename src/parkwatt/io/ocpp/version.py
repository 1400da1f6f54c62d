"""The versions of OCPP that are spoken, by the name of their WebSocket sub-protocol."""

from __future__ import annotations

from enum import StrEnum


class Version(StrEnum):
    """A version, as its sub-protocol is called."""

    V16 = "ocpp1.6"
    V201 = "ocpp2.0.1"
    V21 = "ocpp2.1"

    @property
    def is_2(self) -> bool:
        """Whether it is 2.0.1 or 2.1: one message set, 2.1 adds to it."""
        return self is not Version.V16
