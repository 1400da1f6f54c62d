"""A plan as JSON: writes it, and reads it back against its problem with every fault told at once.

Reading judges the form only (fields, lengths, ids in the problem's order, finite numbers, steps
within the horizon). Whether the numbers are right is for `parkwatt.plan.check`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from parkwatt.domain.errors import Description, InputError
from parkwatt.domain.plan import (
    BatteryPlan,
    CostParts,
    Plan,
    Reason,
    StayPlan,
    VehiclePlan,
    Violation,
    ViolationKind,
)
from parkwatt.domain.problem import Problem, Stay, Vehicle
from parkwatt.domain.record import Faults, FloatArray, Record

VERSION = 1
_DIGITS = 9
_COST_PARTS = ("energy", "demand", "wear", "end_value")


def plan_to_json(plan: Plan, problem: Problem) -> dict[str, object]:
    """The plan as a table that `json.dumps` takes; numbers rounded to 9 digits after the point.

    Raises ValueError where the plan's series do not have the problem's lengths: that would be a
    bug, not bad input.
    """
    step_count = problem.step_count
    return {
        "version": VERSION,
        "status": plan.status,
        "cost": _rounded(plan.cost),
        "cost_parts": {name: _rounded(getattr(plan.cost_parts, name)) for name in _COST_PARTS},
        "import_kw": _series(plan.import_kw, step_count),
        "export_kw": _series(plan.export_kw, step_count),
        "solar_used_kw": _series(plan.solar_used_kw, step_count),
        "batteries": [
            {
                "id": battery.id,
                "power_kw": _series(battery.power_kw, step_count),
                "energy_kwh": _series(battery.energy_kwh, step_count + 1),
            }
            for battery in plan.batteries
        ],
        "vehicles": [
            _vehicle_to_json(planned, vehicle, step_count)
            for planned, vehicle in zip(plan.vehicles, problem.vehicles, strict=True)
        ],
        "violations": [
            {
                "kind": violation.kind,
                "id": violation.id,
                "step": int(violation.step),
                "amount": _rounded(violation.amount),
                "unit": violation.unit,
                "message": violation.message,
            }
            for violation in plan.violations
        ],
        "reasons": [
            {
                "id": reason.id,
                "from_step": int(reason.from_step),
                "to_step": int(reason.to_step),
                "power_kw": _rounded(reason.power_kw),
                "message": reason.message,
            }
            for reason in plan.reasons
        ],
    }


def plan_from_json(table: object, problem: Problem) -> Plan:
    """The plan in ``table``, as `json.loads` gives it, for ``problem``.

    Raises InputError with all faults of its form: a missing or unknown field, a wrong length, an id
    that is not the problem's, a number that is not finite, a step outside the horizon.
    """
    faults = Faults()
    record = Record(table, "", faults)
    step_count = problem.step_count
    record.integer("version", minimum=VERSION, maximum=VERSION)
    status = record.text("status", choices=("optimal", "best_effort"))
    record.number("cost")
    plan = Plan(
        status=cast("Literal['optimal', 'best_effort']", status),
        cost_parts=_cost_parts(record.record("cost_parts")),
        import_kw=record.numbers("import_kw", length=step_count),
        export_kw=record.numbers("export_kw", length=step_count),
        solar_used_kw=record.numbers("solar_used_kw", length=step_count),
        batteries=tuple(
            _battery(item, step_count)
            for item in _named(record, "batteries", [item.id for item in problem.batteries])
        ),
        vehicles=tuple(
            _vehicle(item, vehicle, step_count)
            for item, vehicle in zip(
                _named(record, "vehicles", [item.id for item in problem.vehicles]),
                problem.vehicles,
                strict=False,
            )
        ),
        violations=tuple(_violation(item, step_count) for item in _listed(record, "violations")),
        reasons=tuple(_reason(item, step_count) for item in _listed(record, "reasons")),
    )
    record.finish()
    faults.raise_if_any()
    return plan


def stated_cost(table: object) -> float:
    """The field ``cost`` of a plan that `plan_from_json` has read (a `Plan` knows its cost from the
    parts alone).

    Raises InputError where there is none.
    """
    faults = Faults()
    cost = Record(table, "", faults).number("cost")
    if faults.found:
        raise InputError(faults.found)
    return cost


def _rounded(number: float) -> float:
    return round(float(number), _DIGITS) + 0.0  # + 0.0 makes −0.0 a plain 0.0


def _series(values: FloatArray, length: int) -> list[float]:
    if len(values) != length:
        raise ValueError(f"a series must have {length} values, got {len(values)}")
    return [_rounded(value) for value in values.tolist()]


def _vehicle_to_json(planned: VehiclePlan, vehicle: Vehicle, step_count: int) -> dict[str, object]:
    return {
        "id": planned.id,
        "power_kw": _series(planned.power_kw, step_count),
        "stays": [
            {
                "energy_kwh": _series(stay_plan.energy_kwh, stay.to_step - stay.from_step + 1),
                "shortfall_kwh": _rounded(stay_plan.shortfall_kwh),
            }
            for stay_plan, stay in zip(planned.stays, vehicle.stays, strict=True)
        ],
    }


def _cost_parts(record: Record) -> CostParts:
    parts = CostParts(**{name: record.number(name) for name in _COST_PARTS})
    record.finish()
    return parts


def _listed(record: Record, name: str) -> list[Record]:
    """The tables in a list that must be there, though it may be empty."""
    if not record.has(name):
        record.fault(name, "is required")
    return record.records(name)


def _named(record: Record, name: str, ids: Sequence[str]) -> list[Record]:
    """The tables in a list, one for each id and in that order."""
    items = _listed(record, name)
    if record.has(name) and len(items) != len(ids):
        rule = f"must have {len(ids)} entries, one for each in the problem, in its order"
        record.fault(name, rule, Description(f"{len(items)} entries"))
    for item, expected in zip(items, ids, strict=False):
        found = item.text("id")
        if found and found != expected:
            item.fault("id", f"must be {expected!r}, as in the problem", found)
    return items


def _battery(record: Record, step_count: int) -> BatteryPlan:
    battery = BatteryPlan(
        id=str(record.value("id")),
        power_kw=record.numbers("power_kw", length=step_count),
        energy_kwh=record.numbers("energy_kwh", length=step_count + 1),
    )
    record.finish()
    return battery


def _vehicle(record: Record, vehicle: Vehicle, step_count: int) -> VehiclePlan:
    power_kw = record.numbers("power_kw", length=step_count)
    items = _listed(record, "stays")
    if record.has("stays") and len(items) != len(vehicle.stays):
        rule = f"must have {len(vehicle.stays)} entries, one for each stay in the problem"
        record.fault("stays", rule, Description(f"{len(items)} entries"))
    stays = tuple(_stay(item, stay) for item, stay in zip(items, vehicle.stays, strict=False))
    record.finish()
    return VehiclePlan(id=vehicle.id, power_kw=power_kw, stays=stays)


def _stay(record: Record, stay: Stay) -> StayPlan:
    planned = StayPlan(
        energy_kwh=record.numbers("energy_kwh", length=stay.to_step - stay.from_step + 1),
        shortfall_kwh=record.number("shortfall_kwh"),
    )
    record.finish()
    return planned


def _violation(record: Record, step_count: int) -> Violation:
    kind = record.text("kind", choices=("departure", "floor", "import_limit", "export_limit"))
    if not record.has("id"):
        record.fault("id", "is required (null for the site)")
    violation = Violation(
        kind=cast("ViolationKind", kind),
        id=record.optional_text("id"),
        step=record.integer("step", minimum=0, maximum=step_count),
        amount=record.number("amount"),
        unit=cast("Literal['kWh', 'kW']", record.text("unit", choices=("kWh", "kW"))),
        message=record.text("message"),
    )
    record.finish()
    return violation


def _reason(record: Record, step_count: int) -> Reason:
    reason = Reason(
        id=record.text("id"),
        from_step=record.integer("from_step", minimum=0, maximum=step_count),
        to_step=record.integer("to_step", minimum=0, maximum=step_count),
        power_kw=record.number("power_kw"),
        message=record.text("message"),
    )
    record.finish()
    return reason
