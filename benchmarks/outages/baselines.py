"""How homes are run in an outage today: not at all, and by fixed thresholds as a smart panel does.

*Unmanaged*: everything stays on until the car is at its floor. *Fixed thresholds*: what is not needed goes off at once,
what is nice to have at half of the battery, and what must stay runs until the floor (the rule of SPAN's panels for a
stationary battery, their support article 4411661794839). Neither knows of a driver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.outages.pairs import Pair
from benchmarks.outages.physics import Decision, Seen

_NICE_TO_HAVE_SOC: Final = 0.5


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """All on until it is empty."""

    pair: Pair

    def decide(self, seen: Seen) -> Decision:  # noqa: ARG002
        """Everything."""
        everything = np.ones(len(self.pair.home.circuits), dtype=np.bool_)
        return Decision(everything, self.pair.car.floor_kwh)


@dataclass(frozen=True, slots=True)
class FixedThresholds:
    """By tier and state of charge."""

    pair: Pair

    def decide(self, seen: Seen) -> Decision:
        """What the tier's threshold allows."""
        home, car = self.pair.home, self.pair.car
        on = np.zeros(len(home.circuits), dtype=np.bool_)
        on[home.tier("must_have")] = True
        on[home.tier("nice_to_have")] = seen.energy_kwh > _NICE_TO_HAVE_SOC * car.capacity_kwh
        return Decision(on, car.floor_kwh)
