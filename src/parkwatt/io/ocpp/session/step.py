"""What one step of a conversation brought: events to journal, then frames to send."""

from __future__ import annotations

from dataclasses import dataclass, field

from parkwatt.domain.charger.event import ChargerEvent
from parkwatt.io.ocpp.call import Answer


@dataclass(slots=True)
class Step:
    """``frames`` leave only when ``events`` are durable. ``answers``: to calls of ours, also to those that were never sent.

    ``fault``: a programming error that a message brought to light, to be reported; what had happened before it stands.
    """

    events: list[ChargerEvent] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    fault: Exception | None = None
