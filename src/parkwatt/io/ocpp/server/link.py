"""The link to one charger, as the rest of Parkwatt sees it: five methods, whatever carries the frames.

A link hands each frame to a callback in the loop's turn in which it was read, and takes frames to send without waiting.
Measured against a coroutine that awaits each frame, this is a third of the cost (docs/decisions/0032-credentials.md
names the figures).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Closed:
    """Why a link ended: the WebSocket close code (1006: none was exchanged) and words.

    ``by_charger``: whether the charger ended it.
    """

    code: int
    reason: str
    by_charger: bool


OnFrame = Callable[[bytes], None]
OnClosed = Callable[[Closed], None]


class Link(Protocol):
    """A live connection to one charger."""

    def listen(self, on_frame: OnFrame, on_closed: OnClosed) -> None:
        """Say who gets the frames (UTF-8 text) and, once, the end.

        Call it before control returns to the event loop. An exception out of ``on_frame`` is reported to the loop's exception
        handler and closes the link with 1011.
        """

    def send(self, frame: bytes) -> None:
        """Send a text frame, without waiting; on a closed link nothing happens (``on_closed`` has told or will tell).

        What the charger has not read is kept up to a bound; beyond it the link is closed.
        """

    async def ping(self, timeout_s: float) -> bool:
        """Whether the charger gave a sign of life (a pong or any byte) within ``timeout_s`` of asking."""

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the link politely; it is cut off where the charger does not join in."""

    def peer(self) -> str:
        """The charger's network address, as ``host:port``, an IPv6 host in brackets."""
