"""A plan problem as JSON: reads it with every fault told at once, and writes it.

The shape is the published contract (docs/reference/contract.md). Rules that join several fields
(order of stays, a minimum above its maximum) are only looked at where each field is sound by
itself, so that one mistake gives one line.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict

import numpy as np

from parkwatt.domain.problem import (
    Problem,
    SiteProblem,
    StationaryBattery,
    Stay,
    Storage,
    Vehicle,
)
from parkwatt.domain.record import Faults, FloatArray, Record
from parkwatt.io.series_source import read_time_zone

VERSION = 1

# Beyond any site (1 GW, 1 GWh, a million per kWh), and small enough that doubles keep 9 digits
# after the point.
MAGNITUDE_MAX = 1e6
_STEP_MINUTES_MAX = 24 * 60


class _StorageFields(TypedDict):
    id: str
    energy_kwh_min: float
    energy_kwh_max: float
    charge_kw_max: float
    discharge_kw_max: float
    charge_kw_min: float
    discharge_kw_min: float
    charge_efficiency: float
    discharge_efficiency: float
    wear_price_per_kwh: float
    holding_price_per_kwh_h: float
    holding_from_kwh: float


def problem_from_json(table: object) -> Problem:
    """The problem in ``table``, as `json.loads` gives it.

    Raises InputError with all faults: each names the field (``vehicles[0].stays[1].to_step``), the
    rule and the value.
    """
    faults = Faults()
    record = Record(table, "", faults)
    record.integer("version", minimum=VERSION, maximum=VERSION)
    start = _start(record)
    step_minutes = record.number("step_minutes", above=0.0, maximum=_STEP_MINUTES_MAX)
    currency = record.text("currency")
    time_zone = read_time_zone(record, "time_zone")
    site = _site(record.record("site"))
    step_count = len(site.import_price_per_kwh)
    ids: set[str] = set()
    batteries = tuple(_battery(item, ids) for item in record.records("batteries"))
    vehicles = tuple(_vehicle(item, ids, step_count) for item in record.records("vehicles"))
    record.finish()
    if not faults.found:
        _check_end(record, start, step_minutes * step_count)
    faults.raise_if_any()
    duration_h = np.full(step_count, step_minutes / 60.0)
    zone_name = "UTC" if time_zone is None else time_zone.key
    return Problem(start, duration_h, currency, site, batteries, vehicles, zone_name)


def problem_to_json(problem: Problem) -> dict[str, object]:
    """The problem as a table that `json.dumps` takes; reading it back gives the same problem.

    Raises ValueError where the steps are not equally long: the contract has one ``step_minutes``.
    """
    duration_h = problem.duration_h
    if np.ptp(duration_h) > 1e-9 * duration_h[0]:
        raise ValueError("the contract knows steps of one length only")
    site = problem.site
    return {
        "version": VERSION,
        "start": problem.start.isoformat().replace("+00:00", "Z"),
        "step_minutes": round(float(duration_h[0]) * 60.0, 9),
        "currency": problem.currency,
        "time_zone": problem.time_zone,
        "site": {
            "import_price_per_kwh": site.import_price_per_kwh.tolist(),
            "export_price_per_kwh": site.export_price_per_kwh.tolist(),
            "load_kw": site.load_kw.tolist(),
            "solar_kw": site.solar_kw.tolist(),
            "solar_curtailable": site.solar_curtailable,
            "import_limit_kw": site.import_limit_kw,
            "export_limit_kw": site.export_limit_kw,
            "demand_charge_per_kw": site.demand_charge_per_kw,
            "peak_so_far_kw": site.peak_so_far_kw,
            "batteries_may_export": site.batteries_may_export,
        },
        "batteries": [_battery_to_json(battery) for battery in problem.batteries],
        "vehicles": [
            _storage_to_json(vehicle) | {"stays": [_stay_to_json(stay) for stay in vehicle.stays]}
            for vehicle in problem.vehicles
        ],
    }


def _start(record: Record) -> datetime:
    start = record.time_utc("start")
    text = record.value("start")
    if isinstance(text, str) and not text.upper().endswith(("Z", "+00:00")):
        found = record.faults.found
        if not any(fault.field == "start" for fault in found):
            record.fault("start", "must be in UTC, such as 2026-01-15T16:00:00Z", text)
    return start


def _check_end(record: Record, start: datetime, minutes: float) -> None:
    """A horizon beyond the calendar's last year cannot be told in words of time."""
    try:
        start + timedelta(minutes=minutes)
    except OverflowError:
        record.fault("start", "must let the horizon end before the year 10000", start.isoformat())


