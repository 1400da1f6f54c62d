"""The columns of a fleet's file, and its rows as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import InputFault
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray

REQUIRED_NUMBERS: Final = (
    "energy_kwh_at_arrival",
    "energy_kwh_min",
    "energy_kwh_max",
    "charge_kw_max",
    "discharge_kw_max",
    "charge_efficiency",
    "discharge_efficiency",
)
# What an absent column, or an empty cell, stands for.
OPTIONAL_NUMBERS: Final = {
    "energy_kwh_at_departure": float("nan"),
    "charge_kw_min": 0.0,
    "discharge_kw_min": 0.0,
    "wear_price_per_kwh": 0.0,
    "energy_value_per_kwh": 0.0,
    "taper_from_kwh": float("inf"),
    "taper_kw_at_max": 0.0,
    "holding_price_per_kwh_h": 0.0,
    "holding_from_kwh": 0.0,
}
NUMBERS: Final = (*REQUIRED_NUMBERS, *OPTIONAL_NUMBERS)
STEPS: Final = ("from_step", "to_step")
TIMES: Final = ("from_time", "to_time")
PRICE_ROW: Final = "price_row"
NODE: Final = "node"
KNOWN: Final = ("car_id", *STEPS, *TIMES, *NUMBERS, PRICE_ROW, NODE)

TextArray = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class FleetRows:
    """N stays. ``place``: [N] the row in the file, from 1. ``numbers``: each [N], by its column, with defaults filled in.

    ``node``: [N] the place of its node among those that were asked for; 0 where none were.
    """

    place: TimeArray
    car_id: TextArray
    from_step: TimeArray
    to_step: TimeArray
    price_row: TimeArray
    node: TimeArray
    numbers: dict[str, FloatArray]

    def take(self, chosen: NDArray[Any]) -> FleetRows:
        """Some of the rows: a mask, or places in the arrays."""
        numbers = {name: values[chosen] for name, values in self.numbers.items()}
        return FleetRows(
            self.place[chosen],
            self.car_id[chosen],
            self.from_step[chosen],
            self.to_step[chosen],
            self.price_row[chosen],
            self.node[chosen],
            numbers,
        )


@dataclass(frozen=True, slots=True, eq=False)
class FleetFile:
    """``rows``: those in which nothing is wrong yet; ``faults``: of the others, (row from 1, fault), rows in order."""

    rows: FleetRows
    faults: list[tuple[int, InputFault]]
