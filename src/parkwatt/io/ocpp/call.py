"""A call to a charger and what came of it: what the ladder and the commissioning ask a session to send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Purpose = Literal["setpoint", "default", "check", "grid_code", "commissioning", "hand"]


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the charger in the words of its version.

    ``payload``: JSON-like, checked strictly before it is sent. ``reason``: why, in words; it is journalled. ``key``: a newer
    call with the same key takes the place of one that was not sent yet. ``urgent``: before others that wait. ``tag``:
    whatever the asker needs to recognise the answer; the session returns it untouched. ``following``: a set-point that only
    follows the meter, of many.
    """

    action: str
    payload: Mapping[str, Any]
    purpose: Purpose
    reason: str
    key: str | None = None
    urgent: bool = False
    tag: str = ""
    timeout_s: float = 30.0
    following: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call.

    ``status``: `payload["status"]` where the answer has one. ``error``: the code of a CALLERROR ("NotImplemented", …),
    "Timeout" where no answer came, "Disconnected" where the link went first, "Unsendable" where the charger's version
    has no such message; empty where the charger answered.
    """

    call: Call
    status: str = ""
    reason_code: str = ""
    error: str = ""
    description: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Whether the charger answered, and not in the negative."""
        return not self.error and self.status in {"", "Accepted"}
