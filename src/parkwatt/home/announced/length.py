"""How long an outage lasts that nobody has announced an end of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

_OUTAGES_MIN: Final = 5
_QUANTILE: Final = 0.9
_SHORT_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class OutageLength:
    """The length to prepare for, and where it is from, in words."""

    duration_s: float
    reason: str


def outage_length(past_s: Sequence[float], expected_s: float) -> OutageLength:
    """What nine of ten past outages of this home did not exceed; ``expected_s`` until there were enough of them.

    ``past_s``: the lengths of past outages; those below five minutes are flickers and do not count. Never less than
    ``expected_s``: some short outages do not show that there are no long ones.
    """
    lasting_s = [one for one in past_s if one >= _SHORT_S]
    expected = f"{expected_s / 3600:.0f} h as set"
    if len(lasting_s) < _OUTAGES_MIN:
        return OutageLength(expected_s, expected)
    learned_s = float(np.quantile(lasting_s, _QUANTILE, method="higher"))
    if learned_s <= expected_s:
        return OutageLength(expected_s, expected)
    words = f"{learned_s / 3600:.0f} h, as nine of ten outages here did not exceed"
    return OutageLength(learned_s, words)
