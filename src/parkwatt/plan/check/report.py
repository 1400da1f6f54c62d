"""What the checker found, and the comparisons it finds with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import InputFault
from parkwatt.domain.plan import CostParts
from parkwatt.domain.record import FloatArray

# A plan's numbers have 9 digits after the point; sums over a horizon of them stay far below this.
TOLERANCE = 1e-6

# A wish counts as missed from this many tolerances on: what a solver's rounding leaves is no news.
_MISSED_TOLERANCES = 10.0


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The verdict on a plan.

    ``faults``: every broken rule, with the field, the rule and the value found. ``cost_parts``: as
    recomputed; None where the plan's form is too broken to compute with.
    """

    faults: tuple[InputFault, ...]
    cost_parts: CostParts | None

    @property
    def valid(self) -> bool:
        """Whether no rule is broken."""
        return not self.faults


class Findings:
    """Collects faults; comparisons hold within ``tolerance`` and fail for NaN."""

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance
        self.found: list[InputFault] = []

    @property
    def missed_from(self) -> float:
        """The kW or kWh from which on a wish counts as missed."""
        return _MISSED_TOLERANCES * self.tolerance

    def add(self, field: str, rule: str, value: object = None) -> None:
        """Note that ``field`` breaks ``rule``."""
        self.found.append(InputFault(field, rule, value))

    def equal(self, field: str, found: float, expected: float, scale: float = 1.0) -> None:
        """``found`` must be ``expected``, within the tolerance times ``scale``."""
        if not abs(found - expected) <= self.tolerance * scale:
            self.add(field, f"must be {expected:.9g}", float(found))

    def equal_series(self, field: str, found: FloatArray, expected: FloatArray, why: str) -> None:
        """Each value must be the one expected; the first that is not is told."""
        wrong = np.flatnonzero(~(np.abs(found - expected) <= self.tolerance))
        if wrong.size:
            first = int(wrong[0])
            rule = f"must be {expected[first]:.9g} ({why}){_and_more(wrong.size)}"
            self.add(f"{field}[{first}]", rule, float(found[first]))

    def none_of(
        self, field: str, wrong: NDArray[np.bool_], found: FloatArray, rule: str, offset: int = 0
    ) -> None:
        """No value may be ``wrong``; the first that is, is told, counted from ``offset``."""
        places = np.flatnonzero(wrong)
        if places.size:
            first = int(places[0])
            text = f"{rule}{_and_more(places.size)}"
            self.add(f"{field}[{first + offset}]", text, float(found[first]))


def _and_more(count: int) -> str:
    return f" [and {count - 1} more]" if count > 1 else ""
