"""The last look at one car's set-point of a pool: what passes it is sent, and nothing else makes one.

A pool's set-points come from arrays that were bounded before. Here each is held once more against what the car's driver and
charger allow, by figures that no dispatch has touched.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from parkwatt.domain.charger.command import Approved, SetPower

_SAME_KW = 1e-6


class Allowed(NamedTuple):
    """What one car may be told: ``charge_kw_max``, ``discharge_kw_max`` ≥ 0 (0 without consent or a proven charger)."""

    charger_id: str
    evse_id: int
    charge_kw_max: float
    discharge_kw_max: float


def approve(
    allowed: Allowed, power_kw: float, *, lease_s: int, reason: str, following: bool
) -> Approved | None:
    """The command that holds ``power_kw`` at a car, cut to what is allowed; None where it is no number.

    ``following``: only a correction of the one before.
    """
    if not math.isfinite(power_kw):
        return None
    cut_kw = min(max(power_kw, -allowed.discharge_kw_max), allowed.charge_kw_max)
    if abs(cut_kw - power_kw) > _SAME_KW:
        reason, following = f"{reason}; no more than {cut_kw:.3g} kW are allowed here", False
    # No −0 and no watts that are no power.
    cut_kw = round(cut_kw, 3) + 0.0
    command = SetPower(
        evse_id=allowed.evse_id,
        power_kw=cut_kw,
        lease_s=lease_s,
        reason=reason,
        following=following,
    )
    return Approved(allowed.charger_id, command)
