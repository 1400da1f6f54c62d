"""A plan: what each battery does in each step, what it costs, which wishes it could not meet, and why.

Mirrors the published contract (docs/reference/contract.md). Positive power = import, charge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from parkwatt.domain.record import FloatArray

ViolationKind = Literal["departure", "floor", "import_limit", "export_limit"]


@dataclass(frozen=True, slots=True)
class CostParts:
    """The cost of a plan in its parts; all in the problem's currency, and their sum is the cost.

    ``energy``: bought less sold. ``demand``: the demand charge. ``wear``: of discharging and, where a holding price is
    set, of standing at a high charge. ``end_value``: minus the worth of what is left in the batteries.
    """

    energy: float
    demand: float
    wear: float
    end_value: float

    @property
    def total(self) -> float:
        """The cost that was minimised."""
        return self.energy + self.demand + self.wear + self.end_value


@dataclass(frozen=True, slots=True, eq=False)
class BatteryPlan:
    """``power_kw``: [T], ``energy_kwh``: [T+1]."""

    id: str
    power_kw: FloatArray
    energy_kwh: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class StayPlan:
    """``energy_kwh``: [to − from + 1]; ``shortfall_kwh`` ≥ 0 is missing at departure."""

    energy_kwh: FloatArray
    shortfall_kwh: float


@dataclass(frozen=True, slots=True, eq=False)
class VehiclePlan:
    """``power_kw``: [T], 0 outside stays."""

    id: str
    power_kw: FloatArray
    stays: tuple[StayPlan, ...]


@dataclass(frozen=True, slots=True)
class Violation:
    """A wish that could not be met. ``id`` names the battery (None: the site); ``step`` where it shows first or most."""

    kind: ViolationKind
    id: str | None
    step: int
    amount: float
    unit: Literal["kWh", "kW"]
    message: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the battery ``id`` does what it does in steps [from_step, to_step), in a driver's words with numbers."""

    id: str
    from_step: int
    to_step: int
    power_kw: float
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A whole plan; T steps. ``status`` is best_effort where a wish could not be met (then ``violations`` says which)."""

    status: Literal["optimal", "best_effort"]
    cost_parts: CostParts
    import_kw: FloatArray
    export_kw: FloatArray
    solar_used_kw: FloatArray
    batteries: tuple[BatteryPlan, ...]
    vehicles: tuple[VehiclePlan, ...]
    violations: tuple[Violation, ...] = ()
    reasons: tuple[Reason, ...] = field(default=())

    @property
    def cost(self) -> float:
        """The cost that was minimised, in the problem's currency."""
        return self.cost_parts.total
