"""What one step of a conversation brought: events to journal, then frames to send."""

from __future__ import annotations

from dataclasses import dataclass, field

from parkwatt.domain.charger.event import ChargerEvent
from parkwatt.io.ocpp.call import Answer


@dataclass(slots=True)
class Step:
    """``frames`` leave only when ``events`` are durable. ``answers``: to calls of ours. ``close``: why the link should end."""

    events: list[ChargerEvent] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    close: str | None = None

    def add(self, other: Step) -> None:
        """Append what a later step brought."""
        self.events += other.events
        self.frames += other.frames
        self.answers += other.answers
        self.close = self.close or other.close