def _site(record: Record) -> SiteProblem:
    before = len(record.faults.found)
    import_price = record.numbers("import_price_per_kwh")
    length: int | None = len(import_price)
    if len(record.faults.found) > before:
        length = None  # the number of steps is unknown: other lengths cannot be judged
    elif not length:
        record.fault("import_price_per_kwh", "must have at least one value")
        length = None
    site = SiteProblem(
        import_price_per_kwh=import_price,
        export_price_per_kwh=record.numbers("export_price_per_kwh", length=length),
        load_kw=record.numbers("load_kw", length=length, minimum=0.0, default=0.0),
        solar_kw=record.numbers("solar_kw", length=length, minimum=0.0, default=0.0),
        solar_curtailable=record.boolean("solar_curtailable", True),
        import_limit_kw=_limit(record, "import_limit_kw"),
        export_limit_kw=_limit(record, "export_limit_kw"),
        demand_charge_per_kw=_quantity(record, "demand_charge_per_kw", 0.0),
        peak_so_far_kw=_quantity(record, "peak_so_far_kw", 0.0),
        batteries_may_export=record.boolean("batteries_may_export", True),
    )
    for name in ("import_price_per_kwh", "export_price_per_kwh", "load_kw", "solar_kw"):
        _check_magnitude(record, name, getattr(site, name))
    record.finish()
    return site


def _limit(record: Record, name: str) -> float | None:
    return record.optional_number(name, minimum=0.0, maximum=MAGNITUDE_MAX)


def _quantity(record: Record, name: str, default: float | None = None) -> float:
    """A number from 0 to what is believable."""
    return record.number(name, default, minimum=0.0, maximum=MAGNITUDE_MAX)


def _value(record: Record, name: str) -> float:
    """What a kWh is worth: of either sign."""
    return record.number(name, 0.0, minimum=-MAGNITUDE_MAX, maximum=MAGNITUDE_MAX)


def _check_magnitude(record: Record, name: str, values: FloatArray) -> None:
    beyond = np.flatnonzero(np.abs(values) > MAGNITUDE_MAX)
    if beyond.size:
        index = int(beyond[0])
        rule = f"must be between −{MAGNITUDE_MAX:.0f} and {MAGNITUDE_MAX:.0f}"
        record.fault(f"{name}[{index}]", rule, float(values[index]))


def _storage(record: Record, ids: set[str]) -> _StorageFields:
    name = record.text("id")
    if name in ids and name:
        record.fault("id", "must be different for each battery and vehicle", name)
    ids.add(name)
    fields = _StorageFields(
        id=name,
        energy_kwh_min=_quantity(record, "energy_kwh_min"),
        energy_kwh_max=_quantity(record, "energy_kwh_max"),
        charge_kw_max=_quantity(record, "charge_kw_max"),
        discharge_kw_max=_quantity(record, "discharge_kw_max"),
        charge_kw_min=_quantity(record, "charge_kw_min", 0.0),
        discharge_kw_min=_quantity(record, "discharge_kw_min", 0.0),
        charge_efficiency=record.number("charge_efficiency", above=0.0, maximum=1.0),
        discharge_efficiency=record.number("discharge_efficiency", above=0.0, maximum=1.0),
        wear_price_per_kwh=_quantity(record, "wear_price_per_kwh", 0.0),
        holding_price_per_kwh_h=_quantity(record, "holding_price_per_kwh_h", 0.0),
        holding_from_kwh=_quantity(record, "holding_from_kwh", 0.0),
    )
    # NaN stands in for a faulty number, and compares as false: no second fault for the same
    # mistake.
    for low, high in (
        ("energy_kwh_min", "energy_kwh_max"),
        ("charge_kw_min", "charge_kw_max"),
        ("discharge_kw_min", "discharge_kw_max"),
    ):
        values: dict[str, float] = {key: fields[key] for key in (low, high)}  # type: ignore[literal-required]
        if values[low] > values[high]:
            record.fault(low, f"must be at most {high} ({values[high]:g})", values[low])
    return fields


