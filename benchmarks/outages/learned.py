"""What a home could have learned before its outage, and nothing after: hours of its circuits, and days of its sun."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.outages.homes import STEP_S, Home
from parkwatt.domain.home.event import CircuitHour
from parkwatt.domain.record import FloatArray
from parkwatt.forecast.local_time import DAY_S, HOUR_S

_STEPS_PER_HOUR: Final = HOUR_S // STEP_S
_SUN_DAYS: Final = 15


def circuit_hours(
    home: Home,
    begin_unix_s: int,
    end_unix_s: int,
    on: NDArray[np.bool_] | None = None,
) -> Iterator[CircuitHour]:
    """The whole hours of a span in which something was measured, as the journal would have told them, by time.

    ``on``: [C] the circuits that had power; without it all had.
    """
    first_s = -(-max(begin_unix_s, home.grid.start_unix_s) // HOUR_S) * HOUR_S
    last_s = min(end_unix_s, home.grid.end_unix_s)
    for start_s in range(first_s, last_s - HOUR_S + 1, HOUR_S):
        first = home.grid.index(start_s)
        power_kw = home.power_kw[:, first : first + _STEPS_PER_HOUR]
        known = np.isfinite(power_kw)
        coverage = known.mean(axis=1)
        energy_kwh = np.where(known, power_kw, 0.0).sum(axis=1) * home.grid.step_h
        for place, circuit in enumerate(home.circuits):
            if coverage[place] > 0.0:
                yield CircuitHour(
                    circuit_id=circuit.circuit_id,
                    start_unix_s=start_s,
                    energy_kwh=float(energy_kwh[place]),
                    coverage=float(coverage[place]),
                    could_run=on is None or bool(on[place]),
                )


def solar_scenarios(
    home: Home, at_unix_s: int, step_s: int, step_count: int, count: int, seed: int
) -> FloatArray | None:
    """[count, step_count] courses of the sun ahead, kW: each takes for each day ahead one of the last fifteen, by chance.

    None for a home without a roof.
    """
    if not home.has_sun:
        return None
    random = np.random.default_rng(seed)
    ahead_s = np.arange(step_count) * step_s
    days_ahead = ahead_s // DAY_S
    back = random.integers(1, _SUN_DAYS + 1, size=(count, int(days_ahead[-1]) + 1))
    times_s = at_unix_s + ahead_s % DAY_S - DAY_S * back[:, days_ahead]
    places = np.maximum((times_s - home.grid.start_unix_s) // home.grid.step_s, 0)
    found: FloatArray = np.nan_to_num(home.solar_kw[places])
    return found
