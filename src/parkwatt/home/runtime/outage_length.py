"""How long an outage goes on of which nobody told an end: by how long others lasted that had gone on as long.

`UNPLANNED` and `PLANNED` were measured on the outages of PG&E in Northern California from June to December 2019 (the map of its
outages, kept in the repository simonw/pge-outages-pre-2024), of which both ends were seen: 117,267 unplanned ones and 8,281
public-safety shut-offs, every outage counted once however many customers it had.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np


@dataclass(frozen=True, slots=True)
class OutageLengths:
    """The quantiles of outages' lengths: ``shares`` (rising, in (0, 1)) did not exceed ``lengths_h``."""

    shares: tuple[float, ...]
    lengths_h: tuple[float, ...]

    def total_h(self, elapsed_h: float, share: float) -> float:
        """What ``share`` of the outages that went on for ``elapsed_h`` did not exceed, from their start.

        Linear in the logarithms of length and of the share that lasts longer; beyond the last quantile as between the last two.
        """
        lasts = np.log1p(-np.array(self.shares))
        length = np.log(np.array(self.lengths_h))
        slope = (length[-1] - length[-2]) / (lasts[-1] - lasts[-2])
        now = np.log(max(elapsed_h, self.lengths_h[0]))
        beyond = max(float(now - length[-1]), 0.0) / slope
        wanted = float(np.interp(now, length, lasts)) + beyond + np.log1p(-share)
        if wanted >= lasts[-1]:
            # np.interp wants rising places; the shares that last longer fall.
            return float(np.exp(np.interp(-wanted, -lasts, length)))
        return float(np.exp(length[-1] + (wanted - lasts[-1]) * slope))


UNPLANNED: Final = OutageLengths(
    (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99), (0.45, 0.62, 1.12, 2.07, 4.2, 8.3, 13.1, 33.2)
)
PLANNED: Final = OutageLengths(
    (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99),
    (13.2, 18.3, 27.2, 43.6, 63.6, 94.8, 105.7, 120.9),
)
