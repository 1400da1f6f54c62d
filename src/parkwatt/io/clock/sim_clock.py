"""The wall's clock of a simulated world: µs since 1970 UTC, which somebody may set."""

from __future__ import annotations

from collections.abc import Callable


class SimClock:
    """µs since 1970 by a loop's time.

    ``loop_time``: seconds, as `asyncio.AbstractEventLoop.time`. ``start_unix_us``: what the clock shows when that is
    ``start_s``. Steps set the clock forward or back, as a wrong time server does; without them it is the true time.
    """

    def __init__(
        self, loop_time: Callable[[], float], start_unix_us: int, *, start_s: float = 0.0
    ) -> None:
        self._loop_time = loop_time
        self._start_unix_us = start_unix_us
        self._start_s = start_s
        self.wrong_us = 0

    def __call__(self) -> int:
        """What the clock shows now."""
        return self.true_unix_us() + self.wrong_us

    def true_unix_us(self) -> int:
        """What a clock shows that nobody sets."""
        return self._start_unix_us + round((self._loop_time() - self._start_s) * 1_000_000)

    def loop_s(self, unix_us: int) -> float:
        """The loop's time at a true time."""
        return self._start_s + (unix_us - self._start_unix_us) / 1_000_000

    def step(self, by_s: float) -> None:
        """Set the clock forward, or back."""
        self.wrong_us += round(by_s * 1_000_000)

    def correct(self) -> None:
        """Set the clock right."""
        self.wrong_us = 0
