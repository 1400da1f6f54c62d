"""How charging slows when a battery is nearly full, as far as a promise has to reckon with it.

Cars take less above some charge, and none of them says how much. What is reckoned with here is on the careful side: full
power up to `TAPER_SOC`, then falling in a straight line to `TAPER_END_SHARE` of it when full. A car that takes more is
ready early.
"""

from __future__ import annotations

import math
from typing import Final

TAPER_SOC: Final = 0.8
TAPER_END_SHARE: Final = 0.1


def share_of_power(soc: float) -> float:
    """What of its greatest charging power a car takes at that charge."""
    beyond = max(soc - TAPER_SOC, 0.0) / (1.0 - TAPER_SOC)
    return 1.0 - (1.0 - TAPER_END_SHARE) * min(beyond, 1.0)


def taper_h(energy_kwh: float, asked_kwh: float, capacity_kwh: float, rate_kw: float) -> float:
    """How much longer charging takes than at full power, in hours. ``rate_kw``: what full power brings into the battery.

    The time from charge a to charge b where the power falls linearly is the integral of dE / P(E), a logarithm.
    """
    first_kwh = max(energy_kwh, TAPER_SOC * capacity_kwh)
    if asked_kwh <= first_kwh or rate_kw <= 0:
        return 0.0
    span_kwh = (1.0 - TAPER_SOC) * capacity_kwh / (1.0 - TAPER_END_SHARE)
    begins = share_of_power(first_kwh / capacity_kwh)
    ends = share_of_power(asked_kwh / capacity_kwh)
    tapered_kwh = span_kwh * math.log(begins / ends)
    return (tapered_kwh - (asked_kwh - first_kwh)) / rate_kw


def reachable_kwh(energy_kwh: float, capacity_kwh: float, rate_kw: float, hours: float) -> float:
    """What the battery holds after charging with all it takes for so long."""
    begins_kwh = TAPER_SOC * capacity_kwh
    if rate_kw <= 0 or hours <= 0 or energy_kwh >= capacity_kwh:
        return energy_kwh
    flat_h = max(begins_kwh - energy_kwh, 0.0) / rate_kw
    if hours <= flat_h:
        return energy_kwh + rate_kw * hours
    first_kwh = max(energy_kwh, begins_kwh)
    falls = 1.0 - TAPER_END_SHARE
    width_kwh = capacity_kwh - begins_kwh
    left = 1.0 - falls * (first_kwh - begins_kwh) / width_kwh
    left *= math.exp(-falls * rate_kw * (hours - flat_h) / width_kwh)
    return min(begins_kwh + width_kwh * (1.0 - left) / falls, capacity_kwh)
