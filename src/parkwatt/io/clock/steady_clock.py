"""The program's own clock: the computer's, as long as that behaves.

What is due is reckoned by it (leases, ages of readings, answers that are waited for), so it must neither go back nor stand
still. A clock that was put forward is followed at once. Where it was put back, time passes a little more slowly until it agrees
again: what is due comes later than it would, by a third at most, and in the right order.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_US: Final = 1_000_000
# A lease that is renewed at half its time is renewed before it ends, at this pace too.
_SLOW: Final = 0.75
# What is further ahead is put back at once: until it agreed, plans would be for the wrong time of day for too long.
_SLOWED_US_MAX: Final = 6 * 3600 * _US


def computer_unix_us() -> int:
    """The computer's clock, which somebody may set."""
    return time.time_ns() // 1000


class SteadyClock:
    """µs since 1970 UTC, going on all the time. ``wall``: the computer's clock; ``passed_s``: seconds that nobody sets."""

    def __init__(
        self,
        wall: Callable[[], int] = computer_unix_us,
        passed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._passed_s = wall, passed_s
        self._told_unix_us = wall()
        self._told_s = passed_s()
        self._ahead_us = 0

    @property
    def ahead_us(self) -> int:
        """How far it was ahead of the computer's when it was read last: 0 but after that was put back."""
        return self._ahead_us

    def __call__(self) -> int:
        """Now."""
        wall_unix_us, at_s = self._wall(), self._passed_s()
        slow_unix_us = self._told_unix_us + int(max(at_s - self._told_s, 0.0) * _SLOW * _US)
        is_far_behind = self._told_unix_us - wall_unix_us > _SLOWED_US_MAX
        now_unix_us = wall_unix_us if is_far_behind else max(wall_unix_us, slow_unix_us)
        if now_unix_us != self._told_unix_us or at_s - self._told_s > 1.0:
            self._told_unix_us, self._told_s = now_unix_us, at_s
        self._ahead_us = now_unix_us - wall_unix_us
        return now_unix_us
