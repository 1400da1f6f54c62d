"""Many cars as arrays: each row is one stay of one car, with what is asked of it; and the prices that they see.

A stay is a problem of its own, as its energy at arrival is given, so a car with several stays has several rows.
The meaning of each field is the contract's (docs/reference/contract.md) for a vehicle that is alone at its connection.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import FloatArray

IntArray = NDArray[np.int64]

STEPS_MAX: Final = (
    2048  # the words of 64 segments of which one word keeps account, two segments a step
)

FAULTS_MAX: Final = 20


WHOLE_NUMBERS: Final = frozenset({"from_step", "to_step", "price_row"})


def as_kernels_take(array: NDArray[Any], kind: type[np.int64] | type[np.float64]) -> NDArray[Any]:
    """The array itself, or a copy where it is of another kind, not in one piece or may not be written.

    Numba would compile each kernel once more for it.
    """
    return np.require(array, kind, ["C", "W"])


class CarStays(NamedTuple):
    """N stays. Each array is [N]; the kernels take them as they are.

    ``from_step``, ``to_step``: steps [from, to) in which the car is plugged in. Energies in kWh in the battery, powers in kW
    at the charger, efficiencies in (0, 1]. ``energy_kwh_at_departure``: NaN where nothing is asked. ``wear_price_per_kwh``:
    per kWh that leaves the battery by discharge. ``energy_value_per_kwh``: of what is left at the end of the stay.
    ``charge_kw_min``, ``discharge_kw_min``: the least power when there is any. ``price_row``: which of the prices it sees.
    ``taper_from_kwh``: a step that ends above charges with less, in a straight line from ``charge_kw_max`` there to
    ``taper_kw_at_max`` at the maximum; infinite: it never does. ``holding_price_per_kwh_h``: per hour for each kWh that stands
    above ``holding_from_kwh``.
    """

    from_step: IntArray
    to_step: IntArray
    energy_kwh_at_arrival: FloatArray
    energy_kwh_at_departure: FloatArray
    energy_kwh_min: FloatArray
    energy_kwh_max: FloatArray
    charge_kw_max: FloatArray
    discharge_kw_max: FloatArray
    charge_kw_min: FloatArray
    discharge_kw_min: FloatArray
    charge_efficiency: FloatArray
    discharge_efficiency: FloatArray
    wear_price_per_kwh: FloatArray
    energy_value_per_kwh: FloatArray
    price_row: IntArray
    taper_from_kwh: FloatArray
    taper_kw_at_max: FloatArray
    holding_price_per_kwh_h: FloatArray
    holding_from_kwh: FloatArray

    @property
    def stay_count(self) -> int:
        """N. (The length of the tuple is its number of arrays.)"""
        return len(self.from_step)

    def take(self, rows: IntArray | slice) -> CarStays:
        """Some of the stays."""
        return CarStays._make(array[rows] for array in self)

    def as_kernels_take(self) -> CarStays:
        """The same in the form that is compiled for."""
        return CarStays._make(
            as_kernels_take(array, np.int64 if name in WHOLE_NUMBERS else np.float64)
            for name, array in zip(self._fields, self, strict=True)
        )


class MissPrices(NamedTuple):
    """What a missed wish costs; infinite: it comes before all money. Prices of at least 0.

    ``departure_per_kwh``: each kWh missing of what is asked at departure. ``floor_per_kwh_h``: each kWh below the floor, per
    hour, of a car that arrives there: it waits while power is dearer. Infinite: it charges at full power until it is there.
    No car discharges below its floor at any price.
    """

    departure_per_kwh: float = math.inf
    floor_per_kwh_h: float = math.inf


class BatchPrices(NamedTuple):
    """``import_per_kwh``, ``export_per_kwh``: [P, T], currency per kWh at the charger; ``duration_h``: [T]."""

    import_per_kwh: FloatArray
    export_per_kwh: FloatArray
    duration_h: FloatArray

    @property
    def step_count(self) -> int:
        """T."""
        return len(self.duration_h)

    def as_kernels_take(self) -> BatchPrices:
        """The same in the form that is compiled for."""
        return BatchPrices._make(as_kernels_take(array, np.float64) for array in self)


def faults_of(cars: CarStays, prices: BatchPrices) -> list[tuple[int, InputFault]]:
    """What is wrong, by row: each rule that a row breaks, with its field and value; rows in order."""
    found: list[tuple[int, InputFault]] = []
    for field, rule, wrong in _rules(cars, prices):
        values = getattr(cars, field)
        found += [
            (int(row), InputFault(f"{field}[{row}]", rule, values[row].item()))
            for row in np.flatnonzero(wrong)
        ]
    return sorted(found, key=lambda one: one[0])


def raise_if_wrong(cars: CarStays, prices: BatchPrices, miss: MissPrices | None = None) -> None:
    """Refuse prices of a wrong shape, and cars that break a rule.

    Raises: InputError with the first faults, if there is any.
    """
    found = [*_faults_of_prices(prices), *_faults_of_arrays(cars)]
    for name, price in zip(MissPrices._fields, miss or (), strict=False):
        if not price >= 0.0:
            found.append(InputFault(name, "must be at least 0, or infinite", price))
    found = found or [fault for _, fault in faults_of(cars, prices)]
    if found:
        raise InputError(found[:FAULTS_MAX])


def fault_of_rows(name: str, rows: NDArray[Any], count: int, *, whole: bool) -> InputFault | None:
    """What is wrong with the form of an array that has a value for each stay."""
    if rows.shape != (count,):
        return InputFault(name, f"must have shape ({count},)", rows.shape)
    if rows.dtype.kind not in ("iu" if whole else "iuf"):
        return InputFault(name, f"must be {'whole ' if whole else ''}numbers", str(rows.dtype))
    return None


def _faults_of_prices(prices: BatchPrices) -> list[InputFault]:
    steps, hours = prices.step_count, prices.duration_h
    found = []
    if steps > STEPS_MAX:
        found.append(InputFault("duration_h", f"must have at most {STEPS_MAX} steps", steps))
    if hours.shape != (steps,):
        found.append(InputFault("duration_h", f"must have shape ({steps},)", hours.shape))
    elif (wrong := ~(np.isfinite(hours) & (hours > 0.0))).any():
        found.append(InputFault("duration_h", "must be finite and above 0", hours[wrong][0].item()))
    shape = (len(prices.import_per_kwh), steps)
    for name in ("import_per_kwh", "export_per_kwh"):
        series = getattr(prices, name)
        if series.shape != shape:
            found.append(InputFault(name, f"must have shape {shape}", series.shape))
        elif (wrong := ~np.isfinite(series)).any():
            found.append(InputFault(name, "must be finite", series[wrong][0].item()))
    return found


def _faults_of_arrays(cars: CarStays) -> list[InputFault]:
    found = [
        fault_of_rows(name, array, cars.stay_count, whole=name in WHOLE_NUMBERS)
        for name, array in zip(cars._fields, cars, strict=True)
    ]
    return [fault for fault in found if fault is not None]


def _rules(cars: CarStays, prices: BatchPrices) -> list[tuple[str, str, NDArray[np.bool_]]]:
    """(field, rule, which rows break it)."""
    steps = prices.step_count
    rules = [
        ("from_step", "must be at least 0", cars.from_step < 0),
        ("to_step", "must be above from_step", cars.to_step <= cars.from_step),
        ("to_step", f"must be at most {steps}, the number of steps", cars.to_step > steps),
        ("price_row", "must be at least 0", cars.price_row < 0),
        (
            "price_row",
            f"must be below {len(prices.import_per_kwh)}, the number of price rows",
            cars.price_row >= len(prices.import_per_kwh),
        ),
    ]
    for name in ("charge_efficiency", "discharge_efficiency"):
        value = getattr(cars, name)
        rules.append((name, "must be in (0, 1]", ~((value > 0.0) & (value <= 1.0))))
    for name in (
        "energy_kwh_at_arrival",
        "energy_kwh_min",
        "energy_kwh_max",
        "charge_kw_max",
        "discharge_kw_max",
        "charge_kw_min",
        "discharge_kw_min",
        "wear_price_per_kwh",
        "taper_kw_at_max",
        "holding_price_per_kwh_h",
        "holding_from_kwh",
    ):
        value = getattr(cars, name)
        rules.append((name, "must be finite and at least 0", ~(np.isfinite(value) & (value >= 0))))
    asked, worth = cars.energy_kwh_at_departure, cars.energy_value_per_kwh
    rules += [
        ("energy_value_per_kwh", "must be finite", ~np.isfinite(worth)),
        ("energy_kwh_at_departure", "must be at least 0, or NaN", np.isinf(asked) | (asked < 0)),
        ("taper_from_kwh", "must be at least 0", ~(cars.taper_from_kwh >= 0.0)),
        (
            "taper_kw_at_max",
            "must be at most charge_kw_max",
            cars.taper_kw_at_max > cars.charge_kw_max,
        ),
        (
            "energy_kwh_max",
            "must be at least energy_kwh_min",
            cars.energy_kwh_max < cars.energy_kwh_min,
        ),
        (
            "charge_kw_min",
            "must be at most charge_kw_max",
            cars.charge_kw_min > cars.charge_kw_max,
        ),
        (
            "discharge_kw_min",
            "must be at most discharge_kw_max",
            cars.discharge_kw_min > cars.discharge_kw_max,
        ),
    ]
    return rules
