"""What came in and waits: bounded, however much is said.

Of each topic only the newest message waits. One topic is looked at once a second, and all together thirty times at once and
then once in five seconds (a bucket that fills again), so that a flood cannot fill the journal. What waited too long is dropped:
a button that was pressed half a minute ago is pressed no more. What the broker had kept (retained) was said at a time that
nobody knows, and is no command.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

SPACING_S: Final = 1.0
BURST: Final = 30
REFILL_S: Final = 5.0
STALE_S: Final = 30.0


@dataclass(slots=True)
class Taken:
    """What is to be looked at now, in order, and how many messages were dropped since the last time: too old, or kept."""

    messages: list[tuple[str, bytes]] = field(default_factory=list)
    late: int = 0
    retained: int = 0


class Inbox:
    """Messages on some topics. Times are by a clock that never jumps."""

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = frozenset(topics)
        self._waiting: dict[str, tuple[bytes, float]] = {}
        self._looked_s: dict[str, float] = {}
        self._tokens, self._filled_s = float(BURST), 0.0
        self._retained = 0

    def take(self, topic: str, payload: bytes, *, retained: bool, now_s: float) -> bool:
        """A message came; False where its topic is none of these."""
        if topic not in self._topics:
            return False
        if retained:
            self._retained += 1
            return True
        # One that said something before keeps its place in the row.
        self._waiting[topic] = (payload, now_s)
        return True

    def due(self, now_s: float) -> Taken:
        """What may be looked at now."""
        taken, self._retained = Taken(retained=self._retained), 0
        self._tokens = min(self._tokens + (now_s - self._filled_s) / REFILL_S, float(BURST))
        self._filled_s = now_s
        for topic, (payload, said_s) in list(self._waiting.items()):
            if now_s - said_s > STALE_S:
                del self._waiting[topic]
                taken.late += 1
            elif now_s - self._looked_s.get(topic, -SPACING_S) >= SPACING_S and self._tokens >= 1.0:
                del self._waiting[topic]
                self._looked_s[topic] = now_s
                self._tokens -= 1.0
                taken.messages.append((topic, payload))
        return taken