def _battery(record: Record, ids: set[str]) -> StationaryBattery:
    battery = StationaryBattery(
        **_storage(record, ids),
        energy_kwh_at_start=_quantity(record, "energy_kwh_at_start"),
        energy_value_per_kwh=_value(record, "energy_value_per_kwh"),
    )
    record.finish()
    return battery


def _vehicle(record: Record, ids: set[str], step_count: int) -> Vehicle:
    fields = _storage(record, ids)
    if not record.has("stays"):
        record.fault("stays", "is required (an empty list for a vehicle that never comes)")
    stays: list[Stay] = []
    sound_to_step = 0
    for item in record.records("stays"):
        before = len(item.faults.found)
        stay = _stay(item, step_count)
        if len(item.faults.found) == before:
            if stay.from_step < sound_to_step:
                rule = f"must be at least {sound_to_step}, the end of the stay before"
                item.fault("from_step", rule, stay.from_step)
            sound_to_step = max(sound_to_step, stay.to_step)
        stays.append(stay)
    record.finish()
    return Vehicle(**fields, stays=tuple(stays))


def _stay(record: Record, step_count: int) -> Stay:
    before = len(record.faults.found)
    last = step_count or None  # without prices the number of steps is unknown
    from_step = record.integer("from_step", minimum=0)
    to_step = record.integer("to_step", minimum=0, maximum=last)
    ready = None
    if record.value("ready_from_step") is not None:
        ready = record.integer("ready_from_step", minimum=0, maximum=last)
    sound = len(record.faults.found) == before
    if sound and to_step <= from_step:
        record.fault("to_step", f"must be greater than from_step ({from_step})", to_step)
    elif sound and ready is not None and not from_step < ready <= to_step:
        rule = f"must be greater than from_step ({from_step}) and at most to_step ({to_step})"
        record.fault("ready_from_step", rule, ready)
    asked = _limit(record, "energy_kwh_at_departure")
    if ready is not None and record.value("energy_kwh_at_departure") is None:
        record.fault("ready_from_step", "needs energy_kwh_at_departure, which is not given", ready)
    stay = Stay(
        from_step=from_step,
        to_step=to_step,
        energy_kwh_at_arrival=_quantity(record, "energy_kwh_at_arrival"),
        energy_kwh_at_departure=asked,
        energy_value_per_kwh=_value(record, "energy_value_per_kwh"),
        ready_from_step=ready,
    )
    record.finish()
    return stay


def _storage_to_json(storage: Storage) -> dict[str, object]:
    return {
        "id": storage.id,
        "energy_kwh_min": storage.energy_kwh_min,
        "energy_kwh_max": storage.energy_kwh_max,
        "charge_kw_max": storage.charge_kw_max,
        "discharge_kw_max": storage.discharge_kw_max,
        "charge_kw_min": storage.charge_kw_min,
        "discharge_kw_min": storage.discharge_kw_min,
        "charge_efficiency": storage.charge_efficiency,
        "discharge_efficiency": storage.discharge_efficiency,
        "wear_price_per_kwh": storage.wear_price_per_kwh,
        "holding_price_per_kwh_h": storage.holding_price_per_kwh_h,
        "holding_from_kwh": storage.holding_from_kwh,
    }


def _battery_to_json(battery: StationaryBattery) -> dict[str, object]:
    return _storage_to_json(battery) | {
        "energy_kwh_at_start": battery.energy_kwh_at_start,
        "energy_value_per_kwh": battery.energy_value_per_kwh,
    }


def _stay_to_json(stay: Stay) -> dict[str, object]:
    return {
        "from_step": stay.from_step,
        "to_step": stay.to_step,
        "energy_kwh_at_arrival": stay.energy_kwh_at_arrival,
        "energy_kwh_at_departure": stay.energy_kwh_at_departure,
        "energy_value_per_kwh": stay.energy_value_per_kwh,
        "ready_from_step": stay.ready_from_step,
    }
