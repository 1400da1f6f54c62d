"""The table [car] of a site's file, as far as a study and a running site share it: the battery, its bounds, its prices."""

from __future__ import annotations

from dataclasses import dataclass

from parkwatt.domain.problem import Storage
from parkwatt.domain.record import Faults, Record
from parkwatt.io.series_source import SeriesSource, read_series_source
from parkwatt.plan.wear import CELLS, holding_price, wear_price

# Beyond it a number is a slip, and the solver's arithmetic would suffer. Currencies differ by a factor of 100,000.
_PRICE_MAX = 1e9


@dataclass(frozen=True, slots=True)
class CarSettings:
    """The car, its charger and its cell. Energies follow from ``battery_kwh`` and the ``*_soc`` fractions."""

    name: str
    battery_kwh: float
    floor_soc: float
    highest_soc: float
    ready_soc: float
    start_soc: float
    charge_kw_max: float
    discharge_kw_max: float
    charge_kw_min: float
    discharge_kw_min: float
    charge_efficiency: float
    discharge_efficiency: float
    cell: str
    pack_price_per_kwh: float
    temperature_c: float
    temperature: SeriesSource | None
    grid_use_depth: float
    wear_price_per_kwh: float | None
    charger_cost: float | None
    public_price_per_kwh: float


def car_tables(record: Record) -> list[Record]:
    """The cars of a site's file: one table [car], or several as [[car]]; at least one, that is faulty where there is none."""
    if isinstance(record.value("car"), list):
        tables = record.records("car")
        if tables:
            return tables
        record.fault("car", "must hold at least one car")
        return [Record({}, "car", Faults())]
    return [record.record("car")]


def read_car(record: Record) -> CarSettings:
    """The car in the table ``record``, as far as a study and a running site share it.

    Reads its own fields only: the caller reads what else may stand there and calls ``record.finish()``.
    """
    battery_kwh = record.number("battery_kwh", above=0.0, maximum=2000.0)
    floor_soc = record.number("floor_soc", 0.2, minimum=0.0, maximum=1.0)
    highest_soc = record.number("highest_soc", 1.0, above=0.0, maximum=1.0)
    if floor_soc > highest_soc:
        record.fault("floor_soc", f"must be at most highest_soc, {highest_soc:g}", floor_soc)
    ready_soc = record.number("ready_soc", 0.8, minimum=0.0, maximum=1.0)
    if ready_soc > highest_soc:
        record.fault("ready_soc", f"must be at most highest_soc, {highest_soc:g}", ready_soc)
    charge_kw_max = record.number("charge_kw_max", above=0.0, maximum=1000.0)
    discharge_kw_max = record.number("discharge_kw_max", charge_kw_max, minimum=0.0, maximum=1000.0)
    temperature = None
    if record.has("temperature"):
        weather = record.record("temperature")
        temperature = read_series_source(weather, "raw")
        weather.finish()
    return CarSettings(
        name=record.text("name", "car"),
        battery_kwh=battery_kwh,
        floor_soc=floor_soc,
        highest_soc=highest_soc,
        ready_soc=ready_soc,
        start_soc=record.number("start_soc", ready_soc, minimum=0.0, maximum=1.0),
        charge_kw_max=charge_kw_max,
        discharge_kw_max=discharge_kw_max,
        charge_kw_min=record.number("charge_kw_min", 0.0, minimum=0.0, maximum=charge_kw_max),
        discharge_kw_min=record.number(
            "discharge_kw_min", 0.0, minimum=0.0, maximum=discharge_kw_max
        ),
        charge_efficiency=record.number("charge_efficiency", 0.93, above=0.0, maximum=1.0),
        discharge_efficiency=record.number("discharge_efficiency", 0.93, above=0.0, maximum=1.0),
        cell=record.text("cell", "nmc622-denso", choices=tuple(CELLS)),
        pack_price_per_kwh=record.number(
            "pack_price_per_kwh", 110.0, minimum=0.0, maximum=_PRICE_MAX
        ),
        temperature_c=record.number("temperature_c", 20.0, minimum=-40.0, maximum=60.0),
        temperature=temperature,
        grid_use_depth=record.number("grid_use_depth", 0.2, above=0.0, maximum=0.45),
        wear_price_per_kwh=record.optional_number(
            "wear_price_per_kwh", minimum=0.0, maximum=_PRICE_MAX
        ),
        charger_cost=record.optional_number("charger_price", minimum=0.0, maximum=_PRICE_MAX),
        public_price_per_kwh=record.number(
            "public_price_per_kwh", 0.6, minimum=0.0, maximum=_PRICE_MAX
        ),
    )


def car_storage(car: CarSettings, temperature_c: float) -> Storage:
    """The car as the planner sees it, with the cell's own prices for wear where none was given."""
    cell = CELLS[car.cell]
    wear = car.wear_price_per_kwh
    holding_per_kwh_h, holding_from = 0.0, 0.0
    if wear is None:
        wear = wear_price(
            cell, car.battery_kwh, car.pack_price_per_kwh, car.grid_use_depth, temperature_c
        )
        held = holding_price(cell, car.battery_kwh, car.pack_price_per_kwh, temperature_c)
        holding_per_kwh_h, holding_from = held.holding_price_per_kwh_h, held.holding_from_kwh
    return Storage(
        id=car.name,
        energy_kwh_min=car.floor_soc * car.battery_kwh,
        energy_kwh_max=car.highest_soc * car.battery_kwh,
        charge_kw_max=car.charge_kw_max,
        discharge_kw_max=car.discharge_kw_max,
        charge_kw_min=car.charge_kw_min,
        discharge_kw_min=car.discharge_kw_min,
        charge_efficiency=car.charge_efficiency,
        discharge_efficiency=car.discharge_efficiency,
        wear_price_per_kwh=wear,
        holding_price_per_kwh_h=holding_per_kwh_h,
        holding_from_kwh=holding_from,
    )
