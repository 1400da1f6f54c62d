"""Power over time in steps of equal length, as measured or made up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parkwatt.domain.record import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class StepProfile:
    """``power_kw``: [T], constant within each step of ``step_s`` seconds from ``start_unix_s`` on.

    Before it begins the first value holds, after it the last.
    """

    start_unix_s: int
    step_s: int
    power_kw: FloatArray

    def __post_init__(self) -> None:
        """Raises ValueError where a value is unknown or there is none: the physics know each second."""
        if self.step_s < 1 or not len(self.power_kw):
            raise ValueError("a profile needs steps of at least a second, and at least one of them")
        if not np.all(np.isfinite(self.power_kw)):
            raise ValueError("a profile of the physics holds no unknown power")

    def by_second(self, start_unix_s: int, count: int) -> FloatArray:
        """[count] the power in each second from ``start_unix_s`` on."""
        seconds = start_unix_s - self.start_unix_s + np.arange(count, dtype=np.int64)
        index = np.clip(seconds // self.step_s, 0, len(self.power_kw) - 1)
        powers: FloatArray = self.power_kw[index]
        return powers


def none_kw(start_unix_s: int) -> StepProfile:
    """Nothing, always."""
    return StepProfile(start_unix_s, 1, np.zeros(1))
