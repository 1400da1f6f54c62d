"""A charger's place in the back end: its station, its link, its last messages."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from parkwatt.io.ocpp.secrets import SECRET_NAMES
from parkwatt.io.ocpp.station import Station

# Of each charger, for a look at what it is doing; the journal has what counts.
MESSAGES_REMEMBERED = 12
MESSAGE_CHARACTERS_MAX = 300
_SECRET = b"(holds a password)"


class Outlet(Protocol):
    """Where a charger's frames go: the part of a link that the back end needs."""

    def send(self, frame: bytes) -> None:
        """Send a frame, or drop it where the link is closed."""

    def close(self, code: int, reason: str) -> None:
        """End the link."""


@dataclass(slots=True)
class Slot:
    """One charger. ``undurable``: steps that wait for the journal; ``withheld``: their frames; ``recent``: when, sent, data."""

    charger_id: str
    station: Station
    outlet: Outlet | None = None
    link_count: int = 0
    undurable: int = 0
    withheld: int = 0
    recent: deque[tuple[int, bool, str | bytes]] = field(
        default_factory=lambda: deque(maxlen=MESSAGES_REMEMBERED)
    )

    def send(self, frame: bytes, now_unix_us: int) -> None:
        """Send a frame over the link; there is one."""
        secret = frame.startswith(b"[2,") and any(name in frame for name in SECRET_NAMES)
        shown = _SECRET if secret else frame[:MESSAGE_CHARACTERS_MAX]
        self.recent.append((now_unix_us, True, shown))
        if self.outlet is not None:
            self.outlet.send(frame)

    def last_messages(self) -> list[tuple[int, bool, str]]:
        """The newest frames, oldest first: when, whether sent, how it began."""
        return [
            (time, sent, data if isinstance(data, str) else data.decode(errors="replace"))
            for time, sent, data in self.recent
        ]
