"""What a block of a reserve comes to: how long it was available, and how well it was answered."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.fleet.record import BlockPerformed
from parkwatt.fleet.frequency.score import delivery

FloatArray = NDArray[np.float64]
_DIGITS: Final = Decimal("0.0001")


def performed(
    programme: str,
    block: str,
    share: FloatArray,
    response: FloatArray,
    is_short: NDArray[np.bool_],
    *,
    full_activation_s: int = 30,
) -> BlockPerformed:
    """The record that settlement takes, from a block's seconds [T]: what was asked for and answered, as shares of the reserve.

    Available is a second in which the reserve was there in full (not ``is_short``), also when nothing was asked. The score is
    the share of seconds that were answered within the operator's time (`parkwatt.fleet.frequency.score.delivery`). Raises
    InputError where arrays differ in shape.
    """
    if not share.shape == response.shape == is_short.shape or not len(share):
        raise InputError(
            [InputFault("response", "must have a value for each second", response.shape)]
        )
    found = delivery(share, response, full_activation_s=full_activation_s)
    score = Decimal(str(found.within_share)).quantize(_DIGITS)
    return BlockPerformed(programme, block, int((~is_short).sum()), score)
