"""What the circuits of a home used in each hour: the fold of `CircuitHour` events, one packed row of numbers per circuit.

An hour is known where it was measured for at least half of its time while the circuit could run; its energy is then
scaled up to the whole hour. All other hours are unknown (NaN), never 0: an hour in which a circuit was shed teaches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Self

import msgspec
import numpy as np

from parkwatt.domain.home.event import CircuitHour
from parkwatt.domain.record import FloatArray
from parkwatt.forecast.local_time import HOUR_S

HOURS_KEPT: Final = 400 * 24
COVERAGE_MIN: Final = 0.5
_TRIM_HOURS: Final = 30 * 24  # trimming moves the whole row, so not for each hour
_BYTES: Final = 4
_UNKNOWN: Final = np.float32(np.nan).tobytes()


class _Row(msgspec.Struct):
    """Hours since 1970 of the first value, and the energies, kWh, as packed float32."""

    first_hour: int
    energies: bytearray


class CircuitHistory(msgspec.Struct):
    """Energy by circuit and hour, for the last 400 days. It grows in place, and is its own snapshot (about 38 kB a circuit)."""

    rows: dict[str, _Row] = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, hours: Iterable[CircuitHour]) -> Self:
        """The fold of some events."""
        history = cls()
        for hour in hours:
            history.add(hour)
        return history

    def add(self, hour: CircuitHour) -> None:
        """Take in an event. A later one for the same hour replaces it; one older than the history is dropped."""
        number = hour.start_unix_s // HOUR_S
        row = self.rows.get(hour.circuit_id)
        if row is None:
            row = self.rows[hour.circuit_id] = _Row(number, bytearray())
        place = number - row.first_hour
        if place < 0:
            if -place + len(row.energies) // _BYTES > HOURS_KEPT:
                return
            row.energies[:0] = _UNKNOWN * -place
            row.first_hour, place = number, 0
        known = len(row.energies) // _BYTES
        if place >= known + HOURS_KEPT:
            row.first_hour, known, place = number, 0, 0
            row.energies.clear()
        row.energies.extend(_UNKNOWN * (place + 1 - known))
        row.energies[place * _BYTES : (place + 1) * _BYTES] = np.float32(
            _energy_kwh(hour)
        ).tobytes()
        self._trim(row)

    def _trim(self, row: _Row) -> None:
        excess = len(row.energies) // _BYTES - HOURS_KEPT
        if excess > _TRIM_HOURS:
            del row.energies[: excess * _BYTES]
            row.first_hour += excess

    def table(self, circuit_ids: Sequence[str], now_unix_s: int) -> tuple[int, FloatArray]:
        """(hours since 1970 of the first row, [H, C] kWh) of the hours that ended by now, NaN where unknown."""
        stop = now_unix_s // HOUR_S
        rows = {one: self.rows[one] for one in circuit_ids if one in self.rows}
        first = min((row.first_hour for row in rows.values()), default=stop)
        first = max(min(first, stop), stop - HOURS_KEPT)
        result = np.full((stop - first, len(circuit_ids)), np.nan)
        for column, circuit_id in enumerate(circuit_ids):
            row = rows.get(circuit_id)
            if row is None:
                continue
            values = np.frombuffer(bytes(row.energies), dtype=np.float32)
            begin, end = max(row.first_hour, first), min(row.first_hour + len(values), stop)
            if end > begin:
                part = values[begin - row.first_hour : end - row.first_hour]
                result[begin - first : end - first, column] = part
        return first, result


def _energy_kwh(hour: CircuitHour) -> float:
    if not hour.could_run or hour.coverage < COVERAGE_MIN:
        return float("nan")
    return max(hour.energy_kwh, 0.0) / min(hour.coverage, 1.0)
