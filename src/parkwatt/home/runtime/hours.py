"""Hours left, as quantiles of courses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray

_PROBABILITIES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours that 90, 50 and 10 % of the courses reach.

    ``endless_share``: of the courses that last to the end of the forecast, be it by the sun or by what is stored.
    """

    p10_h: float
    p50_h: float
    p90_h: float
    endless_share: float

    @classmethod
    def of(cls, lasted_h: FloatArray, reached: NDArray[np.bool_]) -> Self:
        """Of courses [N]."""
        low, middle, high = np.quantile(lasted_h, _PROBABILITIES).tolist()
        return cls(low, middle, high, float(reached.mean()))

    @property
    def at_least(self) -> bool:
        """Whether the middle course lasts to the end of the forecast: then it may last longer."""
        return self.endless_share > 0.5

    def words(self) -> str:
        """Such as "31 to 38 h, most likely 34 h"."""
        if self.endless_share > _PROBABILITIES[-1]:
            return f"at least {figure(self.p10_h)} h"
        if self.endless_share > _PROBABILITIES[0]:
            return f"{figure(self.p10_h)} h to at least {figure(self.p90_h)} h"
        low, high = figure(self.p10_h), figure(self.p90_h)
        if low == high:
            return f"{low} h"
        return f"{low} to {high} h, most likely {figure(self.p50_h)} h"


def figure(hours: float) -> str:
    """Hours as people say them: tenths below ten."""
    return f"{hours:.1f}" if hours < 9.95 else f"{hours:.0f}"
