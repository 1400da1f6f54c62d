"""What waits to be delivered: kept over a restart, bounded, tried again later and later, given up after a day."""

from __future__ import annotations

from typing import Final

import msgspec

# Seconds to the next try, by how many failed; the last goes on.
_WAITS_S: Final = (10, 30, 120, 600, 1800)
_GIVEN_UP_S: Final = 86_400
_LETTERS_MAX: Final = 100


class Letter(msgspec.Struct, omit_defaults=True):
    """One message to one address of one person. ``to``: `delivery.target` of the address; ``error``: of the last try."""

    person: str
    to: str
    title: str
    body: str
    made_unix_s: int
    urgent: bool = False
    tries: int = 0
    next_unix_s: int = 0
    error: str = ""


class Outbox(msgspec.Struct, omit_defaults=True):
    """Letters, oldest first. ``lost_count``: given up, or pushed out by newer ones."""

    letters: list[Letter] = msgspec.field(default_factory=list)
    lost_count: int = 0

    def put(self, letter: Letter) -> None:
        """One more; where there are too many the oldest that is not urgent goes, else the oldest."""
        self.letters.append(letter)
        if len(self.letters) > _LETTERS_MAX:
            lesser = next((one for one in self.letters if not one.urgent), self.letters[0])
            self.letters.remove(lesser)
            self.lost_count += 1

    def due(self, now_unix_s: int) -> Letter | None:
        """What is to be tried now: urgent ones first, then the oldest. Those that are a day old are dropped."""
        fresh = [one for one in self.letters if now_unix_s - one.made_unix_s <= _GIVEN_UP_S]
        self.lost_count += len(self.letters) - len(fresh)
        self.letters = fresh
        ready = [one for one in fresh if one.next_unix_s <= now_unix_s]
        return min(ready, key=lambda one: (not one.urgent, one.made_unix_s), default=None)

    def done(self, letter: Letter) -> None:
        """It was delivered, or nobody wants it any more."""
        self.letters = [one for one in self.letters if one is not letter]

    def failed(self, letter: Letter, error: str, now_unix_s: int) -> None:
        """It was not taken; it is tried again later."""
        wait_s = _WAITS_S[min(letter.tries, len(_WAITS_S) - 1)]
        letter.tries += 1
        letter.next_unix_s, letter.error = now_unix_s + wait_s, error
