"""A tree of feeders below one pool for a generated fleet, with limits that bind.

Assumed, for want of data: cars are spread over the feeders by chance; a feeder has from 1.0 to 1.6 kW for each of its cars,
the pool 1.2 kW for each car.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.app.atomic_file import replacing

_FEEDER_KW_PER_CAR: Final = (1.0, 1.6)
_POOL_KW_PER_CAR: Final = 1.2
_ROUNDED_KW: Final = 5
# A feeder of few cars has room for two of the strongest chargers.
_FEEDER_KW_MIN: Final = 25


def feeder_names(feeder_count: int) -> list[str]:
    """What the feeders are called."""
    digits = len(str(feeder_count))
    return [f"feeder-{number:0{digits}}" for number in range(1, feeder_count + 1)]


def feeder_of_stays(
    car_id: NDArray[Any], feeder_count: int, seed: int
) -> tuple[NDArray[np.object_], list[int]]:
    """[stays] the feeder's name, the same for all stays of a car; and the limits of pool and feeders, kW."""
    cars, of_car = np.unique(car_id.astype(str), return_inverse=True)
    chance = np.random.default_rng([seed, 2])
    feeder = chance.integers(feeder_count, size=len(cars))
    per_car_kw = chance.uniform(*_FEEDER_KW_PER_CAR, feeder_count)
    feeders_kw = (per_car_kw * np.bincount(feeder, minlength=feeder_count)).tolist()
    limits_kw = [_rounded(one) for one in (len(cars) * _POOL_KW_PER_CAR, *feeders_kw)]
    names = np.array(feeder_names(feeder_count), dtype=object)
    return names[feeder[of_car]], limits_kw


def write_tree(path: Path, limits_kw: list[int]) -> None:
    """Write the pool and its feeders as `fleet plan --limits` reads them. Raises InputError where that cannot be done."""
    pool_kw, *feeders_kw = limits_kw
    parts = [f'[[node]]\nname = "pool"\nkind = "pool"\nimport_limit_kw = {pool_kw}\n']
    for name, limit_kw in zip(feeder_names(len(feeders_kw)), feeders_kw, strict=True):
        parts.append(
            f'[[node]]\nname = "{name}"\nparent = "pool"\nkind = "feeder"\nimport_limit_kw = {limit_kw}\n'
        )
    with replacing(path) as stream:
        stream.write("\n".join(parts))


def _rounded(power_kw: float) -> int:
    return max(math.ceil(power_kw / _ROUNDED_KW) * _ROUNDED_KW, _FEEDER_KW_MIN)
