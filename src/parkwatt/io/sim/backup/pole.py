"""One pole of a gateway: a coil, contacts that follow it after a while, and an auxiliary contact that tells of them.

Each of the three may fail by itself: contacts weld or do not pull in (``sticks``) or bounce (``chatter_s``), and the auxiliary
contact may say the wrong thing or nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

from parkwatt.domain.home.gateway import Contact

SECOND_US = 1_000_000
# What an auxiliary contact tells: the truth, always the same, what it told last, nothing.
Auxiliary = Literal["honest", "open", "closed", "frozen", "silent"]
AUXILIARIES: tuple[Auxiliary, ...] = get_args(Auxiliary)
_BOUNCE_US = 50_000


@dataclass(slots=True)
class PoleFaults:
    """Faults on demand; `PoleFaults()` is a faultless pole.

    ``sticks``: the contacts stay where they are, whatever the coil does. ``chatter_s``: they bounce for so long when they
    move. ``auxiliary``: what the auxiliary contact tells. ``slow_s``: they move that much later.
    """

    sticks: bool = False
    chatter_s: float = 0.0
    auxiliary: Auxiliary = "honest"
    slow_s: float = 0.0


def other(contact: Contact) -> Contact:
    """The other position."""
    return "closed" if contact == "open" else "open"


@dataclass(slots=True)
class Pole:
    """``actual``: where the contacts are. ``commanded``: what the coil asks of them. ``actuation_s``: how long they take.

    ``operations``: how often the contacts moved.
    """

    actual: Contact
    actuation_s: float = 0.1
    faults: PoleFaults = field(default_factory=PoleFaults)
    commanded: Contact = "open"
    operations: int = 0
    _moves: list[tuple[int, Contact]] = field(default_factory=list)
    _told: Contact | None = None

    def __post_init__(self) -> None:
        """The coil agrees with the contacts at first."""
        self.commanded = self._told = self.actual

    def command(self, wanted: Contact, now_us: int) -> None:
        """Let the coil ask for a position from now on."""
        if wanted == self.commanded:
            return
        self.commanded = wanted
        self._moves.clear()
        self._begin_move(now_us)

    def _begin_move(self, now_us: int) -> None:
        """Plan the movement towards what the coil asks for; without one where the contacts are there or stick."""
        if self.actual == self.commanded or self.faults.sticks:
            return
        at_us = now_us + round((self.actuation_s + self.faults.slow_s) * SECOND_US)
        self._moves.append((at_us, self.commanded))
        bounces = round(self.faults.chatter_s * SECOND_US / _BOUNCE_US / 2)
        for _ in range(bounces):
            self._moves.append((at_us + _BOUNCE_US, other(self.commanded)))
            at_us += 2 * _BOUNCE_US
            self._moves.append((at_us, self.commanded))

    def chatter(self, duration_s: float, now_us: int) -> None:
        """Let the contacts bounce for a while from now on, as a loose coil does."""
        self._moves = [
            (now_us + number * _BOUNCE_US, other(self.actual) if number % 2 == 0 else self.actual)
            for number in range(2 * max(round(duration_s * SECOND_US / _BOUNCE_US / 2), 1))
        ]

    def next_move_us(self, now_us: int) -> int | None:
        """When the contacts move next, None where they rest. A pole that was freed moves as its coil asks."""
        if not self._moves:
            if self.actual == self.commanded:
                return None
            self._begin_move(now_us)
        return self._moves[0][0] if self._moves else None

    def move(self, at_us: int, may_close: Callable[[], bool]) -> bool:
        """Let the contacts do what is due; returns False where ``may_close``, asked before they close, was false."""
        while self._moves and self._moves[0][0] <= at_us:
            _, position = self._moves.pop(0)
            if self.faults.sticks or position == self.actual:
                continue
            if position == "closed" and not may_close():
                self.commanded = "open"
                self._moves.clear()
                return False
            self.actual = position
            self.operations += 1
        return True

    def auxiliary(self) -> Contact | None:
        """What the auxiliary contact tells; None where it is silent."""
        kind = self.faults.auxiliary
        if kind == "silent":
            return None
        if kind == "open" or kind == "closed":
            return kind
        if kind == "honest":
            self._told = self.actual
        return self._told
