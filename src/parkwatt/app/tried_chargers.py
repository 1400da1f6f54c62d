"""Chargers that tried to connect and were not let in: what a person who sets one up wants to see."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from parkwatt.io.ocpp.server.listener import Refusal

# Whoever reaches the port can name any identity: the oldest go.
_KEPT: Final = 20


@dataclass(frozen=True, slots=True)
class TriedCharger:
    """``peer``: where it came from; ``reason``: why it was refused; ``tries``: how often it knocked."""

    charger_id: str
    peer: str
    reason: str
    tries: int
    seen_unix_us: int


class TriedChargers:
    """The last of them. One event loop."""

    def __init__(self) -> None:
        self._found: OrderedDict[str, TriedCharger] = OrderedDict()

    def note(self, refusal: Refusal, now_unix_us: int) -> None:
        """One was refused; without an identity nothing is to be said of it."""
        charger_id = refusal.charger_id
        if charger_id is None:
            return
        before = self._found.pop(charger_id, None)
        tries = 1 if before is None else before.tries + 1
        self._found[charger_id] = TriedCharger(
            charger_id, refusal.peer, refusal.reason, tries, now_unix_us
        )
        while len(self._found) > _KEPT:
            self._found.popitem(last=False)

    def forget(self, charger_id: str) -> None:
        """It came in."""
        self._found.pop(charger_id, None)

    def latest(self) -> list[TriedCharger]:
        """All, the latest first."""
        return list(reversed(self._found.values()))
