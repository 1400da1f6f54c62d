"""The values of one register of one connection point, in order of the time at which they were measured.

A set: whatever the order in which values come, and however often, what is kept says the same. Values that say nothing more
are left out: those inside a quarter of an hour (its first and its last tell what the quarter moved), and those inside a run
that stands still. Kept are values at which a transaction began or ended, and whatever goes back: `parkwatt.site.account.curve`
makes sense of that once all is known.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

import msgspec

QUARTER_US: Final = 900_000_000


class Readings(msgspec.Struct):
    """``at_unix_us``, ``value_kwh``: [N] ascending by time, then value. ``pinned``: [N] 1 where it must be kept."""

    at_unix_us: list[int] = msgspec.field(default_factory=list)
    value_kwh: list[float] = msgspec.field(default_factory=list)
    pinned: bytearray = msgspec.field(default_factory=bytearray)

    def add(self, at_unix_us: int, value_kwh: float, pinned: bool) -> None:
        """Note a value."""
        times = self.at_unix_us
        if not times or at_unix_us > times[-1]:
            times.append(at_unix_us)
            self.value_kwh.append(value_kwh)
            self.pinned.append(pinned)
            self._forget(len(times) - 2)
            return
        index = bisect_left(times, at_unix_us)
        values = self.value_kwh
        while index < len(times) and times[index] == at_unix_us and values[index] < value_kwh:
            index += 1
        if index < len(times) and times[index] == at_unix_us and values[index] == value_kwh:
            self.pinned[index] |= pinned
            return
        times.insert(index, at_unix_us)
        values.insert(index, value_kwh)
        self.pinned.insert(index, pinned)
        for near in (index + 1, index, index - 1):
            self._forget(near)

    def _forget(self, index: int) -> None:
        """Leave out a value that says nothing more than its neighbours."""
        times, values = self.at_unix_us, self.value_kwh
        if not 0 < index < len(times) - 1 or self.pinned[index]:
            return
        before, value, after = values[index - 1 : index + 2]
        if not before <= value <= after:
            return
        first, last = times[index - 1] // QUARTER_US, times[index + 1] // QUARTER_US
        if first == last or before == after:
            del times[index], values[index], self.pinned[index]


class IntervalEnergies(msgspec.Struct):
    """Energies since the reading before, from chargers without a register: each time counts once, in order of time."""

    at_unix_us: list[int] = msgspec.field(default_factory=list)
    energy_kwh: list[float] = msgspec.field(default_factory=list)

    def add(self, at_unix_us: int, energy_kwh: float) -> None:
        """Note the energy up to a time; the greater of two for the same."""
        index = bisect_left(self.at_unix_us, at_unix_us)
        if index < len(self.at_unix_us) and self.at_unix_us[index] == at_unix_us:
            self.energy_kwh[index] = max(self.energy_kwh[index], energy_kwh)
            return
        self.at_unix_us.insert(index, at_unix_us)
        self.energy_kwh.insert(index, energy_kwh)


class PointReadings(msgspec.Struct):
    """All that a connection point's meter told: what went into the car, and out of it."""

    imported: Readings = msgspec.field(default_factory=Readings)
    exported: Readings = msgspec.field(default_factory=Readings)
    import_intervals: IntervalEnergies = msgspec.field(default_factory=IntervalEnergies)
    export_intervals: IntervalEnergies = msgspec.field(default_factory=IntervalEnergies)
