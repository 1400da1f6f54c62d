"""How fast simulated time passes: as fast as the computer can, or at most so many times as fast as the wall's clock."""

from __future__ import annotations

import asyncio
import selectors
import time
from abc import ABC, abstractmethod
from typing import Protocol

Ready = list[tuple[selectors.SelectorKey, int]]

# A pace that fell behind by more wall time than this does not run after what it missed.
_FORGIVEN_S = 0.25


class Mover(Protocol):
    """What a pace sees of a loop's time."""

    now_s: float

    def poll(self, real_s: float | None) -> Ready:
        """What is ready within so many real seconds; None waits until something is."""

    def move_to(self, at_s: float) -> None:
        """Let simulated time be ``at_s``."""


class Pace(ABC):
    """Moves time. Subclasses say how."""

    def began(self, loop: asyncio.AbstractEventLoop) -> None:  # noqa: B027 a hook: most paces need none
        """A loop runs at this pace from now on."""

    def noticed(self, mover: Mover, ready: Ready) -> None:  # noqa: B027 likewise
        """Something is ready: the loop will work on it."""

    @abstractmethod
    def pass_time(self, mover: Mover, next_s: float | None) -> Ready:
        """Nothing is ready: move on to ``next_s`` at the latest, the next timer; None: there is none, so wait for others."""


class FreePace(Pace):
    """As fast as the computer can."""

    def pass_time(self, mover: Mover, next_s: float | None) -> Ready:
        """Jump to the next timer."""
        if next_s is None:
            return mover.poll(None)
        mover.move_to(next_s)
        return []


class WallPace(Pace):
    """At most ``speed`` simulated seconds for each second of the wall's clock.

    Work that takes longer than it may makes time pass more slowly; what was missed is not caught up.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._anchor: tuple[float, float] | None = None
        self.speed = speed

    @property
    def speed(self) -> float:
        """How many times as fast; it may be set while time passes. Above 0."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be above 0, got {speed}")
        self._speed, self._anchor = speed, None

    def pass_time(self, mover: Mover, next_s: float | None) -> Ready:
        """Wait until the wall's clock allows the next timer, or something is ready."""
        lag_s = 0.0 if next_s is None else (self._allowed_s(mover) - next_s) / self._speed
        if next_s is not None and lag_s >= 0:
            mover.move_to(next_s)
            if lag_s > _FORGIVEN_S:
                self._anchor = None
            return []
        ready = mover.poll(None if next_s is None else -lag_s)
        allowed_s = self._allowed_s(mover)
        mover.move_to(allowed_s if next_s is None else min(allowed_s, next_s))
        return ready

    def _allowed_s(self, mover: Mover) -> float:
        wall_s = time.monotonic()
        if self._anchor is None:
            self._anchor = (wall_s, mover.now_s)
        begun_wall_s, begun_s = self._anchor
        return begun_s + (wall_s - begun_wall_s) * self._speed
