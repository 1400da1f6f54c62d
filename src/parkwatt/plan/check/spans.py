"""A battery and its decisions over one span of steps: a stay, or a stationary battery's horizon."""

from __future__ import annotations

from dataclasses import dataclass

from parkwatt.domain.plan import Plan
from parkwatt.domain.problem import Problem, Storage
from parkwatt.domain.record import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """One battery over steps [from_step, to_step).

    ``power_kw``: [to − from]; ``energy_kwh``: [to − from + 1], as the plan states them. The paths
    name the plan's fields for faults. ``shortfall_kwh``: None for a stationary battery.
    """

    storage: Storage
    power_path: str
    span_path: str
    from_step: int
    to_step: int
    energy_kwh_at_start: float
    energy_value_per_kwh: float
    power_kw: FloatArray
    energy_kwh: FloatArray
    shortfall_kwh: float | None = None
    energy_kwh_asked: float | None = None
    ready_from_step: int | None = None


def spans_of(problem: Problem, plan: Plan) -> list[Span]:
    """Every stationary battery and every stay, in the problem's order."""
    spans = [
        Span(
            storage=battery,
            power_path=f"batteries[{index}].power_kw",
            span_path=f"batteries[{index}]",
            from_step=0,
            to_step=problem.step_count,
            energy_kwh_at_start=battery.energy_kwh_at_start,
            energy_value_per_kwh=battery.energy_value_per_kwh,
            power_kw=planned.power_kw,
            energy_kwh=planned.energy_kwh,
        )
        for index, (battery, planned) in enumerate(
            zip(problem.batteries, plan.batteries, strict=True)
        )
    ]
    for index, (vehicle, driven) in enumerate(zip(problem.vehicles, plan.vehicles, strict=True)):
        for place, (stay, planned) in enumerate(zip(vehicle.stays, driven.stays, strict=True)):
            spans.append(
                Span(
                    storage=vehicle,
                    power_path=f"vehicles[{index}].power_kw",
                    span_path=f"vehicles[{index}].stays[{place}]",
                    from_step=stay.from_step,
                    to_step=stay.to_step,
                    energy_kwh_at_start=stay.energy_kwh_at_arrival,
                    energy_value_per_kwh=stay.energy_value_per_kwh,
                    power_kw=driven.power_kw[stay.from_step : stay.to_step],
                    energy_kwh=planned.energy_kwh,
                    shortfall_kwh=planned.shortfall_kwh,
                    energy_kwh_asked=stay.energy_kwh_at_departure,
                    ready_from_step=stay.ready_from_step,
                )
            )
    return spans
